package decimate

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// reference is what MinMax promises, in ten lines.
func reference[T Number](values []T, valid []byte, edges []int) []float32 {
	out := make([]float32, 2*(len(edges)-1))
	Clear(out)
	for b := range len(edges) - 1 {
		for i := edges[b]; i < edges[b+1]; i++ {
			if x := float32(values[i]); x == x && (valid == nil || valid[i] != 0) {
				if out[2*b] != out[2*b] || x < out[2*b] {
					out[2*b] = x
				}
				if out[2*b+1] != out[2*b+1] || x > out[2*b+1] {
					out[2*b+1] = x
				}
			}
		}
	}
	return out
}

func same(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && (a[i] == a[i] || b[i] == b[i]) {
			return false
		}
	}
	return true
}

func check[T Number](t *testing.T, values []T, valid []byte, edges []int) {
	t.Helper()
	got := make([]float32, 2*(len(edges)-1))
	Clear(got)
	MinMax(got, values, valid, edges)
	if want := reference(values, valid, edges); !same(got, want) {
		t.Errorf("%T of %d values, edges %v\n got %v\nwant %v", values, len(values), edges, got, want)
	}
}

// randomEdges cuts n rows into bins, some of them empty.
func randomEdges(r *rand.Rand, n, bins int) []int {
	edges := make([]int, bins+1)
	for i := 1; i <= bins; i++ {
		edges[i] = min(n, edges[i-1]+r.IntN(2*n/bins+2))
	}
	return edges
}

type named float64

func TestMinMaxEqualsTheReference(t *testing.T) {
	const seed = 11
	r := rand.New(rand.NewPCG(seed, 0))
	for round := range 200 {
		n := r.IntN(400)
		edges := randomEdges(r, n, 1+r.IntN(20))
		var valid []byte
		if round%3 == 1 {
			valid = make([]byte, n)
			for i := range valid {
				valid[i] = byte(r.IntN(2))
			}
		}
		i16, u16 := make([]int16, n), make([]uint16, n)
		i8, u8 := make([]int8, n), make([]uint8, n)
		i32, u32 := make([]int32, n), make([]uint32, n)
		i64, u64 := make([]int64, n), make([]uint64, n)
		f32, f64, nf := make([]float32, n), make([]float64, n), make([]named, n)
		for i := range n {
			x := r.Uint64()
			i16[i], u16[i], i8[i], u8[i] = int16(x), uint16(x), int8(x), uint8(x)
			i32[i], u32[i], i64[i], u64[i] = int32(x), uint32(x), int64(x), x
			f32[i], f64[i] = math.Float32frombits(uint32(x)), math.Float64frombits(x)
			if math.IsInf(float64(float32(f64[i])), 0) || float32(f64[i]) == 0 {
				f64[i] = float64(i)
			}
			if r.IntN(4) == 0 {
				f32[i], f64[i] = float32(math.NaN()), math.NaN()
			}
			nf[i] = named(f64[i])
		}
		check(t, i16, valid, edges)
		check(t, u16, valid, edges)
		check(t, i8, valid, edges)
		check(t, u8, valid, edges)
		check(t, i32, valid, edges)
		check(t, u32, valid, edges)
		check(t, i64, valid, edges)
		check(t, u64, valid, edges)
		check(t, f32, valid, edges)
		check(t, f64, valid, edges)
		check(t, nf, valid, edges)
		if t.Failed() {
			t.Fatalf("seed %d, round %d", seed, round)
		}
	}
}

func TestMinMaxSingleCases(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, c := range map[string]struct {
		values []float64
		valid  []byte
		edges  []int
		want   []float32
	}{
		"an empty bin stays NaN":            {[]float64{1, 2}, nil, []int{0, 2, 2}, []float32{1, 2, float32(nan), float32(nan)}},
		"only nulls stay NaN":               {[]float64{1, 2}, []byte{0, 0}, []int{0, 2}, []float32{float32(nan), float32(nan)}},
		"NaN is passed over":                {[]float64{nan, 3, nan}, nil, []int{0, 3}, []float32{3, 3}},
		"infinity is a value":               {[]float64{inf, inf}, nil, []int{0, 2}, []float32{float32(inf), float32(inf)}},
		"rows outside the edges are unread": {[]float64{9, 1, 9}, nil, []int{1, 2}, []float32{1, 1}},
		"edges beyond the values are cut":   {[]float64{1, 5}, nil, []int{-3, 7}, []float32{1, 5}},
		"rows without a valid byte are out": {[]float64{1, 5}, []byte{1}, []int{0, 2}, []float32{1, 1}},
	} {
		got := make([]float32, len(c.want))
		Clear(got)
		MinMax(got, c.values, c.valid, c.edges)
		if !same(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// Batches cut bins anywhere: feeding the parts gives what the whole gives.
func TestMinMaxByPartsEqualsTheWhole(t *testing.T) {
	const seed = 5
	r := rand.New(rand.NewPCG(seed, 0))
	for range 100 {
		n := 1 + r.IntN(300)
		values := make([]int16, n)
		for i := range values {
			values[i] = int16(r.Uint32())
		}
		edges := randomEdges(r, n, 1+r.IntN(12))
		whole := make([]float32, 2*(len(edges)-1))
		Clear(whole)
		MinMax(whole, values, nil, edges)
		parts := make([]float32, len(whole))
		Clear(parts)
		for at := 0; at < n; {
			next := min(n, at+1+r.IntN(40))
			shifted := make([]int, len(edges))
			for i, e := range edges {
				shifted[i] = min(max(e, at), next) - at
			}
			MinMax(parts, values[at:next], nil, shifted)
			at = next
		}
		if !same(parts, whole) {
			t.Fatalf("seed %d: parts %v, whole %v", seed, parts, whole)
		}
	}
}

func FuzzMinMax(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8}, []byte{1, 0, 1}, []byte{0, 2, 3})
	f.Add([]byte{}, []byte{}, []byte{0})
	f.Add([]byte{255, 127, 0, 128, 1, 0}, []byte(nil), []byte{0, 0, 200, 3})
	f.Fuzz(func(t *testing.T, data, valid, cuts []byte) {
		values := make([]int16, len(data)/2)
		for i := range values {
			values[i] = int16(binary.LittleEndian.Uint16(data[2*i:]))
		}
		wild := make([]int, len(cuts)) // edges as they come: must not panic
		for i, c := range cuts {
			wild[i] = int(int8(c))
		}
		scratch := make([]float32, 2*len(cuts))
		Clear(scratch)
		MinMax(scratch, values, valid, wild)

		if len(valid) < len(values) {
			valid = nil
		}
		edges := make([]int, 1, len(cuts)+1)
		for _, c := range cuts {
			edges = append(edges, min(len(values), edges[len(edges)-1]+int(c)))
		}
		check(t, values, valid, edges)
	})
}

func BenchmarkMinMax(b *testing.B) {
	const rows = 30000
	values := make([]uint16, rows)
	r := rand.New(rand.NewPCG(1, 0))
	for i := range values {
		values[i] = uint16(512 + r.IntN(40))
	}
	for _, bucket := range []int{16, 100, 1000} {
		edges := []int{0}
		for edges[len(edges)-1] < rows {
			edges = append(edges, min(rows, edges[len(edges)-1]+bucket))
		}
		envelope := make([]float32, 2*(len(edges)-1))
		Clear(envelope)
		b.Run(fmt.Sprintf("type=uint16/bucket=%d", bucket), func(b *testing.B) {
			b.SetBytes(2 * rows)
			b.ReportAllocs()
			for b.Loop() {
				MinMax(envelope, values, nil, edges)
			}
		})
	}
}
