package run

import (
	"fmt"
	"sync/atomic"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A panic ends a process without a way out, and a port keeps its voltage. So
// goroutines of a run take the way out first, and what only follows the run
// cannot end it.

// dark is deferred: when its goroutine panics it takes the way out before the
// panic ends the process. What is on the disk is readable as after a crash.
func (rec *Run) dark() {
	if p := recover(); p != nil {
		_ = rec.leave()
		panic(p)
	}
}

// A guest is a Listener that is called no more after a panic.
type guest struct {
	to   Listener
	gone atomic.Bool
	say  func(text string)
}

func (g *guest) call(do func()) {
	if !g.gone.Load() {
		g.callEver(do)
	}
}

// callEver calls also a listener that has failed.
func (g *guest) callEver(do func()) {
	err := guarded(func() error { do(); return nil })
	if err != nil && g.gone.CompareAndSwap(false, true) {
		g.say(fmt.Sprintf("the live view has failed (%v): it shows nothing new; the recording goes on", err))
	}
}

func (g *guest) Begun(b Begun)                        { g.call(func() { g.to.Begun(b) }) }
func (g *guest) Opened(s *stream.Stream, file string) { g.call(func() { g.to.Opened(s, file) }) }
func (g *guest) Decoded(s *stream.Stream, b *device.Batch, from int) {
	g.call(func() { g.to.Decoded(s, b, from) })
}
func (g *guest) Written(stream, file string, block recording.Block) {
	g.call(func() { g.to.Written(stream, file, block) })
}
func (g *guest) Status(s *Snapshot, lost []recording.GapRecord) {
	g.call(func() { g.to.Status(s, lost) })
}

// Ended is called in any case: programs that follow wait for it.
func (g *guest) Ended(s *store.Summary) { g.callEver(func() { g.to.Ended(s) }) }
