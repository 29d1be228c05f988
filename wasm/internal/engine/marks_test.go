package engine

import (
	"math/rand/v2"
	"testing"
	"time"
)

// The nearest number is the one that looking at each finds.
func TestMarksFindTheNearestNumber(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 7))
		most := []int{1, 63, 64, 65, 4096, 300_000}[r.IntN(6)]
		var m marks
		in := make([]bool, most)
		for range r.IntN(40) {
			n := r.IntN(most)
			m.add(n)
			in[n] = true
		}
		for range 200 {
			n := r.IntN(most+2) - 1
			up := max(0, n)
			for up < most && !in[up] {
				up++
			}
			down := min(n, most-1)
			for down >= 0 && !in[down] {
				down--
			}
			if n >= 0 {
				if got := m.next(n, most); got != up {
					t.Fatalf("seed %d, of %d: %d follows %d, want %d", seed, most, got, n, up)
				}
			}
			if got := m.previous(n); got != down {
				t.Fatalf("seed %d, of %d: %d is before %d, want %d", seed, most, got, n, down)
			}
		}
	}
}

// Many batches that are read one after the other cost as much each as few do.
func TestALongTimelineIsLearntInOneBreath(t *testing.T) {
	const n = 1_000_000
	line := newTimeline(n, nil)
	line.learn(n-1, 10*n, 10*n+5, true)
	began := time.Now()
	for b := range n - 1 {
		line.learn(b, uint64(10*b), uint64(10*b+5), true)
	}
	if took := time.Since(began); took > 10*time.Second { // 0.1 s; looking at each took an hour
		t.Errorf("%d batches took %v", n, took)
	}
	if line.places[n/2].state != trusted || line.above(n/2) != n/2+1 || line.below(n/2) != n/2-1 {
		t.Error("a batch in the middle is not trusted")
	}
}
