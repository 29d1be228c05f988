package recording

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

// A rowCut is the part of one batch that lies in a range of rows.
type rowCut struct {
	batch    int
	start    int64 // row number of the batch's first row
	from, to int64 // rows of the batch
	err      error // the batch's header is not valid: it has no rows
}

// cuts checks the range and goes over the batches that meet it; empty says that
// batches without rows are among them.
func (r *Reader) cuts(start, end int64, empty bool) iter.Seq2[rowCut, error] {
	return func(yield func(rowCut, error) bool) {
		if err := r.checkRange(start, end); err != nil {
			yield(rowCut{}, err)
			return
		}
		first := 0
		if start < end {
			var err error
			if first, err = r.BatchAt(start); err != nil {
				yield(rowCut{}, err)
				return
			}
		} else if !empty || end > 0 || !r.endsAt(end) { // a file of batches without rows
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
			cut := rowCut{batch: i, start: low, from: max(0, start-low), to: min(high, end) - low, err: r.odd.failed[i]}
			if cut.err == nil && cut.from >= cut.to && !(empty && low == high) {
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
	rows, err := r.allRows(context.Background())
	if err != nil {
		return err
	}
	return &RangeError{Start: start, End: end, Rows: rows}
}

// CopyOptions say how Copy writes. The zero value writes a file of plain bodies.
type CopyOptions struct {
	Format   Format
	Codec    Codec                   // Keep: as each batch has it
	Progress func(done, total int64) // rows of the recording; nil: none
}

// workBytes is how many bytes are decoded or encoded between two looks at a
// context: 20 ms in WebAssembly, where zstd does about 100 MB/s.
const workBytes = 2 << 20

// everyWork returns a function that counts bytes of work and asks a context
// every workBytes.
func everyWork(ctx context.Context) func(n int) error {
	done := 0
	return func(n int) error {
		if done += n; done < workBytes {
			return nil
		}
		done = 0
		return ctx.Err()
	}
}

// A CopyReport says what Copy wrote and what it could not.
type CopyReport struct {
	Rows     int64     `json:"rows"`
	Batches  int       `json:"batches"`
	Bytes    int64     `json:"bytes"`     // of the file written
	LostRows int64     `json:"lost_rows"` // rows missing in the excerpt, as far as known
	Findings []Finding `json:"findings"`  // by which they are missing; if there are any, data were lost
}

// lost returns the findings by which data are missing from the rows
// [start, end): met of those batches among them that touched says were met and
// were not intact, between of places between batches where others were lost.
// Such a place belongs to the row after it, at the end of the file to the row
// before.
func (r *Reader) lost(start, end int64, touched func(batch int) bool) (met, between []Finding) {
	_ = r.Findings() // fills in what is known of them
	for _, f := range r.findings {
		if touched(f.Batch) {
			met = append(met, f)
		}
	}
	for _, f := range r.framing(func(v *messages.Verdict) bool { return !v.AtEnd }) { // what the end lacks was never in the range
		inside := f.BeforeRow >= start && (f.BeforeRow < end || f.BeforeRow == end && r.endsAt(end))
		if f.Severity == SeverityError && f.LostRows != 0 && inside {
			between = append(between, f)
		}
	}
	return met, between
}

// Copy writes an excerpt as a file, or a stream, of its own: types, run ends,
// nulls, dictionaries, metadata and the borders of batches stay as they are.
// Damaged batches are left out; they, and what was lost between batches, are
// reported, as by [Excerpt.Lost]. o may be nil.
//
// It returns an error that wraps ErrUnsupported where a file cannot hold what a
// stream can (dictionaries that change), or that of source, file or ctx; f then
// holds a part and is the caller's to remove. ctx is asked before each batch, and
// inside one every few megabytes.
func Copy(ctx context.Context, f File, x *Excerpt, o *CopyOptions) (CopyReport, error) {
	if o == nil {
		o = &CopyOptions{}
	}
	r := x.r
	schema := arrowipc.Schema{Metadata: r.schema.Metadata, Fields: make([]arrowipc.Field, len(x.columns))}
	for i, c := range x.columns {
		schema.Fields[i] = r.schema.Fields[c]
	}
	if x.unique != nil {
		schema = x.unique.schema()
	}
	if err := schema.Check(); err != nil {
		return CopyReport{}, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	codec := o.Codec
	if codec == Keep {
		codec = None // until a batch says its own
	}
	w, err := newSchemaWriter(f, schema, WriterOptions{Format: o.Format, Codec: codec})
	if err != nil {
		return CopyReport{}, err
	}
	w.metadata = r.metadata
	copied := newDictionaryCopy(w, schema.Fields, x, o)
	r.worked = everyWork(ctx)
	defer func() { r.worked = nil }()
	w.enc.worked = r.worked
	x.damaged, x.leftOut = nil, 0
	done, total := int64(0), x.Len()
	for cut, err := range x.cuts(x.unique == nil) {
		if err := ctx.Err(); err != nil {
			return CopyReport{}, err
		}
		if err == nil {
			err = cut.err
		}
		rows := max(0, cut.to-cut.from)
		if err == nil {
			err = copied.before(cut.batch)
		}
		switch {
		case err != nil:
		case x.unique != nil:
			err = x.unique.copyCut(w, cut, o.Codec)
		default:
			err = r.copyCut(w, cut, x.columns, o.Codec)
			if step := x.pieceRows(cut.batch); errors.Is(err, ErrTooLarge) && step < cut.to-cut.from {
				cut.from, err = r.copyPieces(ctx, w, cut, x.columns, o.Codec, step)
			}
		}
		var corrupt *CorruptError
		switch {
		case errors.As(err, &corrupt):
			x.lose(cut)
		case err != nil:
			return CopyReport{}, err
		}
		if done += rows; o.Progress != nil {
			o.Progress(done, total)
		}
	}
	if err := w.Close(); err != nil {
		return CopyReport{}, err
	}
	report := CopyReport{Rows: w.Rows(), Batches: w.Batches(), Bytes: w.Size(), Findings: []Finding{}}
	lost, rows := x.Lost()
	report.Findings, report.LostRows = append(report.Findings, lost...), rows
	return report, nil
}

// Keys of a batch's custom metadata that are ours.
const (
	GapKey     = "oniscope.gap"     // rows that are missing before the batch
	pyramidKey = "oniscope.pyramid" // of all columns and rows of the batch
)

// survivingKeys are the custom metadata of a batch that are true of a copy of
// some of its rows and columns: FORMAT.md says which.
func survivingKeys(all []arrowipc.KeyValue, first, whole bool) (list []arrowipc.KeyValue) {
	for _, e := range all {
		if e.Key == GapKey && !first || e.Key == pyramidKey && !whole {
			continue
		}
		list = append(list, e)
	}
	return list
}

// inOrder reports whether columns are all n of the file, as they are there.
func inOrder(columns []int, n int) bool {
	for i, c := range columns {
		if i != c {
			return false
		}
	}
	return len(columns) == n
}

// copyPieces writes the rows of a cut that are too many to be read at once, as batches
// of so many rows, and returns the first row that was not.
func (r *Reader) copyPieces(ctx context.Context, w *Writer, cut rowCut, columns []int, codec Codec, step int64) (from int64, err error) {
	for from = cut.from; from < cut.to; from += step {
		if err := ctx.Err(); err != nil {
			return from, err
		}
		piece := cut
		piece.from, piece.to = from, min(cut.to, from+step)
		if err := r.copyCut(w, piece, columns, codec); err != nil {
			return from, err
		}
	}
	return cut.to, nil
}

// copyCut writes the rows of a cut.
func (r *Reader) copyCut(w *Writer, cut rowCut, columns []int, codec Codec) error {
	h, err := r.header(cut.batch)
	if err != nil {
		return err
	}
	state := &r.batches[cut.batch]
	all := cut.from == 0 && cut.to == state.rows()
	metadata := survivingKeys(h.metadata, cut.from == 0, all && inOrder(columns, len(r.schema.Fields)))
	if codec == Keep {
		if all {
			s, err := r.readStored(cut.batch, columns)
			if err == nil {
				s.metadata = metadata
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
	r.watch(&cut, b.Columns)
	_, err = w.writeRows(b.Rows, b.Columns, metadata)
	return err
}
