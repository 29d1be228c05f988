package main

import (
	"context"
	"encoding/json"
	"fmt"

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
