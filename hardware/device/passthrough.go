package device

import (
	"encoding/binary"
	"fmt"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

// passthroughIndexOffset is the byte of a passthrough sample at which the
// index (uint16) distinguishes the probes. Source: onix-devices 2.8.
const passthroughIndexOffset = 8

// passthroughDecoder gives each sample of a passthrough device to the decoder
// of the probe that sent it; each probe is a stream.
type passthroughDecoder struct {
	name    string
	parts   []Decoder // of the kinds; nil: off
	byIndex [256]int  // from 1; 0: nobody
	streams []stream.Stream
	bad     Stats // of samples of nobody
}

func newPassthrough(kinds []*Kind, dev oni.Device, cfg Config) (Decoder, error) {
	d := &passthroughDecoder{name: cfg.Headstage, parts: make([]Decoder, len(kinds))}
	for i, k := range kinds {
		for _, index := range k.Indices {
			d.byIndex[index] = i + 1
		}
		part := cfg.Parts[k.Key]
		if part.Off {
			continue
		}
		own := cfg
		own.Settings = part.Settings
		if number, onGap := len(d.streams), cfg.OnGap; onGap != nil {
			own.OnGap = func(g Gap) {
				g.Stream = number
				onGap(g)
			}
		}
		decoder, err := k.newDecoder(dev, own)
		if err != nil {
			return nil, err
		}
		d.parts[i] = &inStream{decoder, len(d.streams)}
		d.streams = append(d.streams, decoder.Streams()...)
	}
	return d, nil
}

// inStream is the decoder of one stream, as one of several.
type inStream struct {
	Decoder
	number int
}

func (s *inStream) Decode(f *oni.Frame, out []*Batch) error {
	return s.Decoder.Decode(f, out[s.number:s.number+1])
}

func (d *passthroughDecoder) Streams() []stream.Stream { return d.streams }

func (d *passthroughDecoder) Decode(f *oni.Frame, out []*Batch) error {
	if len(f.Data) < passthroughIndexOffset+2 {
		d.bad.Frames++
		d.bad.BadFrames++
		return shortSample(d.name, len(f.Data), passthroughIndexOffset+2)
	}
	index := binary.LittleEndian.Uint16(f.Data[passthroughIndexOffset:])
	if index >= uint16(len(d.byIndex)) || d.byIndex[index] == 0 {
		d.bad.Frames++
		d.bad.BadFrames++
		return fmt.Errorf("device: %s: a sample with index %d, which no probe of it has", d.name, index)
	}
	part := d.parts[d.byIndex[index]-1]
	if part == nil {
		return nil // of a probe that is not wanted
	}
	return part.Decode(f, out)
}

func (d *passthroughDecoder) Stats() Stats {
	sum := d.bad
	for _, p := range d.parts {
		if p == nil {
			continue
		}
		s := p.Stats()
		sum.Frames += s.Frames
		sum.Rows += s.Rows
		sum.Lost += s.Lost
		sum.Gaps += s.Gaps
		sum.Faults += s.Faults
		sum.BadFrames += s.BadFrames
		sum.Pending += s.Pending
	}
	return sum
}
