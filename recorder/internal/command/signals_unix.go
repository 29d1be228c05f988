//go:build unix

package command

import (
	"os"
	"os/signal"
	"syscall"
)

// endingSignals are those that ask a command to end: Ctrl-\ too, which would
// leave a port with its voltage, and that of a terminal that closes, unless it is
// ignored, as under nohup.
func endingSignals() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT}
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
