package stream

import (
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// TicksFromSeconds calculates as math/big does, which it does without because
// of its weight in the page's engine.
func TestSecondsAreExact(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 5))
	digits := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte(byte('0' + random.IntN(10)))
		}
		return b.String()
	}
	rates := []uint64{1, 3, 10, 250e6, 1<<64 - 1, 1 << 63}
	fits, over := 0, 0
	for range 20000 {
		text := digits(random.IntN(21))
		if n := random.IntN(18); n > 0 {
			text += "." + digits(n)
		}
		hz := rates[random.IntN(len(rates))]
		exact, ok := new(big.Rat).SetString(text)
		got, err := TicksFromSeconds(text, hz)
		if !ok {
			if err == nil {
				t.Errorf("%q gives %d", text, got)
			}
			continue
		}
		exact.Mul(exact, new(big.Rat).SetInt(new(big.Int).SetUint64(hz)))
		want, rest := new(big.Int).QuoRem(exact.Num(), exact.Denom(), new(big.Int))
		below := want.Uint64()
		if x, _ := strconv.ParseFloat(text, 64); rest.Sign() > 0 && !(want.IsUint64() && below < maxFloatTicks && float64(below)/float64(hz) == x) {
			want.Add(want, big.NewInt(1))
		}
		if !want.IsUint64() {
			if over++; err == nil {
				t.Errorf("%q at %d Hz gives %d, not too much", text, hz, got)
			}
			continue
		}
		if fits++; err != nil || got != want.Uint64() {
			t.Errorf("%q at %d Hz: %d, %v; want %d", text, hz, got, err, want)
		}
	}
	if fits < 5000 || over < 1000 {
		t.Errorf("%d numbers fit and %d did not", fits, over)
	}
}
