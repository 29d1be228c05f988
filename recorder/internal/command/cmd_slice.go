package command

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oniscope/oniscope/recorder/internal/run"
	"github.com/oniscope/oniscope/shared/export"
	"github.com/oniscope/oniscope/shared/recording"
)

const sliceHelp = `Slice copies some rows and columns of a recording into a new file, with types,
metadata, nulls and run-end encoding as they are.

` + selectionHelp + `

The output is written under a temporary name and renamed at the end. Nothing is
overwritten. Exit code 3 means that the rows in question were damaged in part;
the output has the others.`

// sliceFlags are the flags of `oniscope slice`.
type sliceFlags struct {
	selectionFlags
	out         string
	compression string
}

func (a *app) sliceCommand() *cobra.Command {
	f := &sliceFlags{}
	return a.add(verb{
		use: "slice FILE -o OUT", short: "Copy some rows and columns into a new file", long: sliceHelp,
		example: `  oniscope slice probe_0.arrow -o minute.arrow --from 60 --to 120 --columns 'SpikeData*,Clock'`,
		args:    oneFile, quiet: noProgress, json: jsonReport, findings: true,
		flags: f.add,
		run:   func(ctx context.Context, args []string) error { return a.slice(ctx, args[0], f) },
	})
}

func (f *sliceFlags) add(fl *pflag.FlagSet) {
	f.selectionFlags.add(fl)
	addOutput(fl, &f.out, "")
	addCodec(fl, &f.compression)
}

// check refuses what no file could satisfy.
func (f *sliceFlags) check() error {
	if f.out == "" {
		return usagef("slice needs -o OUT")
	}
	if err := f.selectionFlags.check(); err != nil {
		return err
	}
	return checkCodec(f.compression)
}

func (a *app) slice(ctx context.Context, path string, f *sliceFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	in, x, err := a.openSelection(ctx, path, &f.selectionFlags)
	if err != nil {
		return err
	}
	defer in.Close()
	codec, err := recording.ParseCodec(f.compression)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	out, err := createOutput(f.out, in)
	if err != nil {
		return err
	}
	defer out.Discard()

	ctx, stop := a.interruptible(ctx)
	defer stop()
	p := a.newProgress("slicing", x.Len(), false)
	written, batches, err := export.Recording(ctx, out, x, &recording.CopyOptions{Codec: codec, Progress: p.set})
	p.end()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := out.Commit(); err != nil {
		return err
	}
	report := sliceReport{Input: path, Output: f.out, selected: selectedOf(x), Gaps: written.Gaps, Segments: written.Segments}
	report.CopyReport = recording.CopyReport{Rows: written.Rows, Batches: batches, Bytes: written.Bytes, LostRows: written.LostRows, Findings: written.Findings}
	return a.reportSlice(report)
}

// A sliceReport is what slice --json prints.
type sliceReport struct {
	Input  string `json:"input"`
	Output string `json:"output"`
	selected
	recording.CopyReport
	Gaps     []recording.Finding `json:"gaps,omitempty"`     // rows between those written that never reached the recording
	Segments []export.Segment    `json:"segments,omitempty"` // stretches of rows whose Clock rises
}

func (a *app) reportSlice(r sliceReport) error {
	if a.json {
		if err := a.writeJSON(r); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(a.stdout, "%s  %s in %s, %s\n", r.Output, plural(r.Rows, "row"), plural(r.Batches, "batch"), run.Megabytes(r.Bytes))
	}
	return a.reportDamage(r.Input, r.Findings)
}

// reportDamage says by which damage rows are missing, if any are.
func (a *app) reportDamage(path string, findings []recording.Finding) error {
	if len(findings) == 0 {
		return nil
	}
	a.eachFinding(a.stderrWords(), findings, func(f *recording.Finding) {
		where := fmt.Sprintf("byte %d", f.Offset)
		if f.Batch >= 0 {
			where += fmt.Sprintf(", batch %d", f.Batch)
		}
		a.sayf("%s: %s%s", where, f.Reason, repeated(f))
	})
	return lossf("%s: rows are missing because of damage, in %s", path, plural(len(findings), "place"))
}
