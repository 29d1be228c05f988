package recording

import (
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
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

// A fix is bytes of a batch that the output has otherwise: nothing depends on
// them, but readers refuse the batch for them.
type fix struct {
	at     int64  // byte of the file
	bytes  []byte // that belong there
	reason string
}

// displaced corrects the offsets of empty buffers that lie outside the body.
func displaced(s *arrowipc.Schema, spans []arrowipc.Span, m *messages.Message) (list []fix) {
	for _, i := range m.Batch.Displaced {
		name := ""
		for c := range spans {
			if spans[c].Buffer <= i && i < spans[c].BufferEnd {
				name = s.Fields[c].Name
			}
		}
		list = append(list, fix{at: m.At + int64(m.Prefix) + m.Batch.BuffersAt + 16*int64(i), bytes: make([]byte, 8),
			reason: fmt.Sprintf("column %q: the offset of the empty buffer %d of the batch lies outside its body; no value depends on it", name, i)})
	}
	return list
}
