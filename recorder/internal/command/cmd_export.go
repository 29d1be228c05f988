package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oniscope/oniscope/recorder/internal/dataset"
	"github.com/oniscope/oniscope/recorder/internal/files"
	"github.com/oniscope/oniscope/recorder/internal/run"
	"github.com/oniscope/oniscope/shared/export"
	"github.com/oniscope/oniscope/shared/recording"
)

const exportHelp = `Export writes some rows and columns of a recording in a format of other
programs:

  csv      text, one line a row; nulls are empty
  npy      one NumPy array, rows x columns, or records if types differ
  bin      flat int16 or uint16, time-major; the .json next to it says how to
           read it: read_binary(OUT, **json["read_binary"]) in SpikeInterface,
           and the settings of Kilosort 4. Without --columns the electrodes of
           one signal are taken, in the order of channels
  parquet  with types and metadata as they are
  arrow    an Arrow IPC file, as slice writes it
  stream   an Arrow IPC stream

The format goes by the extension of OUT (.csv .npy .bin .dat .parquet .arrow
.arrows) unless --format says it. --units physical gives csv and npy scale x
(raw - offset) instead of raw values, where the scale is known.

--partition makes OUT a folder of Parquet data sets. With the key stream each
stream is one of its own, OUT/NAME, for streams have different columns; with the
key hour (UTC) its files are in Hive's layout, hour=YYYY-MM-DDTHH. So
--partition stream,hour gives OUT/NAME/hour=..., and DuckDB, Spark, Dask and
pyarrow read OUT/NAME as one table. Further recordings of the same columns may
be exported into the same folder: each file is named after its recording and
first row, and OUT/_manifest.json lists the data sets, their columns, recordings
and files.

` + selectionHelp + `

Outputs are written under temporary names and renamed when all are whole.
Nothing is overwritten. Exit code 3 means that the rows in question were damaged
in part; the output has the others.`

// exportFlags are the flags of `oniscope export`.
type exportFlags struct {
	selectionFlags
	out         string
	format      string
	units       string
	compression string
	partition   string
}

func (a *app) exportCommand() *cobra.Command {
	f := &exportFlags{}
	return a.add(verb{
		use: "export FILE -o OUT", short: "Write rows and columns as CSV, NumPy, flat binary or Parquet", long: exportHelp,
		example: `  oniscope export probe_0.arrow -o probe.bin --from 60 --to 120
  oniscope export probe_0.arrow -o archive --format parquet --partition stream,hour`,
		args: oneFile, quiet: noProgress, json: jsonReport, findings: true,
		flags: f.add,
		run:   func(ctx context.Context, args []string) error { return a.export(ctx, args[0], f) },
	})
}

func (f *exportFlags) add(fl *pflag.FlagSet) {
	f.selectionFlags.add(fl)
	addOutput(fl, &f.out, ", with --partition the folder")
	fl.StringVar(&f.format, "format", "", "`FORMAT`: csv, npy, bin, parquet, arrow or stream (default by the extension of OUT)")
	fl.StringVar(&f.units, "units", "raw", "`UNITS` of csv and npy: raw or physical")
	fl.StringVar(&f.compression, "compression", "", "`CODEC`: for parquet none or zstd (default zstd); for arrow and stream also keep or lz4 (default keep)")
	fl.StringVar(&f.partition, "partition", "", "Hive `keys` of a Parquet data set: stream, hour or stream,hour")
}

// formats are what --format may say, with the extensions that mean it.
var formats = []struct {
	name       string
	extensions []string
}{
	{"csv", []string{".csv"}},
	{"npy", []string{".npy"}},
	{"bin", []string{".bin", ".dat"}},
	{"parquet", []string{".parquet"}},
	{"arrow", []string{".arrow", ".feather"}},
	{"stream", []string{".arrows"}},
}

// guessFormat fills in the format that the command line leaves open.
func (f *exportFlags) guessFormat() error {
	extension := strings.ToLower(filepath.Ext(f.out))
	if f.format == "" && f.partition != "" {
		f.format = "parquet"
	}
	var names []string
	for _, known := range formats {
		if f.format == known.name {
			return nil
		}
		for _, e := range known.extensions {
			if f.format == "" && e == extension {
				f.format = known.name
				return nil
			}
		}
		names = append(names, known.name)
	}
	if f.format != "" {
		return usagef("--format %q is not possible; possible: %s", f.format, strings.Join(names, ", "))
	}
	return usagef("%s: the name does not say the format; add --format %s", f.out, strings.Join(names, "|"))
}

// check refuses what no file could satisfy.
func (f *exportFlags) check() error {
	if f.out == "" {
		return usagef("export needs -o OUT")
	}
	if err := f.selectionFlags.check(); err != nil {
		return err
	}
	if err := f.guessFormat(); err != nil {
		return err
	}
	if f.units != "raw" && f.units != "physical" {
		return usagef("--units %q is not possible; possible: raw, physical", f.units)
	}
	if f.units == "physical" && f.format != "csv" && f.format != "npy" {
		return usagef("--units physical is for csv and npy; %s keeps raw values, and scale and offset next to them", f.format)
	}
	if f.partition != "" && f.format != "parquet" {
		return usagef("--partition makes a data set of Parquet files; it does not go with --format %s", f.format)
	}
	if _, err := dataset.ParseKeys(f.partition); err != nil {
		return usagef("--partition %w", err)
	}
	return f.checkCompression()
}

// checkCompression fills in the default and refuses what a format has not.
func (f *exportFlags) checkCompression() error {
	switch f.format {
	case "arrow", "stream":
		if f.compression == "" {
			f.compression = keepCodec
		}
		return checkCodec(f.compression)
	case "parquet":
		if f.compression == "" {
			f.compression = recording.Zstd.String()
		}
		if f.compression != recording.Zstd.String() && f.compression != recording.None.String() {
			return usagef("--compression %q is not possible for parquet; possible: none, zstd", f.compression)
		}
	default:
		if f.compression != "" {
			return usagef("--compression is for parquet, arrow and stream; %s has none", f.format)
		}
	}
	return nil
}

// An exportReport is what export --json prints.
type exportReport struct {
	Input  string   `json:"input"`
	Output string   `json:"output"`
	Format string   `json:"format"`
	Files  []string `json:"files"` // that were written
	selected
	export.Report
	Notes []string `json:"notes"` // what the reader of the output has to know
}

// add counts what went into one more file.
func (r *exportReport) add(files []string, part export.Report) {
	r.Files = append(r.Files, files...)
	before := r.Rows
	r.Rows, r.Bytes, r.LostRows = r.Rows+part.Rows, r.Bytes+part.Bytes, r.LostRows+part.LostRows
	r.LeftOut = part.LeftOut
	for _, s := range part.Segments {
		s.Start, s.End = s.Start+before, s.End+before
		if n := len(r.Segments); n > 0 && r.Segments[n-1].End == s.Start && s.First > r.Segments[n-1].Last { // it goes on in the next file
			r.Segments[n-1].End, r.Segments[n-1].Last = s.End, s.Last
			continue
		}
		r.Segments = append(r.Segments, s)
	}
	r.Columns, r.Findings, r.Gaps = part.Columns, append(r.Findings, part.Findings...), append(r.Gaps, part.Gaps...)
}

// noteGaps says that rows do not follow each other evenly, and which columns are
// not there.
func (r *exportReport) noteGaps() {
	if len(r.LeftOut) > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%s: %s left out: %s has no type for integers of 128 bits, which are Polars' own; csv and arrow have them", r.Output, strings.Join(r.LeftOut, ", "), r.Format))
	}
	if n := len(r.Segments); n > 1 {
		where := "; --json lists the segments"
		if r.Format == "bin" {
			where = "; \"segments\" in " + r.Files[len(r.Files)-1] + " lists them"
		}
		r.Notes = append(r.Notes, fmt.Sprintf("%s: Clock begins anew at row %d%s%s", r.Output, r.Segments[1].Start, more(n-2), where))
	}
	if len(r.Gaps) == 0 {
		return
	}
	where := "; --json lists them"
	if r.Format == "bin" {
		where = "; \"lost\" in " + r.Files[len(r.Files)-1] + " lists them"
	}
	r.Notes = append(r.Notes, fmt.Sprintf("%s: %s%s", r.Output, recording.Summarize(r.Gaps, r.Rows), where))
}

// more says that there are other places.
func more(n int) string {
	if n == 0 {
		return ""
	}
	return " and at " + plural(n, "more place")
}

func (a *app) export(ctx context.Context, path string, f *exportFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	in, x, err := a.openSelection(ctx, path, &f.selectionFlags)
	if err != nil {
		return err
	}
	defer in.Close()
	ctx, stop := a.interruptible(ctx)
	defer stop()
	p := a.newProgress("exporting", x.Len(), false)
	defer p.end()
	report := exportReport{Input: path, Output: f.out, Format: f.format, selected: selectedOf(x)}
	report.Findings, report.Gaps, report.Segments, report.Notes = []recording.Finding{}, []recording.Finding{}, []export.Segment{}, []string{}
	o := export.Options{Physical: f.units == "physical", Progress: p.set}
	if f.partition != "" {
		err = f.exportSet(ctx, in, x, o, &report)
	} else {
		err = f.exportFile(ctx, in, x, o, &report)
	}
	p.end()
	if errors.Is(err, export.ErrKind) {
		err = fmt.Errorf("%w (--columns says which columns, --unique takes a slower signal at its own rate)", err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	report.noteGaps()
	if a.json {
		if err := a.writeJSON(report); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(a.stdout, "%s  %s of %s in %s, %s\n", report.Output, plural(report.Rows, "row"), plural(report.Columns, "column"), plural(len(report.Files), "file"), run.Megabytes(report.Bytes))
	}
	for _, note := range report.Notes {
		a.sayf("%s", note)
	}
	return a.reportDamage(path, report.Findings)
}

// exportSet writes the excerpt as files below a folder.
func (f *exportFlags) exportSet(ctx context.Context, in *input, x *recording.Excerpt, o export.Options, report *exportReport) error {
	keys, err := dataset.ParseKeys(f.partition)
	if err != nil {
		return err
	}
	codec, err := recording.ParseCodec(f.compression)
	if err != nil {
		return err
	}
	written, err := dataset.Write(ctx, in.Input, x, &dataset.Options{Dir: f.out, Keys: keys, Codec: codec, Options: o})
	for _, file := range written {
		report.add([]string{file.Path}, file.Report)
	}
	return err
}

// exportFile writes one file, and for bin the one next to it.
func (f *exportFlags) exportFile(ctx context.Context, in *input, x *recording.Excerpt, o export.Options, report *exportReport) error {
	out, err := createOutput(f.out, in)
	if err != nil {
		return err
	}
	defer out.Discard()
	if f.format != "bin" {
		part, err := f.write(ctx, out, x, o)
		if err != nil {
			return err
		}
		report.add([]string{f.out}, part)
		return files.CommitAll(out)
	}
	beside, err := createOutput(files.Beside(f.out, filepath.Ext(f.out), ".json"), in)
	if err != nil {
		return err
	}
	defer beside.Discard()
	layout, part, err := export.Bin(ctx, out, x, &o)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(layout, "", "  ")
	if err != nil {
		return err
	}
	if _, err := beside.Write(append(text, '\n')); err != nil {
		return err
	}
	if layout.ReadBinary.SamplingFrequency == nil {
		report.Notes = append(report.Notes, beside.Path+": the sampling rate is not known and null; say --clock-hz or --start-time")
	}
	if layout.ReadBinary.GainToUV == nil {
		report.Notes = append(report.Notes, beside.Path+": the recording does not say what a code is in microvolts, so gain_to_uV is left out")
	}
	report.add([]string{f.out, beside.Path}, part)
	return files.CommitAll(out, beside)
}

// write writes the excerpt in a format of one file.
func (f *exportFlags) write(ctx context.Context, out *files.Output, x *recording.Excerpt, o export.Options) (export.Report, error) {
	switch f.format {
	case "csv":
		return export.CSV(ctx, out, x, &o)
	case "npy":
		return export.NPY(ctx, out, x, &o)
	}
	codec, err := recording.ParseCodec(f.compression)
	if err != nil {
		return export.Report{}, err
	}
	if f.format == "parquet" {
		return export.Parquet(ctx, out, x, &o, codec)
	}
	options := recording.CopyOptions{Codec: codec, Progress: o.Progress}
	if f.format == "stream" {
		options.Format = recording.StreamFormat
	}
	report, _, err := export.Recording(ctx, out, x, &options)
	return report, err
}
