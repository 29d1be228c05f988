package sim

import "github.com/oniscope/oniscope/hardware/device"

// The formulas of the signal Pattern. testdata/samples/README.md states them,
// with the clocks of producers.go, as a reader without this code needs them;
// TestPatternIsAsDocumented holds both together. All divisions are of
// integers. The multipliers are odd, so that neighbouring channels and rows
// differ, and a term of the high part of the row tells rows apart that would
// otherwise repeat.

type probePattern struct{}

func (probePattern) group(number uint64, to *[groupSize]device.NeuropixelsV1e) {
	for i := range to {
		row := number*groupSize + uint64(i)
		for ch := range to[i].AP {
			to[i].AP[ch] = patternAP(row, uint64(ch))
		}
		for adc := range to[i].LFP {
			ch := device.NeuropixelsV1eLFPChannel(adc, row)
			to[i].LFP[adc] = patternLFP(number, uint64(ch))
		}
	}
}

func patternAP(row, ch uint64) uint16 { return uint16((3*row + 37*ch + 5*(row/1024)) % 1024) }

func patternLFP(sample, ch uint64) uint16 {
	return uint16((5*sample + 11*ch + 7*(sample/1024) + 512) % 1024)
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
