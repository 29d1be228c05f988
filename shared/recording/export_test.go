package recording

import (
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"testing"

	"github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/stream"
)

// What the tests of this package see besides its public face. First what they
// ask of a reader, in terms of Select: columns by their places, rows by two
// numbers.

// excerpt selects rows of columns (nil: all).
func (r *Reader) excerpt(start, end int64, columns []int, unique bool) (*Excerpt, error) {
	x, err := r.Select(context.Background(), Selection{Rows: &Range{start, end}})
	if err != nil {
		return nil, err
	}
	if unique {
		x.unique = &unique0
	}
	return x.With(columns)
}

// unique0 marks an excerpt whose With is to make a unique.
var unique0 unique

func (r *Reader) Slice(start, end int64, columns []int) iter.Seq2[*Batch, error] {
	return r.selected(start, end, columns, false)
}

func (r *Reader) SliceUnique(start, end int64, columns []int) iter.Seq2[*Batch, error] {
	return r.selected(start, end, columns, true)
}

func (r *Reader) selected(start, end int64, columns []int, unique bool) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		x, err := r.excerpt(start, end, columns, unique)
		if err != nil {
			yield(nil, err)
			return
		}
		x.Batches(context.Background())(yield)
	}
}

func (r *Reader) UniqueColumns(columns []int) (list []int, stride int, err error) {
	u, err := r.newUnique(columns)
	if err != nil {
		return nil, 0, err
	}
	return u.columns, u.stride, nil
}

type SliceOptions struct {
	Start, End int64
	Columns    []int
	Unique     bool
	Format     Format
	Codec      Codec
	Progress   func(done, total int64)
	Context    context.Context // nil: one that does not end
}

func (r *Reader) WriteSlice(f File, o SliceOptions) (CopyReport, error) {
	x, err := r.excerpt(o.Start, o.End, o.Columns, o.Unique)
	if err != nil {
		return CopyReport{}, err
	}
	ctx := o.Context
	if ctx == nil {
		ctx = context.Background()
	}
	return Copy(ctx, f, x, &CopyOptions{Format: o.Format, Codec: o.Codec, Progress: o.Progress})
}

// Column returns the place of the column of a name, the first if there are
// several.
func (r *Reader) Column(name string) (int, error) {
	if i := r.fieldIndex(name); i >= 0 {
		return i, nil
	}
	_, err := MatchColumns(r.names(), []string{name})
	return 0, err
}

func (r *Reader) Columns(patterns []string) ([]int, error) {
	return MatchColumns(r.names(), patterns)
}

// RowAtClock returns the first row of all with Clock >= ticks, or the number of
// rows.
func (r *Reader) RowAtClock(ticks uint64) (int64, error) {
	x, err := r.Select(context.Background(), Selection{Time: &TickRange{ticks, math.MaxUint64}})
	var outside *RangeError
	if errors.As(err, &outside) && ticks > outside.First {
		return outside.Rows, nil
	}
	if err != nil {
		return 0, err
	}
	start, _ := x.Rows()
	return start, nil
}

func (r *Reader) GapsOf(start, end int64) ([]Gap, float64, error) {
	x, err := r.excerpt(start, end, nil, false)
	if err != nil {
		return nil, 0, err
	}
	times, err := x.Follow(context.Background())
	return times.Gaps, times.Period, err
}

func (r *Reader) State() State                { return r.About().State }
func (r *Reader) BodyAt(i int) int64          { return r.bodyAt(i) }
func (r *Reader) Format() string              { return r.About().Format.String() }
func (r *Reader) Metadata() map[string]string { return r.About().Metadata }

func (r *Reader) Codec() string {
	about := r.About()
	return about.Compression()
}

// UniqueOf is an excerpt of columns at the rate of the slower ones, at the full
// rate where that is not possible.
func (r *Reader) UniqueOf(start, end int64, columns []int) *Excerpt {
	u := &unique{r: r, columns: columns, slow: []int{0}, stride: 1}
	if slow, err := r.newUnique(columns); err == nil {
		u = slow
	}
	return &Excerpt{r: r, ranges: []Range{{start, end}}, columns: columns, unique: u}
}

// Constants and functions that tests hold against FORMAT.md or call alone.
const (
	BodyAlign    = bodyAlign
	MaxBodyBytes = maxBodyBytes
	MinBorders   = minBorders
	PeekBytes    = peekBytes
	PyramidKey   = pyramidKey
	GapWord      = gapWord
	MaxLost      = maxLost
	MaxLostBytes = maxLostBytes
)

var (
	ErrClosed       = errClosed
	SurvivingKeys   = survivingKeys
	LostFrom        = lostFrom
	NewSchemaWriter = newSchemaWriter
	BadRows         = badRows
	PaceGaps        = gapsOf
)

func (c Codec) IPC() arrowipc.Codec { return c.ipc() }

func (r *Reader) Layout(column int) (body.Layout, stream.Type) { return r.layout(column) }

// BodyOf returns where the body of batch i lies.
func BodyOf(r *Reader, i int) (at, length int64) {
	return r.bodyAt(i), r.blockOf(i).BodyLength
}

func (r *Reader) ReadRows(i int, start, from, to int64, columns []int) (*Batch, error) {
	return r.readRows(i, start, from, to, columns)
}
func (r *Reader) Schema() arrowipc.Schema    { return r.schema }
func (r *Reader) FieldIndex(name string) int { return r.fieldIndex(name) }

// ClockRange returns the least and the greatest Clock.
func (r *Reader) ClockRange() (first, last uint64, ok bool, err error) {
	var e *RangeError
	err = r.outside(context.Background(), &RangeError{})
	if !errors.As(err, &e) {
		return 0, 0, false, err
	}
	return e.First, e.Last, e.Clock, nil
}

// AnyAhead lets batches of any size be decoded ahead.
func AnyAhead(t *testing.T) {
	before := leastAhead
	t.Cleanup(func() { leastAhead = before })
	leastAhead = 0
}

// FollowCoarsely has the clock of any recording followed as that of a long one.
func FollowCoarsely(t testing.TB) {
	a, b := wholeClock, selectClock
	t.Cleanup(func() { wholeClock, selectClock = a, b })
	wholeClock, selectClock = 0, 0
}

// WholeClock is how many bytes of ticks are read for certain.
func WholeClock() int64 { return wholeClock }

// Bytes are all of the file's.
func (r *Reader) Bytes() ([]byte, error) {
	data := make([]byte, r.size)
	_, err := r.src.ReadAt(data, 0)
	return data, err
}

// Place is where the message of batch i begins, and where its body does.
func (r *Reader) Place(i int) (message, body int64) {
	return r.blockOf(i).Offset, r.bodyAt(i)
}

// A Header is that of a batch.
type Header struct {
	Batch    *arrowipc.RecordBatch
	Spans    []arrowipc.Span // nodes and buffers of each column
	BodyAt   int64
	Metadata []arrowipc.KeyValue
}

func (r *Reader) HeaderOf(i int) (Header, error) {
	h, err := r.header(i)
	if err != nil {
		return Header{}, err
	}
	return Header{h.batch, h.spans, h.bodyAt, h.metadata}, nil
}

func (r *Reader) Dictionaries() int { return len(r.dictionaries.list) }

func (v *Vector) Array() *array.Array { return v.array }

func (w *Writer) Blocks() []arrowipc.Block      { return w.blocks }
func (w *Writer) TakeLost() []arrowipc.KeyValue { return w.takeLost() }

// Tail is the end mark and the footer of a file with so many batches like the
// first of w; with none, the smallest.
func (w *Writer) Tail(batches int) []byte {
	return appendTail(nil, 4, &w.enc.schema, nil, slices.Repeat(w.blocks[:1], batches), nil)
}

// A Stored is a batch as a file has it.
type Stored struct {
	Rows     int64
	Nodes    []arrowipc.FieldNode
	Buffers  [][]byte
	Variadic []int64
}

func (s *Stored) batch() *storedBatch {
	return &storedBatch{codec: arrowipc.Uncompressed, rows: s.Rows, nodes: s.Nodes, buffers: s.Buffers, variadic: s.Variadic}
}

func (w *Writer) WriteStored(s *Stored) error { return w.writeStored(s.batch()) }

func (w *Writer) WriteStoredDictionary(id int64, delta bool, s *Stored) error {
	return w.writeStoredDictionary(id, delta, s.batch())
}

// AtOnce has no more than so many bytes of values read at once, in pieces of a quarter of it.
func AtOnce(t testing.TB, n int64) {
	a, b := maxReadBytes, pieceBytes
	t.Cleanup(func() { maxReadBytes, pieceBytes = a, b })
	maxReadBytes, pieceBytes = n, n/4
}

// InPieces has compressed buffers of n bytes and more decoded in pieces, and clocks of
// batches followed so many rows at once.
func InPieces(t testing.TB, n, rows int64) {
	a, b := flowBytes, followedRows
	t.Cleanup(func() { flowBytes, followedRows = a, b })
	flowBytes, followedRows = n, rows
}
