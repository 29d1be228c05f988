package recording_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

// Whatever becomes of a clock, places rise from row to row, a batch alone has those
// that the whole has, and each good row's Clock is found again.
func TestAnAxisRisesAndGivesClockBack(t *testing.T) {
	for seed := range uint64(80) {
		random := rand.New(rand.NewPCG(seed, 11))
		first := uint64(random.IntN(1e9))
		if seed%3 == 0 {
			first += 1_774_745_998_123_456_789
		}
		ticks := harm(random, evenTicks(first, 2000), 5)
		times, err := testdata.Open(t, ticksFile(t, recording.None, ticks, 100)).Times(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		origin := uint64(0)
		if len(times.Segments) > 0 && times.Segments[0].ClockFirst >= recording.ExactTicks {
			origin = times.Segments[0].ClockFirst
		}
		a := times.Axis(origin)
		places := slices.Clone(ticks)
		a.Places(0, places)
		if !slices.IsSorted(places) {
			t.Fatalf("seed %d: places fall", seed)
		}
		from := random.IntN(len(ticks))
		part := slices.Clone(ticks[from:])
		a.Places(int64(from), part)
		_, segment := truth(ticks)
		for row, k := range segment {
			if k < 0 {
				continue
			}
			if tick, s := a.Clock(places[row]); tick != ticks[row] || s != k {
				t.Fatalf("seed %d, row %d: tick %d of segment %d, want %d of %d", seed, row, tick, s, ticks[row], k)
			}
			if got := a.Place(int64(row), ticks[row]); got != places[row] {
				t.Fatalf("seed %d, row %d is at %d, want %d", seed, row, got, places[row])
			}
			if row >= from && part[row-from] != places[row] {
				t.Fatalf("seed %d, row %d of a part from row %d on is at %d, want %d", seed, row, from, part[row-from], places[row])
			}
		}
	}
}

// A clock that rises is its own axis.
func TestTheAxisOfAClockThatRisesIsTheClock(t *testing.T) {
	ticks := evenTicks(500, 300)
	times, err := testdata.Open(t, ticksFile(t, recording.None, ticks, 100)).Times(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	a := times.Axis(0)
	places := slices.Clone(ticks)
	if a.Places(0, places); !a.Plain() || !slices.Equal(places, ticks) {
		t.Error("places are not ticks")
	}
}
