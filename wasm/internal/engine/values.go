package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

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
	c := &s.columns()[column]
	if !c.Type.Numeric() {
		return &ArgumentError{"values", fmt.Sprintf("column %s: values of type %s are not numbers", c.Name, c.ArrowType)}
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
		if err := e.Breathe(ctx); err != nil {
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

// Texts returns the values of rows [start, end) of a column that is not
// numeric; valid is nil if none of them is null.
func (e *Engine) Texts(ctx context.Context, a ValuesArgs) (values []string, valid []byte, err error) {
	s, column, err := e.valuesOf(a)
	if err != nil {
		return nil, nil, err
	}
	start, end := *a.Start, *a.End
	values = make([]string, 0, min(end-start, 1<<16))
	bytes := 0
	for start < end {
		s.mu.Lock()
		batch, err := s.oneBatch(start, end, column)
		s.mu.Unlock()
		if err != nil {
			return nil, nil, err
		}
		for row := range batch.Rows {
			text, ok := batch.Columns[0].Text(row)
			if !ok && valid == nil {
				valid = []byte(strings.Repeat("\x01", len(values)))
			}
			values = append(values, text)
			if valid != nil {
				valid = append(valid, 0)
				if ok {
					valid[len(valid)-1] = 1
				}
			}
			if bytes += len(text) + 16; bytes > maxTextBytes {
				return nil, nil, &ArgumentError{"values", "more than 64 MB of text: ask for fewer rows"}
			}
		}
		start += int64(batch.Rows)
		if err := e.Breathe(ctx); err != nil {
			return nil, nil, err
		}
	}
	return values, valid, nil
}

// valuesOf checks what values asks for.
func (e *Engine) valuesOf(a ValuesArgs) (*openStream, int, error) {
	s, err := e.stream("values", a.Stream)
	if err != nil {
		return nil, 0, err
	}
	if a.Start == nil || a.End == nil {
		return nil, 0, &ArgumentError{"values", "start and end must be row numbers"}
	}
	columns, err := s.pick("values", []json.RawMessage{a.Column})
	if err != nil {
		return nil, 0, err
	}
	if len(columns) != 1 {
		return nil, 0, &ArgumentError{"values", fmt.Sprintf("%s are %d columns, not one", a.Column, len(columns))}
	}
	return s, columns[0], s.checkRows(*a.Start, *a.End)
}

// Numeric reports whether a column that values asks for holds numbers.
func (e *Engine) Numeric(a ValuesArgs) (bool, error) {
	s, column, err := e.valuesOf(a)
	return err == nil && s.columns()[column].Type.Numeric(), err
}
