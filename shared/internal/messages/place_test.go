package messages_test

import (
	"testing"

	"github.com/oniscope/oniscope/shared/internal/messages"
)

// Rows between two batches whose Clock is known are lost once: what a header says of
// them, or what was counted before, is not counted again.
func TestRowsAreLostOnce(t *testing.T) {
	batch := func(at, rows int64) messages.Verdict {
		return messages.Verdict{At: at, Ruling: &messages.Ruling{Kind: messages.Batch, Length: 100, Rows: rows}}
	}
	lost := func(at, rows int64) messages.Verdict {
		return messages.NewLoss(at, 100, rows, "")
	}
	// 10 rows at tick 0 .. 90, then 30 are missing, then 10 from tick 400 on.
	clock := func(at int64) messages.Span {
		switch at {
		case 0:
			return messages.Span{First: 0, Last: 90, OK: true}
		case 900:
			return messages.Span{First: 400, Last: 490, OK: true}
		}
		return messages.Span{}
	}
	for _, c := range []struct {
		name string
		list []messages.Verdict
		want []int64 // lost rows of each verdict
	}{
		{"by the clock", []messages.Verdict{batch(0, 10), lost(100, -1), batch(900, 10)}, []int64{0, 30, 0}},
		{"a header knows of some", []messages.Verdict{batch(0, 10), lost(100, 12), lost(200, -1), batch(900, 10)}, []int64{0, 12, 18, 0}},
		{"a header knows of all", []messages.Verdict{batch(0, 10), lost(100, -1), lost(200, 30), batch(900, 10)}, []int64{0, 0, 30, 0}},
		{"two places", []messages.Verdict{batch(0, 10), lost(100, -1), lost(200, -1), batch(900, 10)}, []int64{0, 30, 0, 0}},
		{"a batch without a clock is there", []messages.Verdict{batch(0, 10), lost(100, -1), batch(200, 25), batch(900, 10)}, []int64{0, 5, 0, 0}},
	} {
		placed := messages.Place(c.list, false, func(i int) messages.Span { return clock(c.list[i].At) }, 0, 10)
		for i := range placed {
			if placed[i].LostRows != c.want[i] {
				t.Errorf("%s: %d rows lost at %d, want %d", c.name, placed[i].LostRows, i, c.want[i])
			}
		}
	}
}
