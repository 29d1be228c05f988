package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"path"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/oniscope/oniscope/shared/export"
	"github.com/oniscope/oniscope/shared/recording"
)

// selectionHelp is the paragraph that the commands with these flags have in
// common.
const selectionHelp = `Rows are half open: --start 0 --end 10 gives rows 0 to 9. --from and --to are
seconds by the acquisition clock, as Clock divided by its rate, and found by a
search over the batches; --batches a:b gives batches a to b-1. Without any of
them all rows are meant. --columns takes names and globs, separated by commas
('LfpData*,Clock'); add Clock to keep time. --unique gives a slower signal at
its own rate: one row for each of its values.`

// selectionFlags say which part of a recording a command is about.
type selectionFlags struct {
	clockFlags
	start, end int64
	from, to   string
	batches    string
	columns    []string
	unique     bool

	changed func(string) bool
}

func (f *selectionFlags) add(fl *pflag.FlagSet) {
	f.changed = fl.Changed
	f.clockFlags.add(fl)
	fl.Int64Var(&f.start, "start", 0, "first row")
	fl.Int64Var(&f.end, "end", 0, "row behind the last (default all)")
	fl.StringVar(&f.from, "from", "", "first moment, `seconds`")
	fl.StringVar(&f.to, "to", "", "moment behind the last, `seconds` (default all)")
	fl.StringVar(&f.batches, "batches", "", "batches `a:b`, b not included; either may be left out")
	fl.StringSliceVar(&f.columns, "columns", nil, "names or globs (default all)")
	fl.BoolVar(&f.unique, "unique", false, "one row for each value of a slower signal")
}

// check refuses what no file could satisfy, before any is opened.
func (f *selectionFlags) check() error {
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
	for _, pattern := range f.columns {
		if _, err := path.Match(pattern, ""); err != nil {
			return usagef("--columns %s: %v", pattern, err)
		}
	}
	return nil
}

// openSelection opens a recording, resolves f on it, and says if the file has
// no end: what is there is all of its rows, not of the recording's. The caller
// closes the input.
func (a *app) openSelection(ctx context.Context, path string, f *selectionFlags) (*input, export.Selection, error) {
	in, err := a.openInput(ctx, path, &f.clockFlags)
	if err != nil {
		return nil, export.Selection{}, err
	}
	s, err := f.resolve(in)
	if err != nil {
		in.close()
		return nil, export.Selection{}, err
	}
	if !in.open && in.reader.State() == recording.Unfinished {
		why := "its end is missing"
		if list := in.reader.Findings(); len(list) > 0 {
			why = list[len(list)-1].Reason
		}
		a.sayf("%s is unfinished: %s; \"oniscope recover\" makes it whole", in.path, why)
	}
	return in, s, nil
}

// resolve returns what the flags mean in a file. It reads the headers of the
// batches up to the last row that is wanted, and no more of them.
func (f *selectionFlags) resolve(in *input) (export.Selection, error) {
	columns, err := chooseColumns(in.reader, f.columns)
	if err != nil {
		return export.Selection{}, fmt.Errorf("%s: %w", in.path, err)
	}
	start, end, err := f.rows(in.reader)
	if err != nil {
		return export.Selection{}, fmt.Errorf("%s: %w", in.path, err)
	}
	if f.unique {
		if len(f.columns) == 0 {
			columns = nil
		}
		if columns, _, err = in.reader.UniqueColumns(columns); err != nil {
			return export.Selection{}, fmt.Errorf("%s: %w", in.path, err)
		}
	}
	return export.Selection{Start: start, End: end, Columns: columns, Unique: f.unique}, nil
}

// rows returns the rows [start, end) that the flags mean.
func (f *selectionFlags) rows(r *recording.Reader) (start, end int64, err error) {
	switch {
	case f.changed("from") || f.changed("to"):
		return f.seconds(r)
	case f.changed("batches"):
		a, b, err := parseBatches(f.batches, r.NumBatches())
		if err != nil || a == b {
			return 0, 0, err
		}
		if start, _, err = r.BatchRange(a); err != nil {
			return 0, 0, err
		}
		_, end, err = r.BatchRange(b - 1)
		return start, end, err
	}
	start, end = f.start, f.end
	if start >= 0 && start <= end && f.changed("end") {
		// Whether the file has that row does not take all headers.
		if _, err := r.BatchAt(max(0, end-1)); err == nil {
			return start, end, nil
		}
	}
	all, err := allRows(r)
	if err != nil {
		return 0, 0, err
	}
	if !f.changed("end") {
		end = all
	}
	if start < 0 || end > all || start > end {
		return 0, 0, &recording.RangeError{Start: start, End: end, Rows: all}
	}
	return start, end, nil
}

// indexStep is how many batch headers are read between two looks at anything
// else.
const indexStep = 4096

// allRows returns the exact number of rows.
func allRows(r *recording.Reader) (int64, error) {
	for {
		done, err := r.IndexStep(indexStep)
		if err != nil {
			return 0, err
		}
		if done {
			rows, _ := r.Rows()
			return rows, nil
		}
	}
}

func (f *selectionFlags) seconds(r *recording.Reader) (start, end int64, err error) {
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
	if f.to != "" {
		end, err = r.RowAtClock(ticks[1])
	} else {
		end, err = allRows(r)
	}
	// Where Clock does not rise, the search may find them the other way round.
	return start, max(start, end), err
}

// lostBehind returns the losses that lie right behind a selection by seconds:
// rows up to --to may be among them. A selection by rows ends where it says.
func (f *selectionFlags) lostBehind(r *recording.Reader, s export.Selection) []recording.Finding {
	if rows, exact := r.Rows(); !f.changed("to") || exact && rows == s.End {
		return nil // the file's end belongs to the selection
	}
	lost, _ := r.Lost(s.End, s.End+1, func(batch int) bool {
		start, end, err := r.BatchRange(batch)
		return err == nil && start == end && end == s.End
	})
	return lost
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

// ticksFromSeconds converts a decimal number of seconds exactly, upwards: the
// first tick that is not before it.
func ticksFromSeconds(text string, clockHz uint64) (uint64, error) {
	seconds, ok := new(big.Rat).SetString(text)
	if !ok || strings.ContainsAny(text, "/xXpP_") || len(text) > 40 || strings.ContainsAny(text, "eE") {
		return 0, fmt.Errorf("%q is not a number of seconds", text)
	}
	if seconds.Sign() < 0 {
		return 0, fmt.Errorf("%s s is before the clock began", text)
	}
	ticks := seconds.Mul(seconds, new(big.Rat).SetInt(new(big.Int).SetUint64(clockHz)))
	whole, rest := new(big.Int).QuoRem(ticks.Num(), ticks.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		whole.Add(whole, big.NewInt(1))
	}
	if !whole.IsUint64() {
		return 0, fmt.Errorf("%s s is more than the clock can count", text)
	}
	return whole.Uint64(), nil
}

// chooseColumns returns the columns that names and globs name, in the order of
// the file; all of them if there are no patterns.
func chooseColumns(r *recording.Reader, patterns []string) ([]int, error) {
	columns, err := r.Columns(patterns)
	if errors.Is(err, path.ErrBadPattern) {
		err = &usageError{err}
	}
	return columns, err
}
