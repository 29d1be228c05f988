package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oniscope/oniscope/shared/recording"
)

const sliceHelp = `Slice copies some rows and columns of a recording into a new file, with types,
metadata, nulls and run-end encoding as they are.

Rows are half open: --start 0 --end 10 gives rows 0 to 9. --from and --to are
seconds by the acquisition clock, as Clock divided by its rate; --batches a:b
gives batches a to b-1. Without any of them all rows are copied. --columns takes
names and globs, separated by commas ('LfpData*,Clock'); add Clock to keep time.

The output is written under a temporary name and renamed at the end. Nothing is
overwritten. Exit code 3 means that the rows in question were damaged in part;
the output has the others.`

// sliceFlags are the flags of `oniscope slice`.
type sliceFlags struct {
	clockFlags
	out         string
	start, end  int64
	from, to    string
	batches     string
	columns     []string
	compression string

	changed func(string) bool
}

func (a *app) sliceCommand() *cobra.Command {
	f := &sliceFlags{}
	cmd := &cobra.Command{
		Use:     "slice FILE -o OUT",
		Short:   "Copy some rows and columns into a new file",
		Long:    sliceHelp,
		Example: `  oniscope slice probe_0.arrow -o minute.arrow --from 60 --to 120 --columns 'SpikeData*,Clock'`,
		Args:    oneFile,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.slice(cmd.Context(), args[0], f) },
	}
	fl := cmd.Flags()
	f.changed = fl.Changed
	f.clockFlags.add(fl)
	fl.StringVarP(&f.out, "output", "o", "", "the new `FILE`")
	fl.Int64Var(&f.start, "start", 0, "first row")
	fl.Int64Var(&f.end, "end", 0, "row behind the last (default all)")
	fl.StringVar(&f.from, "from", "", "first moment, `seconds`")
	fl.StringVar(&f.to, "to", "", "moment behind the last, `seconds` (default all)")
	fl.StringVar(&f.batches, "batches", "", "batches `a:b`, b not included; either may be left out")
	fl.StringSliceVar(&f.columns, "columns", nil, "names or globs (default all)")
	fl.StringVar(&f.compression, "compression", keepCodec, "keep, none or zstd")
	fl.BoolVar(&a.quiet, "quiet", false, "no progress")
	fl.BoolVar(&a.json, "json", false, "print a report as JSON")
	return cmd
}

// check refuses what no file could satisfy.
func (f *sliceFlags) check() error {
	if f.out == "" {
		return usagef("slice needs -o OUT")
	}
	ways := 0
	for _, pair := range [][2]string{{"start", "end"}, {"from", "to"}, {"batches", "batches"}} {
		if f.changed(pair[0]) || f.changed(pair[1]) {
			ways++
		}
	}
	if ways > 1 {
		return usagef("choose one of --start/--end, --from/--to and --batches")
	}
	for _, text := range []string{f.from, f.to} {
		if _, err := ticksFromSeconds(text, 1); err != nil && text != "" {
			return &usageError{err}
		}
	}
	if f.changed("batches") && !strings.Contains(f.batches, ":") {
		return usagef("--batches %q: want a:b", f.batches)
	}
	return checkCodec(f.compression)
}

func (a *app) slice(ctx context.Context, path string, f *sliceFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	in, err := openInput(path, &f.clockFlags)
	if err != nil {
		return err
	}
	defer in.close()
	columns, err := chooseColumns(in.reader, f.columns)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	start, end, err := f.rows(in.reader)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	codec, err := codecOr(f.compression, in.reader)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	out, err := createOutput(f.out, in)
	if err != nil {
		return err
	}
	defer out.discard()

	ctx, stop := a.interruptible(ctx)
	defer stop()
	p := a.newProgress("slicing", end-start, false)
	report, err := in.reader.WriteSlice(func() bool { return ctx.Err() != nil }, out, recording.SliceOptions{
		Start: start, End: end, Columns: columns, Codec: codec, Progress: p.set,
	})
	p.end()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := out.commit(); err != nil {
		return err
	}
	return a.reportSlice(sliceReport{path, f.out, start, end, report})
}

// rows returns the rows [start, end) that the flags mean.
func (f *sliceFlags) rows(r *recording.Reader) (start, end int64, err error) {
	for done := false; !done; {
		if done, err = r.IndexStep(indexStep); err != nil {
			return 0, 0, err
		}
	}
	start, end = 0, 0
	all, _ := r.Rows()
	end = all
	switch {
	case f.changed("start") || f.changed("end"):
		start = f.start
		if f.changed("end") {
			end = f.end
		}
		if start < 0 || end > all || start > end {
			return 0, 0, &recording.RangeError{Start: start, End: end, Rows: all}
		}
	case f.changed("from") || f.changed("to"):
		return f.seconds(r, all)
	case f.changed("batches"):
		a, b, err := parseBatches(f.batches, r.NumBatches())
		if err != nil {
			return 0, 0, err
		}
		if a == b {
			return 0, 0, nil
		}
		if start, _, err = r.BatchRange(a); err != nil {
			return 0, 0, err
		}
		if _, end, err = r.BatchRange(b - 1); err != nil {
			return 0, 0, err
		}
	}
	return start, end, nil
}

// indexStep is how many batch headers are read between two looks at anything
// else.
const indexStep = 4096

func (f *sliceFlags) seconds(r *recording.Reader, all int64) (start, end int64, err error) {
	hz := r.Stream().AcqClockHz
	if hz == 0 {
		return 0, 0, fmt.Errorf("the rate of the acquisition clock is not known; say --clock-hz or --start-time")
	}
	var ticks [2]uint64
	for i, text := range []string{f.from, f.to} {
		if text == "" {
			continue
		}
		if ticks[i], err = ticksFromSeconds(text, hz); err != nil {
			return 0, 0, &usageError{err}
		}
	}
	if f.to != "" && ticks[0] > ticks[1] {
		return 0, 0, usagef("--from %s s is behind --to %s s", f.from, f.to)
	}
	if f.from != "" {
		if start, err = r.RowAtClock(ticks[0]); err != nil {
			return 0, 0, err
		}
	}
	end = all
	if f.to != "" {
		if end, err = r.RowAtClock(ticks[1]); err != nil {
			return 0, 0, err
		}
	}
	// Where Clock does not rise, the search may find them the other way round.
	return start, max(start, end), nil
}

// parseBatches reads a:b, half open, of n batches.
func parseBatches(text string, n int) (a, b int, err error) {
	first, last, ok := strings.Cut(text, ":")
	number := func(text string, otherwise int) int {
		if text == "" {
			return otherwise
		}
		i, e := strconv.Atoi(text)
		if e != nil {
			ok = false
		}
		return i
	}
	a, b = number(first, 0), number(last, n)
	if !ok {
		return 0, 0, usagef("--batches %q: want a:b", text)
	}
	if a < 0 || b > n || a > b {
		return 0, 0, fmt.Errorf("batches %d:%d are not all in the file; it has batches 0:%d", a, b, n)
	}
	return a, b, nil
}

// A sliceReport is what slice --json prints.
type sliceReport struct {
	Input  string `json:"input"`
	Output string `json:"output"`
	Start  int64  `json:"start"` // rows of the input, half open
	End    int64  `json:"end"`
	recording.SliceReport
}

func (a *app) reportSlice(r sliceReport) error {
	if a.json {
		if err := a.writeJSON(r); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(a.stdout, "%s  %d rows in %s, %s\n", r.Output, r.Rows, batches(r.Batches), megabytes(r.Bytes))
	}
	if len(r.Findings) == 0 {
		return nil
	}
	for _, f := range r.Findings {
		a.sayf("byte %d, batch %d: %s", f.Offset, f.Batch, f.Reason)
	}
	return lossf("%s: %d damaged batches in the range were left out", r.Input, len(r.Findings))
}
