package live

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"testing"
)

// A client that is behind gets wider bins, with the extremes of all rows and none
// left out, and those that it asked for once it has caught up.
func TestWhoIsBehindGetsWiderBins(t *testing.T) {
	r := newRecorder(t, nil)
	src := r.hub.find("probe")
	const bin, pieceRows = 3 * tickStep, 1500
	s := newShown(1, src, []int{1, 2, 3}, bin, 30)
	values, first := [3][]uint16{}, r.tick
	piecesOf := func(n int) {
		for range n {
			r.batch.Reset()
			r.decode(pieceRows)
			p := &piece{src: src, rows: pieceRows, columns: r.batch.Columns}
			for c := range values {
				v := numbers[uint16](p.columns[1+c])
				for i := range v {
					v[i] = uint16((len(values[c]) + i) * (7919 + c))
				}
				values[c] = append(values[c], v...)
			}
			if !s.gather(p) {
				t.Fatal("nothing was gathered")
			}
			if s.gathered.bytes > s.most {
				t.Fatalf("%d bytes wait, %d may", s.gathered.bytes, s.most)
			}
		}
	}
	// what a message says of each column and fine bin
	type extremes struct{ least, most float32 }
	seen := [3]map[uint64]extremes{{}, {}, {}}
	taken := func() header {
		var cells [5][]byte
		for i := range cells {
			cells[i] = bytes.Clone(s.gathered.cells[i])
		}
		at, columns, least, most := numbers[uint32](cells[0]), numbers[uint16](cells[1]), numbers[float32](cells[3]), numbers[float32](cells[4])
		data := s.take()
		var head header
		if err := json.Unmarshal(data[4:4+binary.LittleEndian.Uint32(data)], &head); err != nil {
			t.Fatal(err)
		}
		for i := range at {
			from := head.From + uint64(at[i])*head.Bin
			for tick := from; tick < from+head.Bin && tick <= head.To; tick += bin {
				e, ok := seen[columns[i]-1][tick]
				if !ok {
					e = extremes{math.MaxFloat32, -math.MaxFloat32}
				}
				seen[columns[i]-1][tick] = extremes{min(e.least, least[i]), max(e.most, most[i])}
			}
		}
		return head
	}
	piecesOf(40)
	if head := taken(); head.Bin <= bin || head.Bin%bin != 0 || head.From%head.Bin != 0 || head.Skipped != 0 {
		t.Errorf("of a client that is behind: %+v", head)
	}
	piecesOf(1)
	if head := taken(); head.Bin != bin || head.Skipped != 0 {
		t.Errorf("of one that has caught up: %+v", head)
	}
	for c := range values {
		for row, v := range values[c] {
			tick := (first + uint64(row)) * tickStep
			e, ok := seen[c][tick/bin*bin]
			if !ok || float32(v) < e.least || float32(v) > e.most {
				t.Fatalf("column %d, row %d: %d is not in %v (%v)", c, row, v, e, ok)
			}
		}
	}
	for piecesOf(1); s.skipped == 0; piecesOf(1) {
	}
	if s.gathered.bytes > s.most || s.gathered.width() != 1 {
		t.Errorf("who reads nothing has %d bytes waiting, %d in one", s.gathered.bytes, s.gathered.width())
	}
}
