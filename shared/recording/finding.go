package recording

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/oniscope/oniscope/shared/internal/messages"
)

// A Severity says how bad a finding is. One fact has one severity, whoever
// reports it.
type Severity uint8

// The severities. An info may be worth a look; a warning is not as it should
// be, though nothing is lost by it; an error is something that is lost.
const (
	SeverityInfo Severity = iota
	SeverityWarning
	SeverityError
)

var severityNames = [...]string{SeverityInfo: "info", SeverityWarning: "warning", SeverityError: "error"}

// String returns "info", "warning" or "error".
func (s Severity) String() string {
	if int(s) < len(severityNames) {
		return severityNames[s]
	}
	return fmt.Sprintf("severity %d", s)
}

// MarshalText gives JSON the words of String.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads them.
func (s *Severity) UnmarshalText(text []byte) error {
	i := slices.Index(severityNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("recording: severity %q is not known: possible are info, warning, error", text)
	}
	*s = Severity(i)
	return nil
}

// A Finding is one thing that is not as it should be in a file, or several of
// one cause.
type Finding struct {
	Offset      int64    `json:"offset"`          // bytes from the start of the file
	Length      int64    `json:"length"`          // bytes that cannot be used
	Batch       int      `json:"batch"`           // number of the batch, or -1
	Severity    Severity `json:"severity"`        // "info", "warning" (nothing lost), "error" (rows or bytes lost)
	Reason      string   `json:"reason"`          // for people
	Cause       Cause    `json:"cause,omitempty"` // of rows that never reached the file, where the recorder wrote it
	BeforeRow   int64    `json:"before_row"`      // number of the first row after it
	LostRows    int64    `json:"lost_rows"`       // -1: unknown
	ClockBefore uint64   `json:"clock_before"`    // last tick before it, 0: none
	ClockAfter  uint64   `json:"clock_after"`     // first tick after it, 0: none
	Count       int      `json:"count"`           // of how many places it speaks, 1 or more
	LastOffset  int64    `json:"last_offset"`     // of the last of them
}

// doubted is what a plain batch is suspect of that no message follows.
const doubted = "suspect: no message follows this batch: if bytes are missing in it, its last values are those of others"

// framingFindings makes findings of a verdict: none for a message that is where
// it should be.
func framingFindings(list []Finding, v *messages.Verdict, p *messages.Placed) []Finding {
	f := Finding{Offset: v.At, Length: v.Length, Batch: p.Batch, Severity: Severity(v.Severity), Reason: v.Reason, BeforeRow: p.BeforeRow,
		LostRows: p.LostRows, ClockBefore: p.ClockBefore, ClockAfter: p.ClockAfter, Count: max(1, v.Count), LastOffset: max(v.At, v.Last)}
	if v.Doubted {
		doubt := f
		doubt.Severity, doubt.Reason, doubt.LostRows = SeverityWarning, doubted, 0
		list = append(list, doubt)
	}
	if v.Kind == messages.Loss || v.Kind == messages.Note {
		f.Reason = plainReason(f.Reason)
		list = append(list, f)
	}
	return list
}

// sortFindings puts findings in the order of the file.
func sortFindings(list []Finding) {
	slices.SortStableFunc(list, func(a, b Finding) int { return cmp.Compare(a.Offset, b.Offset) })
}
