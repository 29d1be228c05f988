package live

import (
	"github.com/oniscope/oniscope/shared/decimate"
)

// A client that is behind sees coarse bins of what it missed rather than nothing:
// when what waits for it has no room, two bins become one. It reads the fine ones from
// the file later. Once it is no longer behind, bins are as it asked for them.

// maxWide is how many bins may be one.
const maxWide = 32

// width is how many bins are one.
func (g *gathered) width() int { return max(1, g.wide) }

// wideBytes is what takes so many bytes in bins as wide as the client asked for: at
// both ends of a piece is a part of one.
func (s *shown) wideBytes(bytes int) int {
	if g := &s.gathered; g.wide > 1 {
		return bytes/g.wide + 2*binBytes*len(s.columns)
	}
	return bytes
}

// numberOf is where a bin of the client's width, counted from the first that was
// gathered, comes in the batch.
func (s *shown) numberOf(at uint32) uint32 {
	g := &s.gathered
	first, wide := g.from/s.bin, uint64(g.width())
	return uint32((first+uint64(at))/wide - first/wide)
}

// widen makes the bins that were gathered twice as wide; false if that gives no room.
// Bins at the borders of pieces may be there twice, each with a part of the rows.
func (s *shown) widen() bool {
	g := &s.gathered
	if s.bin == 0 || g.rows == 0 || 2*g.width() > maxWide {
		return false
	}
	first, wide := g.from/s.bin, uint64(g.width())
	before, after := first/wide, first/(2*wide)
	numbersOf, columns, counts := numbers[uint32](g.cells[0]), numbers[uint16](g.cells[1]), numbers[uint32](g.cells[2])
	least, most, means, sds := numbers[float32](g.cells[3]), numbers[float32](g.cells[4]), numbers[float32](g.cells[5]), numbers[float32](g.cells[6])
	rows, bytes := g.rows, g.bytes
	bin := func(i int) decimate.Bin {
		n, sd := int64(counts[i]), float64(sds[i])
		return decimate.Bin{Min: least[i], Max: most[i], Count: n, Mean: float64(means[i]), Squares: sd * sd * float64(n)}
	}
	number := func(i int) uint32 { return uint32((before+uint64(numbersOf[i]))/2 - after) }
	for i := range g.cells { // they are written over what was read
		g.cells[i] = g.cells[i][:0]
	}
	g.rows = 0
	for i := 0; i < rows; {
		b, at, column := bin(i), number(i), columns[i]
		for i++; i < rows && columns[i] == column && number(i) == at; i++ {
			next := bin(i)
			b.Add(&next)
		}
		g.add(at, column, &b)
	}
	g.wide = 2 * int(wide)
	g.bytes = 0
	for _, c := range g.cells {
		g.bytes += len(c)
	}
	return g.bytes < bytes
}
