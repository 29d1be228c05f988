package recording

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/oniscope/oniscope/shared/stream"
)

// A Range is half-open: of rows or batches, Start <= i < End.
type Range struct {
	Start int64 `json:"start"`
	End   int64 `json:"end"`
}

// ToEnd as the End of a Range means all that there are.
const ToEnd = math.MaxInt64

// Len is how many there are in a range.
func (r Range) Len() int64 { return r.End - r.Start }

// ParseRange reads a:b; without a it begins with 0, without b it goes ToEnd.
func ParseRange(text string) (Range, error) {
	first, last, ok := strings.Cut(text, ":")
	number := func(text string, otherwise int64) int64 {
		if text == "" {
			return otherwise
		}
		i, err := strconv.ParseInt(text, 10, 64)
		ok = ok && err == nil
		return i
	}
	r := Range{number(first, 0), number(last, ToEnd)}
	if !ok {
		return Range{}, fmt.Errorf("recording: %q: want a:b", text)
	}
	return r, nil
}

// A TickRange is a half-open range of Clock: From <= tick < To. To
// math.MaxUint64 means to the end.
type TickRange struct{ From, To uint64 }

// A Selection says which part of a recording is meant. The zero value means all
// of it. At most one of Rows, Time and Batches is set.
type Selection struct {
	Rows    *Range
	Time    *TickRange // by the column Clock
	Batches *Range

	// Segment takes rows of one segment only: 1 is the first, 0 means all. Of a
	// Selection without Time it takes them all.
	Segment int
	// FromStart counts Time from the first row of the recording, or of the
	// Segment. Where there are several segments, each goes on from the one before.
	FromStart bool

	// Columns are names or globs, in the order in which they are wanted; a
	// glob gives its columns in file order. Each column comes once. A name
	// that several columns have means none of them: name#1 is the first,
	// name#2 the second. A column whose name is the text itself comes before
	// what it matches as a glob. nil or empty: all columns, in file order.
	Columns []string

	// Unique leaves out the rows in which a slower signal only repeats: one
	// row for each of its values. Without Columns it means all slower columns
	// and the clocks. Besides slower columns of one rate, columns that are no
	// channels (clocks, counters, digital lines) may be asked for.
	Unique bool
}

// ErrNoClock says that rows cannot be found by time.
var ErrNoClock = errors.New("recording: seconds: there is no column Clock of 64-bit integers")

// TimeOf returns the ticks of a range of seconds, decimal numbers such as
// "10.25"; "" is the first moment, or the end. See stream.TicksFromSeconds.
//
// It returns ErrNoClock, stream.ErrNoRate (wrapped), or the error of a text that
// is not a number of seconds.
func (r *Reader) TimeOf(from, to string) (*TickRange, error) {
	if r.clock < 0 {
		return nil, ErrNoClock
	}
	t := &TickRange{0, math.MaxUint64}
	var err error
	if from != "" {
		if t.From, err = stream.TicksFromSeconds(from, r.stream.AcqClockHz); err != nil {
			return nil, err
		}
	}
	if to != "" {
		t.To, err = stream.TicksFromSeconds(to, r.stream.AcqClockHz)
	}
	return t, err
}

// Select finds out which rows and columns a selection means. It reads the
// headers that it takes to know the rows; for Time it also follows Clock, as far
// as Times does, but a long recording by some batches only. Where Clock begins anew
// in a recording, rows of several segments may have the times that are asked for:
// see Excerpt.Times. Rows whose tick is null, or cannot be right, have no time.
//
// It returns a *RangeError for what is not in the recording (an empty range that
// lies in it is none), a *ColumnError, ErrNoClock, an error that says why the
// columns do not go with Unique, or the error of ctx or of the source.
func (r *Reader) Select(ctx context.Context, s Selection) (*Excerpt, error) {
	x := &Excerpt{r: r, named: len(s.Columns) > 0}
	var err error
	if x.columns, err = MatchColumns(r.names(), s.Columns); err != nil {
		return nil, err
	}
	if s.Unique {
		columns := x.columns
		if len(s.Columns) == 0 {
			columns = nil
		}
		if x.unique, err = r.newUnique(columns); err != nil {
			return nil, err
		}
		x.columns = x.unique.columns
	}
	ways := 0
	for _, set := range []bool{s.Rows != nil, s.Time != nil, s.Batches != nil} {
		if set {
			ways++
		}
	}
	switch {
	case ways > 1:
		return nil, errors.New("recording: a selection is by rows, by time or by batches, not by several of them")
	case s.Time != nil || s.Segment != 0 && ways == 0:
		return x, x.selectTime(ctx, s)
	case s.Segment != 0:
		return nil, errors.New("recording: a segment goes with times, not with rows or batches")
	case s.Batches != nil:
		return x, x.selectBatches(ctx, *s.Batches)
	case s.Rows != nil:
		return x, x.selectRows(ctx, *s.Rows)
	}
	return x, x.selectRows(ctx, Range{0, ToEnd})
}

// allRows returns the exact number of rows: it reads the batch headers that have
// not been read.
func (r *Reader) allRows(ctx context.Context) (int64, error) {
	if err := r.Index(ctx, nil); err != nil {
		return 0, err
	}
	return r.starts[len(r.batches)], nil
}

func (x *Excerpt) selectRows(ctx context.Context, rows Range) error {
	if rows.Start >= 0 && rows.Start <= rows.End && rows.End != ToEnd {
		// Whether the file has that row does not take all headers.
		if _, err := x.r.BatchAt(max(0, rows.End-1)); err == nil {
			x.ranges = []Range{rows}
			return nil
		}
	}
	all, err := x.r.allRows(ctx)
	if err != nil {
		return err
	}
	asked := rows
	if rows.End == ToEnd {
		rows.End = all
	}
	if rows.Start < 0 || rows.Start > rows.End || rows.End > all {
		return x.r.outside(ctx, &RangeError{Start: asked.Start, End: asked.End, Rows: all})
	}
	x.ranges = []Range{rows}
	return nil
}

func (x *Excerpt) selectBatches(ctx context.Context, batches Range) error {
	n := int64(len(x.r.batches))
	asked := batches
	if batches.End == ToEnd {
		batches.End = n
	}
	if batches.Start < 0 || batches.Start > batches.End || batches.End > n {
		all, err := x.r.allRows(ctx)
		if err != nil {
			return err
		}
		return x.r.outside(ctx, &RangeError{Start: asked.Start, End: asked.End, Rows: all, Batches: n, ByBatch: true})
	}
	start, err := x.r.startOf(ctx, int(batches.Start))
	if err != nil {
		return err
	}
	end, err := x.r.startOf(ctx, int(batches.End))
	x.ranges = []Range{{start, end}}
	return err
}

// startOf returns the first row of a batch, or after the last the number of
// rows.
func (r *Reader) startOf(ctx context.Context, batch int) (int64, error) {
	if batch >= len(r.batches) {
		return r.allRows(ctx)
	}
	err := r.indexUntil(ctx, func() int { return min(batch, len(r.batches)) - (len(r.starts) - 1) })
	if err != nil {
		return 0, err
	}
	return r.starts[min(batch, len(r.starts)-1)], nil
}

// A RangeError says that rows, batches or times are not in the recording, and
// what is.
type RangeError struct {
	Start, End int64 // that were asked for; ToEnd: to the end
	Rows       int64 // that there are

	ByBatch bool // Start and End count batches
	Batches int64

	Time        *TickRange // that was asked for, instead of Start and End
	FromStart   bool       // it counts from the first row
	Clock       bool       // the recording has times:
	First, Last uint64     // the least and greatest Clock
	Segments    int        // that there are
	Segment     int        // that was asked for, from 1: First, Last and Rows are its own; 0: none
	NoSegment   bool       // it is not there
	ClockHz     uint64     // 0: unknown

	elapsed  float64 // ticks of the segments, one after the other
	firstRow int64
}

func (e *RangeError) Error() string {
	rows, whole := fmt.Sprintf("rows %d to %d", e.firstRow, e.Rows), "the recording"
	var times string
	if e.Clock {
		times = e.times(e.First, e.Last, false)
		if e.FromStart {
			times = e.times(0, uint64(math.Round(e.elapsed)), false) + " from its first row on"
		}
		switch {
		case e.Segment > 0 && !e.NoSegment:
			whole = fmt.Sprintf("segment %d", e.Segment)
		case e.Segments > 1:
			times += fmt.Sprintf(" in %d segments", e.Segments)
		}
	}
	switch {
	case e.NoSegment && e.Segments == 1:
		return fmt.Sprintf("recording: segment %d: the recording has one, %s, %s", e.Segment, times, rows)
	case e.NoSegment && e.Segments == 0:
		return fmt.Sprintf("recording: segment %d: none of the %d rows has a time", e.Segment, e.Rows)
	case e.NoSegment:
		return fmt.Sprintf("recording: segment %d: the recording has segments 1 to %d", e.Segment, e.Segments)
	case e.Time != nil && e.Clock:
		return fmt.Sprintf("recording: %s: %s has %s, %s", e.times(e.Time.From, e.Time.To, e.Time.To == math.MaxUint64), whole, times, rows)
	case e.Time != nil && e.Rows > 0:
		return fmt.Sprintf("recording: %s: none of the %d rows has a time", e.times(e.Time.From, e.Time.To, e.Time.To == math.MaxUint64), e.Rows)
	case e.Time != nil:
		return fmt.Sprintf("recording: %s: the recording has %s", e.times(e.Time.From, e.Time.To, e.Time.To == math.MaxUint64), rows)
	case e.ByBatch:
		return fmt.Sprintf("recording: batches %s: the recording has batches 0 to %d", fromTo(e.Start, e.End), e.Batches)
	case e.Clock:
		rows += ", " + times
	}
	return fmt.Sprintf("recording: rows %s: the recording has %s", fromTo(e.Start, e.End), rows)
}

func fromTo(start, end int64) string {
	if end == ToEnd {
		return fmt.Sprintf("%d to the end", start)
	}
	return fmt.Sprintf("%d to %d", start, end)
}

func (e *RangeError) times(from, to uint64, open bool) string {
	unit, text := "ticks", func(t uint64) string { return fmt.Sprint(t) }
	if e.ClockHz > 0 {
		unit, text = "seconds", func(t uint64) string { return stream.SecondsFromTicks(t, e.ClockHz) }
	}
	if open {
		return unit + " " + text(from) + " to the end"
	}
	return unit + " " + text(from) + " to " + text(to)
}
