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
)

func TestReadRangesReadsSeveralAtATimeAndWaitsForAll(t *testing.T) {
	file := make([]byte, 64<<20)
	for i := range file {
		file[i] = byte(i >> 16)
	}
	whole := make([]byte, len(file))
	var open, most, reads atomic.Int32
	// copied fills buffers as a source does: from the bytes of all reads in a row.
	copied := func(g *Gathering, to [][]byte) {
		var all []byte
		for _, r := range g.Reads {
			all = append(all, file[r.From:r.To]...)
		}
		for i, part := range g.Parts {
			copy(to[i], all[part.Place:])
		}
	}
	fill := func(g *Gathering, to [][]byte) error {
		reads.Add(1)
		if n := open.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer open.Add(-1)
		copied(g, to)
		return nil
	}
	if err := ReadRanges(int64(len(file)), []int64{0}, [][]byte{whole}, Joined, nil, fill); err != nil || !bytes.Equal(whole, file) {
		t.Errorf("the bytes differ, %v", err)
	}
	if most.Load() > bytesInFlight/cutBytes || reads.Load() != 8 {
		t.Errorf("%d reads, %d at a time", reads.Load(), most.Load())
	}

	// Short reads far apart, of a source that can only make them one by one: more of them
	// at a time.
	var offsets []int64
	var bufs [][]byte
	for at := int64(0); at < int64(len(file)); at += 1 << 20 {
		offsets, bufs = append(offsets, at), append(bufs, make([]byte, 100))
	}
	reads.Store(0)
	var held sync.WaitGroup
	held.Add(inFlight)
	if err := ReadRanges(int64(len(file)), offsets, bufs, Requested, nil, func(g *Gathering, to [][]byte) error {
		if g.Reads[0].From < inFlight<<20 {
			held.Done()
			held.Wait() // all of the first are under way
		}
		copied(g, to)
		reads.Add(1)
		return nil
	}); err != nil || reads.Load() != 64 || bufs[40][0] != file[40<<20] {
		t.Errorf("%d short reads, %v", reads.Load(), err)
	}

	// After a failure no further read begins, and none is under way.
	reads.Store(0)
	failed := make(chan struct{})
	err := ReadRanges(int64(len(file)), []int64{0}, [][]byte{whole}, Joined, nil, func(g *Gathering, to [][]byte) error {
		if g.Reads[0].From == 0 {
			defer close(failed)
			return errors.New("no more")
		}
		<-failed
		time.Sleep(20 * time.Millisecond) // the others end after the failure
		return fill(g, to)
	})
	if err == nil || err.Error() != "no more" || open.Load() != 0 || reads.Load() >= inFlight {
		t.Errorf("%v after %d reads, %d under way", err, reads.Load(), open.Load())
	}

	text := ""
	err = ReadRanges(8, []int64{0}, [][]byte{make([]byte, 8)}, Joined, func(s string) { text = s }, func(*Gathering, [][]byte) error { panic("odd") })
	if err == nil || !strings.Contains(text, "odd") {
		t.Errorf("a panic gave %v and %q", err, text)
	}
	for _, off := range []int64{-1, 5, 9} {
		if err := ReadRanges(8, []int64{off}, [][]byte{make([]byte, 4)}, Joined, nil, fill); err != io.ErrUnexpectedEOF {
			t.Errorf("4 bytes at %d of 8: %v", off, err)
		}
	}
}

// A source that can make several reads as one does so with short ones, of which it then
// gives the bytes in a row; long ones, and a few, stay side by side.
func TestShortReadsAreMadeAsOne(t *testing.T) {
	file := make([]byte, 40<<20)
	for i := range file {
		file[i] = byte(i>>16) ^ byte(i*7)
	}
	for name, c := range map[string]struct{ reads, every, length, most, bytes int }{
		"two":                      {2, 1 << 20, 100, 1, 100},
		"forty short ones":         {40, 1 << 20, 60000, 10, 600000},
		"hundreds":                 {300, 130000, 60000, gatherReads, gatherReads * 60000},
		"as many bytes as one has": {40, 1 << 20, 900000, 4, 3600000},
		"long ones":                {4, 10 << 20, 9 << 20, 1, cutBytes},
	} {
		var offsets []int64
		var bufs [][]byte
		for i := range c.reads {
			offsets, bufs = append(offsets, int64(i*c.every)), append(bufs, make([]byte, c.length))
		}
		var mu sync.Mutex
		most, bytesOfOne, total := 0, 0, 0
		err := ReadRanges(int64(len(file)), offsets, bufs, Joined, nil, func(g *Gathering, to [][]byte) error {
			mu.Lock()
			defer mu.Unlock()
			most, bytesOfOne, total = max(most, len(g.Reads)), max(bytesOfOne, int(g.Bytes)), total+int(g.Bytes)
			var all []byte
			for _, r := range g.Reads {
				all = append(all, file[r.From:r.To]...)
			}
			for i, part := range g.Parts {
				copy(to[i], all[part.Place:][:part.Length])
			}
			return nil
		})
		if err != nil || most != c.most || bytesOfOne != c.bytes || total != c.reads*c.length {
			t.Errorf("%s: %v, %d reads as one, %d bytes of one, %d of all", name, err, most, bytesOfOne, total)
		}
		for i, p := range bufs {
			if !bytes.Equal(p, file[offsets[i]:][:c.length]) {
				t.Errorf("%s: range %d has other bytes", name, i)
			}
		}
	}
}
