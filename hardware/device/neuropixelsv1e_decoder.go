package device

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

// v1eRowsPerBatch is 834 groups of 36 super-frames, as the original writes;
// onix-devices 4.6. It is a multiple of 12.
const v1eRowsPerBatch = 30024

// neuropixelsV1eDecoder makes one row of each super-frame (layout "repeat").
//
// Rows. Super-frames are taken in groups of twelve, which hold each AP value of
// twelve rows and one LFP value of every channel; a group becomes rows when
// its twelfth super-frame is there. LFP value k of a channel stands in rows
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
type neuropixelsV1eDecoder struct {
	core
	streams []stream.Stream
	cal     *v1eCalibration

	samples [v1eColumns][v1eBytes]byte // the group that is filling
	clocks  [v1eColumns]uint64
	filled  int

	column   int // of the next super-frame's LFP values, 0 to 11
	expected uint32
	lfp      [v1eChannels]uint16 // last value of each channel; mid-scale before the first
}

func (d *neuropixelsV1eDecoder) Streams() []stream.Stream { return d.streams }

func (d *neuropixelsV1eDecoder) Stats() Stats {
	s := d.stats
	s.Pending = uint64(d.filled)
	return s
}

func (d *neuropixelsV1eDecoder) Decode(f *oni.Frame, out []*Batch) error {
	if len(f.Data) < v1eBytes {
		return d.refuse(shortSample(HeadstageNeuropixelsV1e, len(f.Data), v1eBytes))
	}
	d.advance(f)
	sample := &d.samples[d.filled]
	copy(sample[:], f.Data)
	d.clocks[d.filled] = f.Clock
	for adc, off := range v1eLFPOffset {
		code := binary.LittleEndian.Uint16(sample[off:])
		d.lfp[v1eChannel(adc, d.column)] = d.cal.lfp.at(adc, code)
	}
	d.column = (d.column + 1) % v1eColumns
	if d.filled++; d.filled == v1eColumns {
		d.emit(out[0])
		d.filled = 0
	}
	return nil
}

// advance checks counter and hub clock of a super-frame against the last one.
//
// The counter is the primary test (onix-devices 9.2). It has 20 bits, 2.7 s,
// so that the hub clock tells how often it went round; where the two
// contradict each other, the frame counts as a fault.
func (d *neuropixelsV1eDecoder) advance(f *oni.Frame) {
	counter := v1eCounter(f.Data, 0)
	first, clockBefore := !d.loss.seen, d.loss.last
	byClock, hubFault := d.loss.next(binary.LittleEndian.Uint64(f.Data), f.Clock)
	fault := hubFault || !v1eCountersAdvance(f.Data)
	var lost uint64
	if step := (counter - d.expected) & v1eCounterMask; !first && (step != 0 || byClock != 0) {
		var agree bool
		lost, agree = v1eLost(step, byClock, d.loss.periodTicks > 0)
		fault = fault || !agree
	}
	d.expected = (counter + v1eFrames) & v1eCounterMask
	d.stats.Frames++
	if fault {
		d.stats.Faults++
	}
	if lost > 0 {
		d.column = int((uint64(d.column) + lost) % v1eColumns)
		row := d.stats.Rows + uint64(d.filled)
		d.gap(Gap{Row: row, Lost: lost, ClockBefore: clockBefore, ClockAfter: f.Clock})
	}
}

// v1eLost says how many super-frames are missing when the counter is step
// probe frames ahead (modulo 2^20) and the hub clock says byClock, and whether
// the two agree: to one super-frame, or one in a thousand.
func v1eLost(step uint32, byClock uint64, clockKnown bool) (lost uint64, agree bool) {
	ahead := float64(step)
	if clockKnown {
		turns := math.Round((v1eFrames*float64(byClock) - ahead) / (v1eCounterMask + 1))
		ahead += turns * (v1eCounterMask + 1)
	}
	byCounter := ahead / v1eFrames
	whole := byCounter >= 0 && byCounter == math.Trunc(byCounter)
	if !clockKnown {
		return uint64(byCounter), whole
	}
	agree = whole && math.Abs(byCounter-float64(byClock)) <= 1+float64(byClock)/1000
	switch {
	case agree:
		return uint64(byCounter), true
	case step == 0: // the counter goes on, the clock was set
		return 0, false
	}
	return byClock, false // the counter was set or garbled
}

// emit appends the twelve rows of a full group.
//
// Channel by channel, four rows a word: twelve values of a column are three
// stores of eight bytes, and the group stays in the first-level cache meanwhile.
func (d *neuropixelsV1eDecoder) emit(b *Batch) {
	const bytes = 2 * v1eColumns
	for ch, v := range d.lfp {
		four := uint64(v) * 0x0001000100010001
		col := extend(&b.Columns[ch], bytes)
		binary.LittleEndian.PutUint64(col[0:8], four)
		binary.LittleEndian.PutUint64(col[8:16], four)
		binary.LittleEndian.PutUint64(col[16:24], four)
	}
	for ch, off := range v1eAPOffset {
		col := extend(&b.Columns[v1eChannels+ch], bytes) // AP follows LFP
		binary.LittleEndian.PutUint64(col[0:8], d.fourAP(ch, off, (*[4][v1eBytes]byte)(d.samples[0:4])))
		binary.LittleEndian.PutUint64(col[8:16], d.fourAP(ch, off, (*[4][v1eBytes]byte)(d.samples[4:8])))
		binary.LittleEndian.PutUint64(col[16:24], d.fourAP(ch, off, (*[4][v1eBytes]byte)(d.samples[8:12])))
	}
	const clocks = 2 * v1eChannels // FrameCount, HubClock, Clock
	for i := range d.samples {
		b.Columns[clocks] = binary.LittleEndian.AppendUint32(b.Columns[clocks], v1eCounter(d.samples[i][:], 0))
		b.Columns[clocks+1] = append(b.Columns[clocks+1], d.samples[i][:8]...) // the hub clock as it stands
		b.Columns[clocks+2] = binary.LittleEndian.AppendUint64(b.Columns[clocks+2], d.clocks[i])
	}
	b.Rows += v1eColumns
	d.stats.Rows += v1eColumns
}

// fourAP is a channel's value, which stands at byte off, in four samples; the
// first in the low bits.
func (d *neuropixelsV1eDecoder) fourAP(ch, off int, samples *[4][v1eBytes]byte) uint64 {
	w0 := uint64(binary.LittleEndian.Uint16(samples[0][off:]))
	w1 := uint64(binary.LittleEndian.Uint16(samples[1][off:]))
	w2 := uint64(binary.LittleEndian.Uint16(samples[2][off:]))
	w3 := uint64(binary.LittleEndian.Uint16(samples[3][off:]))
	const legal = v1eCodes - 1
	if d.cal.ap.neutral && (w0|w1|w2|w3)&^legal == 0 {
		return w0 | w1<<16 | w2<<32 | w3<<48
	}
	adc, ap := v1eADCOfChannel(ch), &d.cal.ap
	w0, w1 = uint64(ap.at(adc, uint16(w0))), uint64(ap.at(adc, uint16(w1)))
	w2, w3 = uint64(ap.at(adc, uint16(w2))), uint64(ap.at(adc, uint16(w3)))
	return w0 | w1<<16 | w2<<32 | w3<<48
}

// extend makes a column n bytes longer and returns those bytes.
func extend(col *[]byte, n int) []byte {
	old := len(*col)
	*col = slices.Grow(*col, n)[:old+n]
	return (*col)[old:]
}
