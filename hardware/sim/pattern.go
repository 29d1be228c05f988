package sim

import "github.com/oniscope/oniscope/hardware/device"

// The formulas of the signal Pattern. testdata/samples/README.md states them,
// with the clocks of producers.go, as a reader without this code needs them;
// TestPatternIsAsDocumented keeps both together. All divisions are of
// integers. The multipliers are odd, so that neighbouring channels and rows
// differ, and a term of the high part of the row distinguishes rows that would
// otherwise repeat.

// codesPattern is that of devices with electrodes: values of every sample and
// those of every block, which have so many codes.
type codesPattern struct{ fast, slow uint64 }

func (p codesPattern) fill(number uint64, to *block) {
	for i := range to.fast {
		row := number*groupSize + uint64(i)
		for ch := range to.fast[i] {
			to.fast[i][ch] = uint16((3*row + 37*uint64(ch) + 5*(row/1024)) % p.fast)
		}
	}
	for ch := range to.slow {
		to.slow[ch] = uint16((5*number + 11*uint64(ch) + 7*(number/1024) + 512) % p.slow)
	}
}

type analogPattern struct{}

func (analogPattern) codes(row uint64, to *[12]int16) {
	for ch := range to {
		to[ch] = int16(4*int((3*row+683*uint64(ch)+row/16384)%16384) - 32768)
	}
}

type digitalPattern struct{}

func (digitalPattern) event(row uint64) (sampled uint64, inputs uint8, buttons uint16) {
	sampled = 12_500_000*(row+1) + 1000*(row*row%97)
	return sampled, uint8(row % 256), uint16(row/16%64 + 256*(row/64%16))
}

type memoryPattern struct{}

func (memoryPattern) usedWords(row uint64) uint32 {
	return uint32(7_654_321 * row % (device.DefaultTotalMemWords + 1))
}

type orientationPattern struct{}

func (orientationPattern) sample(row uint64) (s device.BNO055) {
	code := func(c uint64) int16 { return int16(int64((7*row+311*c+5*(row/4096))%65536) - 32768) }
	for i := range uint64(3) {
		s.Euler[i], s.Acceleration[i], s.Gravity[i] = code(i), code(7+i), code(10+i)
	}
	for i := range s.Quaternion {
		s.Quaternion[i] = code(3 + uint64(i))
	}
	s.Temperature, s.Calibration = uint8(row%256), uint8(row/256%256)
	return s
}
