package recovery_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/oniscope/oniscope/shared/recovery"
)

// The quick look at four values at a time says what a look at each says, wherever in
// the range, and at which place, the value at its end is.
func TestQuickLookAtChannel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		flip   uint16
		lo, hi int64
		quick  bool
	}{
		{0, 0, 1023, true}, {0, 0, 16383, true}, {0, 0, 1<<15 - 1, true}, {0, 0, 1 << 15, true}, {0, 0, 1<<16 - 1, true}, {0, 100, 40000, true}, {0, 1<<15 - 1, 1 << 15, true},
		{1 << 15, -512, 511, true}, {1 << 15, -1 << 15, 1<<15 - 1, true}, {1 << 15, -2048, -1, true}, {0, 40000, 50000, false}, {1 << 15, 0, 4095, false}, {0, 5, 5, false}, {0, -1, 1023, false}, {0, 0, 1 << 16, false},
	} {
		for range 4000 {
			data := make([]byte, 64)[:2*random.IntN(14)]
			want := c.quick
			for i := 0; i < len(data); i += 2 {
				least, most := -int64(c.flip), 1<<16-1-int64(c.flip)
				x := c.lo + 1 + random.Int64N(max(1, c.hi-c.lo-1))
				switch random.IntN(60) {
				case 0:
					x = least + random.Int64N(1<<16)
				case 1:
					x = c.lo
				case 2:
					x = c.hi
				}
				x = min(max(x, least), most)
				binary.LittleEndian.PutUint16(data[i:], uint16(x))
				want = want && x > c.lo && x < c.hi
			}
			if got := recovery.Inside(data, c.flip, c.lo, c.hi); got != want {
				t.Fatalf("values % x between %d and %d: %v, want %v", data, c.lo, c.hi, got, want)
			}
		}
	}
}

func BenchmarkQuickLookAtChannel(b *testing.B) {
	data := make([]byte, 60000)
	for i := 0; i < len(data); i += 2 {
		binary.LittleEndian.PutUint16(data[i:], uint16(400+i*7919%40))
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if !recovery.Inside(data, 0, 0, 1023) {
			b.Fatal("not inside")
		}
	}
}
