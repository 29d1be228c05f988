package engine

import (
	"context"
	"encoding/binary"
	"io"
	"math"

	"github.com/oniscope/oniscope/shared/recording"
)

// What an engine knows of a stream once it has indexed it goes to the one that takes
// long over the same file: where its batches are, and what the scan of its clocks gave.
// That one then does neither again. It believes them where it saves, as it would a footer;
// what it verifies it proves from the file's own bytes.

// A known is what an engine gives.
type known struct {
	size     int64  // of the file, bytes
	identity string // of the file, what tells it from others of its size
	clock    int    // index of the column that was followed
	times    recording.Times
	blocks   []recording.Block
}

// Known is what another engine may be given of a stream; nil before it is indexed, and
// where the file is damaged.
func (e *Engine) Known(id string) ([]byte, error) {
	s, err := e.stream("known", id)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	blocks, ok := s.reader.Blocks()
	if !ok || s.times == nil || s.growing {
		return nil, nil
	}
	return (&known{s.size, s.identity(), s.clock, *s.times, blocks}).append(nil), nil
}

// How many numbers a segment, rows with bad ticks, and a batch take.
const (
	segmentNumbers = 4
	badNumbers     = 2
	blockNumbers   = 7
)

// append writes numbers of 64 bits, little endian, each list with its length in front.
func (k *known) append(out []byte) []byte {
	put := func(numbers ...uint64) {
		for _, x := range numbers {
			out = binary.LittleEndian.AppendUint64(out, x)
		}
	}
	put(uint64(k.size), uint64(k.clock), math.Float64bits(k.times.Period), math.Float64bits(k.times.Duration), uint64(len(k.identity)))
	out = append(out, k.identity...)
	put(uint64(len(k.times.Segments)))
	for _, s := range k.times.Segments {
		put(uint64(s.Start), uint64(s.End), s.ClockFirst, s.ClockLast)
	}
	put(uint64(len(k.times.Bad)))
	for _, r := range k.times.Bad {
		put(uint64(r.Start), uint64(r.End))
	}
	put(uint64(len(k.blocks)))
	for i := range k.blocks {
		b, untimed := &k.blocks[i], uint64(0)
		if b.Untimed {
			untimed = 1
		}
		put(uint64(b.Offset), uint64(b.Length), uint64(b.MetaLength), uint64(b.Rows), b.FirstClock, b.LastClock, untimed)
	}
	return out
}

// parseKnown reads what append wrote; nil for anything else.
func parseKnown(data []byte) *known {
	failed := false
	next := func() (x uint64) {
		if len(data) < 8 {
			failed, data = true, nil
			return 0
		}
		x, data = binary.LittleEndian.Uint64(data), data[8:]
		return x
	}
	// count is how many things of so many bytes follow.
	count := func(bytes int) int {
		n := next()
		if n > uint64(len(data)/bytes) {
			failed = true
			return 0
		}
		return int(n)
	}
	k := &known{size: int64(next()), clock: int(next())}
	k.times.Period, k.times.Duration = math.Float64frombits(next()), math.Float64frombits(next())
	n := count(1)
	k.identity, data = string(data[:n]), data[n:]
	for range count(8 * segmentNumbers) {
		k.times.Segments = append(k.times.Segments, recording.Segment{Start: int64(next()), End: int64(next()), ClockFirst: next(), ClockLast: next()})
	}
	for range count(8 * badNumbers) {
		k.times.Bad = append(k.times.Bad, recording.Range{Start: int64(next()), End: int64(next())})
	}
	for range count(8 * blockNumbers) {
		k.blocks = append(k.blocks, recording.Block{Offset: int64(next()), Length: int64(next()), MetaLength: int32(next()), Rows: int64(next()), FirstClock: next(), LastClock: next(), Untimed: next() != 0})
	}
	if failed || len(data) > 0 {
		return nil
	}
	return k
}

// OpenKnown is Open of a file of which another engine has given what it knows. Where
// that is of another file it is not believed.
func (e *Engine) OpenKnown(ctx context.Context, a OpenArgs, source io.ReaderAt, size int64, given []byte) (*StreamInfo, error) {
	k := parseKnown(given)
	about, _ := source.(identified)
	if k == nil || k.size != size || about != nil && about.Identity() != k.identity {
		return e.Open(ctx, a, source, size, nil)
	}
	info, err := e.openAs(ctx, a, source, size, func() (*recording.Reader, error) { return e.reader(ctx, source, size, k.blocks, nil) })
	if damaged(err) { // or changed since
		return e.Open(ctx, a, source, size, nil)
	}
	if err != nil {
		return nil, err
	}
	s, err := e.stream("openKnown", a.Stream)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clock == k.clock {
		e.followed(s, &k.times)
		s.given = true
	}
	return info, nil
}

// identity tells the file from others of its size; "": nothing does.
func (s *openStream) identity() string {
	if source, ok := s.source.(identified); ok {
		return source.Identity()
	}
	return ""
}
