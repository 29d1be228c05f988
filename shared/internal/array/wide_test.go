package array_test

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/oniscope/oniscope/shared/internal/array"
)

// Integers of any width have the digits that math/big gives them.
func TestWideIntegersHaveTheirDigits(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 11))
	for width := range 41 {
		for n := range 200 {
			p := make([]byte, width)
			for i := range p {
				switch n % 4 {
				case 0:
					p[i] = byte(random.Uint32())
				case 1:
					p[i] = 0xFF
				case 2:
					p[i] = byte(random.IntN(2)) << 7
				}
			}
			be := slices.Clone(p)
			slices.Reverse(be)
			want := new(big.Int).SetBytes(be)
			if negative, digits := array.WideInteger(p, false); negative || digits != want.String() {
				t.Fatalf("%x: %v %s, want %v", p, negative, digits, want)
			}
			if width > 0 && be[0]&0x80 != 0 {
				want.Sub(want, new(big.Int).Lsh(big.NewInt(1), uint(8*width)))
			}
			if negative, digits := array.WideInteger(p, true); negative != (want.Sign() < 0) || digits != new(big.Int).Abs(want).String() {
				t.Fatalf("%x: %v %s, want %v", p, negative, digits, want)
			}
		}
	}
}
