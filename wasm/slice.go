package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/oniscope/oniscope/shared/export"
	"github.com/oniscope/oniscope/shared/recording"
)

// SliceArgs ask for a file of some rows and columns.
type SliceArgs struct {
	Stream      string            `json:"stream"`
	Start       *int64            `json:"start"` // rows, half-open
	End         *int64            `json:"end"`
	From        *float64          `json:"from"` // or seconds by the clock, half-open
	To          *float64          `json:"to"`
	Columns     []json.RawMessage `json:"columns"`     // names, globs or indices; absent: all
	Unique      bool              `json:"unique"`      // one row for each value of a slower signal
	Format      string            `json:"format"`      // arrow (default), stream, csv, npy or bin
	Physical    bool              `json:"physical"`    // csv and npy: in units, where the scale is known
	Compression string            `json:"compression"` // arrow and stream
}

// SliceProgress counts rows, or bytes.
type SliceProgress struct {
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
}

// SliceReport says what a slice holds.
type SliceReport struct {
	Start   int64    `json:"start"`
	End     int64    `json:"end"`
	Rows    int64    `json:"rows"`
	Batches int      `json:"batches"`
	Columns []string `json:"columns"`
	Bytes   int64    `json:"bytes"`

	LostRows int64               `json:"lost_rows"` // of damaged batches, which are left out
	Findings []recording.Finding `json:"findings"`
	Layout   *export.BinLayout   `json:"layout,omitempty"` // bin: how to read it
}

// Slice writes rows and columns to file, which is empty.
func (e *Engine) Slice(ctx context.Context, a SliceArgs, file recording.File, progress func(SliceProgress)) (*SliceReport, error) {
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
	var wanted export.Selection
	if a.Columns != nil || a.Format != "bin" { // bin has its own idea of what its channels are
		if wanted.Columns, err = s.pick("slice", a.Columns); err != nil {
			return nil, err
		}
	}
	if wanted.Start, wanted.End, err = e.rowsOf(ctx, s, a); err != nil {
		return nil, err
	}
	wanted.Unique = a.Unique
	codec, err := codecOf("slice", a.Compression)
	if err != nil {
		return nil, err
	}
	// A reader of its own: a long slice does not keep the picture waiting.
	reader, err := e.reader(ctx, s.source, s.size, nil)
	if err != nil {
		return nil, err
	}
	own := reader.Stream()
	own.AcqClockHz, own.StartUTC = s.about.AcqClockHz, s.about.StartUTC
	report := &SliceReport{Start: wanted.Start, End: wanted.End, Columns: make([]string, len(wanted.Columns))}
	for i, c := range wanted.Columns {
		report.Columns[i] = s.about.Columns[c].Name
	}
	if err := e.writePart(ctx, reader, file, wanted, a, codec, e.paced(progress), report); err != nil {
		return nil, cancelled(ctx, err)
	}
	return report, nil
}

// sliceFormats are the files that Slice writes.
var sliceFormats = []string{"arrow", "stream", "csv", "npy", "bin"}

// writePart writes a selection in the format asked for and tells what of it is
// in the file.
func (e *Engine) writePart(ctx context.Context, r *recording.Reader, file recording.File, wanted export.Selection, a SliceArgs, codec recording.Codec, tell func(done, total int64), report *SliceReport) error {
	if a.Format == "arrow" || a.Format == "stream" {
		o := recording.SliceOptions{Start: wanted.Start, End: wanted.End, Columns: wanted.Columns, Unique: wanted.Unique, Codec: codec, Progress: tell, Yield: e.breather(ctx)}
		if a.Format == "stream" {
			o.Format = recording.StreamFormat
		}
		written, err := r.WriteSlice(file, o)
		report.Rows, report.Batches, report.Bytes, report.LostRows, report.Findings = written.Rows, written.Batches, written.Bytes, written.LostRows, written.Findings
		return err
	}
	o := export.Options{Physical: a.Physical, Progress: tell, Yield: e.breather(ctx)}
	var written export.Report
	var err error
	switch a.Format {
	case "csv":
		written, err = export.CSV(file, r, wanted, o)
	case "npy":
		written, err = export.NPY(file, r, wanted, o)
	default:
		var layout export.BinLayout
		if layout, written, err = export.Bin(file, r, wanted, o); err == nil {
			report.Layout, report.Columns = &layout, layout.ChannelNames
		}
	}
	report.Rows, report.Bytes, report.LostRows, report.Findings = written.Rows, written.Bytes, written.LostRows, written.Findings
	return err
}

// rowsOf is the rows that args mean.
func (e *Engine) rowsOf(ctx context.Context, s *openStream, a SliceArgs) (start, end int64, err error) {
	if a.From != nil || a.To != nil {
		if a.Start != nil || a.End != nil {
			return 0, 0, &ArgumentError{"slice", "give rows or seconds, not both"}
		}
		return e.rowsOfTimes(ctx, s, a.From, a.To)
	}
	if a.Start != nil {
		start = *a.Start
	}
	if a.End != nil {
		return start, *a.End, nil
	}
	end, err = e.countRows(ctx, s)
	return start, end, err
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

// rowsOfTimes turns seconds by the clock into rows; nil means the first row, or
// the end.
func (e *Engine) rowsOfTimes(ctx context.Context, s *openStream, from, to *float64) (start, end int64, err error) {
	if s.hz <= 0 {
		return 0, 0, &ArgumentError{"slice", "the rate of the clock is not known: give rows, or set the rate"}
	}
	for _, t := range []*float64{from, to} {
		if t != nil && math.IsNaN(*t) {
			return 0, 0, &ArgumentError{"slice", "from and to must be seconds"}
		}
	}
	if from != nil && to != nil && *from > *to {
		return 0, 0, &ArgumentError{"slice", "from must not be behind to"}
	}
	if end, err = e.countRows(ctx, s); err != nil {
		return 0, 0, err
	}
	if from != nil {
		if start, err = s.rowAt(firstTick(*from, s.hz)); err != nil {
			return 0, 0, err
		}
	}
	if to != nil {
		if end, err = s.rowAt(firstTick(*to, s.hz)); err != nil {
			return 0, 0, err
		}
	}
	// Where Clock does not rise, the search may find them the other way round.
	return start, max(start, end), nil
}

// countRows returns the exact number of rows. It reads the batch headers that
// have not been read, in steps.
func (e *Engine) countRows(ctx context.Context, s *openStream) (int64, error) {
	for {
		s.mu.Lock()
		done, err := s.reader.IndexStep(indexStep)
		rows, _ := s.reader.Rows()
		s.mu.Unlock()
		if err != nil {
			return 0, err
		}
		if done {
			return rows, nil
		}
		if err := e.breathe(ctx); err != nil {
			return 0, err
		}
	}
}

// rowAt is the first row whose tick is not below ticks, or the number of rows.
func (s *openStream) rowAt(ticks float64) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clock < 0 {
		rows, _ := s.reader.Rows()
		return min(int64(ticks), rows), nil
	}
	return s.reader.RowAtClock(uint64(ticks))
}

// firstTick is the first whole tick at or after a time. Seconds in floating
// point miss the tick they mean by a rounding: 0.002004 s at 250 MHz are
// 501000.00000000006 ticks, and mean 501000.
func firstTick(seconds, hz float64) float64 {
	ticks := math.Min(math.Max(0, seconds*hz), 1<<62)
	if nearest := math.Round(ticks); math.Abs(ticks-nearest) <= math.Max(1e-6, ticks*0x1p-51) {
		return nearest
	}
	return math.Ceil(ticks)
}

// paced returns a function that lets progress through now and then.
func (e *Engine) paced(progress func(SliceProgress)) func(done, total int64) {
	pace := e.pace(progressInterval)
	return func(done, total int64) {
		if progress != nil && pace.due() {
			progress(SliceProgress{done, total})
		}
	}
}

// cancelled is ctx's error where that is the reason of err.
func cancelled(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
