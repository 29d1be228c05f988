package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oniscope/oniscope/shared/recording"
)

const recoverHelp = `Recover copies what is intact of a damaged or unfinished recording into a new,
complete file: every batch that proves intact, before and after the damage, with
or without a footer. Bytes are copied as they are; --compression changes the
bodies. The input is never changed. The output is read back whole, every batch,
before success is said, and only then gets its name.

Each loss is listed with offset and reason. Outcomes: lossless (exit code 0),
lossy (rows or bytes were left out, exit code 3), failed (nothing could be
recovered, no output, exit code 1). Without -o the output stands beside the
input: for name.arrow it is name.recovered.arrow.`

// recoverFlags are the flags of `oniscope recover`.
type recoverFlags struct {
	out         string
	compression string
}

func (a *app) recoverCommand() *cobra.Command {
	f := &recoverFlags{}
	cmd := &cobra.Command{
		Use:     "recover FILE [-o OUT]",
		Short:   "Copy what is intact of a broken recording",
		Long:    recoverHelp,
		Example: `  oniscope recover probe_0.arrow -o whole.arrow --json`,
		Args:    oneFile,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.recover(cmd.Context(), args[0], f) },
	}
	fl := cmd.Flags()
	fl.StringVarP(&f.out, "output", "o", "", "the new `FILE` (default FILE with .recovered before its extension)")
	fl.StringVar(&f.compression, "compression", keepCodec, "keep, none, zstd or lz4")
	fl.BoolVar(&a.quiet, "quiet", false, "no progress")
	fl.BoolVar(&a.json, "json", false, "print the report as JSON")
	return cmd
}

// recoveredName is the output's name where the command line gives none.
func recoveredName(path string) string {
	extension := filepath.Ext(path)
	return strings.TrimSuffix(path, extension) + ".recovered" + extension
}

func (a *app) recover(ctx context.Context, path string, f *recoverFlags) error {
	if err := checkCodec(f.compression); err != nil {
		return err
	}
	switch {
	case f.out == "" && path == stdinName:
		return usagef("recover of standard input needs -o OUT")
	case f.out == "":
		f.out = recoveredName(path)
	}
	in, err := openRaw(path)
	if err != nil {
		return err
	}
	defer in.close()
	if in.open {
		return fmt.Errorf("%s: a recorder is writing it; recover it when the recording has ended", path)
	}
	out, err := createOutput(f.out, in)
	if err != nil {
		return err
	}
	defer out.discard()
	ctx, stop := a.interruptible(ctx)
	defer stop()

	p := a.newProgress("examining", in.size, true)
	plan, err := recording.Recover(in.file, in.size, recording.RecoverOptions{
		Name: path, Output: f.out, Yield: ctx.Err, Progress: p.set,
	})
	p.end()
	if failed := (*recording.RecoverError)(nil); errors.As(err, &failed) {
		if a.json {
			failed.Report.Output = "" // there is none
			if err := a.writeJSON(failed.Report); err != nil {
				return err
			}
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	if err == nil {
		err = a.writeRecovered(ctx, in, plan, f, out)
	}
	if err == nil {
		err = a.verifyRecovered(ctx, plan, out)
	}
	if err == nil {
		err = out.commit()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return a.reportRecovered(plan)
}

// writeRecovered writes the planned output: bytes as they are, or with another
// compression.
func (a *app) writeRecovered(ctx context.Context, in *input, plan *recording.Plan, f *recoverFlags, out *output) error {
	whole := plan.Output(in.file)
	if f.compression == keepCodec {
		p := a.newProgress("copying", plan.Size(), true)
		defer p.end()
		_, err := io.Copy(out.File, &progressReader{io.NewSectionReader(whole, 0, plan.Size()), ctx, p, 0, plan.Size()})
		return err
	}
	codec, err := parseCodec(f.compression)
	if err != nil {
		return err
	}
	r, err := recording.NewReader(whole, plan.Size())
	if err != nil {
		return err
	}
	all, err := chooseColumns(r, nil)
	if err != nil {
		return err
	}
	p := a.newProgress("copying", plan.Report.RowsRecovered, false)
	defer p.end()
	report, err := r.WriteSlice(func() bool { return ctx.Err() != nil }, out, recording.SliceOptions{
		Start: 0, End: plan.Report.RowsRecovered, Columns: all, Codec: codec, Progress: p.set,
	})
	if err == nil && report.Rows != plan.Report.RowsRecovered {
		err = fmt.Errorf("%d rows were written of the %d that were recovered", report.Rows, plan.Report.RowsRecovered)
	}
	return err
}

// verifyRecovered reads back what is on disk, every value.
func (a *app) verifyRecovered(ctx context.Context, plan *recording.Plan, out *output) error {
	info, err := out.Stat()
	if err != nil {
		return err
	}
	written := recording.Plan{Spans: []recording.Span{{Offset: 0, Length: info.Size()}}, Report: plan.Report}
	if err := written.Verify(&cancelReader{out.File, ctx}); err != nil {
		return fmt.Errorf("the output did not pass its check: %w", err)
	}
	return nil
}

func (a *app) reportRecovered(plan *recording.Plan) error {
	r := &plan.Report
	if a.json {
		if err := a.writeJSON(r); err != nil {
			return err
		}
	} else {
		if plan.Complete {
			fmt.Fprintf(a.stdout, "%s is complete; there was nothing to recover\n", r.Input)
		}
		fmt.Fprintf(a.stdout, "%s  %s: %d rows in %s recovered, %s lost, %d bytes skipped\n",
			r.Output, r.Outcome, r.RowsRecovered, batches(r.BatchesRecovered), batches(r.BatchesLost), r.BytesSkipped)
		for _, d := range r.Damage {
			fmt.Fprintf(a.stdout, "  byte %d, %d bytes: %s\n", d.Offset, d.Length, d.Reason)
		}
	}
	if r.Outcome != recording.Lossless {
		return lossf("%s: recovered with losses: %s lost, %d bytes skipped", r.Input, batches(r.BatchesLost), r.BytesSkipped)
	}
	return nil
}

// A progressReader tells how much was read, and ends when the context does.
type progressReader struct {
	io.Reader
	ctx         context.Context
	progress    *progress
	done, total int64
}

func (r *progressReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.Reader.Read(p)
	r.done += int64(n)
	r.progress.set(r.done, r.total)
	return n, err
}

// A cancelReader ends when the context does.
type cancelReader struct {
	io.ReaderAt
	ctx context.Context
}

func (r *cancelReader) ReadAt(p []byte, off int64) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.ReaderAt.ReadAt(p, off)
}
