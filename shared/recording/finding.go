package recording

import (
	"fmt"
	"slices"
	"sort"

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

// appendFacts appends the findings of facts.
func appendFacts(list []Finding, facts []messages.Fact) []Finding {
	for i := range facts {
		f := &facts[i]
		list = append(list, Finding{Offset: f.Offset, Length: f.Length, Batch: f.Batch, Severity: Severity(f.Severity), Reason: f.Reason, BeforeRow: f.BeforeRow,
			LostRows: f.LostRows, ClockBefore: f.ClockBefore, ClockAfter: f.ClockAfter, Count: f.Count, LastOffset: f.LastOffset})
	}
	return list
}

// sortFindings puts findings in the order of the file.
func sortFindings(list []Finding) {
	sort.SliceStable(list, func(i, k int) bool {
		a, b := &list[i], &list[k]
		return a.Offset < b.Offset || a.Offset == b.Offset && a.BeforeRow < b.BeforeRow
	})
}
