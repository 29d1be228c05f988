//go:build unix

package command

import (
	"os"
	"os/signal"
	"syscall"
)

// recordSignals are those that end a recording: also that of a terminal that
// closes, unless it is ignored, as under nohup.
func recordSignals() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// survivePipes makes a write to a pipe that nobody reads an error, where it would
// end the process.
func survivePipes() (stop func()) {
	ignored := make(chan os.Signal, 1)
	signal.Notify(ignored, syscall.SIGPIPE)
	return func() { signal.Stop(ignored) }
}

func isBrokenPipe(error) bool { return false }
