package recording

import (
	"context"
	"errors"
	"iter"
	"math"
)

// What the tests of this package ask of a reader, in terms of Select: columns by
// their places, rows by two numbers.

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
	Yield      func() error
}

// A yielding context asks a function.
type yielding struct {
	context.Context
	yield func() error
}

func (y yielding) Err() error { return y.yield() }

func (r *Reader) WriteSlice(f File, o SliceOptions) (CopyReport, error) {
	x, err := r.excerpt(o.Start, o.End, o.Columns, o.Unique)
	if err != nil {
		return CopyReport{}, err
	}
	ctx := context.Background()
	if o.Yield != nil {
		ctx = yielding{ctx, o.Yield}
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

func (r *Reader) gapsOf(start, end int64) ([]Gap, float64, error) {
	x, err := r.excerpt(start, end, nil, false)
	if err != nil {
		return nil, 0, err
	}
	return r.Gaps(context.Background(), x)
}

func (r *Reader) State() State                { return r.About().State }
func (r *Reader) Format() string              { return r.About().Format.String() }
func (r *Reader) Metadata() map[string]string { return r.About().Metadata }

func (r *Reader) Codec() string {
	about := r.About()
	return about.Compression()
}

func infoOf(r *Reader) (Info, error)   { return r.Info(context.Background()) }
func countOf(r *Reader) (int64, error) { return r.CountRows(context.Background()) }
