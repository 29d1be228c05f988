package run

import (
	"os"
	"syscall"
	"time"
)

// An asked counts requests to end the run.
type asked struct {
	times int
	last  time.Time
}

// What a signal is.
const (
	again = iota // of a signal that came by two ways
	first
	second
	third
)

// doubled is how far apart signals are one: a terminal's Ctrl-C reaches the
// whole group, and timeout, make and scripts forward it.
const doubled = 2 * time.Second

func (a *asked) hear(now time.Time) int {
	if a.times > 0 && now.Sub(a.last) < doubled {
		return again
	}
	a.times, a.last = min(a.times+1, third), now
	return a.times
}

// reasonOf is a signal in the summary.
func reasonOf(sig os.Signal) string {
	switch sig {
	case os.Interrupt:
		return "interrupt"
	case syscall.SIGHUP:
		return "hangup"
	case syscall.SIGPIPE:
		return "output closed"
	}
	return "terminated"
}
