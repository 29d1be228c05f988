package acquire

import (
	"errors"
	"testing"
	"time"

	"github.com/oniscope/oniscope/hardware/oni"
)

func TestAnErrorOfTheSourceEndsWithWholeFiles(t *testing.T) {
	pulled := errors.New("the cable was pulled")
	src := &scripted{end: pulled,
		frames: []oni.Frame{heartbeatFrame(10), heartbeatFrame(20), heartbeatFrame(30)}}
	d := &disk{}
	_, reached, err := record(t, Config{Source: src, AcqClockHz: 1000, Open: d.open, Devices: []Device{{Device: heartbeatDevice, Buffered: true}}})
	if !errors.Is(err, pulled) || reached {
		t.Errorf("reached %v, %v", reached, err)
	}
	if m := d.files["heartbeat"]; m.rows != 3 || !m.closed {
		t.Errorf("%d rows, closed %v", m.rows, m.closed)
	}
}

func TestASourceThatStallsKeepsNoRowsInMemory(t *testing.T) {
	src := &scripted{hang: make(chan struct{}),
		frames: []oni.Frame{heartbeatFrame(10), heartbeatFrame(20)}}
	d := &disk{}
	s, err := New(Config{Source: src, AcqClockHz: 1000, Open: d.open, FlushTicks: 50, Devices: []Device{{Device: heartbeatDevice, Buffered: true}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for s.Status().Streams[0].Rows < 2 {
		if time.Now().After(deadline) {
			t.Fatal("the rows never reached the file")
		}
		time.Sleep(time.Millisecond)
	}
	s.Stop()
	close(src.hang)
	if _, err := s.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestASourceThatNeverAnswersIsGivenUp(t *testing.T) {
	src := &scripted{hang: make(chan struct{}), frames: []oni.Frame{heartbeatFrame(10)}}
	t.Cleanup(func() { close(src.hang) })
	d := &disk{}
	s, err := New(Config{Source: src, AcqClockHz: 1000, Open: d.open, Devices: []Device{{Device: heartbeatDevice, Buffered: true}}})
	if err != nil {
		t.Fatal(err)
	}
	s.patience = 20 * time.Millisecond
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	for s.Status().Frames == 0 {
		time.Sleep(time.Millisecond)
	}
	s.Stop()
	if _, err := s.Wait(); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("got %v", err)
	}
	if m := d.files["heartbeat"]; m.rows != 1 || !m.closed {
		t.Errorf("%d rows, closed %v", m.rows, m.closed)
	}
}
