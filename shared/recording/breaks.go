package recording

import (
	"fmt"
	"slices"

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
	column := t.Column
	breaks := slices.DeleteFunc(slices.Clone(t.Breaks), func(b pace.Break) bool { return b.Kind == pace.BadTicks && b.Batch == zeros && b.Tick == 0 })
	var list []Finding
	teeth := 0
	for i := range breaks {
		if b := &breaks[i]; b.Kind == pace.Restart && b.Inside {
			teeth++
		}
	}
	sawtooth := -1 // the finding
	told := map[string]int{}
	rest := map[string]int{} // the finding, by what it tells
	for i := range breaks {
		b := &breaks[i]
		f := Finding{Offset: offset(b.Batch), Batch: b.Batch, Severity: SeverityWarning, BeforeRow: b.Row, Count: 1, ClockBefore: b.Before, ClockAfter: b.After}
		f.LastOffset = f.Offset
		kind := ""
		switch {
		case b.Kind == pace.Restart && b.Inside && teeth >= minTeeth:
			if sawtooth >= 0 {
				list[sawtooth].Count++
				list[sawtooth].LastOffset = f.Offset
				continue
			}
			sawtooth, kind = len(list), "tooth"
			f.Reason = fmt.Sprintf("suspect: %s begins anew %d times inside batches%s: a sawtooth", column, teeth, everyRows(breaks))
		case b.Kind == pace.Restart && b.Inside:
			kind, f.Reason = "inside", fmt.Sprintf("suspect: %s begins anew inside a batch", column)
		case b.Kind == pace.Restart:
			kind, f.Severity, f.Reason = "restart", SeverityInfo, column+" begins anew"
		case b.Kind == pace.Jump:
			kind, f.Reason = "jump", fmt.Sprintf("suspect: %s is further ahead than a gap explains", column)
		case b.Kind == pace.Repeat:
			kind, f.Reason = "repeat", fmt.Sprintf("suspect: %s with the %s of rows before: a buffer that came twice", messages.Counted(b.Rows, "row", "rows"), column)
		default:
			kind, f.Reason = "bad", fmt.Sprintf("suspect: %s of %s cannot be right: tick %d", column, messages.Counted(b.Rows, "row", "rows"), b.Tick)
		}
		if told[kind]++; told[kind] > maxTold {
			k, ok := rest[kind]
			if !ok {
				rest[kind] = len(list)
				f.Reason = map[string]string{"bad": "suspect: ticks of " + column + " that cannot be right, in more places", "restart": column + " begins anew, in more places",
					"repeat": "suspect: buffers that came twice, in more places", "jump": "suspect: " + column + " is further ahead than gaps explain, in more places"}[kind]
				list = append(list, f)
				continue
			}
			list[k].Count++
			list[k].LastOffset = f.Offset
			continue
		}
		list = append(list, f)
	}
	if t.Falls > 0 && len(list) > 0 {
		list[len(list)-1].Count += t.Falls
	}
	return list
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

// BadRows are the rows with bad ticks among breaks, in order.
func badRows(breaks []pace.Break) (list []Range) {
	for i := range breaks {
		if b := &breaks[i]; b.Kind == pace.BadTicks {
			list = append(list, Range{b.Row, b.Row + b.Rows})
		}
	}
	slices.SortFunc(list, func(a, b Range) int { return int(min(max(a.Start-b.Start, -1), 1)) })
	return list
}
