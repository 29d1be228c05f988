package recovery

import (
	"fmt"
	"slices"

	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/recording"
)

// How a lost block is distinguished from a quiet signal. Zeros are a lost block if they
// begin and end where a block of the disk would, give or take values next to it
// that happen to be 0, and if the columns at their ends are no signals that are
// 0 for a while of their own accord. Those show it elsewhere in the file: runs
// of zeros that end anywhere. Of such a column a run must be so well placed that
// chance would hardly do it. What begins or ends at the same row in several
// columns is an event, for columns lie at different places.

// maxZeros bounds what is kept of a file: more is a file of zeros.
const maxZeros = 1 << 16

// How probable a coincidence may be that is not believed in: of a column that is 0 for as
// long elsewhere in the file, and of one that is not.
const (
	rare  = 0.005
	alone = 0.02
)

// A zeroRun is a run of zeros that may be a lost block.
type zeroRun struct {
	body.Zeros
	entry int // in the list
	batch int
	rows  int64
	clock [2]uint64 // before and after
	whole bool      // it is all that the batch has of its columns
	open  bool      // one of its ends is not known
}

// A zeroFinder gathers the runs of zeros of a file.
type zeroFinder struct {
	runs    []zeroRun
	natural map[int]int // runs that no block explains, by the columns at their ends
	whole   map[int]int // batches in which a column is 0, by column
	batches int
	batch   int // the number of the one that is looked at

	lost []zeroRun // found at the end
	tail *entry    // the note that the last batch ends in zeros, as the file does; nil: it does not
	last int       // the entry of that batch
}

// add looks at the zeros of an intact plain batch. followed says that bytes after
// it are lost too.
func (f *zeroFinder) add(entry int, v *messages.Verdict, c *body.Checked, before uint64, followed bool) {
	f.batches++
	if len(c.Zeros) == 0 && len(c.ZeroColumns) == 0 {
		return
	}
	if f.natural == nil {
		f.natural, f.whole = map[int]int{}, map[int]int{}
	}
	for _, i := range c.ZeroColumns {
		f.whole[i]++
	}
	events := map[int64]map[int]bool{} // columns by row, of ends that no block explains
	for i := range c.Zeros {
		for _, e := range []*body.ZeroEdge{&c.Zeros[i].Left, &c.Zeros[i].Right} {
			if e.Inside && !e.Exact && e.Row >= 0 {
				if events[e.Row] == nil {
					events[e.Row] = map[int]bool{}
				}
				events[e.Row][e.Column] = true
			}
		}
	}
	event := func(e *body.ZeroEdge) bool {
		columns := len(events[e.Row])
		if events[e.Row][e.Column] {
			columns--
		}
		return e.Inside && e.Row >= 0 && columns > 0
	}
	end := v.DataEnd()
	for i := range c.Zeros {
		z := zeroRun{Zeros: c.Zeros[i], entry: entry, batch: f.batch, rows: v.Rows, clock: [2]uint64{before, c.Clock.First}}
		l, r := &z.Left, &z.Right
		z.whole = !l.Inside && !r.Inside
		toEnd := followed && z.To >= end-body.Align
		block := l.Near && (r.Near || toEnd)
		if !block { // a column that is 0 anyway hides where the block ends, or more was lost than a block
			z.open = (l.Column != r.Column || l.Inside && r.Inside) && (l.Inside && l.Exact) != (r.Inside && r.Exact)
			block = z.open
		}
		if block && !(event(l) && (!z.open || l.Exact)) && !(event(r) && (!z.open || r.Exact)) && len(f.runs) < maxZeros {
			f.runs = append(f.runs, z)
			continue
		}
		if l.Inside {
			f.natural[l.Column]++
		}
		if r.Inside && (!l.Inside || r.Column != l.Column) {
			f.natural[r.Column]++
		}
	}
}

// finish decides, once the whole file was seen.
func (f *zeroFinder) finish() {
	f.runs = slices.DeleteFunc(f.runs, func(z zeroRun) bool { return f.tail != nil && z.entry == f.last && z.To >= f.tail.At })
	seen := map[int]int{} // runs that a block explains, by the columns at their ends
	for i := range f.runs {
		z := &f.runs[i]
		seen[z.Left.Column]++
		if z.Right.Column != z.Left.Column {
			seen[z.Right.Column]++
		}
	}
	for i := range f.runs {
		if z := &f.runs[i]; f.isLost(z, seen) {
			f.lost = append(f.lost, *z)
		}
	}
	f.runs = nil
}

func (f *zeroFinder) isLost(z *zeroRun, seen map[int]int) bool {
	if z.whole { // of columns that are hardly ever 0
		for c := z.Left.Column; c <= z.Right.Column; c++ {
			if f.natural[c] > 0 || 4*f.whole[c] > f.batches {
				return false
			}
		}
		return true
	}
	chance := z.Left.Chance * z.Right.Chance
	for _, e := range []*body.ZeroEdge{&z.Left, &z.Right} {
		if !e.Inside || z.open && !e.Exact {
			continue
		}
		if z.open {
			chance = e.Chance
		}
		natural, n, limit := f.natural[e.Column], seen[e.Column], rare
		if natural == 0 {
			limit = alone
		}
		if float64(natural+n)*chance > limit*float64(n) && (!z.open || natural > 0) {
			return false
		}
	}
	return true
}

// suspectZeros notes the blocks that were found.
func (rc *recoverer) suspectZeros() {
	f := &rc.zeros
	for i := range rc.list {
		if e := &rc.list[i]; e.Touched > 0 && i > 0 && rc.list[i-1].Kind == messages.Batch {
			f.tail, f.last = e, i-1
		}
	}
	f.finish()
	kept := rc.suspects[:0]
	for _, s := range rc.suspects { // what the zeros explain
		touched := f.tail != nil && s.entry == f.last && s.zeros
		for i := range f.lost {
			z := &f.lost[i]
			from, to := z.Rows(z.rows)
			touched = touched || z.entry == s.entry && s.zeros && from <= s.row && s.row < to
		}
		if !touched {
			kept = append(kept, s)
		}
	}
	rc.suspects = kept
	names := columnNames(rc.schema)
	for i := range f.lost {
		z := &f.lost[i]
		from, to := z.Rows(z.rows)
		where := fmt.Sprintf("column %s", names[z.Left.Column])
		if n := z.Right.Column - z.Left.Column; n > 0 {
			where = fmt.Sprintf("%d columns, %s to %s", n+1, names[z.Left.Column], names[z.Right.Column])
		}
		rc.suspects = append(rc.suspects, suspect{entry: z.entry, row: from, finding: recording.Finding{
			Offset: z.From, Length: z.To - z.From, Severity: recording.SeverityWarning, ClockBefore: z.clock[0], ClockAfter: z.clock[1],
			Reason: fmt.Sprintf("suspect: zeros from byte %s to byte %s, as a lost block of the disk leaves them: %s of %s",
				messages.Grouped(z.From), messages.Grouped(z.To), messages.Counted(to-from, "row", "rows"), where)}})
	}
}
