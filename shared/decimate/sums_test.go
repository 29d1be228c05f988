package decimate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// plainBin is what Sum promises, in the longest way.
func plainBin[T Number](values []T, valid []byte) Bin {
	var kept []float64
	b := Bin{}
	for i, x := range values {
		if x == x && (valid == nil || valid[i] != 0) {
			kept = append(kept, float64(x))
			if f := float32(x); b.Count == 0 || f < b.Min {
				b.Min = f
			}
			if f := float32(x); b.Count == 0 || f > b.Max {
				b.Max = f
			}
			b.Count++
		}
	}
	for _, x := range kept {
		b.Mean += x / float64(len(kept))
	}
	for _, x := range kept {
		b.Squares += (x - b.Mean) * (x - b.Mean)
	}
	return b
}

func near(a, b Bin) bool {
	if a.Count != b.Count || a.Count == 0 {
		return a.Count == b.Count
	}
	size := math.Max(math.Abs(float64(b.Min)), math.Abs(float64(b.Max)))
	return a.Min == b.Min && a.Max == b.Max && math.Abs(a.Mean-b.Mean) <= 1e-12*size &&
		math.Abs(a.SD()-b.SD()) <= 1e-6*b.SD()+1e-9*size
}

func checkSums[T Number](t *testing.T, values []T, valid []byte, edges []int) {
	t.Helper()
	whole, twice := make([]Bin, len(edges)-1), make([]Bin, len(edges)-1)
	Sum(whole, values, valid, edges)
	half := len(values) / 2 // the same fed in two parts
	head, tail := make([]int, len(edges)), make([]int, len(edges))
	for i, e := range edges {
		head[i], tail[i] = min(e, half), max(0, e-half)
	}
	var before, after []byte
	if valid != nil {
		before, after = valid[:half], valid[half:]
	}
	Sum(twice, values[half:], after, tail)
	Sum(twice, values[:half], before, head)
	for i := range whole {
		var part []byte
		if valid != nil {
			part = valid[edges[i]:edges[i+1]]
		}
		want := plainBin(values[edges[i]:edges[i+1]], part)
		if !near(whole[i], want) || !near(twice[i], want) {
			t.Errorf("%T bin %d of %v: %+v and in two parts %+v, want %+v", values, i, edges, whole[i], twice[i], want)
		}
	}
}

func TestSumEqualsThePlainFormulas(t *testing.T) {
	const seed = 12
	r := rand.New(rand.NewPCG(seed, 0))
	for round := range 100 {
		n := r.IntN(500)
		edges := randomEdges(r, n, 1+r.IntN(12))
		var valid []byte
		if round%3 == 1 {
			valid = make([]byte, n)
			for i := range valid {
				valid[i] = byte(r.IntN(2))
			}
		}
		i16, u16, i8, u8 := make([]int16, n), make([]uint16, n), make([]int8, n), make([]uint8, n)
		i32, u32, f32, f64 := make([]int32, n), make([]uint32, n), make([]float32, n), make([]float64, n)
		for i := range n {
			x := r.Uint64()
			i16[i], u16[i], i8[i], u8[i] = int16(x), uint16(x), int8(x), uint8(x)
			i32[i], u32[i] = int32(x), 4_000_000_000+uint32(x)%7 // a large offset
			f32[i], f64[i] = float32(r.NormFloat64()), 1e9+r.NormFloat64()
			if round%2 == 0 && r.IntN(8) == 0 {
				f32[i], f64[i] = float32(math.NaN()), math.NaN()
			}
		}
		checkSums(t, i16, valid, edges)
		checkSums(t, u16, valid, edges)
		checkSums(t, i8, valid, edges)
		checkSums(t, u8, valid, edges)
		checkSums(t, i32, valid, edges)
		checkSums(t, u32, valid, edges)
		checkSums(t, f32, valid, edges)
		checkSums(t, f64, valid, edges)
	}
}

func TestDeviations(t *testing.T) {
	var b [1]Bin
	Sum(b[:], []uint16{65534, 65532, 65534, 65532}, nil, []int{0, 4})
	if b[0].Mean != 65533 || b[0].SD() != 1 || b[0].RMS(65533) != 1 || b[0].RMS(65530) != math.Sqrt(10) {
		t.Errorf("%+v: sd %v, RMS about 65530 %v", b[0], b[0].SD(), b[0].RMS(65530))
	}
	if none := (&Bin{}); !math.IsNaN(none.SD()) || !math.IsNaN(none.RMS(0)) {
		t.Error("a bin without values has a deviation")
	}
}

func BenchmarkSum(b *testing.B) {
	const rows = 1 << 16
	values := make([]uint16, rows)
	r := rand.New(rand.NewPCG(1, 0))
	for i := range values {
		values[i] = uint16(512 + r.IntN(40))
	}
	for _, bucket := range []int{16, 128, 1024} {
		edges := []int{0}
		for edges[len(edges)-1] < rows {
			edges = append(edges, edges[len(edges)-1]+bucket)
		}
		bins := make([]Bin, len(edges)-1)
		b.Run(fmt.Sprintf("type=uint16/bucket=%d", bucket), func(b *testing.B) {
			b.SetBytes(2 * rows)
			for b.Loop() {
				Sum(bins, values, nil, edges)
			}
		})
	}
}
