package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"path"
	"slices"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// ValuesArgs ask for the raw values of rows [start, end) of a column.
type ValuesArgs struct {
	Stream string          `json:"stream"`
	Column json.RawMessage `json:"column"` // name or index
	Start  *int64          `json:"start"`
	End    *int64          `json:"end"`
}

// SliceArgs ask for a file of some rows and columns.
type SliceArgs struct {
	Stream      string            `json:"stream"`
	Start       *int64            `json:"start"` // rows, half-open
	End         *int64            `json:"end"`
	From        *float64          `json:"from"` // or seconds by the clock, half-open
	To          *float64          `json:"to"`
	Columns     []json.RawMessage `json:"columns"` // names, globs or indices; absent: all
	Compression string            `json:"compression"`
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
}

// Values gives numbers: it calls begin once with the type of the column and the number of rows,
// then put for each batch in order; at counts from the first row asked for.
func (e *Engine) Values(ctx context.Context, a ValuesArgs, begin func(t stream.Type, rows int64) error, put func(at int64, v *recording.Vector) error) error {
	s, column, err := e.valuesOf(a)
	if err != nil {
		return err
	}
	c := &s.about.Columns[column]
	if !c.Type.Numeric() {
		return &ArgumentError{"values", fmt.Sprintf("column %s holds %s, which are no numbers", c.Name, c.ArrowType)}
	}
	start, end := *a.Start, *a.End
	if err := begin(c.Type, end-start); err != nil {
		return err
	}
	// Reading is one batch a step; others may use the reader in between.
	for start < end {
		s.mu.Lock()
		batch, err := s.oneBatch(start, end, []int{column})
		s.mu.Unlock()
		if err != nil {
			return err
		}
		if err := put(start-*a.Start, &batch.Columns[0]); err != nil {
			return err
		}
		start += int64(batch.Rows)
		if err := e.breathe(ctx); err != nil {
			return err
		}
	}
	return nil
}

// oneBatch reads the rows from start on of the batch that holds it; the caller
// holds s.mu.
func (s *openStream) oneBatch(start, end int64, columns []int) (*recording.Batch, error) {
	index, err := s.reader.BatchAt(start)
	if err != nil {
		return nil, err
	}
	_, batchEnd, err := s.reader.BatchRange(index)
	if err != nil {
		return nil, err
	}
	for batch, err := range s.reader.Slice(start, min(end, batchEnd), columns) {
		if err != nil {
			return nil, err
		}
		if batch.Rows > 0 {
			return batch, nil
		}
	}
	return nil, &recording.RangeError{Start: start, End: end, Rows: start}
}

// checkRows compares rows with what is there, as far as that is known.
func (s *openStream) checkRows(start, end int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, exact := s.reader.Rows()
	if start < 0 || start > end || exact && end > rows {
		return &recording.RangeError{Start: start, End: end, Rows: rows}
	}
	if end == start {
		return nil
	}
	// Not exact: the batch of the last row says whether it is there.
	_, err := s.reader.BatchAt(end - 1)
	return err
}

// pick resolves names, globs and indices of columns, in file order as the
// command line does, without doubles; nil picks all.
func (s *openStream) pick(op string, wanted []json.RawMessage) ([]int, error) {
	var columns []int
	seen := map[int]bool{}
	add := func(c int) {
		if !seen[c] {
			seen[c] = true
			columns = append(columns, c)
		}
	}
	if wanted == nil {
		for c := range s.about.Columns {
			add(c)
		}
	}
	for _, raw := range wanted {
		var name string
		var index int
		switch {
		case len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &name) == nil:
			found := s.named(name)
			if len(found) == 0 {
				if _, err := s.reader.Column(name); err != nil {
					return nil, err
				}
				return nil, &recording.ColumnError{Name: name}
			}
			for _, c := range found {
				add(c)
			}
		case len(raw) > 0 && raw[0] != 'n' && json.Unmarshal(raw, &index) == nil:
			if index < 0 || index >= len(s.about.Columns) {
				return nil, &ArgumentError{op, fmt.Sprintf("column %d of %d", index, len(s.about.Columns))}
			}
			add(index)
		default:
			return nil, &ArgumentError{op, fmt.Sprintf("a column must be a name or an index, not %q", raw)}
		}
	}
	slices.Sort(columns)
	return columns, nil
}

// named gives the columns of that name or, if there is none, those that the
// name matches as a glob.
func (s *openStream) named(name string) []int {
	var exact, matching []int
	for c := range s.about.Columns {
		if s.about.Columns[c].Name == name {
			exact = append(exact, c)
		} else if ok, err := path.Match(name, s.about.Columns[c].Name); err == nil && ok {
			matching = append(matching, c)
		}
	}
	if exact != nil {
		return exact
	}
	return matching
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

// Slice writes rows and columns to file, which is empty.
func (e *Engine) Slice(ctx context.Context, a SliceArgs, file recording.File, progress func(SliceProgress)) (*SliceReport, error) {
	s, err := e.stream("slice", a.Stream)
	if err != nil {
		return nil, err
	}
	columns, err := s.pick("slice", a.Columns)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	rows, _ := s.reader.Rows()
	s.mu.Unlock()
	o := recording.SliceOptions{Start: 0, End: rows, Columns: columns}
	switch {
	case (a.From != nil || a.To != nil) && (a.Start != nil || a.End != nil):
		return nil, &ArgumentError{"slice", "give rows or seconds, not both"}
	case a.From != nil || a.To != nil:
		if o.Start, o.End, err = e.rowsOfTimes(ctx, s, a.From, a.To); err != nil {
			return nil, err
		}
	default:
		if a.Start != nil {
			o.Start = *a.Start
		}
		if a.End != nil {
			o.End = *a.End
		}
	}
	o.Codec = recording.Keep
	if a.Compression != "" {
		if o.Codec, err = recording.ParseCodec(a.Compression); err != nil {
			return nil, &ArgumentError{"slice", err.Error()}
		}
	}
	return e.writeSlice(ctx, s, o, file, progress)
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

func (e *Engine) writeSlice(ctx context.Context, s *openStream, o recording.SliceOptions, file recording.File, progress func(SliceProgress)) (*SliceReport, error) {
	o.Progress = e.paced(progress)
	o.Yield = e.breather(ctx)
	// A reader of its own: a long slice does not keep the picture waiting.
	reader, err := e.reader(ctx, s.source, s.size, nil)
	if err != nil {
		return nil, err
	}
	written, err := reader.WriteSlice(func() bool { return e.breathe(ctx) != nil }, file, o)
	if err != nil {
		return nil, cancelled(ctx, err)
	}
	names := make([]string, len(o.Columns))
	for i, c := range o.Columns {
		names[i] = s.about.Columns[c].Name
	}
	return &SliceReport{Start: o.Start, End: o.End, Rows: written.Rows, Batches: written.Batches, Columns: names, Bytes: written.Bytes,
		LostRows: written.LostRows, Findings: written.Findings}, nil
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
