package engine

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"
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
			if p.To-p.From > cutBytes || p.From >= p.To {
				t.Fatalf("seed %d round %d: a piece of %d bytes", seed, round, p.To-p.From)
			}
			read += p.To - p.From
			for _, to := range p.Targets {
				copy(to.Buf, file[to.At:p.To])
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

func TestReadPiecesReadsSeveralAtATimeAndWaitsForAll(t *testing.T) {
	file := make([]byte, 64<<20)
	for i := range file {
		file[i] = byte(i >> 16)
	}
	whole := make([]byte, len(file))
	var open, most, reads atomic.Int32
	fill := func(p Piece) error {
		reads.Add(1)
		if n := open.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer open.Add(-1)
		for _, to := range p.Targets {
			copy(to.Buf, file[to.At:p.To])
		}
		return nil
	}
	if err := ReadPieces(int64(len(file)), []int64{0}, [][]byte{whole}, nil, fill); err != nil || !bytes.Equal(whole, file) {
		t.Errorf("the bytes differ, %v", err)
	}
	if most.Load() > inFlight || reads.Load() != 32 {
		t.Errorf("%d reads, %d at a time", reads.Load(), most.Load())
	}

	// After a failure no further read begins, and none is under way.
	reads.Store(0)
	failed := make(chan struct{})
	err := ReadPieces(int64(len(file)), []int64{0}, [][]byte{whole}, nil, func(p Piece) error {
		if p.From == 0 {
			defer close(failed)
			return errors.New("no more")
		}
		<-failed
		time.Sleep(20 * time.Millisecond) // the others end after the failure
		return fill(p)
	})
	if err == nil || err.Error() != "no more" || open.Load() != 0 || reads.Load() >= inFlight {
		t.Errorf("%v after %d reads, %d under way", err, reads.Load(), open.Load())
	}

	text := ""
	err = ReadPieces(8, []int64{0}, [][]byte{make([]byte, 8)}, func(s string) { text = s }, func(Piece) error { panic("odd") })
	if err == nil || !strings.Contains(text, "odd") {
		t.Errorf("a panic gave %v and %q", err, text)
	}
	for _, off := range []int64{-1, 5, 9} {
		if err := ReadPieces(8, []int64{off}, [][]byte{make([]byte, 4)}, nil, fill); err != io.ErrUnexpectedEOF {
			t.Errorf("4 bytes at %d of 8: %v", off, err)
		}
	}
}
