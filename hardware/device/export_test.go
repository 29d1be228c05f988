package device

import "encoding/binary"

// DecodeNeuropixelsV1e is the inverse of AppendTo, for the tests: the decoder
// makes rows of twelve super-frames without it.
func DecodeNeuropixelsV1e(sample []byte) (*NeuropixelsV1e, error) {
	if len(sample) < v1eBytes {
		return nil, shortSample(HeadstageNeuropixelsV1e, len(sample), v1eBytes)
	}
	s := &NeuropixelsV1e{
		HubClock: binary.LittleEndian.Uint64(sample),
		Probe:    binary.LittleEndian.Uint16(sample[8:]),
	}
	for i := range s.Counter {
		s.Counter[i] = v1eCounter(sample, i)
	}
	for adc, off := range v1eLayout.lfp {
		s.LFP[adc] = binary.LittleEndian.Uint16(sample[off:])
	}
	for ch, off := range v1eLayout.ap {
		s.AP[ch] = binary.LittleEndian.Uint16(sample[off:])
	}
	return s, nil
}
