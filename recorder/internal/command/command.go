// Package command is the command line of oniscope: one file a verb (cmd_*.go),
// an options struct each. What verbs have in common is next to them: the
// selection, input and output, progress, the words for findings.
//
// Results go to standard output, words to standard error. Exit code 0 means
// done, 1 failed, 2 wrong usage, 3 done but data was lost or damage was found.
package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oniscope/oniscope/recorder/internal/files"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// Exit codes; spec 3.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitLoss   = 3
)

// exitHelp ends every help text.
const exitHelp = `Exit codes:
  0  done
  1  failed
  2  wrong usage
  3  done, but data was lost or damage was found`

// Run executes one command line, without the name of the program, and returns
// its exit code.
func Run(args ...string) int {
	a := &app{stdout: os.Stdout, stderr: os.Stderr}
	return a.run(args...)
}

// An app holds what a command uses besides files: streams, signals, what its flags
// say of words.
type app struct {
	stdout, stderr io.Writer
	interrupts     chan os.Signal // nil: the process's own; tests send through it
	json, quiet    bool
	all            bool // list every finding

	// wrap puts something between a stream and its file; nil: nothing. Tests put
	// a disk that fills up here.
	wrap func(name string, f store.File) store.File
}

// A usageError is a command line that cannot be meant.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// A lossError says that the work was done, but data was lost or damage found.
type lossError struct{ err error }

func (e *lossError) Error() string { return e.err.Error() }
func (e *lossError) Unwrap() error { return e.err }

func lossf(format string, args ...any) error { return &lossError{fmt.Errorf(format, args...)} }

// errSaid ends a command whose failure was reported already.
var errSaid = errors.New("already said")

func (a *app) run(args ...string) int {
	root := a.command()
	root.SetArgs(args)
	cmd, err := root.ExecuteC()
	if err == nil {
		return exitDone
	}
	usage, loss := (*usageError)(nil), (*lossError)(nil)
	isUsage := errors.As(err, &usage)
	switch {
	case errors.Is(err, errSaid):
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(a.stderr, "oniscope: interrupted; no file was left half-written\n")
	default:
		fmt.Fprintf(a.stderr, "oniscope: %s\n", oneLine(err))
	}
	switch {
	case isUsage:
		fmt.Fprintf(a.stderr, "See %s --help\n", cmd.CommandPath())
		return exitUsage
	case errors.As(err, &loss):
		return exitLoss
	}
	return exitFailed
}

// oneLine makes an error of several lines one: scripts read the first.
func oneLine(err error) string {
	if file := (*files.PathError)(nil); errors.As(err, &file) {
		// It names the file that it is about, or the flag does; what was done with which
		// other one is no help.
		flag, _, _ := strings.Cut(err.Error(), ": ")
		if err = file; strings.HasPrefix(flag, "--") {
			err = fmt.Errorf("%s: %w", flag, file)
		}
	}
	return strings.Join(strings.FieldsFunc(recording.PlainText(err), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

// command returns the tree of commands.
func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "oniscope COMMAND",
		Short: "Record ONIX hardware to Arrow files; look at, cut and repair such files",
		Long: `Oniscope records ONIX neuroscience hardware to Apache Arrow files, and lets
people look at such files, cut and repair them, whoever wrote them.

Results go to standard output, words to standard error.

- as FILE reads standard input: a file that is redirected there is read where it
lies, a pipe is first copied into a temporary file (in TMPDIR) without a name.

` + exitHelp,
		Example: `  oniscope record --driver sim --rig rig.yaml --out today --duration 10s
  oniscope view today/*.arrow`,
		Version:           stream.Version,
		SilenceErrors:     true,
		SilenceUsage:      true,
		Args:              noArguments,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetUsageFunc(printUsage)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return &usageError{plainFlagError(cmd, err)} })
	root.AddCommand(a.recordCommand(), a.devicesCommand(), a.rigCommand(), a.offCommand(), a.infoCommand(), a.sliceCommand(), a.exportCommand(), a.catCommand(), a.plotCommand(), a.recoverCommand(), a.verifyCommand(), a.viewCommand())
	return root
}

// writeJSON prints one JSON document to stdout.
func (a *app) writeJSON(v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// sayf writes words to stderr.
func (a *app) sayf(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.stderr, format+"\n", args...)
	}
}

// stderrWords is where words go, nowhere with --quiet.
func (a *app) stderrWords() io.Writer {
	if a.quiet {
		return io.Discard
	}
	return a.stderr
}

// interruptible returns a context that ends with the first signal, for work that
// can stop at any moment and leave nothing behind.
func (a *app) interruptible(parent context.Context) (context.Context, func()) {
	if parent == nil {
		parent = context.Background()
	}
	ctx, cancel := context.WithCancel(parent)
	signals, stop := a.signals()
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { stop(); cancel() }
}

// signals returns where what asks a command to end arrives, and what ends that.
func (a *app) signals() (chan os.Signal, func()) {
	if a.interrupts != nil {
		return a.interrupts, func() {}
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, endingSignals()...)
	return signals, func() { signal.Stop(signals) }
}
