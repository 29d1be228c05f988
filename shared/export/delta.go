//go:build !js

package export

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// The shape of what appendDelta writes, as Parquet's own writers have it.
const (
	deltaBlock = 128 // differences that share their smallest
	deltaMini  = 32  // of them that share a number of bits
)

type whole interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// appendDelta encodes values as DELTA_BINARY_PACKED: the first, then the
// differences of neighbours in as few bits as a miniblock of them takes. D is
// the physical type; differences that do not fit wrap around.
//
// Source: Parquet format, Encodings.md, "Delta Encoding (DELTA_BINARY_PACKED = 5)".
func appendDelta[D int32 | int64, T whole](to []byte, values []T) []byte {
	to = binary.AppendUvarint(to, deltaBlock)
	to = binary.AppendUvarint(to, deltaBlock/deltaMini)
	to = binary.AppendUvarint(to, uint64(len(values)))
	if len(values) == 0 {
		return binary.AppendVarint(to, 0)
	}
	last := D(values[0])
	to = binary.AppendVarint(to, int64(last))
	mask := uint64(math.MaxUint64)
	if most := D(math.MaxInt32); most+1 < 0 { // D has 32 bits
		mask = math.MaxUint32
	}
	var diffs [deltaBlock]D
	var mini [deltaMini]uint64
	for i := 1; i < len(values); i += deltaBlock {
		block := values[i:min(i+deltaBlock, len(values))]
		low := D(block[0]) - last
		for k, v := range block {
			d := D(v) - last
			last, diffs[k] = D(v), d
			low = min(low, d)
		}
		for k := len(block); k < deltaBlock; k++ {
			diffs[k] = low
		}
		to = binary.AppendVarint(to, int64(low))
		widths := len(to)
		to = append(to, 0, 0, 0, 0) // deltaBlock/deltaMini of them
		for m := 0; m*deltaMini < len(block); m++ {
			used := uint64(0)
			for k, d := range diffs[m*deltaMini:][:deltaMini] {
				x := uint64(d-low) & mask
				mini[k] = x
				used |= x
			}
			width := bits.Len64(used)
			to[widths+m] = byte(width)
			to = appendPacked(to, &mini, width)
		}
	}
	return to
}

// appendPacked writes the low width bits of 32 values, the lowest bits first.
func appendPacked(to []byte, values *[deltaMini]uint64, width int) []byte {
	n := len(to) + deltaMini*width/8
	to = slices.Grow(to, deltaMini*8+8)
	out := to[len(to) : len(to)+deltaMini*8+8]
	word, filled := uint64(0), 0
	for _, v := range values {
		word |= v << (filled & 63)
		if filled += width; filled >= 64 {
			binary.LittleEndian.PutUint64(out, word)
			out = out[8:]
			filled -= 64
			word = v >> (width - filled)
		}
	}
	binary.LittleEndian.PutUint64(out, word)
	return to[:n]
}
