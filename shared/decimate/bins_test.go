package decimate

import (
	"math/rand/v2"
	"sort"
	"testing"
)

func TestBinsAndEdgesAgree(t *testing.T) {
	const seed = 3
	r := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		from := r.Float64() * 1e9
		v := Bins{from, from + r.Float64()*1e7 + 1, 1 + r.IntN(2000)}
		tick := from + r.Float64()*(v.To-v.From)
		if r.IntN(2) == 0 {
			tick = v.Edge(r.IntN(v.N))
		}
		b := v.Bin(tick)
		if !(v.Edge(b) <= tick && (tick < v.Edge(b+1) || b == v.N-1)) {
			t.Fatalf("seed %d: tick %v of %+v is put in bin %d, %v to %v", seed, tick, v, b, v.Edge(b), v.Edge(b+1))
		}
	}
}

func TestRowsPutEveryRowWhereItsTickIs(t *testing.T) {
	const seed = 4
	r := rand.New(rand.NewPCG(seed, 0))
	for round := range 500 {
		ticks := make([]uint64, r.IntN(200))
		at := uint64(r.IntN(1000))
		for i := range ticks {
			at += uint64(r.IntN(20)) // equal ticks too
			if r.IntN(50) == 0 {
				at += 5000
			}
			ticks[i] = at
		}
		v := Bins{float64(r.IntN(3000)), 0, 1 + r.IntN(60)}
		v.To = v.From + 1 + float64(r.IntN(4000))
		want := map[int]int{} // row -> bin
		for i, tick := range ticks {
			if f := float64(tick); f >= v.From && f < v.To {
				want[i] = v.Bin(f)
			}
		}
		first, edges := v.Rows(ticks)
		got := map[int]int{}
		for i := 0; i+1 < len(edges); i++ {
			for row := edges[i]; row < edges[i+1]; row++ {
				got[row] = first + i
			}
		}
		if len(got) != len(want) {
			t.Fatalf("seed %d round %d: %d rows placed, want %d", seed, round, len(got), len(want))
		}
		for row, bin := range want {
			if got[row] != bin {
				t.Fatalf("seed %d round %d: row %d in bin %d, want %d", seed, round, row, got[row], bin)
			}
		}
	}
}

func TestRowAtIsALowerBound(t *testing.T) {
	const seed = 9
	r := rand.New(rand.NewPCG(seed, 0))
	for range 3000 {
		ticks := make([]uint64, r.IntN(40))
		at := uint64(0)
		for i := range ticks {
			at += uint64(r.IntN(5) * r.IntN(100))
			ticks[i] = at
		}
		x := float64(r.IntN(9000)) - 10
		want := sort.Search(len(ticks), func(i int) bool { return float64(ticks[i]) >= x })
		if got := RowAt(ticks, x); got != want {
			t.Fatalf("seed %d: RowAt(%v, %v) = %d, want %d", seed, ticks, x, got, want)
		}
	}
}
