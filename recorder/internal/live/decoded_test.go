package live

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

// A brake stops who writes once so many bytes came, until it is let go.
type brake struct {
	after   int
	stopped chan struct{}
	let     chan struct{}
}

func (b *brake) Write(p []byte) (int, error) {
	if b.after -= len(p); b.after < 0 && b.stopped != nil {
		close(b.stopped)
		b.stopped = nil
		<-b.let
	}
	return len(p), nil
}

// TestFollowersOfACompressedRecordingHoldLittle: a second of the probe has 46 MB. Each
// follower has stopped at another place of it.
func TestFollowersOfACompressedRecordingHoldLittle(t *testing.T) {
	if testing.Short() {
		t.Skip("compresses 46 MB")
	}
	h := probeOf(t, 1, recording.Zstd)
	inUse := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := inUse()
	var following sync.WaitGroup
	defer following.Wait()
	let := make(chan struct{})
	defer close(let)
	for i := range 8 {
		b := &brake{after: (3 + 5*i) << 20, stopped: make(chan struct{}), let: let}
		stopped := b.stopped
		following.Go(func() {
			if err := h.Follow(t.Context(), "probe", Following{From: "start"}, b, nil); err != nil {
				t.Error(err)
			}
		})
		<-stopped
		limit := int64((8 + 3*(i+1)) << 20)
		if held := inUse() - before; held > limit {
			t.Errorf("%d followers hold %.1f MB, want %.1f at most", i+1, float64(held)/1e6, float64(limit)/1e6)
		} else {
			t.Logf("%d followers hold %.1f MB", i+1, float64(held)/1e6)
		}
	}
	one := func() {
		var out counting
		if err := h.Follow(t.Context(), "probe", Following{From: "start"}, &out, nil); err != nil {
			t.Error(err)
		}
	}
	if made := testdata.Allocated(one); made > 10<<20 {
		t.Errorf("to follow 46 MB takes %.1f MB", float64(made)/1e6)
	} else {
		t.Logf("to follow 46 MB takes %.1f MB", float64(made)/1e6)
	}
}

func TestADecodedBufferIsSharedAndForgotten(t *testing.T) {
	var d decoded
	end := d.begin()
	var reads atomic.Int64
	read := func(room []byte) ([]byte, error) {
		reads.Add(1)
		if cap(room) < 1<<20 {
			room = make([]byte, 0, 1<<20)
		}
		return room[:1<<20], nil
	}
	lend := func(buffer int, use func([]byte) error) {
		t.Helper()
		if err := d.lend(place{"f", 1, buffer}, read, use); err != nil {
			t.Error(err)
		}
	}
	nothing := func([]byte) error { return nil }
	lend(0, func(held []byte) error { // while it is written, others go on
		held[0] = 7
		for buffer := range 100 {
			lend(buffer, nothing)
			lend(buffer, nothing)
		}
		if held[0] != 7 {
			t.Error("what is held was written over")
		}
		return nil
	})
	if n := reads.Load(); n != 100 {
		t.Errorf("100 buffers were read %d times", n)
	}
	if d.bytes > maxDecoded || len(d.order) != len(d.known) || len(d.spare) > maxSpare {
		t.Errorf("%d bytes in %d and %d buffers, %d spare", d.bytes, len(d.order), len(d.known), len(d.spare))
	}
	made := testdata.Allocated(func() {
		for buffer := range 50 {
			lend(1000+buffer, nothing)
		}
	})
	if made > 4<<20 {
		t.Errorf("50 buffers more take %d MB", made>>20)
	}

	failed := errors.New("failed")
	fail := func([]byte) ([]byte, error) { return nil, failed }
	for range 2 { // it is tried again
		if err := d.lend(place{"f", 2, 0}, fail, nothing); err != failed {
			t.Error(err)
		}
	}
	if err := d.lend(place{"f", 2, 0}, read, nothing); err != nil {
		t.Error(err)
	}
	if end(); d.known != nil || d.bytes != 0 || d.spare != nil {
		t.Error("it is kept though nobody follows")
	}
}

// TestManyShareDecodedBuffers is for the race detector.
func TestManyShareDecodedBuffers(t *testing.T) {
	var d decoded
	defer d.begin()()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 2000 {
				buffer := i / 2
				read := func(room []byte) ([]byte, error) {
					room = append(room[:0], make([]byte, 8000)...)
					room[0], room[7999] = byte(buffer), byte(buffer)
					return room, nil
				}
				_ = d.lend(place{"f", 1, buffer}, read, func(p []byte) error {
					if p[0] != byte(buffer) || p[7999] != byte(buffer) {
						t.Errorf("buffer %d holds %d and %d", buffer, p[0], p[7999])
					}
					return nil
				})
			}
		})
	}
	all.Wait()
}
