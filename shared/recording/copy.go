package recording

import (
	"errors"
	"iter"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

// Slice returns the rows [start, end) of some columns, given by index (nil:
// all that can be read), batch by batch, cut to the range.
//
// Where a batch in the range is damaged it yields a nil batch and a
// *CorruptError, and goes on behind it if asked to. Any other error is the
// last that it yields: a *RangeError, a *ColumnError, or the source's.
func (r *Reader) Slice(start, end int64, columns []int) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		for cut, err := range r.cuts(start, end) {
			if err == nil {
				err = cut.err
			}
			var b *Batch
			if err == nil {
				b, err = r.readRows(cut.batch, cut.start, cut.from, cut.to, columns)
			}
			var corrupt *CorruptError
			if !yield(b, err) || err != nil && !errors.As(err, &corrupt) {
				return
			}
		}
	}
}

// A rowCut is the part of one batch that lies in a range of rows.
type rowCut struct {
	batch    int
	start    int64 // row number of the batch's first row
	from, to int64 // rows of the batch
	err      error // the batch's header does not hold: it has no rows
}

// cuts checks the range and goes over the batches that meet it.
func (r *Reader) cuts(start, end int64) iter.Seq2[rowCut, error] {
	return func(yield func(rowCut, error) bool) {
		if err := r.checkRange(start, end); err != nil {
			yield(rowCut{}, err)
			return
		}
		if start == end {
			return
		}
		first, err := r.BatchAt(start)
		if err != nil {
			yield(rowCut{}, err)
			return
		}
		for first > 0 && r.starts[first-1] == start { // damaged ones that lie right before the first row
			first--
		}
		for i := first; i < len(r.batches); i++ {
			low, high, err := r.BatchRange(i)
			if err != nil {
				yield(rowCut{}, err)
				return
			}
			// A batch without rows at the very end belongs to the slice that
			// ends there, for no other begins there.
			if low > end || low == end && (high > low || !r.endsAt(end)) {
				return
			}
			cut := rowCut{batch: i, start: low, from: max(0, start-low), to: min(high, end) - low, err: r.batches[i].err}
			if cut.err == nil && cut.from >= cut.to {
				continue
			}
			if !yield(cut, nil) {
				return
			}
		}
	}
}

func (r *Reader) endsAt(row int64) bool {
	rows, exact := r.Rows()
	return exact && rows == row
}

// checkRange reads headers as far as it takes to know that the rows are there.
func (r *Reader) checkRange(start, end int64) error {
	if start >= 0 && start <= end {
		// Up to and including row end: the last slice has to know that it is.
		if err := r.indexTo(end); err != nil {
			return err
		}
		if end <= r.starts[len(r.starts)-1] {
			return nil
		}
	}
	for {
		done, err := r.IndexStep(64)
		if err != nil {
			return err
		}
		if done {
			return &RangeError{Start: start, End: end, Rows: r.starts[len(r.batches)]}
		}
	}
}

// SliceOptions say what WriteSlice copies and how. The zero value copies no
// rows of all columns, plain.
type SliceOptions struct {
	Start, End int64 // rows, half-open
	Columns    []int // by index, in the order wanted; nil: all, in file order
	Unique     bool  // only the rows at which the values of slower columns begin, see SliceUnique
	Format     Format
	Codec      Codec                   // Keep: as each batch has it
	Progress   func(done, total int64) // rows; nil: none

	// Yield is called before each batch, and inside one every few megabytes.
	// An error ends the writing, which returns it.
	Yield func() error
}

// workBytes is how many bytes are decoded or encoded between two calls of
// Yield: 20 ms in WebAssembly, where zstd does about 100 MB/s.
const workBytes = 2 << 20

// everyWork returns a function that counts bytes of work and calls yield, if
// there is one, every workBytes.
func everyWork(yield func() error) func(n int) error {
	done := 0
	return func(n int) error {
		if done += n; done < workBytes || yield == nil {
			return nil
		}
		done = 0
		return yield()
	}
}

// A SliceReport says what WriteSlice wrote and what it could not.
type SliceReport struct {
	Rows     int64     `json:"rows"`
	Batches  int       `json:"batches"`
	Bytes    int64     `json:"bytes"`     // of the file written
	LostRows int64     `json:"lost_rows"` // rows missing in the range, as far as known
	Findings []Finding `json:"findings"`  // by which they are missing; if there are any, data were lost
}

// Lost returns the findings by which data are missing from the rows
// [start, end): of those batches among them that touched says were met and did
// not hold, and of places between batches where others were lost. Such a place
// belongs to the row behind it, at the end of the file to the row before. rows
// is how many were lost at such places, as far as known.
func (r *Reader) Lost(start, end int64, touched func(batch int) bool) (lost []Finding, rows int64) {
	_ = r.Findings() // fills in what is known of them
	for _, f := range r.findings {
		if touched(f.Batch) {
			lost = append(lost, f)
		}
	}
	for _, f := range r.framing(func(v *messages.Verdict) bool { return !v.AtEnd }) { // what the end lacks was never in the range
		inside := f.BeforeRow >= start && (f.BeforeRow < end || f.BeforeRow == end && r.endsAt(end))
		if f.Severity == SeverityError && f.LostRows != 0 && inside {
			lost, rows = append(lost, f), rows+max(0, f.LostRows)
		}
	}
	sortFindings(lost)
	return lost, rows
}

// WriteSlice writes the rows [o.Start, o.End) of some columns as a file, or a
// stream, of their own: types, run ends, nulls, dictionaries, metadata and the
// borders of batches stay as they are. Damaged batches are left out; they, and
// what was lost between batches, are reported.
//
// It returns a *RangeError, a *ColumnError, an error that wraps ErrUnsupported
// where a file cannot hold what a stream can (dictionaries that change), or that
// of source, file or o.Yield; f then holds a part and is the caller's to remove.
func (r *Reader) WriteSlice(f File, o SliceOptions) (SliceReport, error) {
	report := SliceReport{Findings: []Finding{}}
	columns := o.Columns
	if columns == nil {
		columns = make([]int, len(r.schema.Fields))
		for i := range columns {
			columns[i] = i
		}
	}
	var u *unique
	var err error
	if o.Unique {
		if u, err = r.newUnique(o.Columns); err != nil {
			return SliceReport{}, err
		}
		columns = u.columns
	}
	if columns, err = r.checkColumns(columns); err != nil {
		return SliceReport{}, err
	}
	if err := r.checkRange(o.Start, o.End); err != nil {
		return SliceReport{}, err
	}
	schema := arrowipc.Schema{Metadata: r.schema.Metadata, Fields: make([]arrowipc.Field, len(columns))}
	for i, c := range columns {
		schema.Fields[i] = r.schema.Fields[c]
	}
	if u != nil {
		schema = u.schema()
	}
	codec := o.Codec
	if codec == Keep {
		codec = None // until a batch says its own
	}
	w, err := newSchemaWriter(f, schema, WriterOptions{Format: o.Format, Codec: codec})
	if err != nil {
		return SliceReport{}, err
	}
	w.metadata = r.metadata
	copied := r.newDictionaryCopy(w, schema.Fields, o)
	r.worked = everyWork(o.Yield)
	defer func() { r.worked = nil }()
	w.enc.worked = r.worked
	damaged := map[int]bool{}
	for cut, err := range r.cuts(o.Start, o.End) {
		if o.Yield != nil {
			if err := o.Yield(); err != nil {
				return SliceReport{}, err
			}
		}
		if err == nil {
			err = cut.err
		}
		if err == nil {
			err = copied.before(cut.batch)
		}
		switch {
		case err != nil:
		case u != nil:
			err = u.copyCut(w, cut, o.Codec)
		default:
			err = r.copyCut(w, cut, columns, o.Codec)
		}
		var corrupt *CorruptError
		switch {
		case errors.As(err, &corrupt):
			damaged[cut.batch] = true
			report.LostRows += cut.to - cut.from
		case err != nil:
			return SliceReport{}, err
		}
		if o.Progress != nil {
			o.Progress(min(cut.start+cut.to, o.End)-o.Start, o.End-o.Start)
		}
	}
	if err := w.Close(); err != nil {
		return SliceReport{}, err
	}
	lost, rows := r.Lost(o.Start, o.End, func(batch int) bool { return damaged[batch] })
	report.Findings = append(report.Findings, lost...)
	report.LostRows += rows
	report.Rows, report.Batches, report.Bytes = w.Rows(), w.Batches(), w.Size()
	return report, nil
}

// copyCut writes the rows of a cut.
func (r *Reader) copyCut(w *Writer, cut rowCut, columns []int, codec Codec) error {
	if codec == Keep {
		state := &r.batches[cut.batch]
		if cut.from == 0 && cut.to == state.rows {
			s, err := r.readStored(cut.batch, columns)
			if err == nil {
				return w.writeStored(s)
			}
			if err != errOldLayout {
				return err
			}
		}
		w.enc.codec = codecOf(state.codec)
	}
	b, err := r.readRows(cut.batch, cut.start, cut.from, cut.to, columns)
	if err != nil {
		return err
	}
	return w.WriteBatch(b.Rows, b.Columns)
}
