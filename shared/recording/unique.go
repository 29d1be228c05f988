package recording

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/stream"
)

// A column may hold a signal that is slower than its rows: run-end encoded,
// with nulls between its values, or with each value repeated (FORMAT.md, What
// we write, 11). A value belongs to the row at which it begins.
//
// Where a value begins is seen, not computed: at a run's border, at a row that
// is not null, at a change of the value. The stride only says where a value
// begins that equals the one before. So nothing is lost where rows are missing
// and the rhythm has shifted, nor where a file only claims a stride.

// A unique picks the rows at which slow values begin.
type unique struct {
	r       *Reader
	columns []int
	slow    []int // which of columns, by position
	stride  int
	rhythm  bool // a value may begin where nothing shows it
}

var errNothingSlow = errors.New("recording: none of these columns is slower than its rows, so unique values are all values")

// newUnique checks the columns that are asked for.
func (r *Reader) newUnique(columns []int) (*unique, error) {
	u := &unique{r: r, columns: columns}
	all := columns == nil
	if all {
		for c := range r.Stream().Columns {
			u.columns = append(u.columns, c)
		}
	} else if _, err := r.checkColumns(columns); err != nil {
		return nil, err
	}
	var kept []int
	first := ""
	for _, c := range u.columns {
		column := &r.Stream().Columns[c]
		kind, stride, err := "none", 1, error(nil)
		if column.Type.Width() > 0 && column.Name != "Clock" && column.Name != "HubClock" {
			if kind, stride, err = r.sampling(c); err != nil {
				return nil, err
			}
		}
		_, _, number := stream.Label(column.Name)
		switch {
		case stride > 1 && first == "":
			first, u.stride = column.Name, stride
			fallthrough
		case stride > 1 && stride == u.stride:
			u.slow = append(u.slow, len(kept))
			u.rhythm = u.rhythm || kind != "nulls"
		case stride > 1:
			return nil, fmt.Errorf("recording: columns %q (one value in %d rows) and %q (one in %d) do not fit into one table: ask for one of the two", first, u.stride, column.Name, stride)
		case all && column.Name != "Clock" && column.Name != "HubClock":
			continue
		case number >= 0:
			return nil, fmt.Errorf("recording: column %q has a value in every row, and most would be left out: leave the column out, or do without unique", column.Name)
		}
		kept = append(kept, c)
	}
	if len(u.slow) == 0 {
		return nil, errNothingSlow
	}
	u.columns = kept
	return u, nil
}

// cut reads and picks from the part of one batch.
func (u *unique) cut(cut rowCut) (*Batch, error) {
	// From the batch's first row on: where the first value begins shows where
	// the others do.
	b, err := u.r.readRows(cut.batch, cut.start, 0, cut.to, u.columns)
	if err != nil {
		return nil, err
	}
	begins := make([]bool, b.Rows)
	for _, k := range u.slow {
		markBegins(begins, &b.Columns[k])
	}
	if rows := u.r.batches[cut.batch].rows(); u.rhythm && cut.to < rows && !slices.Contains(begins, true) {
		columns := make([]int, len(u.slow))
		for i, k := range u.slow {
			columns[i] = u.columns[k]
		}
		whole, err := u.r.readRows(cut.batch, cut.start, 0, rows, columns)
		if err != nil {
			return nil, err
		}
		begins = make([]bool, whole.Rows)
		for k := range whole.Columns {
			markBegins(begins, &whole.Columns[k])
		}
	}
	pick := u.pick(begins, cut.batch)
	to, _ := slices.BinarySearch(pick, int(cut.to))
	pick = pick[:to]
	from, _ := slices.BinarySearch(pick, int(cut.from))
	pick = pick[from:]
	out := &Batch{Index: cut.batch, Start: cut.start + cut.from, Rows: len(pick), Columns: make([]Vector, len(b.Columns)), Numbers: make([]int64, len(pick))}
	for i, row := range pick {
		out.Numbers[i] = cut.start + int64(row)
	}
	if len(pick) > 0 {
		out.Start = out.Numbers[0]
	}
	for k := range b.Columns {
		if out.Columns[k], err = picked(&b.Columns[k], pick); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// pick returns the rows of a batch at which a value begins.
func (u *unique) pick(begins []bool, batch int) []int {
	if u.stride <= 1 {
		pick := make([]int, len(begins))
		for i := range pick {
			pick[i] = i
		}
		return pick
	}
	next := len(begins)
	if u.rhythm {
		if first := slices.Index(begins, true); first >= 0 {
			next = first % u.stride
		} else {
			next = u.phase(batch)
		}
	}
	var pick []int
	for row, shown := range begins {
		if shown || row == next {
			pick = append(pick, row)
			if u.rhythm {
				next = row + u.stride
			}
		}
	}
	return pick
}

// phase is where the first value of a batch without any change begins. Writers
// begin batches with a value; the first batch of a slice may be what is left of
// one.
func (u *unique) phase(batch int) int {
	if batch > 0 || len(u.r.batches) == 1 {
		return 0
	}
	return int(u.r.batches[0].rows() % int64(u.stride))
}

// markBegins marks the rows of a batch, but not the first, at which a value is
// seen to begin.
func markBegins(begins []bool, v *Vector) {
	w := v.width()
	switch {
	case v.RunEnds != nil:
		for _, end := range v.RunEnds {
			if int(end) < len(begins) {
				begins[end] = true
			}
		}
	case v.Valid != nil:
		for i, valid := range v.Valid {
			if valid != 0 {
				begins[i] = true
			}
		}
	case w == 2:
		data := v.Data
		for i := 1; i < v.Len; i++ {
			if data[2*i] != data[2*i-2] || data[2*i+1] != data[2*i-1] {
				begins[i] = true
			}
		}
	default:
		for i := 1; i < v.Len; i++ {
			if !bytes.Equal(v.Data[i*w:i*w+w], v.Data[i*w-w:i*w]) {
				begins[i] = true
			}
		}
	}
}

// picked returns a vector of some rows.
func picked(v *Vector, rows []int) (out Vector, err error) {
	w := v.width()
	out = Vector{Column: v.Column, Type: v.Type, Width: v.Width, Len: len(rows), field: v.field}
	if v.array != nil {
		if out.array, err = v.array.Take(rows); err != nil {
			return Vector{}, fmt.Errorf("recording: column %d: %w", v.Column, err)
		}
	} else {
		out.Data = make([]byte, 0, len(rows)*w)
		for _, row := range rows {
			out.Data = append(out.Data, v.Data[row*w:row*w+w]...)
		}
	}
	if v.Valid == nil {
		return out, nil
	}
	for _, row := range rows {
		if v.Valid[row] == 0 { // one null, and all are known
			out.Valid = make([]byte, len(rows))
			for i, row := range rows {
				out.Valid[i] = v.Valid[row]
			}
			break
		}
	}
	return out, nil
}

// schema is that of the picked columns: plain, and without the metadata that
// no longer hold.
func (u *unique) schema() arrowipc.Schema {
	var s arrowipc.Schema
	for _, e := range u.r.schema.Metadata {
		if e.Key == "rows_per_batch" {
			n, err := strconv.Atoi(e.Value)
			if err != nil || n%u.stride != 0 {
				continue
			}
			e.Value = strconv.Itoa(n / u.stride)
		}
		s.Metadata = append(s.Metadata, e)
	}
	for _, c := range u.columns {
		f := u.r.schema.Fields[c]
		if u.r.runEnd(c) {
			values := f.Children[1]
			f.Type, f.Nullable, f.Children = values.Type, values.Nullable, values.Children
		}
		f.Metadata = slices.DeleteFunc(slices.Clone(f.Metadata), func(e arrowipc.KeyValue) bool { return e.Key == "stride" })
		s.Fields = append(s.Fields, f)
	}
	return s
}

// copyCut writes what is picked from a cut.
func (u *unique) copyCut(w *Writer, cut rowCut, codec Codec) error {
	if codec == Keep {
		w.enc.codec = codecOf(u.r.batches[cut.batch].codec)
	}
	b, err := u.cut(cut)
	if err != nil || b.Rows == 0 {
		return err
	}
	h, err := u.r.header(cut.batch)
	if err != nil {
		return err
	}
	_, err = w.writeRows(b.Rows, b.Columns, survivingKeys(h.metadata, cut.from == 0, false))
	return err
}
