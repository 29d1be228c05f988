package main

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestPiecesFillEveryBufferOnceAndReadLittleMore(t *testing.T) {
	const seed = 7
	r := rand.New(rand.NewPCG(seed, 0))
	file := make([]byte, 12<<20)
	for i := range file {
		file[i] = byte(r.Uint32())
	}
	for round := range 60 {
		var offsets []int64
		var bufs [][]byte
		wanted := int64(0)
		for range 1 + r.IntN(40) {
			n := r.IntN(100_000)
			if r.IntN(8) == 0 {
				n = r.IntN(5 << 20)
			}
			offsets = append(offsets, int64(r.IntN(len(file)-n)))
			bufs = append(bufs, make([]byte, n))
			wanted += int64(n)
		}
		read := int64(0)
		for _, p := range pieces(offsets, bufs) {
			if p.to-p.from > cutBytes || p.from >= p.to {
				t.Fatalf("seed %d round %d: a piece of %d bytes", seed, round, p.to-p.from)
			}
			read += p.to - p.from
			for _, to := range p.targets {
				copy(to.buf, file[to.at:p.to])
			}
		}
		for i, at := range offsets {
			if !bytes.Equal(bufs[i], file[at:at+int64(len(bufs[i]))]) {
				t.Fatalf("seed %d round %d: range %d differs", seed, round, i)
			}
		}
		if more := read - wanted; more > int64(len(offsets))*joinBytes {
			t.Fatalf("seed %d round %d: %d bytes read for %d", seed, round, read, wanted)
		}
	}
}

func TestPiecesJoinTheColumnsOfABatch(t *testing.T) {
	var offsets []int64
	var bufs [][]byte
	for c := range 64 { // 60 000 bytes a column, padded to 64
		offsets = append(offsets, int64(c)*60032)
		bufs = append(bufs, make([]byte, 60000))
	}
	if plan := pieces(offsets, bufs); len(plan) > 5 {
		t.Errorf("%d reads for 3.8 MB in a row, want 4 or 5", len(plan))
	}
}
