package device

import (
	"encoding/binary"
	"slices"

	"github.com/oniscope/oniscope/hardware/device/neuropixels"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

// v1eRowsPerBatch is 834 groups of 36 super-frames, as the original writes;
// onix-devices 4.6. It is a multiple of 12.
const v1eRowsPerBatch = 30024

// neuropixelsV1Decoder makes one row of each super-frame (layout "repeat").
//
// Rows. Super-frames are taken in groups of twelve, which hold each AP value of
// twelve rows and one LFP value of every channel; a group becomes rows when
// its twelfth super-frame is there. LFP value k of a channel is in rows
// 12k to 12k+11, so every twelfth row is the LFP at its own rate. A stream
// therefore always has a multiple of twelve rows; what is in an unfinished
// group when acquisition stops (less than 0.4 ms, Stats.Pending) is left out,
// as the original leaves it out.
//
// LFP column. Nothing in a sample says which 32 channels its LFP values
// belong to: the first super-frame has column 0, each further one the next,
// and lost ones count (onix-devices 3.17).
//
// Loss. Super-frames that are missing leave no rows: FrameCount, HubClock and
// Clock jump between two rows. The group goes on with the next super-frame
// that comes, so that no AP value is thrown away. A channel whose LFP
// value was in a lost super-frame repeats its last one for the group in which
// the gap lies; of one that came twice the later value counts.
type neuropixelsV1Decoder struct {
	core
	streams []stream.Stream
	layout  *v1Layout
	cal     *v1eCalibration // nil: values are as the hardware made them
	counter frameCounter

	samples [v1eColumns]v1Slot // the group that is filling
	clocks  [v1eColumns]uint64
	filled  int

	keep   uint64              // bits of a value in each of four words
	column int                 // of the next super-frame's LFP values, 0 to 11
	lfp    [v1eChannels]uint16 // last value of each channel; mid-scale before the first
}

// newV1 makes the decoder of a 1.0 probe.
func newV1(l *v1Layout, cal *v1eCalibration, s stream.Stream, cfg Config) *neuropixelsV1Decoder {
	d := &neuropixelsV1Decoder{
		core:   core{loss: newLossDetector(cfg, v1eRateHz), onGap: cfg.OnGap},
		layout: l, cal: cal, keep: uint64(0xFFFF>>l.shift) * everyWord, counter: frameCounter{frames: v1eFrames}, streams: []stream.Stream{s},
	}
	for ch := range d.lfp {
		d.lfp[ch] = v1eCodes / 2
		if cal != nil {
			d.lfp[ch] = cal.lfp.of(ch, v1eCodes/2)
		}
	}
	return d
}

func (d *neuropixelsV1Decoder) Streams() []stream.Stream { return d.streams }

func (d *neuropixelsV1Decoder) Decode(f *oni.Frame, out []*Batch) error {
	l := d.layout
	if len(f.Data) < l.bytes {
		return d.refuse(shortSample(d.streams[0].Name, len(f.Data), l.bytes))
	}
	hub := binary.LittleEndian.Uint64(f.Data[l.hubClockAt:])
	lost := d.counted(&d.counter, l.counter(f.Data), l.ordered == nil || l.ordered(f.Data), hub, f.Clock)
	d.column = int((uint64(d.column) + lost) % v1eColumns)
	sample := &d.samples[d.filled]
	copy(sample[:v1eBytes], f.Data)
	d.clocks[d.filled] = f.Clock
	channels := &l.lfpChannel[d.column]
	for i, off := range l.lfp {
		code := uint16(sample.word(off)) >> l.shift
		if d.cal != nil {
			code = d.cal.lfp.at(i, code)
		}
		d.lfp[channels[i]] = code
	}
	d.column = (d.column + 1) % v1eColumns
	d.stats.Pending++
	if d.filled++; d.filled == v1eColumns {
		d.emit(out[0])
		d.filled, d.stats.Pending = 0, 0
	}
	return nil
}

// emit appends the twelve rows of a full group.
//
// Channel by channel, four rows a word: twelve values of a column are three
// stores of eight bytes, and the group stays in the first-level cache meanwhile.
func (d *neuropixelsV1Decoder) emit(b *Batch) {
	const bytes = 2 * v1eColumns
	lfp, ap := (*[v1eChannels][]byte)(b.Columns), (*[v1eChannels][]byte)(b.Columns[v1eChannels:]) // AP follows LFP
	for ch, v := range d.lfp {
		four := uint64(v) * everyWord
		col := (*[bytes]byte)(extend(&lfp[ch], bytes))
		binary.LittleEndian.PutUint64(col[0:8], four)
		binary.LittleEndian.PutUint64(col[8:16], four)
		binary.LittleEndian.PutUint64(col[16:24], four)
	}
	s, keep := &d.samples, uint64(v1eCodes-1)*everyWord
	for ch, off := range d.layout.ap {
		col := (*[bytes]byte)(extend(&ap[ch], bytes))
		w0 := s[0].word(off) | s[1].word(off)<<16 | s[2].word(off)<<32 | s[3].word(off)<<48
		w1 := s[4].word(off) | s[5].word(off)<<16 | s[6].word(off)<<32 | s[7].word(off)<<48
		w2 := s[8].word(off) | s[9].word(off)<<16 | s[10].word(off)<<32 | s[11].word(off)<<48
		switch {
		case d.cal == nil:
			w0, w1, w2 = w0>>d.layout.shift&d.keep, w1>>d.layout.shift&d.keep, w2>>d.layout.shift&d.keep
		case !d.cal.ap.neutral || (w0|w1|w2)&^keep != 0:
			adc := neuropixels.ADCOfChannel(ch)
			w0, w1, w2 = d.cal.ap.four(adc, w0), d.cal.ap.four(adc, w1), d.cal.ap.four(adc, w2)
		}
		binary.LittleEndian.PutUint64(col[0:8], w0)
		binary.LittleEndian.PutUint64(col[8:16], w1)
		binary.LittleEndian.PutUint64(col[16:24], w2)
	}
	const clocks = 2 * v1eChannels // FrameCount, HubClock, Clock
	for i := range d.samples {
		sample := d.samples[i][:]
		b.Columns[clocks] = binary.LittleEndian.AppendUint32(b.Columns[clocks], d.layout.counter(sample))
		b.Columns[clocks+1] = append(b.Columns[clocks+1], sample[d.layout.hubClockAt:d.layout.hubClockAt+8]...) // as it stands
		b.Columns[clocks+2] = binary.LittleEndian.AppendUint64(b.Columns[clocks+2], d.clocks[i])
	}
	b.Rows += v1eColumns
	d.stats.Rows += v1eColumns
}

// everyWord repeats a value of 16 bits in each word of 64.
const everyWord = 0x0001000100010001

// A v1Slot holds a sample. It is larger than one so that no offset up to its mask
// needs a check of bounds, and an odd number of cache lines, so that the same word
// of twelve samples lies in twelve sets of the cache.
type v1Slot [v1SlotMask + 1 + 64]byte

const v1SlotMask = 2047

func (s *v1Slot) word(off int) uint64 {
	return uint64(binary.LittleEndian.Uint16(s[off&v1SlotMask:]))
}

// extend makes a column n bytes longer and returns those bytes.
func extend(col *[]byte, n int) []byte {
	old := len(*col)
	if cap(*col)-old < n {
		*col = slices.Grow(*col, n)
	}
	*col = (*col)[:old+n]
	return (*col)[old:]
}
