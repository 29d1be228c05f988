package recovery

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"
	"sync/atomic"
	"unsafe"

	"github.com/oniscope/oniscope/shared/decimate"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

const (
	// minChannelValues is how many values a channel must have to be called
	// constant.
	minChannelValues = 100
	// clipRun is how many values in a row must be at the end of the range:
	// a lone extreme is a signal's right.
	clipRun = 3
)

// A channel is a column of samples, whose values are looked at as a whole.
// Other columns (counters, digital lines, states) are constant by right.
type channel struct {
	judged bool
	typ    stream.Type
	width  int
	ranged bool // lo and hi are the ends of the ADC's range
	lo, hi int64
	run    int // rows that clipRun values take

	first  []byte      // the first value
	varied atomic.Bool // several goroutines may look: once it varies, none compares again
	values int64
	atLo   int64 // values at the ends of the range, in runs
	atHi   int64
}

// channelsOf says which columns are channels.
func channelsOf(s *stream.Stream) []channel {
	list := make([]channel, len(s.Columns))
	for i := range s.Columns {
		c := &s.Columns[i]
		if _, _, number := stream.Label(c.Name); number < 0 || !c.Type.Numeric() || c.Type == stream.Bool {
			continue
		}
		ch := &list[i]
		ch.judged, ch.typ, ch.width, ch.run = true, c.Type, c.Type.Width(), clipRun
		ch.lo, ch.hi, ch.ranged = s.CodeRange(i)
		if !c.RunEnd && c.Stride > 1 {
			ch.run *= c.Stride
		}
	}
	return list
}

// A channelPart is what one batch shows of a channel.
type channelPart struct {
	first      []byte // the first value; nil: there is none
	varied     bool
	values     int64
	atLo, atHi int64
}

// join adds what the next piece of the same batch shows.
func (p *channelPart) join(next *channelPart) {
	if p.values == 0 {
		*p = *next
		return
	}
	if next.values > 0 {
		p.varied = p.varied || next.varied || !bytes.Equal(p.first, next.first)
		p.values, p.atLo, p.atHi = p.values+next.values, p.atLo+next.atLo, p.atHi+next.atHi
	}
}

// look takes the values of one batch, or of a piece of one, at whose borders runs end; valid is nil or its validity bits. ends are
// of the values, if they are known. buf is memory that it may use.
func (c *channel) look(data, valid []byte, ends recording.Extremes, buf *[]byte) (p channelPart) {
	run := c.run
	if valid != nil {
		*buf = gather((*buf)[:0], data, valid, c.width)
		data, run = *buf, clipRun
	}
	n := len(data) / c.width
	if n == 0 {
		return p
	}
	p.first, p.values = bytes.Clone(data[:c.width]), int64(n)
	p.varied = c.varied.Load() || !bytes.Equal(data[c.width:], data[:len(data)-c.width])
	if !c.ranged || ends.Known && ends.Least > float64(c.lo) && ends.Most < float64(c.hi) {
		return p
	}
	if uintptr(unsafe.Pointer(&data[0]))%8 != 0 {
		*buf = append((*buf)[:0], data...)
		data = *buf
	}
	flip := uint16(0)
	if c.typ == stream.Int16 {
		flip = 1 << 15
	}
	if inside(data, flip, c.lo, c.hi) {
		return p
	}
	if c.typ == stream.Int16 {
		p.atLo, p.atHi = clipped(unsafe.Slice((*int16)(unsafe.Pointer(&data[0])), n), c.lo, c.hi, run)
	} else {
		p.atLo, p.atHi = clipped(unsafe.Slice((*uint16)(unsafe.Pointer(&data[0])), n), c.lo, c.hi, run)
	}
	return p
}

// add takes what a batch showed, in the order of the batches.
func (c *channel) add(p *channelPart) {
	if p.values == 0 {
		return
	}
	if c.first == nil {
		c.first = p.first
	}
	c.values += p.values
	if p.varied || !bytes.Equal(p.first, c.first) {
		c.varied.Store(true)
	}
	c.atLo, c.atHi = c.atLo+p.atLo, c.atHi+p.atHi
}

// inside reports whether 16-bit values are all between both ends of a range, four at a
// time: most channels are. It may say false of values that are. flip is what makes them
// rise as unsigned ones do, and lo and hi are of the values as they are. data must lie
// where 64-bit numbers do.
func inside(data []byte, flip uint16, lo, hi int64) bool {
	const each, top = 0x0001000100010001, 0x8000800080008000
	low, high := lo+int64(flip), hi+int64(flip)
	if low < 0 || low >= 1<<15 || high <= low || high > 1<<16-1 {
		return false
	}
	// Of lanes whose top bit is clear, one less than n <= 2^15 has it after n is taken
	// away; a lane is borrowed from only where the one below it is less, too.
	n := len(data) &^ 7
	words := unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(data))), n/8)
	below, change, seen := uint64(low+1)*each, uint64(flip)*each, uint64(0)
	if high < 1<<15 {
		beyond := uint64(1<<15-high) * each // what reaches the end has the top bit then
		for _, x := range words {
			x ^= change
			seen |= (x-below)&^x | x | (x + beyond)
		}
	} else {
		beyond := uint64(1<<16-high) * each // of how far from the greatest of all codes
		for _, x := range words {
			x ^= change
			seen |= (x-below)&^x | (^x-beyond)&x
		}
	}
	for i := n; i+1 < len(data); i += 2 {
		if x := int64(binary.LittleEndian.Uint16(data[i:]) ^ flip); x <= low || x >= high {
			return false
		}
	}
	return seen&top == 0
}

// clipped counts the values at or beyond both ends of a range that are in
// runs of at least run.
func clipped[T int16 | uint16](values []T, lo, hi int64, run int) (atLo, atHi int64) {
	envelope := [2]float32{}
	decimate.Clear(envelope[:])
	decimate.MinMax(envelope[:], values, nil, []int{0, len(values)})
	least, most := envelope[0], envelope[1] // exact: the values have 16 bits
	count := func(at func(int64) bool) (sum int64) {
		length := 0
		for i := range len(values) + 1 {
			if i < len(values) && at(int64(values[i])) {
				length++
				continue
			}
			if length >= run {
				sum += int64(length)
			}
			length = 0
		}
		return sum
	}
	all := int64(len(values))
	if len(values) < run {
		all = 0
	}
	switch { // most columns never reach an end, and of a constant one all values do
	case most <= float32(lo):
		atLo = all
	case least <= float32(lo):
		atLo = count(func(x int64) bool { return x <= lo })
	}
	switch {
	case least >= float32(hi):
		atHi = all
	case most >= float32(hi):
		atHi = count(func(x int64) bool { return x >= hi })
	}
	return atLo, atHi
}

// gather appends the values of w bytes whose validity bit is set.
func gather(out, data, valid []byte, w int) []byte {
	n := len(data) / w
	for i, x := range valid {
		for ; x != 0; x &= x - 1 {
			if k := 8*i + bits.TrailingZeros8(x); k < n {
				out = append(out, data[k*w:k*w+w]...)
			}
		}
	}
	return out
}

// channelFindings reports which channels are constant or clipped, neighbours
// alike as one.
func (v *verifier) channelFindings() []recording.Finding {
	var list []recording.Finding
	first, last, said := 0, 0, ""
	flush := func() {
		if said == "" {
			return
		}
		names := v.stream.Columns[first].Name
		if last > first {
			names += fmt.Sprintf(" .. %s (%d columns)", v.stream.Columns[last].Name, last-first+1)
		}
		f := recording.Finding{Batch: -1, Severity: recording.SeverityInfo, Count: 1, Reason: names + ": " + said}
		if len(v.rc.clocks.offsets) > 0 {
			f.Offset, f.LastOffset = v.rc.clocks.offsets[0], v.rc.clocks.offsets[0]
		}
		list = append(list, f)
	}
	for i := range v.channels {
		what := v.channels[i].finding()
		if what != "" && what == said && last == i-1 {
			last = i
			continue
		}
		flush()
		first, last, said = i, i, what
	}
	flush()
	return list
}

func (c *channel) finding() string {
	switch {
	case !c.judged || c.values < minChannelValues:
		return ""
	case !c.varied.Load():
		v := recording.Vector{Type: c.typ, Width: c.width, Len: 1, Data: c.first}
		return fmt.Sprintf("constant at %s in all %d values", strconv.FormatFloat(v.Float64(0), 'g', -1, 64), c.values)
	case c.atLo > 0 && c.atHi > 0:
		return fmt.Sprintf("clipped: %d values at the least code %d, %d at the greatest, %d, of %d", c.atLo, c.lo, c.atHi, c.hi, c.values)
	case c.atLo > 0:
		return fmt.Sprintf("clipped: %d of %d values at the least code %d", c.atLo, c.values, c.lo)
	case c.atHi > 0:
		return fmt.Sprintf("clipped: %d of %d values at the greatest code %d", c.atHi, c.values, c.hi)
	}
	return ""
}
