package engine

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// Tiles as bytes: how they are kept from visit to visit, and how they go from the
// engine that has read a file to the one that draws it.

// someTiles are bins of a column of successive batches.
type someTiles struct {
	column, level, first int // first: batch
	rows                 []int
	bins                 [][]tileBin
}

// asBytes is the memory of bins: their fields one after another, little endian as all
// that the engine runs on.
func asBytes(bins []tileBin) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(bins))), len(bins)*tileBinBytes)
}

var _ [tileBinBytes]byte = [unsafe.Sizeof(tileBin{})]byte{} // no padding

const tilesHead = 4 * 4

// size is how many bytes append takes.
func (c *someTiles) size() int {
	n := tilesHead + 4*len(c.rows)
	for _, bins := range c.bins {
		n += tileBinBytes * len(bins)
	}
	return n
}

// append writes column, level, first batch and how many there are, then of each its
// rows and bins, little endian.
func (c *someTiles) append(out []byte) []byte {
	le := binary.LittleEndian
	for _, x := range []int{c.column, c.level, c.first, len(c.rows)} {
		out = le.AppendUint32(out, uint32(x))
	}
	for k, rows := range c.rows {
		out = le.AppendUint32(out, uint32(rows))
		out = append(out, asBytes(c.bins[k])...)
	}
	return out
}

// parseTiles reads what append wrote of a stream of so many batches and columns, and
// returns what comes after it; nil if it is anything else.
func parseTiles(data []byte, batches, columns int) (c *someTiles, left []byte) {
	next := func() int {
		if len(data) < 4 {
			data = nil
			return math.MaxUint32
		}
		x := binary.LittleEndian.Uint32(data)
		data = data[4:]
		return int(x)
	}
	c = &someTiles{column: next(), level: next(), first: next()}
	n := next()
	if c.column >= columns || c.level < minTileLevel || c.level > 30 || c.first > batches || n > batches-c.first {
		return nil, nil
	}
	for range n {
		rows := next()
		size := binsIn(rows, c.level)
		if rows > math.MaxInt32 || size > len(data)/tileBinBytes {
			return nil, nil
		}
		bins := make([]tileBin, size)
		data = data[copy(asBytes(bins), data):]
		c.rows, c.bins = append(c.rows, rows), append(c.bins, bins)
	}
	return c, data
}
