package command

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// selectionHelp is the paragraph that the commands with these flags have in
// common.
const selectionHelp = `Rows are half open: --start 0 --end 10 gives rows 0 to 9. --from and --to are
seconds of the acquisition clock: Clock divided by its rate, or seconds since
1970 where a column of timestamps takes its place. With --from-start they count
from the first row. Where the clock began anew in a recording, rows of several
segments may have these times: --segment N takes those of one, as "oniscope
info" counts them, and without --from and --to all of it. --batches a:b gives
batches a to b-1. Without any of these, all rows are meant.

--columns takes names and globs, separated by commas ('LfpData*,Clock'), in the
order wanted; add Clock to keep time. Of several columns with one name, name#1
is the first and name#2 the second. --unique gives a slower signal at its own
rate: one row for each of its values.`

// selectionFlags say which part of a recording a command is about.
type selectionFlags struct {
	clockFlags
	start, end int64
	from, to   string
	segment    int
	fromStart  bool
	batches    string
	columns    []string
	unique     bool

	changed func(string) bool
}

func (f *selectionFlags) add(fl *pflag.FlagSet) {
	f.changed = fl.Changed
	f.clockFlags.add(fl)
	fl.Int64Var(&f.start, "start", 0, "first row")
	fl.Int64Var(&f.end, "end", 0, "row after the last (default all)")
	fl.StringVar(&f.from, "from", "", "first moment, `seconds`")
	fl.StringVar(&f.to, "to", "", "moment after the last, `seconds` (default all)")
	fl.BoolVar(&f.fromStart, "from-start", false, "--from and --to count from the first row, or from that of --segment")
	fl.IntVar(&f.segment, "segment", 0, "the `N`th segment alone, from 1 on: a stretch of rows whose clock rises (default all)")
	fl.StringVar(&f.batches, "batches", "", "batches `a:b`, b not included; either may be left out")
	fl.StringSliceVar(&f.columns, "columns", nil, "names or globs, `COLUMNS` (default all)")
	fl.BoolVar(&f.unique, "unique", false, "one row for each value of a slower signal")
}

// check refuses what no file could satisfy, before any is opened.
func (f *selectionFlags) check() error {
	if f.changed("columns") && (len(f.columns) == 0 || slices.Contains(f.columns, "")) {
		return usagef("--columns: a name is empty; without the flag all columns are taken")
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
	timed := f.changed("from") || f.changed("to")
	switch {
	case f.changed("segment") && f.segment < 1:
		return usagef("--segment %d: the first is 1", f.segment)
	case f.changed("segment") && ways > 0 && !timed:
		return usagef("--segment goes with --from and --to, not with rows or batches")
	case f.fromStart && !timed:
		return usagef("--from-start says where --from and --to count from; give one of them")
	}
	for _, one := range []struct{ flag, text string }{{"--from", f.from}, {"--to", f.to}} {
		if _, err := stream.TicksFromSeconds(one.text, 1); err != nil && one.text != "" {
			return usagef("%s %s", one.flag, recording.PlainText(err))
		}
	}
	if f.changed("batches") {
		if _, err := recording.ParseRange(f.batches); err != nil {
			return usagef("--batches %s", recording.PlainText(err))
		}
	}
	return nil
}

// openSelection opens a recording, finds out what f means in it, and says if the
// file has no end: what is there is all of its rows, not of the recording's. The
// caller closes the input.
func (a *app) openSelection(ctx context.Context, name string, f *selectionFlags) (*input, *recording.Excerpt, error) {
	in, err := a.openInput(ctx, name, &f.clockFlags)
	if err != nil {
		return nil, nil, err
	}
	x, err := f.resolve(ctx, in)
	if err != nil {
		in.Close()
		return nil, nil, err
	}
	if note := x.Note(); note != "" {
		if times, _ := x.Times(); !f.fromStart && len(times) > 1 {
			note += "; --segment takes one"
		}
		a.sayf("%s: %s", in.Path, note)
	}
	if !in.Open && in.reader.About().State == recording.Unfinished {
		why := "its end is missing"
		if list := in.reader.Findings(); len(list) > 0 {
			why = list[len(list)-1].Reason
		}
		a.sayf("%s is unfinished: %s; \"oniscope recover\" makes it whole", in.Path, why)
	}
	return in, x, nil
}

// resolve returns what the flags mean in a file. It reads the headers of the
// batches up to the last row that is wanted, and no more of them.
func (f *selectionFlags) resolve(ctx context.Context, in *input) (*recording.Excerpt, error) {
	s, err := f.selection(in.reader)
	var x *recording.Excerpt
	if err == nil {
		x, err = in.reader.Select(ctx, s)
	}
	if err == nil {
		return x, nil
	}
	var outside *recording.RangeError
	switch {
	case errors.Is(err, stream.ErrNoRate):
		err = fmt.Errorf("%w; say --clock-hz or --start-time", err)
	case errors.Is(err, recording.ErrNoClock):
		if names := in.reader.TimeColumns(); len(names) > 0 {
			err = fmt.Errorf("%w; --time-column takes one of timestamps: %s", err, strings.Join(names, ", "))
		}
	case errors.Is(err, path.ErrBadPattern), errors.As(err, &outside) && outside.Time != nil && outside.Time.From > outside.Time.To:
		err = &usageError{err}
	}
	return nil, fmt.Errorf("%s: %w", in.Path, err)
}

// selection says what the flags ask of a recording.
func (f *selectionFlags) selection(r *recording.Reader) (recording.Selection, error) {
	s := recording.Selection{Columns: f.columns, Unique: f.unique, Segment: f.segment, FromStart: f.fromStart}
	switch {
	case f.changed("from") || f.changed("to"):
		var err error
		s.Time, err = r.TimeOf(f.from, f.to)
		return s, err
	case f.changed("batches"):
		batches, err := recording.ParseRange(f.batches)
		s.Batches = &batches
		return s, err
	case f.changed("start") || f.changed("end"):
		s.Rows = &recording.Range{Start: f.start, End: f.end}
		if !f.changed("end") {
			s.Rows.End = recording.ToEnd
		}
	}
	return s, nil
}

// A selected is what the reports of commands say of an excerpt.
type selected struct {
	Start  int64             `json:"start"` // rows of the input, half open
	End    int64             `json:"end"`
	Ranges []recording.Range `json:"ranges,omitempty"` // where the times asked for come more than once
	Note   string            `json:"note,omitempty"`   // for people: which segments have these times, where several have
}

func selectedOf(x *recording.Excerpt) selected {
	s := selected{Note: x.Note()}
	s.Start, s.End = x.Rows()
	if r := x.Ranges(); len(r) > 1 {
		s.Ranges = r
	}
	return s
}
