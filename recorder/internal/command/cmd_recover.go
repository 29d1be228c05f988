package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oniscope/oniscope/recorder/internal/files"
	"github.com/oniscope/oniscope/recorder/internal/inplace"
	"github.com/oniscope/oniscope/recorder/internal/rig"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
	"github.com/oniscope/oniscope/shared/stream"
)

const recoverHelp = `Recover puts together what is intact of a damaged or unfinished recording: every
batch that proves intact, before and after the damage, with or without a footer.
Where the chain of batches breaks, the bytes after it are searched for the next.

Without --in-place, it writes a new, complete file (-o, by default next to the
input: for name.arrow it is name.recovered.arrow). Bytes are copied as they are;
--compression changes the bodies. The input is never changed. The output is read
back whole, every batch, before success is said, and only then gets its name.

--in-place makes the file whole in place, at the cost of reading the headers:
the end mark and the footer are written after the last intact batch. What was
there is saved in FILE.tail first, and --undo puts it back, byte for
byte. Of the bodies only the last is decoded. Damage in the middle stays where
it is; the footer leaves it out.

--salvage COLUMNS is for a last batch that the end of the file cuts: the rows
that all of these columns (names or globs, separated by commas; all: every
column) still have are kept. If other columns lack rows, the output has only the
columns named. No value is made up.

A recording whose beginning and footer are both lost is read with the schema of
another file of the same stream, --schema-from OTHER. An Arrow stream becomes a
file, or with --format stream a whole stream.

Each loss is listed with its bytes, rows and seconds (by Clock). Outcomes:
lossless (exit code 0), suspect (every row is kept, but some look wrong, exit
code 3), lossy (rows or bytes were left out, exit code 3), failed (nothing could
be recovered, no output, exit code 1).`

// recoverFlags are the flags of `oniscope recover`.
type recoverFlags struct {
	clockFlags
	out         string
	compression string
	format      string
	schemaFrom  string
	salvage     []string
	inPlace     bool
	undo        bool

	changed func(string) bool
}

func (a *app) recoverCommand() *cobra.Command {
	f := &recoverFlags{}
	return a.add(verb{
		use: "recover FILE [-o OUT | --in-place | --undo]", short: "Put together what is intact of a broken recording", long: recoverHelp,
		example: `  oniscope recover probe_0.arrow -o whole.arrow --json
  oniscope recover probe_0.arrow --in-place
  oniscope recover probe_0.arrow --salvage 'SpikeData*,Clock'`,
		args: oneFile, quiet: noProgress, json: jsonReport, findings: true,
		flags: f.add,
		run: func(ctx context.Context, args []string) error {
			if err := f.check(args[0]); err != nil {
				return err
			}
			switch {
			case f.undo:
				return a.undo(args[0])
			case f.inPlace:
				return a.recoverInPlace(ctx, args[0], f)
			}
			return a.recover(ctx, args[0], f)
		},
	})
}

func (f *recoverFlags) add(fl *pflag.FlagSet) {
	f.changed = fl.Changed
	addOutput(fl, &f.out, " (default FILE with .recovered before its extension)")
	fl.BoolVar(&f.inPlace, "in-place", false, "make FILE whole where it is; FILE.tail keeps what is cut off")
	fl.BoolVar(&f.undo, "undo", false, "take back what --in-place did")
	fl.StringSliceVar(&f.salvage, "salvage", nil, "`COLUMNS` whose rows to keep of a last batch that is cut: names, globs, or all")
	fl.StringVar(&f.schemaFrom, "schema-from", "", "take the schema from this `FILE` if FILE has lost its own")
	addCodec(fl, &f.compression)
	fl.StringVar(&f.format, "format", fileFormat, "`FORMAT` of the output: file or stream")
	f.clockFlags.add(fl)
}

const (
	fileFormat   = "file"
	streamFormat = "stream"
)

// check refuses what cannot be meant, before any file is touched.
func (f *recoverFlags) check(file string) error {
	if err := checkCodec(f.compression); err != nil {
		return err
	}
	if f.format != fileFormat && f.format != streamFormat {
		return usagef("--format %q is not possible; possible: file, stream", f.format)
	}
	if f.format == streamFormat && f.compression != keepCodec {
		return usagef("--format stream copies bodies as they are; leave out --compression")
	}
	for _, pattern := range f.salvage {
		if _, err := path.Match(pattern, ""); err != nil {
			return usagef("--salvage %s: %v", pattern, err)
		}
	}
	alone := map[string][]string{
		"in-place": {"output", "undo", "file", "salvage", "compression", "format"},
		"undo":     {"output", "salvage", "schema-from", "compression", "format", "clock-hz", "start-time", "file"},
	}
	for _, flag := range []string{"in-place", "undo"} {
		for _, other := range alone[flag] {
			if f.changed(flag) && f.changed(other) {
				return usagef("--%s and --%s cannot be had together", flag, other)
			}
		}
		if f.changed(flag) && file == files.Stdin {
			return usagef("--%s needs a file, not standard input", flag)
		}
	}
	if f.out == "" && !f.inPlace && !f.undo && file == files.Stdin {
		return usagef("recover of standard input needs -o OUT")
	}
	return nil
}

// recoveredName is the output's name where the command line gives none.
func recoveredName(path string) string {
	extension := filepath.Ext(path)
	return files.Beside(path, extension, ".recovered"+extension)
}

// openBroken opens a file that nobody writes.
func openBroken(path string) (*input, error) {
	in, err := openRaw(path)
	if err != nil {
		return nil, err
	}
	if in.Open {
		in.Close()
		return nil, fmt.Errorf("%s: a recorder is writing it; recover it when the recording has ended", path)
	}
	return in, nil
}

// examine plans the recovery of a file.
func (a *app) examine(ctx context.Context, in *input, f *recoverFlags, o recovery.Options) (*recovery.Plan, error) {
	if f.schemaFrom != "" {
		other, err := a.openInput(ctx, f.schemaFrom, &clockFlags{})
		if err != nil {
			return nil, fmt.Errorf("--schema-from: %w", err)
		}
		defer other.Close()
		o.SchemaFrom = other.reader
	}
	p := a.newProgress("examining", in.Size, true)
	o.Progress = p.set
	plan, err := recovery.Examine(ctx, in.Data, in.Size, &o)
	p.end()
	if err == nil {
		if err = f.fillClock(in.Path, &plan.Report); err == nil {
			return plan, nil
		}
	}
	if failed := (*recovery.Error)(nil); errors.As(err, &failed) && a.json {
		failed.Report.Output = "" // there is none
		if err := a.writeJSON(failed.Report); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s: %w", in.Path, withHint(err))
}

// fillClock fills in the clock's rate of a report whose file does not state it.
func (f *recoverFlags) fillClock(path string, r *recovery.Report) error {
	found, err := f.clock(path, stream.Stream{AcqClockHz: r.AcqClockHz})
	if found.hz != 0 {
		r.AcqClockHz = found.hz
	}
	return err
}

// recoverInPlace is `recover --in-place`.
func (a *app) recoverInPlace(ctx context.Context, path string, f *recoverFlags) error {
	ctx, stop := a.interruptible(ctx)
	defer stop()
	in, err := openBroken(path)
	if err != nil {
		return err
	}
	defer in.Close()
	plan, err := a.examine(ctx, in, f, recovery.Options{Name: path, Output: path, HeadersOnly: true})
	if err != nil {
		return err
	}
	if plan.Complete {
		return a.reportRecovered(plan, "")
	}
	if err := inplace.Repair(ctx, in.Input, plan); err != nil {
		return fmt.Errorf("%s: %w", path, withHint(err))
	}
	return a.reportRecovered(plan, inplace.TailOf(path))
}

// undo is `recover --undo`.
func (a *app) undo(path string) error {
	if err := inplace.Undo(path); err != nil {
		return err
	}
	if a.json {
		return a.writeJSON(map[string]any{"input": path, "outcome": "undone"})
	}
	fmt.Fprintf(a.stdout, "%s  undone: the file is as it was before\n", path)
	return nil
}

func (a *app) recover(ctx context.Context, path string, f *recoverFlags) error {
	if f.out == "" {
		f.out = recoveredName(path)
	}
	ctx, stop := a.interruptible(ctx)
	defer stop()
	in, err := openBroken(path)
	if err != nil {
		return err
	}
	defer in.Close()
	if f.file > 0 {
		if _, err := a.openReader(ctx, in, f.file); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	out, err := createOutput(f.out, in)
	if err != nil {
		return err
	}
	defer out.Discard()
	plan, err := a.examine(ctx, in, f, recovery.Options{Name: path, Output: f.out, Stream: f.format == streamFormat, Salvage: f.salvage})
	if err != nil {
		return err
	}
	written := files.NewHashed(out)
	if err = a.writeRecovered(ctx, in, plan, f, written); err == nil {
		// The disk writes while the output is read back from memory.
		synced := make(chan error, 1)
		go func() { synced <- out.Sync() }()
		err = a.checkRecovered(ctx, in, plan, f, written)
		err = errors.Join(err, <-synced)
	}
	if err == nil {
		err = out.Commit()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, d := range plan.Report.Findings {
		if len(f.salvage) == 0 && d.Batch >= 0 && d.LostRows > 0 && d.Offset+d.Length == in.Size {
			a.sayf("%s: the end of the file cuts its last batch: --salvage COLUMNS keeps the rows that are still in it", path)
		}
	}
	return a.reportRecovered(plan, "")
}

// writeRecovered writes the planned output: bytes as they are, or with another
// compression.
func (a *app) writeRecovered(ctx context.Context, in *input, plan *recovery.Plan, f *recoverFlags, out *files.Hashed) error {
	whole := plan.Output(in.Data)
	if f.compression == keepCodec {
		p := a.newProgress("copying", plan.Size(), true)
		defer p.end()
		return out.Explain(copySpans(ctx, out.File, in, plan, p.set))
	}
	codec, err := rig.ParseCodec(f.compression)
	if err != nil {
		return err
	}
	r, err := recording.NewReader(whole, plan.Size())
	if err != nil {
		return err
	}
	all, err := r.Select(ctx, recording.Selection{})
	if err != nil {
		return err
	}
	p := a.newProgress("copying", plan.Report.RowsRecovered, false)
	defer p.end()
	report, err := recording.Copy(ctx, out, all, &recording.CopyOptions{Codec: codec, Progress: p.set})
	if err == nil && report.Rows != plan.Report.RowsRecovered {
		err = fmt.Errorf("%d rows were written of the %d that were recovered", report.Rows, plan.Report.RowsRecovered)
	}
	return err
}

// copyStep is how much is copied between two looks at anything else.
const copyStep = 64 << 20

// copySpans writes what a plan says, file to file: where the system can, no
// byte passes through this process.
func copySpans(ctx context.Context, to *os.File, in *input, plan *recovery.Plan, progress func(done, total int64)) error {
	done, total := int64(0), plan.Size()
	for i := range plan.Spans {
		s := &plan.Spans[i]
		if s.Bytes != nil {
			if _, err := to.Write(s.Bytes); err != nil {
				return err
			}
			done += s.Length
			continue
		}
		if _, err := in.File.Seek(in.At+s.Offset, io.SeekStart); err != nil {
			return err
		}
		for left := s.Length; left > 0; {
			n, err := io.CopyN(to, in.File, min(left, copyStep))
			if err != nil {
				return files.NoEOF(err)
			}
			files.BeginWriteback(to, done, n)
			left, done = left-n, done+n
			progress(done, total)
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkRecovered reads back what is on the disk and compares it by hash with
// what was decoded, or written.
func (a *app) checkRecovered(ctx context.Context, in *input, plan *recovery.Plan, f *recoverFlags, out *files.Hashed) error {
	info, err := out.Stat()
	if err != nil {
		return err
	}
	if f.compression == keepCodec {
		err = plan.Check(in.Data, out.File, info.Size(), ctx.Err)
	} else if err = out.Check(ctx); err == nil {
		err = plan.VerifyFraming(out.File, info.Size())
	}
	if err != nil {
		return fmt.Errorf("the output did not pass its check: %w", err)
	}
	return nil
}
