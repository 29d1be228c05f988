package engine

import "math/bits"

// marks are a set of numbers in which the nearest one is found at once, however far away
// it is: a bit each, a bit for every 64 bits of which one is set, and so on. Five such
// levels are enough for all batches that there may be.
type marks [5][]uint64

func (m *marks) add(n int) {
	for k := range m {
		word := n / 64
		if missing := word + 1 - len(m[k]); missing > 0 {
			m[k] = append(m[k], make([]uint64, missing)...)
		}
		m[k][word] |= 1 << (n % 64)
		n = word
	}
}

// next returns the first number from n on, or otherwise.
func (m *marks) next(n, otherwise int) int {
	for k := range m {
		word := n / 64
		if word >= len(m[k]) {
			return otherwise
		}
		if rest := m[k][word] >> (n % 64); rest != 0 {
			n += bits.TrailingZeros64(rest)
			for ; k > 0; k-- {
				n = 64*n + bits.TrailingZeros64(m[k-1][n])
			}
			return n
		}
		n = word + 1
	}
	return otherwise
}

// previous returns the last number up to n, or -1.
func (m *marks) previous(n int) int {
	for k := range m {
		if n = min(n, 64*len(m[k])-1); n < 0 {
			return -1
		}
		word := n / 64
		if rest := m[k][word] << (63 - n%64); rest != 0 {
			n -= bits.LeadingZeros64(rest)
			for ; k > 0; k-- {
				n = 64*n + 63 - bits.LeadingZeros64(m[k-1][n])
			}
			return n
		}
		n = word - 1
	}
	return -1
}
