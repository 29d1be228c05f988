package neuropixels

import "math"

// A Layout is where the values of a super-frame are: numbers of 16-bit words,
// counted from the first word of its first probe frame.
type Layout struct {
	WordsPerFrame int // of a probe frame; words that carry no value included
	AP            [Channels]int
	LFP           []int // the values that one super-frame of twelve has; none where AP values hold both bands

	channel func(i, column int) int
}

// LFPChannel is the channel of LFP value i (0 to 31) in the super-frame of a
// number; 0 is the first after the start, and twelve have all channels. Nothing
// in a super-frame says its number. Source: onix-devices 3.17.
func (l *Layout) LFPChannel(i int, superFrame uint64) int {
	return l.channel(i, int(superFrame%columnsV1))
}

// A 1.0 probe has twelve columns of channels, which an ADC reads in turn.
const columnsV1 = 12

// The layouts of all probes. Source: onix-devices 3.17 to 3.21.
var (
	LayoutV1e = layoutV1(40, [ADCs]int{
		1, 9, 17, 25, 33, 2, 10, 18, 26, 34, 3, 11, 19, 27, 35, 4,
		12, 20, 28, 36, 5, 13, 21, 29, 37, 6, 14, 22, 30, 38, 7, 15,
	})
	LayoutV1f = layoutV1(36, [ADCs]int{
		1, 8, 15, 22, 29, 2, 9, 16, 23, 30, 3, 10, 17, 24, 31, 4,
		11, 18, 25, 32, 5, 12, 19, 26, 33, 6, 13, 20, 27, 34, 7, 14,
	})
	// LayoutNric1384 has all channels in order, LFP first.
	LayoutNric1384 = layoutNric()
	LayoutV2e      = layoutV2(36, func(k int) (word, channel int) {
		group, m := k/3, k%3
		return 4 + 4*group + m, 128*m + 32*(group/2) + group%2
	})
	LayoutV2eBeta = layoutV2(28, func(k int) (word, channel int) {
		group, m := k/4, k%4
		return 2 + k, 96*m + 32*(group/2) + group%2
	})
)

// layoutV1 has in each frame one word of each ADC: the first frame LFP, each
// further one a column of AP.
func layoutV1(wordsPerFrame int, words [ADCs]int) *Layout {
	l := &Layout{WordsPerFrame: wordsPerFrame, LFP: words[:], channel: channelV1}
	for adc, word := range words {
		for column := range columnsV1 {
			l.AP[channelV1(adc, column)] = wordsPerFrame*(1+column) + word
		}
	}
	return l
}

func layoutNric() *Layout {
	l := &Layout{WordsPerFrame: ADCs + Channels, channel: func(i, column int) int { return ADCs*column + i }}
	for i := range ADCs {
		l.LFP = append(l.LFP, i)
	}
	for ch := range l.AP {
		l.AP[ch] = ADCs + ch
	}
	return l
}

// layoutV2 has in each of 16 frames 24 values; at gives the word of value k, and
// its channel in the first frame.
func layoutV2(wordsPerFrame int, at func(k int) (word, channel int)) *Layout {
	l := &Layout{WordsPerFrame: wordsPerFrame}
	for frame := range 16 {
		for k := range 24 {
			word, channel := at(k)
			l.AP[channel+2*frame] = wordsPerFrame*frame + word
		}
	}
	return l
}

// channelV1 is the channel that an ADC of a 1.0 probe reads in a column.
func channelV1(adc, column int) int { return 24*(adc/2) + adc%2 + 2*column }

// ADCOfChannel is the converter of a channel of a 1.0 probe.
func ADCOfChannel(channel int) int { return 2*(channel/24) + channel%2 }

// Corrected is the value that the original makes of a code of a converter of so
// many codes: times the gain correction, in float64, each product rounded by
// itself; turned if invert, so that 0 becomes codes times gain; truncated towards
// zero; the low 16 bits. Source: onix-devices 3.00.
func Corrected(code, codes int, gain float64, invert bool) uint16 {
	v := float64(gain * float64(code)) // the conversion keeps the compiler from fusing multiply and add
	if invert {
		v = float64(gain*float64(codes)) - v
	}
	return uint16(int64(math.Trunc(v)))
}
