//go:build linux && (amd64 || arm64)

package liboni

import (
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/oniscope/oniscope/hardware/oni"
)

func TestARegisterIsWrittenBesideAReadThatNeverReturns(t *testing.T) {
	f := newFake(t)
	before := f.contexts()
	c, err := Open(Config{Driver: "riffa", Library: f.path, Host: -1})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.SetBlockSizes(1024, 1024), c.Start()); err != nil {
		t.Fatal(err)
	}
	f.fault("hang_after", 0)
	read := make(chan error)
	go func() {
		var frame oni.Frame
		for {
			err := c.ReadInto(&frame)
			if read <- err; err != nil {
				return
			}
		}
	}()
	for !c.reading.Load() {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond)
	for _, port := range []oni.Address{1, 2} {
		if err := c.WriteRegister(port, 3, 0); err != nil {
			t.Errorf("port %v: %v", port, err)
		}
	}
	want(t, "Stop during a read", c.Stop(), oni.ErrState)
	want(t, "Reset during a read", c.Reset(), oni.ErrState)
	want(t, "blocks during a read", c.SetBlockSizes(4096, 2048), oni.ErrState)
	want(t, "Start during a read", c.Start(), oni.ErrState)
	want(t, "Close during a read", c.Close(), oni.ErrState)
	if n := f.contexts(); n != before+1 {
		t.Errorf("%d contexts, want the one that was left open", n-before)
	}
	if err := c.WriteRegister(1, 3, 0); err != nil { // it is still there
		t.Error(err)
	}
	f.fault("hang_after", -1)
	if err := <-read; err != nil {
		t.Errorf("the read that came back: %v", err)
	}
	if err := <-read; err != io.EOF { // without touching the library
		t.Errorf("the read after Stop: %v", err)
	}
	if err := errors.Join(c.Stop(), c.Close()); err != nil {
		t.Error(err)
	}
	if n := f.contexts(); n != before {
		t.Errorf("%d contexts are left", n-before)
	}
}

func TestRegistersBesideAReader(t *testing.T) {
	c := newFake(t).open(t, DriverTest)
	if err := errors.Join(c.SetBlockSizes(8192, 2048), c.Start()); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if v, err := c.ReadRegister(0x301, 2); err != nil || v != 7 {
					t.Errorf("register: %d, %v", v, err)
					return
				}
				if err := c.WriteRegister(0x301, 1, 5); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var frame oni.Frame
	for i := range uint64(200_000) {
		if err := c.ReadInto(&frame); err != nil || frame.Clock != i {
			t.Fatalf("frame %d: clock %d, %v", i, frame.Clock, err)
		}
	}
	close(done)
	all.Wait()
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
}
