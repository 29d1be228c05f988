package run

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// A wayOut is what must be undone however a run ends: ports to 0 V, stimulators
// off, registers back. The steps run once, last first, as soon as the last
// frame was read, so that they do not wait for a slow disk; or at once where a
// run could not begin, panicked or was aborted.
//
// A step that fails, panics or hangs keeps no other from running.
type wayOut struct {
	limit time.Duration // of one step; 0: stepLimit

	mu    sync.Mutex
	steps []step
	left  bool
	done  chan struct{} // closed when all steps ran; made by leave
	err   error
}

type step struct {
	what string
	undo func() error
}

// stepLimit is how long one step may take: registers of a chip at the end of a
// serial link answer within milliseconds.
const stepLimit = 2 * time.Second

// add takes what undoes something that was done. After leave it undoes it at
// once: what was begun before an abort may end after it.
func (w *wayOut) add(what string, undo func() error) {
	w.mu.Lock()
	if !w.left {
		w.steps = append(w.steps, step{what, undo})
		w.mu.Unlock()
		return
	}
	w.mu.Unlock()
	_ = w.run(step{what, undo})
}

// leave undoes everything, once, and returns what went wrong. A caller that calls it
// while it runs waits for its end.
func (w *wayOut) leave() error {
	w.mu.Lock()
	if w.left {
		done := w.done
		w.mu.Unlock()
		<-done
		return w.err
	}
	w.left, w.done = true, make(chan struct{})
	steps := w.steps
	w.steps = nil
	w.mu.Unlock()
	var errs []error
	for i := len(steps) - 1; i >= 0; i-- {
		errs = append(errs, w.run(steps[i]))
	}
	w.err = errors.Join(errs...)
	close(w.done)
	return w.err
}

// run runs one step.
func (w *wayOut) run(s step) error {
	limit := w.limit
	if limit == 0 {
		limit = stepLimit
	}
	ended := make(chan error, 1)
	go func() { ended <- guarded(s.undo) }()
	select {
	case err := <-ended:
		if err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
		return nil
	case <-time.After(limit):
		return fmt.Errorf("%s: no answer within %v; a port may have its voltage: turn the switches of the ports off", s.what, limit)
	}
}

// guarded turns a panic into an error.
func guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return do()
}
