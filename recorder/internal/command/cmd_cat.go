package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oniscope/oniscope/shared/recording"
)

const catHelp = `Cat writes some rows and columns of a recording to standard output as an Arrow
IPC stream, which any Arrow library and oniscope itself (with - as FILE) reads
from a pipe. A reader that has enough and closes the pipe ends it quietly.

` + selectionHelp + `

Exit code 3 means that the rows in question were damaged in part; the output has
the others.`

// catFlags are the flags of `oniscope cat`.
type catFlags struct {
	selectionFlags
	compression string
}

func (a *app) catCommand() *cobra.Command {
	f := &catFlags{}
	return a.add(verb{
		use: "cat FILE", short: "Write rows and columns to standard output as an Arrow IPC stream", long: catHelp,
		example: `  oniscope cat probe_0.arrow --from 60 --to 61 | python3 -c 'import sys, pyarrow as pa; print(pa.ipc.open_stream(sys.stdin.buffer).read_all())'`,
		args:    oneFile, quiet: "no words but errors", findings: true,
		flags: f.add,
		run:   func(ctx context.Context, args []string) error { return a.cat(ctx, args[0], f) },
	})
}

func (f *catFlags) add(fl *pflag.FlagSet) {
	f.selectionFlags.add(fl)
	addCodec(fl, &f.compression)
}

func (a *app) cat(ctx context.Context, path string, f *catFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	if err := checkCodec(f.compression); err != nil {
		return err
	}
	if isTerminal(a.stdout) {
		return usagef("cat writes bytes, not text: redirect them into a file or a pipe")
	}
	in, x, err := a.openSelection(ctx, path, &f.selectionFlags)
	if err != nil {
		return err
	}
	defer in.Close()
	codec, err := recording.ParseCodec(f.compression)
	if err != nil {
		return err
	}
	// Otherwise a pipe that is closed at its other end kills the process.
	signal.Ignore(syscall.SIGPIPE)
	defer signal.Reset(syscall.SIGPIPE)
	ctx, stop := a.interruptible(ctx)
	defer stop()
	report, err := recording.Copy(ctx, endless{a.stdout}, x, &recording.CopyOptions{Format: recording.StreamFormat, Codec: codec})
	if errors.Is(err, syscall.EPIPE) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return a.reportDamage(path, report.Findings)
}

// An endless file takes what is written, and gives nothing back.
type endless struct{ io.Writer }

func (endless) Truncate(int64) error {
	return errors.New("what was written to standard output stays")
}
