package acquire

import (
	"errors"
	"fmt"
	"io"

	"github.com/oniscope/oniscope/hardware/oni"
)

// readAll is the goroutine that owns the Source.
func (a *Acquisition) readAll() {
	defer close(a.readerDone)
	defer a.queue.close()
	var f oni.Frame
	stopped := false
	for {
		if !stopped && a.halted.Load() {
			stopped = true
			if err := a.cfg.Source.Stop(); err != nil {
				a.readErr = fmt.Errorf("acquire: %w", err)
				return
			}
		}
		a.calls.Add(1)
		err := a.cfg.Source.ReadInto(&f)
		a.calls.Add(1)
		if err != nil {
			a.readErr = a.explain(err, stopped)
			return
		}
		src, known := a.at[f.Address]
		if src == nil {
			if !known {
				a.strays.Add(1)
			}
			continue
		}
		a.first.CompareAndSwap(0, f.Clock+1)
		a.frames.Add(1)
		a.fifo.took(&f)
		if !a.queue.push(&f, src.index) {
			return // given up
		}
	}
}

// explain says why a source ended; nil if it was asked to.
func (a *Acquisition) explain(err error, stopped bool) error {
	switch {
	case errors.Is(err, io.EOF) && (stopped || a.halted.Load() || a.stopped.Load() > 0):
		return nil
	case errors.Is(err, oni.ErrOverflow), a.fifo.overflowed():
		return ErrOverflow
	case errors.Is(err, io.EOF):
		return errors.New("acquire: the controller ended acquisition")
	}
	return fmt.Errorf("acquire: %w", err)
}
