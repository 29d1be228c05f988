package device

import (
	"encoding/binary"
	"fmt"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

// maxUnknownBytes bounds a sample of an unknown device: the largest frame of
// any ONIX device is 1224 bytes (onix-devices 3.0), and a load tester can be
// set to some thousands.
const maxUnknownBytes = 64 << 10

// unknownDecoder keeps the samples of a device that no other decoder knows.
// Its columns are Size (uint32, bytes of the sample), Sample (fixed-size
// binary of the table's read size, zeros after Size bytes) and Clock. The stream
// is called by place and device ID: "device-10" on the host, "port-a-device-10",
// "hub-3-device-10".
type unknownDecoder struct {
	core
	streams []stream.Stream
	size    int
}

func newUnknown(dev oni.Device, cfg Config) (Decoder, error) {
	if dev.ReadSize == 0 || dev.ReadSize > maxUnknownBytes {
		return nil, fmt.Errorf("device: unknown ID %d at %v: %w: the device table says %d bytes, want 1 to %d", dev.ID, dev.Address, ErrSampleSize, dev.ReadSize, maxUnknownBytes)
	}
	d := &unknownDecoder{core: core{onGap: cfg.OnGap}, size: int(dev.ReadSize)}
	s := newStream(dev, cfg, streamName(dev, cfg.Table, fmt.Sprintf("device-%d", dev.ID), nil), fmt.Sprintf("Device ID %d at %v, raw", dev.ID, dev.Address))
	s.Columns = []stream.Column{
		column("Size", stream.Uint32, 0),
		{Name: "Sample", Type: stream.FixedBinary, ArrowType: fmt.Sprintf("fixed_size_binary[%d]", d.size), ByteWidth: d.size},
		clockColumn("Clock", cfg.AcqClockHz, 0),
	}
	d.streams = []stream.Stream{s}
	return d, nil
}

func (d *unknownDecoder) Streams() []stream.Stream { return d.streams }

func (d *unknownDecoder) Decode(f *oni.Frame, out []*Batch) error {
	if len(f.Data) > d.size {
		return d.refuse(fmt.Errorf("device: %s: %w: %d bytes, the device table says %d", d.streams[0].Name, ErrSampleSize, len(f.Data), d.size))
	}
	d.row(0, f.Clock)
	b := out[0]
	b.Columns[0] = binary.LittleEndian.AppendUint32(b.Columns[0], uint32(len(f.Data)))
	b.Columns[1] = append(b.Columns[1], f.Data...)
	clear(extend(&b.Columns[1], d.size-len(f.Data)))
	b.Columns[2] = binary.LittleEndian.AppendUint64(b.Columns[2], f.Clock)
	b.Rows++
	return nil
}

// NewRaw returns a decoder that keeps the samples of any device as they come: for
// a device whose own decoder failed. Its stream is named as that of an unknown
// device. Errors as New.
func NewRaw(dev oni.Device, cfg Config) (Decoder, error) { return newUnknown(dev, cfg) }
