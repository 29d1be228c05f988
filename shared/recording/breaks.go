package recording

import (
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/internal/pace"
)

// maxTold is how many breaks of a kind are told one by one; the rest is one
// finding with their number.
const maxTold = 20

// minTeeth is how many times a clock must begin anew inside batches to be told as
// a sawtooth.
const minTeeth = 3

// Breaks makes the findings about places where a clock does not rise, in the
// order of the file. offset is where the message of a batch begins; zeros is the
// batch that is known to end in zeros, as the file does, or -1: its ticks are told
// with them.
func Breaks(t *pace.Track, offset func(batch int) int64, zeros int) []Finding {
	breaks, column := t.Breaks, t.Column
	var list []Finding
	teeth := 0
	for i := range breaks {
		if b := &breaks[i]; b.Kind == pace.Restart && b.Inside {
			teeth++
		}
	}
	sawtooth := -1                      // the finding
	var told, rest [pace.BreakKinds]int // by kind: how many, and the finding about those beyond
	for i := range breaks {
		b := &breaks[i]
		f := Finding{Offset: offset(b.Batch), Batch: b.Batch, Severity: SeverityWarning, BeforeRow: b.Row, Count: 1, ClockBefore: b.Before, ClockAfter: b.After}
		f.LastOffset = f.Offset
		switch {
		case b.Kind == pace.BadTicks && b.Batch == zeros && b.Tick == 0:
			continue
		case b.Kind == pace.Restart && b.Inside && teeth >= minTeeth:
			if sawtooth >= 0 {
				list[sawtooth].Count++
				list[sawtooth].LastOffset = f.Offset
				continue
			}
			sawtooth = len(list)
			f.Reason = fmt.Sprintf("suspect: %s begins anew %d times inside batches%s: a sawtooth", column, teeth, everyRows(breaks))
		case b.Kind == pace.Restart && b.Inside:
			f.Reason = "suspect: " + column + " begins anew inside a batch"
		case b.Kind == pace.Restart:
			f.Severity, f.Reason = SeverityInfo, column+" begins anew"
		case b.Kind == pace.Jump:
			f.Reason = "suspect: " + column + " is further ahead than a gap explains"
		case b.Kind == pace.Swap:
			f.Reason = fmt.Sprintf("suspect: %s are in the wrong order by %s", messages.Counted(b.Rows, "row", "rows"), column)
		case b.Kind == pace.Repeat:
			f.Reason = fmt.Sprintf("suspect: %s with the %s of rows before: a buffer that came twice", messages.Counted(b.Rows, "row", "rows"), column)
		default:
			f.Reason = fmt.Sprintf("suspect: %s of %s cannot be right: tick %d", column, messages.Counted(b.Rows, "row", "rows"), b.Tick)
		}
		if told[b.Kind]++; told[b.Kind] > maxTold+1 {
			more := &list[rest[b.Kind]]
			more.Count++
			more.LastOffset = f.Offset
			more.Severity = max(more.Severity, f.Severity)
			continue
		}
		if told[b.Kind] > maxTold {
			rest[b.Kind] = len(list)
			f.Reason += ", and more such places"
		}
		list = append(list, f)
	}
	if t.Falls > 0 && len(list) > 0 {
		list[len(list)-1].Count += t.Falls
	}
	if u := &t.Untimed; u.Rows > 0 {
		list = append(list, untimed(u, column, offset))
	}
	return list
}

// OddTicks makes the findings about ticks of the clock that shows gaps that are not as
// those around; zeros is as for Breaks.
func OddTicks(t *pace.Track, offset func(batch int) int64, zeros int) (list []Finding) {
	f := &t.Finder
	p := f.Pace()
	for i := range f.Odd {
		o := &f.Odd[i]
		reason := fmt.Sprintf("suspect: %s of %s is not between those around it", f.Column, messages.Counted(o.Rows, "row", "rows"))
		if o.Duplicate {
			reason = fmt.Sprintf("suspect: %s the same %s as the row before", messages.Counted(o.Rows, "row has", "rows have"), f.Column)
		}
		if o.Duplicate && p.Period == 0 || o.Batch == zeros { // events may come at the same tick
			continue
		}
		at := offset(o.Batch)
		list = append(list, Finding{Offset: at, Batch: o.Batch, Severity: SeverityWarning, Reason: reason,
			BeforeRow: o.Row, ClockBefore: o.Before.Clock, ClockAfter: o.After, Count: 1, LastOffset: at})
	}
	return list
}

// untimed makes the finding about rows without a tick: their writer said so, and nothing
// is wrong with them.
func untimed(u *pace.Untimed, column string, offset func(batch int) int64) Finding {
	text := fmt.Sprintf("%s is null in %s, which have no time: ", column, messages.Counted(u.Rows, "row", "rows"))
	if u.Rows == 1 {
		text = column + " is null in 1 row, which has no time: "
	}
	if u.Places > 1 {
		text += "the first are "
	}
	text += fmt.Sprintf("rows %d to %d", u.First.Start, u.First.End)
	return Finding{Offset: offset(u.Batch), Batch: u.Batch, Severity: SeverityInfo, BeforeRow: u.First.Start, Reason: text, Count: u.Places, LastOffset: offset(u.LastBatch)}
}

// everyRows says how far restarts inside batches are apart, if they all are as
// far; else "".
func everyRows(breaks []pace.Break) string {
	var rows []int64
	for i := range breaks {
		if breaks[i].Kind == pace.Restart {
			rows = append(rows, breaks[i].Row)
		}
	}
	every := rows[0]
	for i := range rows[1:] {
		if rows[i+1]-rows[i] != every {
			return ""
		}
	}
	return ", every " + messages.Counted(every, "row", "rows")
}

// badRows are the rows with bad ticks, or without any, in order.
func badRows(t *pace.Track) (list []Range) {
	for i := range t.Breaks {
		if b := &t.Breaks[i]; b.Kind == pace.BadTicks {
			list = append(list, Range{b.Row, b.Row + b.Rows})
		}
	}
	var none []Range
	for _, rows := range t.Untimed.Stretches {
		none = append(none, Range(rows))
	}
	return mergeRows(list, none)
}

// swappedRows are the rows in the wrong order by their ticks.
func swappedRows(t *pace.Track) (list []Range) {
	for i := range t.Breaks {
		if b := &t.Breaks[i]; b.Kind == pace.Swap {
			list = append(list, Range{b.Row, b.Row + b.Rows})
		}
	}
	return list
}
