package run

import (
	"sync"
	"time"

	"github.com/oniscope/oniscope/hardware/headstage"
)

// What runs at the same time as the reader: pollers of the hardware, the terminal, the
// marker. Each has a goroutine of its own that may hang alone, and nothing
// waits for it but, for a moment, the end.

// maxWords bounds what waits to be said while nobody listens.
const maxWords = 1000

// A speaker says words one after another in a goroutine of its own. What is
// said while a reader of the terminal is stuck waits, up to a bound; then it is
// left out.
type speaker struct {
	done chan struct{}

	mu     sync.Mutex
	words  chan func() // nil after end
	status func()      // that waits
}

// newSpeaker makes a speaker that defers atEnd.
func newSpeaker(atEnd func()) *speaker {
	words := make(chan func(), maxWords)
	s := &speaker{words: words, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		defer atEnd()
		for say := range words {
			say()
		}
	}()
	return s
}

// say never blocks.
func (s *speaker) say(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(f)
}

func (s *speaker) put(f func()) bool {
	select {
	case s.words <- f: // not if it is nil
		return true
	default:
		return false
	}
}

// show is say for a status: one that waits is replaced by the next.
func (s *speaker) show(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status == nil && !s.put(s.showNow) {
		return
	}
	s.status = f
}

func (s *speaker) showNow() {
	s.mu.Lock()
	f := s.status
	s.status = nil
	s.mu.Unlock()
	f()
}

// lastWords is how long the end of a run waits for a reader of its words.
const lastWords = 2 * time.Second

// end waits until everything was said, or a moment.
func (s *speaker) end() {
	s.mu.Lock()
	if s.words != nil {
		close(s.words)
		s.words = nil
	}
	s.mu.Unlock()
	select {
	case <-s.done:
	case <-time.After(lastWords):
	}
}

// beside calls poll each so often, from the start of acquisition until
// the last frame was read, in a goroutine of its own. A failure is a warning,
// once for each text; a panic ends the poller.
func (rec *Run) beside(what string, every time.Duration, poll func() error) {
	rec.pollers = append(rec.pollers, poller{what, every, poll})
}

type poller struct {
	what  string
	every time.Duration
	poll  func() error
}

// startPollers runs what was given to beside, until stopPollers.
func (rec *Run) startPollers() {
	for _, p := range rec.pollers {
		rec.polling.Go(func() {
			tick := time.NewTicker(p.every)
			defer tick.Stop()
			for {
				select {
				case <-rec.pollStop:
					return
				case <-tick.C:
				}
				if err := guarded(p.poll); err != nil {
					rec.warn(&besideError{p.what, err})
				}
			}
		})
	}
}

// pollerPatience is how long the way out waits for pollers: one may hang.
const pollerPatience = 500 * time.Millisecond

// stopPollers ends the pollers: what is undone on the way out, they must not see
// as a fault.
func (rec *Run) stopPollers() {
	rec.pollOnce.Do(func() { close(rec.pollStop) })
	idle := make(chan struct{})
	go func() {
		rec.polling.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-time.After(pollerPatience):
	}
}

// leave takes the way out, once the pollers have stopped. During a read that
// hangs the voltages go first: what else is undone may hang as well.
func (rec *Run) leave() error {
	rec.stopPollers()
	if a := rec.acquisition.Load(); a != nil && a.Hung() && rec.report != nil {
		rec.darkFirst.Do(func() { rec.out.add("both ports to 0 V", func() error { return headstage.Dark(rec.source) }) })
	}
	return rec.out.leave()
}

type besideError struct {
	what string
	err  error
}

func (e *besideError) Error() string { return e.what + ": " + e.err.Error() }
func (e *besideError) Unwrap() error { return e.err }
