package main

import (
	"context"
	"encoding/json"
	"fmt"
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
		batch, err := s.oneBatch(start, end, column)
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

// oneBatch reads the rows from start on of the batch that has it; the caller
// holds s.mu.
func (s *openStream) oneBatch(start, end int64, column int) (*recording.Batch, error) {
	index, err := s.reader.BatchAt(start)
	if err != nil {
		return nil, err
	}
	_, batchEnd, err := s.reader.BatchRange(index)
	if err != nil {
		return nil, err
	}
	return s.rows(start, min(end, batchEnd), column)
}

// rows reads rows of one batch, or as many of them as are read at once; the
// caller holds s.mu.
func (s *openStream) rows(start, end int64, column int) (*recording.Batch, error) {
	ctx := context.Background() // one step
	x, err := s.reader.Select(ctx, recording.Selection{Rows: &recording.Range{Start: start, End: end}})
	if err == nil {
		x, err = x.With([]int{column})
	}
	if err != nil {
		return nil, err
	}
	for batch, err := range x.Batches(ctx) {
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

// pick resolves names, globs and indices of columns; nil picks all.
func (s *openStream) pick(op string, wanted []json.RawMessage) ([]int, error) {
	names, err := s.columnNames(op, wanted)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x, err := s.reader.Select(context.Background(), recording.Selection{Rows: &recording.Range{}, Columns: names})
	if err != nil {
		return nil, err
	}
	return x.Indices(), nil
}

// columnNames writes names, globs and indices as names and globs.
func (s *openStream) columnNames(op string, wanted []json.RawMessage) ([]string, error) {
	var list []string
	all := s.about.Names()
	for _, raw := range wanted {
		var name string
		var index int
		switch {
		case len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &name) == nil:
			list = append(list, name)
		case len(raw) > 0 && raw[0] != 'n' && json.Unmarshal(raw, &index) == nil:
			if index < 0 || index >= len(all) {
				return nil, &ArgumentError{op, fmt.Sprintf("column %d of %d", index, len(all))}
			}
			name = all[index]
			doubled := slices.ContainsFunc(s.about.Columns[index+1:], func(c stream.Column) bool { return c.Name == name })
			if doubled && s.about.Column(name) == index {
				name += "#1"
			}
			list = append(list, name)
		default:
			return nil, &ArgumentError{op, fmt.Sprintf("a column must be a name or an index, not %q", raw)}
		}
	}
	return list, nil
}
