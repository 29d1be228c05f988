//go:build !js

package export

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// undelta is a reader of DELTA_BINARY_PACKED by the letter of its description.
func undelta(t *testing.T, p []byte, bitsOfD int) []int64 {
	t.Helper()
	uvarint := func() uint64 {
		v, n := binary.Uvarint(p)
		if n <= 0 {
			t.Fatal("a number is cut")
		}
		p = p[n:]
		return v
	}
	zigzag := func() int64 {
		v := uvarint()
		return int64(v>>1) ^ -int64(v&1)
	}
	block, minis, total := uvarint(), uvarint(), uvarint()
	value := zigzag()
	if total == 0 {
		return []int64{}
	}
	values := []int64{value}
	for uint64(len(values)) < total {
		low := zigzag()
		widths := p[:minis]
		p = p[minis:]
		for _, width := range widths {
			if uint64(len(values)) == total {
				break
			}
			n := int(block / minis)
			packed := p[:n*int(width)/8]
			p = p[len(packed):]
			for k := 0; k < n && uint64(len(values)) < total; k++ {
				var d uint64
				for b := range int(width) {
					at := k*int(width) + b
					d |= uint64(packed[at/8]>>(at%8)&1) << b
				}
				if value += low + int64(d); bitsOfD == 32 {
					value = int64(int32(value))
				}
				values = append(values, value)
			}
		}
	}
	if len(p) != 0 {
		t.Fatalf("%d bytes too many", len(p))
	}
	return values
}

func TestDeltaHoldsTheValues(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, n := range []int{0, 1, 2, 31, 32, 33, 34, 128, 129, 130, 161, 1000} {
		for _, spread := range []uint64{1, 2, 100, 1 << 16, 1 << 31, math.MaxUint64} {
			narrowed, wide := make([]uint16, n), make([]uint64, n)
			ints := make([]int32, n)
			var want16, want64, want32 []int64
			for i := range n {
				x := r.Uint64N(spread)
				narrowed[i], wide[i], ints[i] = uint16(x), x, int32(x)
				want16, want64, want32 = append(want16, int64(uint16(x))), append(want64, int64(x)), append(want32, int64(int32(x)))
			}
			if got := undelta(t, appendDelta[int32](nil, narrowed), 32); !slices.Equal(got, want16) {
				t.Fatalf("%d uint16 below %d differ", n, spread)
			}
			if got := undelta(t, appendDelta[int32](nil, ints), 32); !slices.Equal(got, want32) {
				t.Fatalf("%d int32 below %d differ", n, spread)
			}
			if got := undelta(t, appendDelta[int64](nil, wide), 64); !slices.Equal(got, want64) {
				t.Fatalf("%d uint64 below %d differ", n, spread)
			}
		}
	}
}

func BenchmarkDelta(b *testing.B) {
	r := rand.New(rand.NewPCG(9, 10))
	values := make([]uint16, 30000)
	for i := range values {
		values[i] = uint16(math.Round(512 + 8*r.NormFloat64()))
	}
	b.SetBytes(int64(2 * len(values)))
	var to []byte
	for b.Loop() {
		to = appendDelta[int32](to[:0], values)
	}
}
