package command

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// A progress shows how far long work is: a bar on a terminal, otherwise one
// line a second, nothing with --quiet. One goroutine at a time may call it.
type progress struct {
	bar  *progressbar.ProgressBar
	to   io.Writer
	what string
	last time.Time
}

// isTerminal reports whether words go to a person's terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// newProgress begins to show work of total steps, in bytes if bytes is
// set. A total of -1 is not known.
func (a *app) newProgress(what string, total int64, bytes bool) *progress {
	switch {
	case a.quiet:
		return &progress{}
	case !isTerminal(a.stderr):
		return &progress{to: a.stderr, what: what, last: time.Now()}
	}
	return &progress{bar: progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(a.stderr),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(bytes),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetPredictTime(bytes),
		progressbar.OptionSetElapsedTime(bytes),
		progressbar.OptionSetWidth(20),
		progressbar.OptionSetRenderBlankState(true),
	)}
}

// set shows that done of total steps are done.
func (p *progress) set(done, total int64) {
	switch {
	case p.bar != nil:
		_ = p.bar.Set64(min(done, total))
	case p.to != nil && total > 0 && time.Since(p.last) >= time.Second:
		p.last = time.Now()
		fmt.Fprintf(p.to, "%s: %d %%\n", p.what, 100*done/total)
	}
}

// lateAfter is how long work may take before lateProgress shows it.
const lateAfter = 500 * time.Millisecond

// lateProgress is newProgress for work on bytes that mostly takes a
// moment, and sometimes minutes: it says nothing in the beginning.
func (a *app) lateProgress(what string) (set func(done, total int64), end func()) {
	var p *progress
	began := time.Now()
	set = func(done, total int64) {
		if p == nil && time.Since(began) >= lateAfter {
			p = a.newProgress(what, total, true)
		}
		if p != nil {
			p.set(done, total)
		}
	}
	return set, func() {
		if p != nil {
			p.end()
		}
	}
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
		_ = p.bar.Exit()
	}
}
