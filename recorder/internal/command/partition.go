package command

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/export"
	"github.com/oniscope/oniscope/shared/recording"
)

// The keys of --partition, in the order in which folders lie in each other.
const (
	keyStream = "stream"
	keyHour   = "hour"
)

// hourLayout is the value of the key hour, in UTC: no colon, so that every
// file system takes it, and sorted as time is.
const hourLayout = "2006-01-02T15"

// parsePartition returns the keys of --partition, in their order.
func parsePartition(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	keys := strings.Split(text, ",")
	for i, key := range keys {
		if key != keyStream && key != keyHour || slices.Contains(keys[:i], key) {
			return nil, usagef("--partition %q is not possible; possible: stream, hour, stream,hour", text)
		}
	}
	return keys, nil
}

// A part is the rows of a selection that go into one file.
type part struct {
	start, end int64
	hour       string // "" without that key
}

// exportParts writes the selection as Parquet files below a folder, one for
// each hour, and names them when all are whole.
func (f *exportFlags) exportParts(ctx context.Context, in *input, x *recording.Excerpt, o export.Options, report *exportReport) error {
	keys, err := parsePartition(f.partition)
	if err != nil {
		return err
	}
	r := in.reader
	for _, key := range keys {
		if r.Stream().Column(key) >= 0 {
			return fmt.Errorf("the recording has a column %q, which is also a key of the partition; a reader would find two of the name", key)
		}
	}
	start, end := x.Rows()
	parts := []part{{start: start, end: end}}
	if slices.Contains(keys, keyHour) {
		if parts, err = hours(ctx, x); err != nil {
			return err
		}
	}
	id, err := recordingID(in)
	if err != nil {
		return err
	}
	codec, err := recording.ParseCodec(f.compression)
	if err != nil {
		return err
	}
	name := streamName(in)
	made := &folders{}
	defer made.discard()
	var outs []*output
	defer func() {
		for _, out := range outs {
			out.discard()
		}
	}()
	progress, before := o.Progress, int64(0)
	for _, p := range parts {
		dir := f.out
		for _, key := range keys {
			value := name
			if key == keyHour {
				value = p.hour
			}
			dir = filepath.Join(dir, key+"="+url.PathEscape(value))
		}
		if err := made.make(dir); err != nil {
			return err
		}
		out, err := createOutput(filepath.Join(dir, fmt.Sprintf("%s-%s-%d.parquet", strings.TrimSuffix(store.StreamFile(name, ""), ".arrow"), id, p.start)), in)
		if err != nil {
			return err
		}
		outs = append(outs, out)
		of := x.Within(recording.Range{Start: p.start, End: p.end})
		o.Progress = func(done, _ int64) { progress(before+done, x.Len()) }
		before += of.Len()
		written, err := export.Parquet(ctx, out, of, &o, codec)
		if err != nil {
			return err
		}
		if err := out.finish(); err != nil {
			return err
		}
		report.add([]string{out.path}, written)
	}
	if err := commitAll(outs...); err != nil {
		return err
	}
	made.keep()
	return nil
}

// runSuffix is what a run puts behind a stream's name: a count or a time.
var runSuffix = regexp.MustCompile(`_(\d+|\d{4}-\d\d-\d\dT\d\d_\d\d_\d\d(_\d+)?)$`)

// streamName is what the recording calls its stream, else the name of the file
// without the suffix of its run.
func streamName(in *input) string {
	if name := in.reader.Stream().Name; name != "" {
		return name
	}
	if in.path == stdinName {
		return "stdin"
	}
	name := filepath.Base(in.path)
	name = strings.TrimSuffix(name, filepath.Ext(name))
	if stem := runSuffix.ReplaceAllString(name, ""); stem != "" {
		return stem
	}
	return name
}

// recordingID tells recordings apart whose streams have one name: the same file
// gets the same letters wherever it lies. It reads both ends of the file only.
func recordingID(in *input) (string, error) {
	const end = 1 << 20
	h := sha256.New()
	fmt.Fprintln(h, in.size)
	for _, at := range []int64{0, max(0, in.size-end)} {
		if _, err := io.Copy(h, io.NewSectionReader(in.data, at, end)); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:6]), nil
}

// hours cuts rows where the hour of wall time changes: start_utc plus Clock.
func hours(ctx context.Context, x *recording.Excerpt) ([]part, error) {
	r := x.Reader()
	s := r.Stream()
	began, err := time.Parse(time.RFC3339Nano, s.StartUTC)
	if err != nil || s.AcqClockHz == 0 {
		return nil, errors.New("the hour is not known: that takes the time of the start and the rate of the clock; say --start-time FILE (and --clock-hz), or --partition stream alone")
	}
	clock, ok := s.Clock()
	if !ok {
		return nil, errors.New("the hour is not known: there is no column Clock of 64-bit integers; say --partition stream alone")
	}
	clocks, err := r.Select(ctx, recording.Selection{})
	if err == nil {
		clocks, err = clocks.With([]int{clock})
	}
	if err != nil {
		return nil, err
	}
	w := wall{began, s.StartClock, s.AcqClockHz}
	parts := []part{}
	for _, rows := range x.Ranges() {
		if parts, err = hoursOf(ctx, clocks, w, rows, parts); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// hoursOf appends the parts of some rows.
func hoursOf(ctx context.Context, clocks *recording.Excerpt, w wall, rows recording.Range, parts []part) ([]part, error) {
	r := clocks.Reader()
	for row := rows.Start; row < rows.End; {
		i, err := r.BatchAt(row)
		if err != nil {
			return nil, err
		}
		_, next, err := r.BatchRange(i)
		if err != nil {
			return nil, err
		}
		ticks, err := clockOf(ctx, clocks, row)
		var corrupt *recording.CorruptError
		switch {
		case err == nil:
			hour := w.time(ticks).Truncate(time.Hour)
			border, err := w.ticks(hour.Add(time.Hour))
			if err == nil {
				// Where Clock does not rise, the batch is what is sure.
				var found int64
				if found, err = rowFrom(ctx, r, border, row); found > row {
					next = found
				}
			}
			if err != nil {
				return nil, err
			}
			parts = append(parts, part{row, min(next, rows.End), hour.Format(hourLayout)})
		case errors.As(err, &corrupt) && len(parts) > 0: // lost rows stay beside those before them
			parts[len(parts)-1].end = min(next, rows.End)
		case errors.As(err, &corrupt):
			parts = append(parts, part{row, min(next, rows.End), w.began.UTC().Truncate(time.Hour).Format(hourLayout)})
		default:
			return nil, err
		}
		row = parts[len(parts)-1].end
	}
	return parts, nil
}

// rowFrom returns the first row after a given one with Clock >= ticks; where
// there is none, the number of rows, or the row at which Clock begins anew.
func rowFrom(ctx context.Context, r *recording.Reader, ticks uint64, row int64) (int64, error) {
	before, err := r.Select(ctx, recording.Selection{Time: &recording.TickRange{To: ticks}})
	if err != nil {
		return row, ignoreRange(err)
	}
	for _, rows := range before.Ranges() {
		if rows.Start <= row && row < rows.End {
			return rows.End, nil
		}
	}
	return row, nil
}

// ignoreRange passes over that no row has the times asked for.
func ignoreRange(err error) error {
	var outside *recording.RangeError
	if errors.As(err, &outside) {
		return nil
	}
	return err
}

// clockOf returns the Clock of a row.
func clockOf(ctx context.Context, clocks *recording.Excerpt, row int64) (uint64, error) {
	for b, err := range clocks.Within(recording.Range{Start: row, End: row + 1}).Batches(ctx) {
		if err != nil {
			return 0, err
		}
		if ticks := recording.Values[uint64](&b.Columns[0]); len(ticks) == 1 {
			return ticks[0], nil
		}
	}
	return 0, fmt.Errorf("the Clock of row %d cannot be read", row)
}

// A wall converts ticks into wall time and back.
type wall struct {
	began time.Time
	clock uint64 // ticks at that time
	hz    uint64
}

// time returns when the clock stood at so many ticks.
func (w wall) time(ticks uint64) time.Time {
	n := new(big.Int).Sub(new(big.Int).SetUint64(ticks), new(big.Int).SetUint64(w.clock))
	seconds, rest := new(big.Int).DivMod(n, new(big.Int).SetUint64(w.hz), new(big.Int))
	nanos := rest.Div(rest.Mul(rest, big.NewInt(1e9)), new(big.Int).SetUint64(w.hz))
	return time.Unix(w.began.Unix()+seconds.Int64(), int64(w.began.Nanosecond())+nanos.Int64()).UTC()
}

// ticks returns the first tick that is not before a time.
func (w wall) ticks(at time.Time) (uint64, error) {
	d := new(big.Int).Mul(big.NewInt(at.Unix()-w.began.Unix()), big.NewInt(1e9))
	d.Add(d, big.NewInt(int64(at.Nanosecond()-w.began.Nanosecond())))
	d.Mul(d, new(big.Int).SetUint64(w.hz))
	whole, rest := new(big.Int).DivMod(d, big.NewInt(1e9), new(big.Int))
	if rest.Sign() > 0 {
		whole.Add(whole, big.NewInt(1))
	}
	if whole.Add(whole, new(big.Int).SetUint64(w.clock)); !whole.IsUint64() {
		return 0, fmt.Errorf("the clock cannot stand at %s", at.Format(time.RFC3339))
	}
	return whole.Uint64(), nil
}

// folders are those that an export made and takes away if it fails.
type folders struct{ made []string }

func (f *folders) make(dir string) error {
	var missing []string
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(at); err == nil || filepath.Dir(at) == at {
			break
		}
		missing = append(missing, at)
	}
	slices.Reverse(missing)
	for _, at := range missing {
		if err := os.Mkdir(at, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		f.made = append(f.made, at)
	}
	return nil
}

func (f *folders) keep() { f.made = nil }

// discard removes the folders that are empty, the innermost first.
func (f *folders) discard() {
	for _, dir := range slices.Backward(f.made) {
		_ = os.Remove(dir) // one with something of others in it stays
	}
}
