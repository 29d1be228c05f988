// Package export writes parts of recordings in the formats that other programs
// read: CSV, NPY, flat binary, Parquet, and arrow-go's record batches.
//
// Everything goes batch by batch from a recording.Reader to an io.Writer, in
// memory that does not grow with the recording. What needs arrow-go stays out
// of WebAssembly (build constraint !js).
package export

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A Selection is the part of a recording that is wanted.
type Selection struct {
	Start, End int64 // rows, half-open
	Columns    []int // by index, in the order wanted; nil: all, in file order

	// Unique leaves out the rows in which a slower signal only repeats: one row
	// for each of its values; see recording.Reader.SliceUnique. Columns nil then
	// means all slower ones, and the clocks.
	Unique bool
}

// Options let a caller choose units, follow and end a long export. The zero
// value writes raw values.
type Options struct {
	// Physical makes CSV and NPY give scale x (raw - offset) as float64 where
	// a column has a scale, and its unit behind its name.
	Physical bool

	Progress func(done, total int64) // rows of the selection; nil: none

	// Yield is called every few megabytes. An error ends the export, which
	// returns it.
	Yield func() error
}

// A Report says what was written and what could not be.
type Report struct {
	Rows     int64               `json:"rows"`
	Columns  int                 `json:"columns"`
	Bytes    int64               `json:"bytes"`
	LostRows int64               `json:"lost_rows"` // rows missing in the selection, as far as known
	Findings []recording.Finding `json:"findings"`  // by which they are missing; if there are any, data were lost
}

// ErrKind says that a format cannot hold a column or its values.
var ErrKind = errors.New("export: not possible in this format")

func kindf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrKind, fmt.Sprintf(format, args...))
}

// A job is one export: it goes over the selection and counts what is written.
type job struct {
	r       *recording.Reader
	s       Selection
	o       Options
	w       io.Writer
	columns []stream.Column // of the selection, as they are written
	stride  int             // rows of the recording in one row of the output
	report  Report
	damaged map[int]bool
	leftOut int64                 // rows of damaged batches
	failed  error                 // of the output
	corrupt func(err error) error // told of each damaged batch; nil: nobody asks
}

func newJob(w io.Writer, r *recording.Reader, s Selection, o Options) (*job, error) {
	all, stride := r.Stream().Columns, 1
	if s.Unique {
		var err error
		if s.Columns, stride, err = r.UniqueColumns(s.Columns); err != nil {
			return nil, err
		}
	}
	if s.Columns == nil {
		s.Columns = make([]int, len(all))
		for i := range all {
			s.Columns[i] = i
		}
	}
	j := &job{r: r, s: s, o: o, w: w, stride: stride, damaged: map[int]bool{}, report: Report{Findings: []recording.Finding{}}}
	for _, c := range s.Columns {
		if c < 0 || c >= len(all) {
			return nil, &recording.ColumnError{Name: fmt.Sprintf("#%d", c)}
		}
		j.columns = append(j.columns, written(all[c]))
	}
	if len(j.columns) == 0 {
		return nil, kindf("no column is selected")
	}
	j.report.Columns = len(j.columns)
	return j, nil
}

// written is a column as exports write it: run ends written out.
func written(c stream.Column) stream.Column {
	if c.RunEnd {
		_, values, _ := strings.Cut(strings.TrimSuffix(c.ArrowType, ">"), ", ")
		c.RunEnd, c.ArrowType = false, values
	}
	return c
}

// slice goes over rows of the selection.
func (j *job) slice(start, end int64) iter.Seq2[*recording.Batch, error] {
	if j.s.Unique {
		return j.r.SliceUnique(start, end, j.s.Columns)
	}
	return j.r.Slice(start, end, j.s.Columns)
}

// Write counts what goes to the output.
func (j *job) Write(p []byte) (int, error) {
	n, err := j.w.Write(p)
	j.report.Bytes += int64(n)
	if err != nil {
		j.failed = err
	}
	return n, err
}

// yield asks the caller whether to go on.
func (j *job) yield() error {
	if j.o.Yield == nil {
		return nil
	}
	return j.o.Yield()
}

// pieceBytes and decodedBytes bound what is held of a batch at once: of plain
// columns any rows can be read, compressed ones are decoded whole each time, so
// that small pieces of a large batch would cost its decoding again and again.
const (
	pieceBytes   = 32 << 20
	decodedBytes = 256 << 20
)

// each calls f with the selected rows of each intact batch, in pieces of
// bounded size. Damaged batches are left out and counted.
func (j *job) each(f func(b *recording.Batch) error) error {
	width := int64(0)
	for i := range j.columns {
		if w := j.columns[i].ByteWidth; w > 0 {
			width += int64(w)
		} else {
			width += 64 // text and nested values, about
		}
	}
	size := int64(pieceBytes)
	if j.r.Codec() != recording.None.String() {
		size = decodedBytes
	}
	step := max(1, size/width)
	if j.s.Unique {
		step = max(1, j.s.End) // each piece would be looked at from its batch's first row on
	}
	if j.s.Start < 0 || j.s.Start > j.s.End {
		rows, _ := j.r.Rows()
		return &recording.RangeError{Start: j.s.Start, End: j.s.End, Rows: rows}
	}
	row := j.s.Start
	for first := true; first || row < j.s.End; first = false {
		end, err := j.pieceEnd(row, step)
		if err != nil {
			return err
		}
		if err := j.piece(row, end, f); err != nil {
			return err
		}
		row = end
	}
	lost, rows := j.r.Lost(j.s.Start, j.s.End, func(batch int) bool { return j.damaged[batch] })
	j.report.Findings = append(j.report.Findings, lost...)
	j.report.LostRows = j.leftOut + rows
	return nil
}

// pieceEnd returns where the piece that begins at row ends: with its batch, the
// selection, or after so many rows.
func (j *job) pieceEnd(row, step int64) (int64, error) {
	if row == j.s.End {
		return row, nil
	}
	i, err := j.r.BatchAt(row)
	if err != nil {
		return 0, err
	}
	_, end, err := j.r.BatchRange(i)
	if err != nil {
		return 0, err
	}
	return min(end, j.s.End, row+step), nil
}

func (j *job) piece(start, end int64, f func(b *recording.Batch) error) error {
	for b, err := range j.slice(start, end) {
		if err := j.yield(); err != nil {
			return err
		}
		var corrupt *recording.CorruptError
		switch {
		case errors.As(err, &corrupt):
			j.damaged[corrupt.Batch] = true
			if low, high, err := j.r.BatchRange(corrupt.Batch); err == nil {
				j.leftOut += max(0, min(high, end)-max(low, start))
			}
			if j.corrupt != nil {
				if err := j.corrupt(err); err != nil {
					return err
				}
			}
		case err != nil:
			return err
		default:
			if err := f(b); err != nil {
				return err
			}
			j.report.Rows += int64(b.Rows)
		}
	}
	if j.o.Progress != nil {
		j.o.Progress(end-j.s.Start, j.s.End-j.s.Start)
	}
	return nil
}
