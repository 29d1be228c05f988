package device

import "math"

// A pace gives the ticks of samples at a constant rate.
type pace struct {
	clockHz, rateHz float64
	row             uint64 // of the next call of Next
}

func newPace(s Stage, rateHz float64) pace { return pace{clockHz: float64(s.ClockHz), rateHz: rateHz} }

// Next returns when the next sample is taken, in ticks since the start.
func (p *pace) Next() (tick uint64, ok bool) {
	tick = uint64(float64(p.row) * p.clockHz / p.rateHz)
	p.row++
	return tick, true
}

// number is that of the sample that is due, from 0.
func (p *pace) number() uint64 { return p.row - 1 }

// playedCodes fills in what channels show that nothing better is known of: a
// sine of mid-scale, whose phase goes along the channels, of 10 to 20 Hz at
// 30 kHz, and an impulse now and then on every eighth channel.
func playedCodes(to []uint16, n uint64, codes int) {
	for ch := range to {
		to[ch] = playedSlow(n/12, ch, codes)
		if ch%8 == 0 && (n+uint64(ch)*97)%3001 < 20 {
			to[ch] -= uint16(codes / 16)
		}
	}
}

// playedSlow is the slow part of it, at 2.5 kHz.
func playedSlow(n uint64, ch, codes int) uint16 {
	return uint16(codes/2 + int(sineTable[(n+uint64(ch)*5)%sinePeriod])*codes/4096)
}

const sinePeriod = 250 // 10 Hz at 2.5 kHz

var sineTable = func() (t [sinePeriod]int8) {
	for i := range t {
		t[i] = int8(math.Round(100 * math.Sin(2*math.Pi*float64(i)/sinePeriod)))
	}
	return t
}()
