package body

import (
	"encoding/binary"
	"sort"
)

// How a lost block is seen. A disk gives zeros for a block that never reached
// it, and blocks begin and end at multiples of 512 bytes of the file. In a plain
// body no checksum shows it. So the bytes of every buffer are looked at as they are
// read: at each multiple of 512 the first eight, which settles nearly all of
// them. What is 0 is followed to both sides, over the borders of buffers, and
// given to the caller with what lies at its ends: a signal that is 0 for a while
// seldom begins and ends where a block would.

// Sector is the smallest block of a disk, in bytes.
const Sector = 512

// sideValues is how many values next to a lost block may happen to be 0.
const sideValues = 4

// Zeros are a stretch of a plain body in which all bytes are 0, and that
// holds at least one whole sector of the file.
type Zeros struct {
	From, To    int64 // bytes of the file
	Left, Right ZeroEdge
}

// A ZeroEdge is where a run of zeros begins or ends.
type ZeroEdge struct {
	Column int
	Row    int64 // of the batch: the first that is 0, or the one after the last; -1 unknown
	Inside bool  // a value that is not 0 is next to it in the same buffer
	Exact  bool  // it lies at a multiple of Sector, Near: within some values of one
	Near   bool
	Chance float64 // that it does so by chance
}

// A zeroPart is a run of zeros in one buffer.
type zeroPart struct {
	from, to    int64 // bytes of the file
	start, end  int64 // of the buffer
	first, last int64 // where the first value begins that is not null, and where the last ends
	column      int
	bits        int    // of a value; 0: it has no rows
	valid       []byte // validity bits of the values; nil: there are no nulls
	bridge      bool   // it may lie inside a run, and says nothing by itself
}

// zeroParts keeps the zeros of a buffer that lies at at: those at both ends and
// those that hold a sector.
func (b *batchCheck) zeroParts(p []byte, at int64, part zeroPart) {
	part.start, part.end = at, at+int64(len(p))
	s := zeroScan{part: part}
	s.feed(b, p, at)
	s.end(b)
}

// A zeroScan keeps the zeros of a buffer that is given in pieces, from its beginning on.
type zeroScan struct {
	part zeroPart // what is known of all of them
	open int64    // where the zeros began that reach the end of what was given, if there are any
	any  bool
}

func (s *zeroScan) add(b *batchCheck, from, to int64) {
	part := s.part
	part.from, part.to = from, to
	part.settle()
	b.c.parts = append(b.c.parts, part)
}

// feed takes the next bytes of the buffer, which are at at.
func (s *zeroScan) feed(b *batchCheck, p []byte, at int64) {
	n := int64(len(p))
	if n == 0 {
		return
	}
	head := zerosFrom(p, 0)
	if !s.any {
		s.open = at
	}
	if s.any = head == n; s.any {
		return
	}
	// Zeros that lie within the buffer count where they hold a sector.
	if to := at + head; to > s.open && (s.open == s.part.start || up(s.open)+Sector <= to) {
		s.add(b, s.open, to)
	}
	tail := n
	for p[tail-1] == 0 {
		tail--
	}
	for k := up(at+head) - at; k+Sector <= tail; {
		to := k
		if binary.LittleEndian.Uint64(p[k:]) == 0 {
			to = zerosFrom(p, k)
		}
		if to-k < Sector {
			k += Sector
			continue
		}
		from := k
		for p[from-1] == 0 {
			from--
		}
		s.add(b, at+from, at+to)
		k = up(at+to) - at
	}
	s.open, s.any = at+tail, tail < n
}

// end keeps the zeros at the end of the buffer.
func (s *zeroScan) end(b *batchCheck) {
	if s.any {
		s.add(b, s.open, s.part.end)
	}
}

// zerosFrom returns where the zeros end that begin at i, or i.
func zerosFrom(p []byte, i int64) int64 {
	n := int64(len(p))
	for i+8 <= n && binary.LittleEndian.Uint64(p[i:]) == 0 {
		i += 8
	}
	for i < n && p[i] == 0 {
		i++
	}
	return i
}

// settle finds the values of a part that are not null: a null has whatever its
// writer left there.
func (p *zeroPart) settle() {
	if p.bits == 0 {
		p.first, p.last = p.from, p.to
		return
	}
	bits := int64(p.bits)
	row, end := ((p.from-p.start)*8+bits-1)/bits, (p.to-p.start)*8/bits
	if p.valid != nil {
		has := func(row int64) bool { return p.valid[row/8]>>(row%8)&1 == 1 }
		for row < end && !has(row) {
			row++
		}
		for row < end && !has(end-1) {
			end--
		}
	}
	p.bridge = p.bridge || row >= end
	p.first, p.last = p.start+(row*bits+7)/8, p.start+end*bits/8
	p.valid = nil // it lies in memory that is used again
}

// zeroRuns joins the parts of a batch to runs, keeps those that hold a sector,
// and says which columns are 0 as a whole.
func (c *Checker) zeroRuns() (runs []Zeros, whole []int) {
	sort.Slice(c.parts, func(i, k int) bool { return c.parts[i].from < c.parts[k].from })
	for i := 0; i < len(c.parts); {
		first, last := i, i
		for i++; i < len(c.parts); i++ {
			a, b := &c.parts[last], &c.parts[i]
			if a.to != a.end || b.from != b.start || b.from-a.to >= 2*Align {
				break
			}
			last = i
		}
		for k := first; k <= last; k++ {
			if p := &c.parts[k]; !p.bridge && p.from == p.start && p.to == p.end {
				whole = append(whole, p.column)
			}
		}
		for first < last && c.parts[first].bridge {
			first++
		}
		for last > first && c.parts[last].bridge {
			last--
		}
		l, r := &c.parts[first], &c.parts[last]
		from, to := l.from, r.to
		if from == l.start {
			from -= Align - 1 // the block may begin in the padding before the buffer
		}
		if to == r.end {
			to += Align - 1
		}
		if !l.bridge && !r.bridge && r.to-l.from >= Sector/2 && up(from)+Sector <= to {
			runs = append(runs, Zeros{From: l.from, To: r.to, Left: l.left(), Right: r.right()})
		}
	}
	return runs, whole
}

// up returns the first multiple of Sector at or after a byte.
func up(at int64) int64 { return (at + Sector - 1) &^ (Sector - 1) }

// left is the edge at which a part begins.
func (p *zeroPart) left() ZeroEdge {
	width := max(1, int64(p.bits+7)/8)
	beside := sideValues * width
	e := ZeroEdge{Column: p.column, Inside: p.from > p.start}
	if e.Inside {
		e.Exact = up(p.from) <= p.first
		e.Near = up(p.from) <= p.first+beside
		e.chance(width+p.first-p.from, beside)
		e.row(p, p.first)
		return e
	}
	e.Near = up(p.from-Align+1) <= p.first+beside // or in the padding before the buffer
	e.chance(Align+p.first-p.from, beside)
	e.row(p, p.start)
	return e
}

// right is the edge at which a part ends.
func (p *zeroPart) right() ZeroEdge {
	width := max(1, int64(p.bits+7)/8)
	beside := sideValues * width
	e := ZeroEdge{Column: p.column, Inside: p.to < p.end}
	if e.Inside {
		e.Exact = p.to&^(Sector-1) >= p.last
		e.Near = p.to&^(Sector-1) >= p.last-beside
		e.chance(width+p.to-p.last, beside)
		e.row(p, p.last)
		return e
	}
	e.Near = (p.to+Align-1)&^(Sector-1) >= p.last-beside
	e.chance(Align+p.to-p.last, beside)
	e.row(p, p.end)
	return e
}

// chance is that of an edge that may lie anywhere in some bytes, and in those
// beside them.
func (e *ZeroEdge) chance(bytes, beside int64) {
	if !e.Exact {
		bytes += beside
	}
	e.Chance = min(1, float64(bytes)/Sector)
}

func (e *ZeroEdge) row(p *zeroPart, at int64) {
	if e.Row = -1; p.bits > 0 {
		e.Row = (at - p.start) * 8 / int64(p.bits)
	}
}

// Rows returns the rows of the batch, of n rows, that the run touches.
func (z *Zeros) Rows(n int64) (from, to int64) {
	if z.Left.Column != z.Right.Column || z.Left.Row < 0 || z.Right.Row < 0 {
		return 0, n
	}
	return z.Left.Row, min(n, z.Right.Row)
}
