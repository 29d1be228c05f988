package engine

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
)

func TestReadRangesReadsSeveralAtATimeAndWaitsForAll(t *testing.T) {
	file := make([]byte, 64<<20)
	for i := range file {
		file[i] = byte(i >> 16)
	}
	whole := make([]byte, len(file))
	var open, most, reads atomic.Int32
	fill := func(p recording.RangeRead, to [][]byte) error {
		reads.Add(1)
		if n := open.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer open.Add(-1)
		for i, part := range p.Parts {
			copy(to[i], file[part.At:p.To])
		}
		return nil
	}
	if err := ReadRanges(int64(len(file)), []int64{0}, [][]byte{whole}, Joined, nil, fill); err != nil || !bytes.Equal(whole, file) {
		t.Errorf("the bytes differ, %v", err)
	}
	if most.Load() > bytesInFlight/cutBytes || reads.Load() != 8 {
		t.Errorf("%d reads, %d at a time", reads.Load(), most.Load())
	}

	// Short reads far apart: more of them at a time.
	var offsets []int64
	var bufs [][]byte
	for at := int64(0); at < int64(len(file)); at += 1 << 20 {
		offsets, bufs = append(offsets, at), append(bufs, make([]byte, 100))
	}
	reads.Store(0)
	var held sync.WaitGroup
	held.Add(inFlight)
	if err := ReadRanges(int64(len(file)), offsets, bufs, Joined, nil, func(p recording.RangeRead, to [][]byte) error {
		if p.From < inFlight<<20 {
			held.Done()
			held.Wait() // all of the first are under way
		}
		for i, part := range p.Parts {
			copy(to[i], file[part.At:p.To])
		}
		reads.Add(1)
		return nil
	}); err != nil || reads.Load() != 64 || bufs[40][0] != file[40<<20] {
		t.Errorf("%d short reads, %v", reads.Load(), err)
	}

	// After a failure no further read begins, and none is under way.
	reads.Store(0)
	failed := make(chan struct{})
	err := ReadRanges(int64(len(file)), []int64{0}, [][]byte{whole}, Joined, nil, func(p recording.RangeRead, to [][]byte) error {
		if p.From == 0 {
			defer close(failed)
			return errors.New("no more")
		}
		<-failed
		time.Sleep(20 * time.Millisecond) // the others end after the failure
		return fill(p, to)
	})
	if err == nil || err.Error() != "no more" || open.Load() != 0 || reads.Load() >= inFlight {
		t.Errorf("%v after %d reads, %d under way", err, reads.Load(), open.Load())
	}

	text := ""
	err = ReadRanges(8, []int64{0}, [][]byte{make([]byte, 8)}, Joined, func(s string) { text = s }, func(recording.RangeRead, [][]byte) error { panic("odd") })
	if err == nil || !strings.Contains(text, "odd") {
		t.Errorf("a panic gave %v and %q", err, text)
	}
	for _, off := range []int64{-1, 5, 9} {
		if err := ReadRanges(8, []int64{off}, [][]byte{make([]byte, 4)}, Joined, nil, fill); err != io.ErrUnexpectedEOF {
			t.Errorf("4 bytes at %d of 8: %v", off, err)
		}
	}
}
