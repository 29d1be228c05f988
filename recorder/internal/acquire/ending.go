package acquire

import (
	"errors"
	"time"
)

// Stop ends acquisition at this instant: what the source has from before is
// still read and written. It may be called from any goroutine, and more than
// once.
func (a *Acquisition) Stop() {
	now := a.elapsed()
	if !a.stopped.CompareAndSwap(0, int64(max(1, now))) {
		return
	}
	if a.cfg.Wait {
		a.halted.Store(true)
		return
	}
	end := max(1, a.ticks(now))
	if read := a.fifo.clock.Load(); read >= end && read-end < a.clockHz {
		end = read + 1 // the host's clock began a little later
	}
	for {
		old := a.endTick.Load()
		if old != 0 && old <= end || a.endTick.CompareAndSwap(old, end) {
			return
		}
	}
}

// ending reports whether the source should have ended, or be about to: a read
// that does not return from then on will not, however much the controller's
// buffer still has.
func (a *Acquisition) ending() bool {
	if a.halted.Load() || a.stopped.Load() > 0 {
		return true
	}
	end := a.endTick.Load()
	return end > 0 && a.judge.timed() && a.elapsed() > time.Duration(float64(end)/float64(a.clockHz)*float64(time.Second))+silentAfter
}

// Ending reports whether nothing more is wanted of the source.
func (a *Acquisition) Ending() bool { return a.halted.Load() }

// endClock is where the recording ended, if it was asked to end there.
func (a *Acquisition) endClock() (tick uint64, inOrder bool) {
	inOrder = a.reachedEnd.Load() || a.stopped.Load() > 0 && !a.cfg.Wait
	return a.endTick.Load(), inOrder
}

// Read is closed when nothing more will be taken from the source: the reader
// has left it, or was given up.
func (a *Acquisition) Read() <-chan struct{} { return a.read }

// Hung reports whether the reader was given up: it is still inside the source.
// It is settled once Read is closed.
func (a *Acquisition) Hung() bool { return a.hung.Load() }

// readerPatience is how long a source may take to end after Stop. A controller
// whose cable was pulled may never answer; the files are completed without it.
const readerPatience = 5 * time.Second

// ErrNoAnswer says that the source neither delivered nor ended after Stop. The
// reader is still inside it, so it must not be closed.
var ErrNoAnswer = errors.New("acquire: the controller does not answer")

// ErrOverflow says that the controller's buffer was full, so that it ended
// acquisition. What it had is recorded.
var ErrOverflow = errors.New("acquire: the controller's buffer was full, so it ended acquisition")

// Wait returns when all files are complete. reached says whether the duration
// ended the acquisition; err is what went wrong at the source, not what is in
// Status.
func (a *Acquisition) Wait() (reached bool, err error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var calls uint64
	var since time.Time
	for waiting := true; waiting; {
		select {
		case <-a.readerDone:
			waiting = false
		case now := <-tick.C:
			if n := a.calls.Load(); n != calls || since.IsZero() || !a.ending() {
				calls, since = n, now
			}
			if calls%2 == 1 && now.Sub(since) > a.patience {
				a.queue.close()
				a.hung.Store(true)
				close(a.read)
				<-a.done
				return false, ErrNoAnswer
			}
		}
	}
	close(a.read)
	<-a.done
	return a.reachedEnd.Load(), a.readErr
}

// endIfOver ends acquisition when every device has reached the end.
func (a *Acquisition) endIfOver() {
	end := a.endTick.Load()
	if a.halted.Load() {
		return
	}
	over := a.allFailed()
	if end > 0 && !over {
		over = a.passed(end)
	}
	if over {
		if end > 0 && end == a.cfg.DurationTicks {
			a.reachedEnd.Store(true)
		}
		a.halted.Store(true)
	}
}

// Slack at the end: how long slower devices are waited for, and a source that
// has gone silent.
const (
	slackTicks  = 10 // of a second: 1/10 s
	silentAfter = time.Second
)

// passed reports whether everything before a tick has come.
func (a *Acquisition) passed(end uint64) bool {
	j := &a.judge
	if j.at(j.ref) >= end+j.second/slackTicks {
		return true
	}
	if j.at(j.ref) >= end {
		all := true
		for _, src := range a.devices {
			if w := &src.clock; src.rateHz >= steadyHz && w.seen && j.ref-min(j.ref, w.heard) <= j.second {
				all = all && j.at(w.last) >= end
			}
		}
		return all
	}
	if !j.timed() || a.queue.waits() > 0 || a.waiting.Load() {
		return false
	}
	// Nothing comes any more, or with a Clock that never gets there. What comes
	// late is waited for: a busy machine reads later than the hardware sends.
	now := a.elapsed()
	if ref := j.at(j.ref); ref != a.reached {
		a.reached, a.reachedAt = ref, now
	}
	if now-a.reachedAt < silentAfter {
		return false
	}
	late := now > time.Duration(float64(end)/float64(a.clockHz)*float64(time.Second))+silentAfter
	fill, _, known := a.fifo.fill()
	return late && (!known || fill < 0.01)
}

// idleAfter is how long a stream with a rate may be without a row before it
// counts as one of events that never came.
const idleAfter = 10 * time.Second

// allFailed reports whether no file will take rows of any stream that delivers.
// One that has delivered nothing, and need not have, keeps no run alive.
func (a *Acquisition) allFailed() bool {
	failed := false
	for _, src := range a.devices {
		for i, o := range src.outputs {
			switch {
			case o.failed.Load() != nil:
				failed = failed || o.dropped.Load() > 0
			case o.rows() > 0 || src.batches[i].Rows > 0:
				return false
			case src.rateHz > 0 && a.judge.ref < a.ticks(idleAfter):
				return false
			}
		}
	}
	return failed
}

// finish writes what is left and completes the files, side by side.
func (a *Acquisition) finish() {
	for _, src := range a.devices {
		a.judge.settle(src)
		for i, o := range src.outputs {
			a.put(src, i)
			o.note(&o.dropping)
		}
		a.missingAtEnd(src) // no batch follows
		for _, o := range src.outputs {
			a.start(o.close)
		}
	}
	a.publish()
	a.mu.Lock()
	outputs := a.outputs
	a.mu.Unlock()
	for _, o := range outputs {
		<-o.closed
	}
	a.gaps.close()
}
