package engine

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

const (
	maxTableCells = 1 << 16
	maxCellBytes  = 400      // of text; more is cut off
	maxTextBytes  = 64 << 20 // of one answer to values
)

// TableArgs ask for rows [start, end) of some columns as text.
type TableArgs struct {
	Stream  string `json:"stream"`
	Columns []int  `json:"columns"`
	Start   int64  `json:"start"`
	End     int64  `json:"end"`
}

// A Table is a part of a stream as text. Rows after the last are left out.
type Table struct {
	Start  int64        `json:"start"`
	End    int64        `json:"end"`
	Rows   int64        `json:"rows"`  // of the stream, exact
	Ticks  []*float64   `json:"ticks"` // of each row; null in a damaged batch
	Cells  [][]*string  `json:"cells"` // by column, then by row; null: no value
	Broken []BrokenRows `json:"broken"`
}

// BrokenRows are rows of which something could not be read.
type BrokenRows struct {
	Start  int64  `json:"start"`
	End    int64  `json:"end"`
	Reason string `json:"reason"`
}

// Table returns rows of any columns as text, with the ticks of each.
func (e *Engine) Table(ctx context.Context, a TableArgs) (*Table, error) {
	s, err := e.stream("table", a.Stream)
	if err != nil {
		return nil, err
	}
	for _, c := range a.Columns {
		if c < 0 || c >= len(s.columns()) {
			return nil, &ArgumentError{"table", fmt.Sprintf("column %d of %d", c, len(s.columns()))}
		}
	}
	rows, err := e.countRows(ctx, s)
	if err != nil {
		return nil, err
	}
	start, end := min(a.Start, rows), min(a.End, rows)
	if start < 0 || start > end || (end-start)*int64(len(a.Columns)+1) > maxTableCells {
		return nil, &ArgumentError{"table", fmt.Sprintf("rows %d to %d of %d columns are not a part of a table", a.Start, a.End, len(a.Columns))}
	}
	t := &Table{Start: start, End: end, Rows: rows, Ticks: make([]*float64, end-start), Cells: make([][]*string, len(a.Columns)), Broken: []BrokenRows{}}
	if s.clock < 0 {
		for i := range t.Ticks {
			row := float64(start + int64(i))
			t.Ticks[i] = &row
		}
	} else if err := e.eachPart(ctx, s, t, s.clock, func(at int, v *recording.Vector, from, n int) {
		s.placeRows(t.Ticks[at:at+n], start+int64(at), v, from)
	}); err != nil {
		return nil, err
	}
	for k, c := range a.Columns {
		t.Cells[k] = make([]*string, end-start)
		if err := e.eachPart(ctx, s, t, c, func(at int, v *recording.Vector, from, n int) {
			for i := range n {
				if text, ok := v.Text(from + i); ok {
					text = clipped(text)
					t.Cells[k][at+i] = &text
				}
			}
		}); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// clipped cuts off what no cell of a table can show.
func clipped(text string) string {
	if len(text) <= maxCellBytes {
		return text
	}
	cut := maxCellBytes
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// eachPart calls put with the rows of a table in one column, batch by batch:
// n rows of v from row from on are rows at, at+1, ... of the table. A damaged
// batch is noted in the table.
func (e *Engine) eachPart(ctx context.Context, s *openStream, t *Table, column int, put func(at int, v *recording.Vector, from, n int)) error {
	for row := t.Start; row < t.End; {
		s.mu.Lock()
		batch, err := s.reader.BatchAt(row)
		var first, after int64
		if err == nil {
			first, after, err = s.reader.BatchRange(batch)
		}
		var v *recording.Vector
		from, to := row-first, min(t.End, after)-first
		if err == nil {
			v, from, err = s.columnRows(batch, column, first, from, to)
		}
		s.mu.Unlock()
		n := min(t.End, after) - row
		switch {
		case damaged(err):
			t.note(row, row+n, err)
		case err != nil:
			return err
		default:
			put(int(row-t.Start), v, int(from), int(n))
		}
		row += n
		if err := e.Breathe(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) note(start, end int64, err error) {
	for _, b := range t.Broken {
		if b.Start == start {
			return // noted for another column
		}
	}
	t.Broken = append(t.Broken, BrokenRows{start, end, err.Error()})
}

// tableColumns bounds how many decoded columns a stream keeps for its table.
const tableColumns = 32

// A wholeBatch keeps the columns of the batch that a table looked at last:
// what is compressed or of variable width is only decoded whole.
type wholeBatch struct {
	batch   int
	columns map[int]*recording.Vector
}

// columnRows gives rows [from, to) of a batch, whose first row is first; they
// begin at row at of v. The caller holds s.mu.
func (s *openStream) columnRows(batch, column int, first, from, to int64) (v *recording.Vector, at int64, err error) {
	if (!s.compressed || s.blocks != nil) && s.columns()[column].Type != stream.Other {
		b, err := s.rows(first+from, first+to, column)
		if err != nil {
			return nil, 0, err
		}
		return &b.Columns[0], 0, nil
	}
	if s.whole.batch != batch || len(s.whole.columns) >= tableColumns {
		s.whole = wholeBatch{batch: batch}
	}
	if v = s.whole.columns[column]; v != nil {
		return v, from, nil
	}
	b, err := s.reader.ReadBatch(batch, []int{column})
	if err != nil {
		return nil, 0, err
	}
	if s.whole.columns == nil {
		s.whole.columns = map[int]*recording.Vector{}
	}
	s.whole.columns[column] = &b.Columns[0]
	return &b.Columns[0], from, nil
}
