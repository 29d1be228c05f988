package acquire

import (
	"testing"
	"time"

	"github.com/oniscope/oniscope/hardware/oni"
)

func TestAFullQueueHoldsUpTheReader(t *testing.T) {
	q := newQueue(slabBytes + 2*maxFrames*frameBytes) // one block
	f := oni.Frame{Data: make([]byte, slabBytes-10)}
	if !q.push(&f, 0) {
		t.Fatal("the first frame was refused")
	}
	big := oni.Frame{Data: make([]byte, 2*slabBytes)}
	taken := make(chan bool)
	go func() { taken <- q.push(&big, 0) }()
	select {
	case <-taken:
		t.Fatal("a frame beyond the limit was taken")
	case <-time.After(20 * time.Millisecond):
	}
	b, _ := q.take()
	q.give(b)
	if !<-taken {
		t.Fatal("the waiting frame was refused")
	}
	go func() { taken <- q.push(&f, 0) }()
	time.Sleep(5 * time.Millisecond)
	q.close()
	if <-taken || q.push(&f, 0) {
		t.Fatal("a closed queue took a frame")
	}
	if b, ended := q.take(); b == nil || ended || len(b.data) != 2*slabBytes {
		t.Fatal("what was in the queue is lost by closing it")
	}
	if b, ended := q.take(); b != nil || !ended {
		t.Fatal("the queue does not end")
	}
}

// TestTheQueueIsBoundedInMemory: frames with few bytes or none fill it too.
func TestTheQueueIsBoundedInMemory(t *testing.T) {
	for _, size := range []int{0, 8, 1050} {
		q := newQueue(4 << 20)
		f := oni.Frame{Data: make([]byte, size)}
		full := make(chan int)
		go func() {
			n := 0
			for q.push(&f, 0) {
				n++
			}
			full <- n
		}()
		for last := -1; q.waits() != last; time.Sleep(30 * time.Millisecond) {
			last = q.waits()
		}
		memory := 0
		for _, b := range q.filled {
			memory += cap(b.data) + cap(b.frames)*frameBytes
		}
		q.close()
		if n := <-full; memory > q.limit || memory < q.limit*9/10 || n == 0 {
			t.Errorf("%d frames of %d bytes take %d bytes of memory, the limit is %d", n, size, memory, q.limit)
		}
	}
}
