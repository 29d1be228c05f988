package headstage

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oniscope/oniscope/hardware/oni"
)

// TestDark: both ports, whatever fails.
func TestDark(t *testing.T) {
	for name, c := range map[string]struct {
		fail    func(n int, e event) error
		stays   bool // port a keeps reporting its voltage
		mention string
	}{
		"nothing fails":        {},
		"port a fails once":    {fail: func(n int, _ event) error { return map[bool]error{true: oni.ErrNACK}[n == 0] }},
		"port a fails always":  {fail: func(_ int, e event) error { return map[bool]error{true: oni.ErrNACK}[e.address == 1] }, mention: "port A"},
		"port b fails always":  {fail: func(_ int, e event) error { return map[bool]error{true: oni.ErrNACK}[e.address == 2] }, mention: "port B"},
		"reading is not acked": {fail: func(_ int, e event) error { return map[bool]error{true: oni.ErrNACK}[e.what == "R"] }},
	} {
		b := newBoard()
		b.before = func(n int) error {
			if c.fail != nil {
				return c.fail(n, b.journal[n])
			}
			return nil
		}
		err := Dark(b)
		for port, other := range []string{"port A", "port B"} {
			if fails := c.mention == other; !fails && b.voltage(port) != 0 {
				t.Errorf("%s: %s has %d tenths of a volt", name, other, b.voltage(port))
			}
		}
		if (c.mention != "") != (err != nil) || err != nil && !strings.Contains(err.Error(), c.mention+" may still be powered") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// stuck keeps its voltage.
type stuck struct{ *board }

func (s stuck) WriteRegister(a oni.Address, r, v uint32) error {
	if a == 2 && r == regPortVoltage {
		return nil
	}
	return s.board.WriteRegister(a, r, v)
}

func TestAVoltageThatStaysIsReported(t *testing.T) {
	b := newBoard()
	if err := Dark(stuck{b}); err == nil || !strings.Contains(err.Error(), "port B may still be powered") || b.voltage(0) != 0 {
		t.Errorf("got %v", err)
	}
	_, err := Configure(context.Background(), stuck{b}, b.rigOf(t, "", ""), func(string, func() error) {})
	if err == nil {
		t.Error("a rig was configured whose port stays powered")
	}
}

func TestWithoutPortsNothingIsWritten(t *testing.T) {
	b := newBoard()
	b.table = oni.DeviceTable{{Address: 1, ID: 10, Version: 2, ReadSize: 12}, {Address: 2, ID: 10, Version: 2, ReadSize: 12}}
	if err := Dark(b); !errors.Is(err, ErrNoPorts) || len(b.journal) != 0 {
		t.Errorf("got %v after %v", err, b.journal)
	}
	b.table = nil
	if err := Dark(b); err != nil || b.voltage(0) != 0 || b.voltage(1) != 0 {
		t.Errorf("an empty table: %v, %d and %d", err, b.voltage(0), b.voltage(1))
	}
}

// TestNoVoltageAfterTheEnd: the undo runs while a search is on its way, as a third
// Ctrl-C does it; the search goes on and supplies nothing any more.
func TestNoVoltageAfterTheEnd(t *testing.T) {
	for at := 3; at < 40; at++ {
		b := newBoard()
		b.plugV2e(0, 50)
		rig := b.rigOf(t, "neuropixels-2.0e", "")
		var undo undoStack
		done := false
		b.before = func(n int) error {
			if n == at && !done {
				done = true
				b.before = nil
				// In the middle of an access: voltages that are being written hold
				// the right to write, so only other accesses can be interrupted.
				if e := b.journal[n]; e.register != regPortVoltage {
					if err := undo.run(); err != nil {
						return fmt.Errorf("undo: %w", err)
					}
				}
			}
			return nil
		}
		_, err := Configure(context.Background(), b, rig, undo.add)
		if len(undo) == 0 && (err == nil || b.voltage(0) != 0) {
			t.Errorf("undone at access %d: %v, port a has %d after %v", at, err, b.voltage(0), b.words(0))
		}
	}
}

// oneAtATime is a board that several goroutines may call.
type oneAtATime struct {
	mu sync.Mutex
	*board
}

func (o *oneAtATime) ReadRegister(a oni.Address, r uint32) (uint32, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.board.ReadRegister(a, r)
}

func (o *oneAtATime) WriteRegister(a oni.Address, r, v uint32) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.board.WriteRegister(a, r, v)
}

func (o *oneAtATime) Reset() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.board.Reset()
}

func (o *oneAtATime) Option(n oni.Option) (uint32, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.board.Option(n)
}

func (o *oneAtATime) SetOption(n oni.Option, v uint32) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.board.SetOption(n, v)
}

// TestTheUndoBesideAConfigurationThatGoesOn: in another goroutine, without a signal
// to it, as when a recorder is aborted; whenever the undo begins, its 0 V is the last
// word.
func TestTheUndoBesideAConfigurationThatGoesOn(t *testing.T) {
	for at := range 120 {
		b := newBoard()
		b.plugV2e(0, 53) // a long search
		o := &oneAtATime{board: b}
		rig := b.rigOf(t, "neuropixels-2.0e", "")
		begin := make(chan struct{})
		n := 0
		rig.Sleep = func(context.Context, time.Duration) error { // in the goroutine that configures
			if n++; n == 1+at%25 {
				close(begin)
			}
			runtime.Gosched()
			return nil
		}
		var mu sync.Mutex
		var undo undoStack
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = Configure(context.Background(), o, rig, func(what string, step func() error) {
				mu.Lock()
				defer mu.Unlock()
				undo.add(what, step)
			})
		}()
		select {
		case <-begin:
		case <-ended:
		}
		mu.Lock()
		steps := slices.Clone(undo)
		mu.Unlock()
		if err := steps.run(); err != nil {
			t.Errorf("wait %d: undo: %v", at%25, err)
		}
		<-ended
		if words := b.words(0); words[len(words)-1] != 0 {
			t.Fatalf("the undo began in wait %d; port a got %v", at%25, words)
		}
	}
}
