package headstage

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/oniscope/oniscope/hardware/oni"
)

// TestACancelAtEveryAccess: ctx ends in the middle of each access of each rig, as a
// signal ends it. Nothing but the undo follows, and both ports are dark.
func TestACancelAtEveryAccess(t *testing.T) {
	for name, make := range rigs {
		whole := make(t)
		if _, err := Configure(context.Background(), whole.board, whole.rig, func(string, func() error) {}); err != nil {
			t.Fatal(err)
		}
		n := len(whole.board.journal)
		for at := range n {
			if (testing.Short() || name == "both") && alike(whole.board.journal, at) {
				continue
			}
			s := make(t)
			ctx, cancel := context.WithCancel(context.Background())
			s.board.before = func(i int) error {
				if i == at {
					cancel()
				}
				return nil
			}
			var undo undoStack
			_, err := Configure(ctx, s.board, s.rig, undo.add)
			after := len(s.board.journal) - at - 1
			cancel()
			if at == n-1 && err == nil {
				continue // nothing was left to do
			}
			// Dark looks at no ctx: it has four accesses; a search takes its voltage away in two.
			if !errors.Is(err, context.Canceled) || after > 4 {
				t.Errorf("%s, cancelled at access %d of %d: %v, %d more accesses", name, at, n, err, after)
			}
			if err := undo.run(); err != nil {
				t.Errorf("%s, cancelled at access %d: undo: %v", name, at, err)
			}
			s.dark(t, fmt.Sprintf("%s, cancelled at access %d", name, at))
			if t.Failed() {
				return
			}
		}
	}
}

// alike reports whether an access is one in a row of bytes for one register, and
// not one of the few of them that are tried.
func alike(journal []event, at int) bool {
	e := journal[at]
	return at > 0 && at+1 < len(journal) && at%101 != 0 && e.what == "W" && e.address >= 8 &&
		journal[at-1].register == e.register && journal[at+1].register == e.register && journal[at-1].what == "W"
}

// TestAFaultOrAPanicAtEveryAccess: whatever the hardware refuses, whatever goes wrong in
// this program, the undo makes both ports dark.
func TestAFaultOrAPanicAtEveryAccess(t *testing.T) {
	errBroken := errors.New("the board is gone for a moment")
	for name, make := range rigs {
		whole := make(t)
		if _, err := Configure(context.Background(), whole.board, whole.rig, func(string, func() error) {}); err != nil {
			t.Fatal(err)
		}
		n := len(whole.board.journal)
		for at := range n {
			if alike(whole.board.journal, at) {
				continue
			}
			for _, fault := range []error{errBroken, oni.ErrNACK, nil} {
				s := make(t)
				s.board.before = func(i int) error {
					if i == at && fault == nil {
						panic("at this access")
					}
					if i == at {
						return fault
					}
					return nil
				}
				var undo undoStack
				err := guarded(func() error {
					_, err := Configure(context.Background(), s.board, s.rig, undo.add)
					return err
				})
				if fault == errBroken && err == nil && at > 3 { // Dark tries twice
					t.Errorf("%s: an error at access %d, %+v, went unseen", name, at, s.board.journal[at])
				}
				s.board.before = nil
				if err := undo.run(); err != nil {
					t.Errorf("%s, %v at access %d: undo: %v", name, fault, at, err)
				}
				s.dark(t, fmt.Sprintf("%s, %v at access %d", name, fault, at))
				if t.Failed() {
					return
				}
			}
		}
	}
}

func guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return do()
}

// TestTheUndoGoesOnWhateverFails: each access of the undo fails in turn, and both
// ports are dark as far as they can be reached.
func TestTheUndoGoesOnWhateverFails(t *testing.T) {
	for at := range 40 {
		s := rigs["both"](t)
		var undo undoStack
		if _, err := Configure(context.Background(), s.board, s.rig, undo.add); err != nil {
			t.Fatal(err)
		}
		begin := len(s.board.journal)
		s.board.before = func(i int) error {
			if i == begin+at {
				return errors.New("no")
			}
			return nil
		}
		_ = undo.run()
		for port := range s.board.ports {
			if v := s.board.voltage(port); v != 0 {
				t.Errorf("access %d of the undo failed: port %s has %d tenths of a volt", at, portName(port), v)
			}
		}
	}
}

// TestTheUndoBesideAReadThatHangs: no reset is possible then, and none is needed.
func TestTheUndoBesideAReadThatHangs(t *testing.T) {
	s := rigs["both"](t)
	var undo undoStack
	if _, err := Configure(context.Background(), s.board, s.rig, undo.add); err != nil {
		t.Fatal(err)
	}
	s.board.running = true
	if err := undo.run(); err != nil {
		t.Error(err)
	}
	s.dark(t, "a read hangs")
}
