package recording

import (
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/messages"
)

// suspect notes what looks wrong in an intact batch, which will be an entry of
// the list.
func (rc *recoverer) suspect(entry int, v *messages.Verdict, c *checked) {
	last := rc.last
	warn := func(row int64, cause, reason string, clockBefore, clockAfter uint64) *suspect {
		rc.suspects = append(rc.suspects, suspect{entry: entry, row: row, cause: cause, finding: Finding{
			Offset: v.At, Length: v.Length, Severity: SeverityWarning, Reason: reason, ClockBefore: clockBefore, ClockAfter: clockAfter}})
		return &rc.suspects[len(rc.suspects)-1]
	}
	if c.zeroRows > 0 {
		warn(c.zeroFrom, "", fmt.Sprintf("suspect: all columns are 0 in %d rows", c.zeroRows), last.last, c.clock.first)
	}
	if c.clock.ok && last.ok && c.clock.first < last.last {
		warn(0, "", "suspect: Clock runs backwards from the batch before", last.last, c.clock.first)
	}
	if c.stored > 0 {
		warn(0, "stored", fmt.Sprintf("suspect: %d buffers, the first at byte %d, are stored uncompressed, which our writer never does", c.stored, c.storedAt), last.last, c.clock.first)
	}
	if c.padBytes > 0 {
		warn(0, "padding", fmt.Sprintf("suspect: %d bytes of padding, from byte %d on, are not the zeros that were written", c.padBytes, c.padAt), last.last, c.clock.first)
	}
	if c.backAt > 0 {
		warn(c.backAt, "", "suspect: Clock runs backwards inside the batch", c.backFrom, c.backTo)
	}
	for _, f := range c.fix {
		reason := f.reason
		if rc.verifier == nil {
			reason += ": corrected"
		}
		warn(0, "fix", reason, last.last, c.clock.first).mended = true
	}
}
