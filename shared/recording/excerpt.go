package recording

import (
	"context"
	"errors"
	"iter"

	"github.com/oniscope/oniscope/shared/stream"
)

// An Excerpt is what a selection means in a recording: ranges of rows, which
// rise and do not overlap, and columns. It belongs to its Reader and is used by
// one goroutine at a time.
type Excerpt struct {
	r       *Reader
	ranges  []Range
	columns []int
	named   bool // someone asked for these columns
	unique  *unique

	timed     bool
	ticks     TickRange   // as asked for
	times     []TimeRange // of each segment
	fromStart bool        // they were counted from the first row
	badRows   int64       // among them that have no time

	followed *Times // its clocks; nil: not yet

	damaged map[int]bool // batches that were met and could not be read
	leftOut int64        // rows of them
}

// Ranges returns the rows, in order. There is at least one range, which may be
// empty; more than one where times were asked for that come again.
func (x *Excerpt) Ranges() []Range { return x.ranges }

// Rows returns the first row and the one after the last, of all ranges.
func (x *Excerpt) Rows() (start, end int64) {
	if len(x.ranges) == 0 {
		return 0, 0
	}
	return x.ranges[0].Start, x.ranges[len(x.ranges)-1].End
}

// Len is how many rows of the recording there are in the ranges.
func (x *Excerpt) Len() int64 {
	n := int64(0)
	for _, r := range x.ranges {
		n += r.Len()
	}
	return n
}

// Ticks returns the times that were asked for, as they were asked for. ok is
// false if the selection was not by time.
func (x *Excerpt) Ticks() (t TickRange, ok bool) { return x.ticks, x.timed }

// Times returns what a selection by time takes of each segment that has such
// times, in the order of the file: of a recording whose Clock begins anew several
// may have them. bad is how many rows between others were left out because their
// ticks are null or cannot be right.
func (x *Excerpt) Times() (list []TimeRange, bad int64) { return x.times, x.badRows }

// Columns describes the columns, in the order in which they come out, under
// names that differ (see stream.Stream.Names). Run-end encoded columns of a
// selection with Unique come out plain.
func (x *Excerpt) Columns() []stream.Column {
	s := x.r.Stream()
	names := s.Names()
	list := make([]stream.Column, len(x.columns))
	for i, c := range x.columns {
		list[i] = s.Columns[c]
		list[i].Name = names[c]
	}
	return list
}

// Indices returns the places of the columns in the stream.
func (x *Excerpt) Indices() []int { return x.columns }

// Named reports whether columns were asked for. An excerpt of all columns leaves
// it to formats that cannot hold all to choose.
func (x *Excerpt) Named() bool { return x.named }

// Stride is how many rows of the recording there are for a row that comes out:
// 1 without Unique.
func (x *Excerpt) Stride() int {
	if x.unique == nil {
		return 1
	}
	return x.unique.stride
}

// Unique reports whether only rows at which values of slower columns begin come
// out.
func (x *Excerpt) Unique() bool { return x.unique != nil }

// Reader returns the recording.
func (x *Excerpt) Reader() *Reader { return x.r }

// With returns the same rows of other columns, by their places in the stream.
// With Unique they have to go together, as Selection says; nil are then all
// slower columns and the clocks.
func (x *Excerpt) With(columns []int) (*Excerpt, error) {
	y := &Excerpt{r: x.r, ranges: x.ranges, named: true, timed: x.timed, ticks: x.ticks}
	var err error
	if x.unique != nil {
		if y.unique, err = x.r.newUnique(columns); err != nil {
			return nil, err
		}
		y.columns = y.unique.columns
		return y, nil
	}
	y.columns, err = x.r.checkColumns(columns)
	return y, err
}

// Within returns the part of an excerpt that lies in some rows.
func (x *Excerpt) Within(rows Range) *Excerpt {
	part := &Excerpt{r: x.r, columns: x.columns, named: x.named, unique: x.unique}
	for _, r := range x.ranges {
		r.Start, r.End = max(r.Start, rows.Start), min(r.End, rows.End)
		if r.Start < r.End {
			part.ranges = append(part.ranges, r)
		}
	}
	if part.ranges == nil {
		at := rows.Start
		part.ranges = []Range{{at, at}}
	}
	if _, end := x.Rows(); rows.End >= end {
		part.timed, part.ticks = x.timed, x.ticks
	}
	return part
}

// cuts goes over the parts of batches that are selected; empty as for the
// Reader's.
func (x *Excerpt) cuts(empty bool) iter.Seq2[rowCut, error] {
	return func(yield func(rowCut, error) bool) {
		for _, r := range x.ranges {
			for cut, err := range x.r.cuts(r.Start, r.End, empty) {
				if !yield(cut, err) || err != nil {
					return
				}
			}
		}
	}
}

// pieceBytes and decodedBytes bound what a batch of Batches holds: of plain
// columns any rows can be read, and large compressed ones go on where the piece before
// ended; smaller ones are decoded whole each time, so that small pieces would cost
// their decoding again and again.
var ( // changed by tests
	pieceBytes   int64 = 32 << 20
	decodedBytes int64 = 256 << 20
)

// pieceRows is how many rows are read at once.
func (x *Excerpt) pieceRows(batch int) int64 {
	if x.unique != nil {
		return maxBatchRows // each piece would be looked at from its batch's first row on
	}
	width, widest := int64(1), int64(0)
	for _, c := range x.columns {
		if l, typ := x.r.layout(c); typ != stream.Other {
			width, widest = width+int64(l.Width), max(widest, int64(l.Width))
		} else {
			width += 64 // text and nested values, about
		}
	}
	if b := &x.r.batches[batch]; codecOf(b.codec) != None && b.rows()*widest < flowBytes {
		return max(1, decodedBytes/width)
	}
	return max(1, pieceBytes/width)
}

// Batches returns the rows batch by batch, cut to the excerpt; what is very
// large comes in several pieces. With Unique the vectors are never run-end
// encoded, and Start of a batch is the number of its first row.
//
// Where a batch is damaged it yields a nil batch and a *CorruptError, and goes
// on after it if asked to. Any other error is the last that it yields: that of
// ctx, which is asked before each piece and every few megabytes, or the source's.
func (x *Excerpt) Batches(ctx context.Context) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		x.damaged, x.leftOut = nil, 0
		ahead := readAhead{x: x, ctx: ctx}
		defer ahead.end()
		// deliver yields what was begun first, until so many are left.
		deliver := func(left int) bool {
			for len(ahead.begun) > left {
				cut, b, err := ahead.next()
				var corrupt *CorruptError
				if errors.As(err, &corrupt) {
					x.lose(cut)
				}
				if !yield(b, err) || err != nil && corrupt == nil {
					return false
				}
			}
			return true
		}
		for cut, err := range x.cuts(false) {
			if err != nil {
				if deliver(0) {
					yield(nil, err)
				}
				return
			}
			step := x.pieceRows(cut.batch)
			if n := ahead.depth(cut, step); n > 0 {
				ahead.begin(cut)
				if !deliver(n) {
					return
				}
				continue
			}
			if !deliver(0) {
				return
			}
			for more := true; more; {
				part := cut
				part.to = min(cut.to, cut.from+step)
				cut.from, more = part.to, part.to < cut.to
				b, err := x.read(ctx, part)
				var corrupt *CorruptError
				if errors.As(err, &corrupt) {
					part.to, more = cut.to, false
					x.lose(part)
				}
				if !yield(b, err) || err != nil && corrupt == nil {
					return
				}
			}
		}
		deliver(0)
	}
}

func (x *Excerpt) read(ctx context.Context, cut rowCut) (*Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if cut.err != nil {
		return nil, cut.err
	}
	x.r.worked = everyWork(ctx)
	defer func() { x.r.worked = nil }()
	if x.unique == nil {
		b, err := x.r.readRows(cut.batch, cut.start, cut.from, cut.to, x.columns)
		if err == nil {
			x.r.watch(&cut, b.Columns)
		}
		return b, err
	}
	return x.unique.cut(cut)
}

// lose notes rows that could not be read.
func (x *Excerpt) lose(cut rowCut) {
	if x.damaged == nil {
		x.damaged = map[int]bool{}
	}
	x.damaged[cut.batch] = true
	x.leftOut += cut.to - cut.from
}

// LeftOut returns how many rows could not be read so far, of those that Batches
// or Copy went over.
func (x *Excerpt) LeftOut() int64 { return x.leftOut }

// Lost returns the findings by which data are missing from the excerpt: of the
// batches that Batches or Copy met and could not read, and of places between
// batches where others were lost. Such a place belongs to the row after it, at
// the end of the file to the row before; where times were asked for, also to
// the rows before it, for rows up to the last moment may have been there. rows
// is how many were lost, as far as known.
func (x *Excerpt) Lost() (findings []Finding, rows int64) {
	type place struct {
		offset int64
		batch  int
	}
	seen := map[place]bool{}
	add := func(list []Finding, wanted func(f *Finding) bool) (rows int64) {
		for i := range list {
			f := &list[i]
			if at := (place{f.Offset, f.Batch}); !seen[at] && wanted(f) {
				seen[at] = true
				findings, rows = append(findings, *f), rows+max(0, f.LostRows)
			}
		}
		return rows
	}
	all := func(*Finding) bool { return true }
	rows = x.leftOut // of batches that were met
	for _, r := range x.ranges {
		met, between := x.r.lost(r.Start, r.End, func(batch int) bool { return x.damaged[batch] })
		add(met, all)
		rows += add(between, func(f *Finding) bool { // what was lost before the first moment is not missing
			return !x.timed || f.BeforeRow != r.Start || f.ClockAfter == 0 || f.ClockAfter > x.ticks.From
		})
		if x.timed && !x.r.endsAt(r.End) { // of these rows nobody knows which are meant
			met, between := x.r.lost(r.End, r.End+1, func(batch int) bool {
				start, end, err := x.r.BatchRange(batch)
				return err == nil && start == end && end == r.End
			})
			add(met, all)
			add(between, all)
		}
	}
	sortFindings(findings)
	return findings, rows
}
