package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

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
	cmd := &cobra.Command{
		Use:     "cat FILE",
		Short:   "Write rows and columns to standard output as an Arrow IPC stream",
		Long:    catHelp,
		Example: `  oniscope cat probe_0.arrow --from 60 --to 61 | python3 -c 'import sys, pyarrow as pa; print(pa.ipc.open_stream(sys.stdin.buffer).read_all())'`,
		Args:    oneFile,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.cat(cmd.Context(), args[0], f) },
	}
	fl := cmd.Flags()
	f.add(fl)
	fl.StringVar(&f.compression, "compression", keepCodec, "keep, none, zstd or lz4")
	fl.BoolVar(&a.quiet, "quiet", false, "no words but errors")
	return cmd
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
	defer in.close()
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
