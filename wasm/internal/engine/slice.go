package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/oniscope/oniscope/shared/export"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// SliceArgs ask for a file of some rows and columns.
type SliceArgs struct {
	Stream      string            `json:"stream"`
	Start       *int64            `json:"start,omitempty"` // rows, half-open
	End         *int64            `json:"end,omitempty"`
	From        *float64          `json:"from,omitempty"` // or seconds by the clock, half-open
	To          *float64          `json:"to,omitempty"`
	FromStart   bool              `json:"from_start,omitempty"`  // from and to count from the first row, or from that of the segment
	Segment     int               `json:"segment,omitempty"`     // of this segment alone, from 1 on
	Ticks       *[2]float64       `json:"ticks,omitempty"`       // or ticks by the clock, half-open
	Batches     string            `json:"batches,omitempty"`     // or batches a:b, half-open; either may be left out
	Columns     []json.RawMessage `json:"columns,omitempty"`     // names, globs or indices; absent: all
	Unique      bool              `json:"unique,omitempty"`      // one row for each value of a slower signal
	Format      string            `json:"format,omitempty"`      // arrow (default), stream, csv, npy or bin
	Physical    bool              `json:"physical,omitempty"`    // csv and npy: in units, where the scale is known
	Compression string            `json:"compression,omitempty"` // arrow and stream
	Tiles       bool              `json:"tiles,omitempty"`       // give what was read looks like, too
}

// SliceReport says what is in a slice.
type SliceReport struct {
	Start   int64    `json:"start"`
	End     int64    `json:"end"`
	Rows    int64    `json:"rows"`
	Batches int      `json:"batches"`
	Columns []string `json:"columns"`
	Bytes   int64    `json:"bytes"`

	Ranges []recording.Range `json:"ranges,omitempty"` // of rows, where the times asked for come more than once
	Note   string            `json:"note,omitempty"`   // for people: which segments have these times, where several have

	LostRows int64               `json:"lost_rows"` // of damaged batches, which are left out
	Findings []recording.Finding `json:"findings"`
	Gaps     []recording.Finding `json:"gaps"`             // rows between those that never reached the recording
	Segments []export.Segment    `json:"segments"`         // of rows that were written, whose Clock rises; none without a Clock
	Layout   *export.BinLayout   `json:"layout,omitempty"` // bin: how to read it
}

// Slice writes rows and columns to file, which is empty. What its whole batches look like
// is passed to tiles, as Verify does.
func (e *Engine) Slice(ctx context.Context, a SliceArgs, file recording.File, progress func(SliceProgress), tiles func(data []byte)) (*SliceReport, error) {
	s, err := e.stream("slice", a.Stream)
	if err != nil {
		return nil, err
	}
	if a.Format == "" {
		a.Format = "arrow"
	}
	if !slices.Contains(sliceFormats, a.Format) {
		return nil, &ArgumentError{"slice", fmt.Sprintf("format is %q, must be one of %s", a.Format, strings.Join(sliceFormats, ", "))}
	}
	codec, err := codecOf("slice", a.Compression)
	if err != nil {
		return nil, err
	}
	// A reader of its own: a long slice does not keep the picture waiting.
	s.mu.Lock()
	index, _ := s.reader.Blocks()
	places := a.Ticks != nil && s.clock >= 0 && s.times == nil // which Clock they are is not known yet
	s.mu.Unlock()
	if places {
		if err := e.followClock(ctx, s); err != nil {
			return nil, err
		}
	}
	reader, err := e.reader(ctx, s.source, s.size, index, nil)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	reader.Adopt(s.reader)
	s.mu.Unlock()
	watcher, flush := e.passing(s, tiles)
	reader.Watch(watcher)
	steps := e.inSteps(ctx)
	wanted, err := s.selection(steps, reader, a)
	if err != nil {
		return nil, err
	}
	x, err := reader.Select(steps, wanted)
	if err != nil {
		return nil, cancelled(ctx, err)
	}
	report := &SliceReport{Note: x.Note()}
	report.Start, report.End = x.Rows()
	if r := x.Ranges(); len(r) > 1 {
		report.Ranges = r
	}
	for _, c := range x.Columns() {
		report.Columns = append(report.Columns, c.Name)
	}
	if err := writeExcerpt(steps, file, x, a, codec, e.paced(progress), report); err != nil {
		return nil, cancelled(ctx, err)
	}
	flush()
	return report, nil
}

// sliceFormats are the files that Slice writes.
var sliceFormats = []string{"arrow", "stream", "csv", "npy", "bin"}

// writeExcerpt writes an excerpt in the format asked for and notes what of it is
// in the file.
func writeExcerpt(ctx context.Context, file recording.File, x *recording.Excerpt, a SliceArgs, codec recording.Codec, progress func(done, total int64), report *SliceReport) error {
	if a.Format == "arrow" || a.Format == "stream" {
		o := recording.CopyOptions{Codec: codec, Progress: progress}
		if a.Format == "stream" {
			o.Format = recording.StreamFormat
		}
		written, batches, err := export.Recording(ctx, file, x, &o)
		report.Batches = batches
		report.take(&written)
		return err
	}
	o := export.Options{Physical: a.Physical, Progress: progress}
	var written export.Report
	var err error
	switch a.Format {
	case "csv":
		written, err = export.CSV(ctx, file, x, &o)
	case "npy":
		written, err = export.NPY(ctx, file, x, &o)
	default:
		var layout export.BinLayout
		if layout, written, err = export.Bin(ctx, file, x, &o); err == nil {
			report.Layout, report.Columns = &layout, layout.ChannelNames
		}
	}
	report.Columns = slices.DeleteFunc(report.Columns, func(name string) bool { return slices.Contains(written.LeftOut, name) })
	report.take(&written)
	return err
}

// take takes over what was written.
func (r *SliceReport) take(w *export.Report) {
	r.Rows, r.Bytes, r.LostRows, r.Findings, r.Gaps, r.Segments = w.Rows, w.Bytes, w.LostRows, w.Findings, w.Gaps, w.Segments
}

// selection says what args ask of a recording.
func (s *openStream) selection(ctx context.Context, r *recording.Reader, a SliceArgs) (recording.Selection, error) {
	w := recording.Selection{Unique: a.Unique, Segment: a.Segment, FromStart: a.FromStart}
	var err error
	if w.Columns, err = s.columnNames("slice", a.Columns); err != nil {
		return w, err
	}
	rows, seconds := a.Start != nil || a.End != nil, a.From != nil || a.To != nil
	ways := 0
	for _, way := range []bool{rows, seconds, a.Ticks != nil, a.Batches != ""} {
		if way {
			ways++
		}
	}
	if ways > 1 {
		return w, &ArgumentError{"slice", "give rows, seconds, ticks or batches, not several of them"}
	}
	switch {
	case seconds && s.clock < 0 && s.hz > 0: // somebody said how fast the rows come
		var first, end uint64
		if first, err = ticksOf(a.From, 0, s.hz); err == nil {
			end, err = ticksOf(a.To, recording.ToEnd, s.hz)
		}
		w.Rows = &recording.Range{Start: int64(first), End: int64(end)}
	case seconds:
		w.Time, err = r.TimeOf(decimal(a.From), decimal(a.To))
	case a.Ticks != nil:
		from, to := firstTick(a.Ticks[0]), firstTick(a.Ticks[1])
		if s.clock >= 0 && s.axis.Plain() && s.origin == 0 {
			w.Time = &recording.TickRange{From: from, To: to}
		} else if s.clock >= 0 { // places
			w.Rows = &recording.Range{}
			if w.Rows.Start, err = s.rowAt(ctx, a.Ticks[0]); err == nil {
				w.Rows.End, err = s.rowAt(ctx, a.Ticks[1])
			}
		} else { // rows take their place; the view may reach beyond them
			all, err := r.CountRows(ctx)
			if err != nil {
				return w, err
			}
			w.Rows = &recording.Range{Start: min(int64(from), all), End: min(int64(to), all)}
		}
	case a.Batches != "":
		w.Batches = &recording.Range{}
		*w.Batches, err = recording.ParseRange(a.Batches)
	case rows:
		w.Rows = &recording.Range{Start: 0, End: recording.ToEnd}
		if a.Start != nil {
			w.Rows.Start = *a.Start
		}
		if a.End != nil {
			w.Rows.End = *a.End
		}
	}
	return w, err
}

// firstTick is the first that is not before a place between ticks, as the
// borders of a view are.
func firstTick(at float64) uint64 { return uint64(math.Min(math.Max(0, math.Ceil(at)), 1<<62)) }

// decimal writes seconds as a person would; nil is "".
func decimal(seconds *float64) string {
	if seconds == nil {
		return ""
	}
	return strconv.FormatFloat(*seconds, 'f', -1, 64)
}

// ticksOf turns seconds into rows that come at a rate, nil into otherwise.
func ticksOf(seconds *float64, otherwise uint64, hz float64) (uint64, error) {
	if seconds == nil {
		return otherwise, nil
	}
	return stream.TicksFromSeconds(decimal(seconds), uint64(math.Round(hz)))
}

// codecOf reads the name of a codec; "" keeps what the file has.
func codecOf(op, name string) (recording.Codec, error) {
	if name == "" {
		return recording.Keep, nil
	}
	codec, err := recording.ParseCodec(name)
	if err != nil {
		return codec, &ArgumentError{op, err.Error()}
	}
	return codec, nil
}
