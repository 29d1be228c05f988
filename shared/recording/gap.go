package recording

import (
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/internal/pace"
	"github.com/oniscope/oniscope/shared/stream"
)

// A Gap is a stretch without rows inside a stream that delivers evenly, with its
// cause: rows that were lost before they were recorded.
type Gap struct {
	pace.Gap       // where, how many rows, and which clock shows it
	Cause    Cause // what the recorder wrote of it; "" nothing
}

// Finding reports the gap, of a batch whose message is at an offset of the file.
func (g *Gap) Finding(offset int64) Finding {
	if g.LostRows == 0 && g.Moved > 0 {
		return Finding{Offset: offset, Batch: g.Batch, Severity: SeverityWarning, BeforeRow: g.Row, Count: 1, LastOffset: offset, ClockBefore: g.ClockBefore, ClockAfter: g.ClockAfter,
			Reason: fmt.Sprintf("suspect: %s by %s before row %d, and are in the wrong order, from row %d on", messages.Counted(g.Moved, "row belongs", "rows belong"), stream.ClockName, g.Row, g.MovedTo)}
	}
	return Finding{Offset: offset, Batch: g.Batch, Severity: SeverityError, Reason: g.String(), Cause: g.Cause,
		BeforeRow: g.Row, Count: 1, LastOffset: offset, LostRows: g.LostRows, ClockBefore: g.ClockBefore, ClockAfter: g.ClockAfter}
}

// String says what is missing, for people.
func (g *Gap) String() string {
	text := gapWord + "about " + messages.Counted(g.LostRows, "row", "rows")
	if g.Seconds >= 1e-3 {
		text += fmt.Sprintf(" (%.6g s)", g.Seconds)
	} else if g.Seconds > 0 { // 3.3332e-05 is no word
		text += fmt.Sprintf(" (%.6g us)", 1e6*g.Seconds)
	}
	if g.Spread {
		text += fmt.Sprintf(" missing in many places of the batch, by %s", g.Column)
	} else {
		text += fmt.Sprintf(" missing before row %d: %s steps by %d ticks", g.Row, g.Column, g.Ticks)
	}
	if words := causeWords[g.Cause]; words != "" {
		text += "; " + words
	}
	return text
}

// gapsOf are gaps as they were found, those where something is missing.
func gapsOf(list []pace.Gap) []Gap {
	var out []Gap
	for _, g := range list {
		if g.LostRows > 0 {
			out = append(out, Gap{Gap: g})
		}
	}
	return out
}

// ClockGapFactor is how many periods of Clock two rows must be apart for a gap
// to be claimed.
const ClockGapFactor = pace.ClockGapFactor

// EvenPeriod returns the step of ticks from one row to the next, or 0 if it is
// not even: rows that come with events.
func EvenPeriod(ticks []uint64) float64 { return pace.EvenPeriod(ticks) }
