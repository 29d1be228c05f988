package recording

import (
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/internal/pace"
)

// A Gap is a stretch without rows inside a stream that delivers evenly: rows
// that were lost before they were recorded.
type Gap struct {
	Batch       int     // of the first row after it
	Row         int64   // number of that row
	Column      string  // the clock that shows it: HubClock, or Clock if there is no HubClock
	Ticks       uint64  // of that clock, from the row before it to the row after it
	LostRows    int64   // estimated by the pace
	Seconds     float64 // that are missing; 0 if no clock rate is known
	ClockBefore uint64  // Clock of the row before it; 0 without a Clock
	ClockAfter  uint64  // Clock of the row after it
	Cause       Cause   // what the recorder wrote of it; "" nothing
	Spread      bool    // many small gaps from this row to the end of its batch, listed as one
}

// Finding reports the gap, of a batch whose message is at an offset of the file.
func (g *Gap) Finding(offset int64) Finding {
	return Finding{Offset: offset, Batch: g.Batch, Severity: SeverityError, Reason: g.String(), Cause: g.Cause,
		BeforeRow: g.Row, Count: 1, LastOffset: offset, LostRows: g.LostRows, ClockBefore: g.ClockBefore, ClockAfter: g.ClockAfter}
}

// String says what is missing, for people.
func (g *Gap) String() string {
	text := gapWord + "about " + messages.Counted(g.LostRows, "row", "rows")
	if g.Seconds > 0 {
		text += fmt.Sprintf(" (%.6g s)", g.Seconds)
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

// gapsOf are gaps as they were found.
func gapsOf(list []pace.Gap) []Gap {
	var out []Gap
	for _, g := range list {
		out = append(out, Gap{Batch: g.Batch, Row: g.Row, Column: g.Column, Ticks: g.Ticks, LostRows: g.LostRows, Seconds: g.Seconds,
			ClockBefore: g.ClockBefore, ClockAfter: g.ClockAfter, Spread: g.Spread})
	}
	return out
}

// ClockGapFactor is how many periods of Clock two rows must be apart for a gap
// to be claimed.
const ClockGapFactor = pace.ClockGapFactor

// EvenPeriod returns the step of ticks from one row to the next, or 0 if it is
// not even: rows that come with events.
func EvenPeriod(ticks []uint64) float64 { return pace.EvenPeriod(ticks) }
