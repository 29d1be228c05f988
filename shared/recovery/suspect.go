package recovery

import (
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/recording"
)

// suspect notes what looks wrong in an intact batch, which will be an entry of
// the list.
func (rc *recoverer) suspect(entry int, v *messages.Verdict, c *body.Checked, followed bool) {
	last := rc.last
	if v.Codec == arrowipc.Uncompressed {
		rc.zeros.add(entry, v, c, last.Last, followed)
	}
	warn := func(row int64, cause, reason string, clockBefore, clockAfter uint64) *suspect {
		rc.suspects = append(rc.suspects, suspect{entry: entry, row: row, cause: cause, finding: recording.Finding{
			Offset: v.At, Length: v.Length, Severity: recording.SeverityWarning, Reason: reason, ClockBefore: clockBefore, ClockAfter: clockAfter}})
		return &rc.suspects[len(rc.suspects)-1]
	}
	if c.ZeroRows > 0 {
		warn(c.ZeroFrom, "", fmt.Sprintf("suspect: all columns are 0 in %d rows", c.ZeroRows), last.Last, c.Clock.First).zeros = true
	}
	if c.Stored > 0 {
		warn(0, "stored", fmt.Sprintf("suspect: %d buffers, the first at byte %d, are stored uncompressed, which our writer never does", c.Stored, c.StoredAt), last.Last, c.Clock.First)
	}
	if c.PadBytes > 0 {
		warn(0, "padding", fmt.Sprintf("suspect: %d bytes of padding, from byte %d on, are not the zeros that were written", c.PadBytes, c.PadAt), last.Last, c.Clock.First)
	}
	for _, p := range c.Improper {
		warn(0, string(p.Why)+p.Column, fmt.Sprintf("suspect: %s of column %q: %s", messages.Counted(p.Values, "value", "values"), p.Column, p.Why), last.Last, c.Clock.First)
	}
	for _, f := range c.Fixes {
		reason := f.Reason
		if rc.verifier == nil {
			reason += ": corrected"
		}
		warn(0, "fix", reason, last.Last, c.Clock.First).mended = true
	}
}
