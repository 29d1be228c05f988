package pace_test

import (
	"slices"
	"testing"

	"github.com/oniscope/oniscope/shared/internal/pace"
)

func TestRowsWithoutATickNeitherMakeGapsNorHideThem(t *testing.T) {
	const step = 8333
	clock := func(lost func(row int) uint64) (ticks []uint64) {
		for row := range 400 {
			ticks = append(ticks, 1000+step*(uint64(row)+lost(row)))
		}
		return ticks
	}
	none := func(int) uint64 { return 0 }
	twenty := func(row int) uint64 {
		if row >= 201 {
			return 20
		}
		return 0
	}
	for _, c := range []struct {
		name  string
		ticks []uint64
		null  func(row int) bool
		lost  int64
		rows  int64
	}{
		{"every other row", clock(none), func(row int) bool { return row%2 == 1 }, 0, 200},
		{"every other row, and a gap", clock(twenty), func(row int) bool { return row%2 == 1 }, 20, 200},
		{"both ends", clock(none), func(row int) bool { return row < 7 || row > 390 }, 0, 16},
		{"a batch and more", clock(none), func(row int) bool { return row >= 90 && row < 230 }, 0, 140},
		{"around a gap", clock(twenty), func(row int) bool { return row >= 195 && row < 205 }, 20, 10},
		{"all", clock(none), func(int) bool { return true }, 0, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			track := pace.NewTrack("Clock", "Clock", 0)
			first, last := -1, -1
			for row := 0; row < 400; row += 100 {
				valid := make([]byte, 100)
				ticks := slices.Clone(c.ticks[row : row+100])
				for i := range valid {
					if c.null(row + i) {
						ticks[i] = 0xdead << (i % 40) // nothing is promised of what is there
						continue
					}
					valid[i] = 1
					if first < 0 {
						first = row + i
					}
					last = row + i
				}
				track.AddValid(row/100, int64(row), ticks, nil, valid, row > 0)
			}
			track.Finish()
			lost := int64(0)
			for _, g := range track.Gaps(track.Finder.Pace(), 0, 0) {
				lost += g.LostRows
			}
			if lost != c.lost || len(track.Breaks) > 0 || track.Untimed.Rows != c.rows {
				t.Errorf("%d rows lost, %d without a tick, breaks %v", lost, track.Untimed.Rows, track.Breaks)
			}
			if first < 0 {
				if len(track.Segments) > 0 {
					t.Errorf("segments %v of no ticks", track.Segments)
				}
				return
			}
			if s := track.Segments[0]; len(track.Segments) != 1 || s.Start != int64(first) || s.End != int64(last+1) || s.First != c.ticks[first] || s.Last != c.ticks[last] {
				t.Errorf("segments %+v, want rows %d to %d", track.Segments, first, last+1)
			}
			if period, _ := track.Step(); period != step {
				t.Errorf("a row every %v ticks", period)
			}
		})
	}
}
