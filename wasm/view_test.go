package main

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
		v := view{from, from + r.Float64()*1e7 + 1, 1 + r.IntN(2000)}
		tick := from + r.Float64()*(v.to-v.from)
		if r.IntN(2) == 0 {
			tick = v.edge(r.IntN(v.bins))
		}
		b := v.bin(tick)
		if !(v.edge(b) <= tick && (tick < v.edge(b+1) || b == v.bins-1)) {
			t.Fatalf("seed %d: tick %v of %+v is put in bin %d, %v to %v", seed, tick, v, b, v.edge(b), v.edge(b+1))
		}
	}
}

func TestRowsOfBinsPutEveryRowWhereItsTickIs(t *testing.T) {
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
		v := view{float64(r.IntN(3000)), 0, 1 + r.IntN(60)}
		v.to = v.from + 1 + float64(r.IntN(4000))
		want := map[int]int{} // row -> bin
		for i, tick := range ticks {
			if f := float64(tick); f >= v.from && f < v.to {
				want[i] = v.bin(f)
			}
		}
		first, edges := v.rowsOfBins(ticks)
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
		if got := rowAt(ticks, x); got != want {
			t.Fatalf("seed %d: rowAt(%v, %v) = %d, want %d", seed, ticks, x, got, want)
		}
	}
}
