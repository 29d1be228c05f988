package recovery

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/recording"
)

// A Span is a part of a plan's output: Length bytes of the input from Offset,
// or Bytes where there are any.
type Span struct {
	Offset, Length int64
	Bytes          []byte // if not nil: these, and Length is their number
}

// A Plan says how to put a whole file together from a damaged one: its spans,
// one after the other. The input is never changed, and no data pass through
// memory to make the plan true: a program copies the spans, a page builds a
// Blob of slices.
type Plan struct {
	Spans  []Span
	Report Report

	// Complete says that the input was a complete file without damage: there
	// was nothing to recover, and the plan is to copy it.
	Complete bool

	yield      func() error
	pieces     []body.Piece // of the input, in its order
	changed    []int        // batches of the output that are not copied as they are
	inPlace    InPlace
	inPlaceErr error
}

// An Outcome says how a recovery went.
type Outcome string

// The outcomes.
const (
	Lossless Outcome = "lossless" // every row is kept, and nothing looks wrong
	Suspect  Outcome = "suspect"  // every row is kept, but some may not be what was written; Findings say which
	Lossy    Outcome = "lossy"    // rows or bytes of batches were left out; Findings say which
	Failed   Outcome = "failed"   // there is no plan
)

// A Report says what a recovery kept and what it left out. Its JSON is that of
// `recover --json`.
type Report struct {
	Input            string              `json:"input"`
	Output           string              `json:"output"`
	Outcome          Outcome             `json:"outcome"`
	BatchesRecovered int                 `json:"batches_recovered"`
	BatchesLost      int                 `json:"batches_lost"` // that are known of: 0 with BytesSkipped > 0 means that the number is unknown
	RowsRecovered    int64               `json:"rows_recovered"`
	BytesSkipped     int64               `json:"bytes_skipped"`              // of the input that are neither kept nor an old footer
	AcqClockHz       uint64              `json:"acq_clock_hz,omitempty"`     // of the ticks in Findings; 0: the file does not state it
	ColumnsLeftOut   []string            `json:"columns_left_out,omitempty"` // by a salvage: the output has the others
	Findings         []recording.Finding `json:"findings"`                   // in file order
}

// ErrNothingIntact is the cause of a Error when a file has batches and
// none of them is intact.
var ErrNothingIntact = errors.New("recording: no batch of the file is intact: look for a copy of the file from before the damage")

// ErrReplaced is the cause of a Error for a stream that an Arrow file
// cannot hold.
var ErrReplaced = errors.New("recording: a dictionary of the stream is replaced in its middle, which an Arrow file cannot have: recover it as a stream")

// A Error says why nothing could be recovered; its report lists what
// was found, with the outcome Failed.
type Error struct {
	Report Report
	Err    error // cause; test it with errors.Is
}

func (e *Error) Error() string {
	return "recording: nothing can be recovered: " + strings.TrimPrefix(e.Err.Error(), "recording: ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Size returns the bytes of the output.
func (p *Plan) Size() int64 {
	var size int64
	for i := range p.Spans {
		size += p.Spans[i].Length
	}
	return size
}

// Output returns the output as if it had been written already. input is what
// Recover was given; if it is a RangesReader, so is the output.
func (p *Plan) Output(input io.ReaderAt) io.ReaderAt {
	o := &output{spans: p.Spans, starts: make([]int64, len(p.Spans)), size: p.Size(), input: input}
	var at int64
	for i := range p.Spans {
		o.starts[i] = at
		at += p.Spans[i].Length
	}
	if ranges, ok := input.(recording.RangesReader); ok {
		return &rangesOutput{output: o, ranges: ranges}
	}
	return o
}

type output struct {
	spans  []Span
	starts []int64 // where in the output
	size   int64
	input  io.ReaderAt
}

func (o *output) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, recording.ErrBounds
	}
	n := 0
	err := o.each(p, off, func(part []byte, literal []byte, at int64) error {
		if literal != nil {
			n += copy(part, literal)
			return nil
		}
		k, err := o.input.ReadAt(part, at)
		n += k
		if k == len(part) {
			return nil
		}
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF // the input shrank since the plan was made
		}
		return err
	})
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

// each calls visit for the pieces of p that come from one span, in order.
func (o *output) each(p []byte, off int64, visit func(part, literal []byte, at int64) error) error {
	i := max(0, sort.Search(len(o.starts), func(i int) bool { return o.starts[i] > off })-1)
	for ; len(p) > 0 && off < o.size && i < len(o.spans); i++ {
		s := &o.spans[i]
		skip := off - o.starts[i]
		part := p[:min(int64(len(p)), s.Length-skip)]
		var literal []byte
		if s.Bytes != nil {
			literal = s.Bytes[skip:]
		}
		if len(part) > 0 {
			if err := visit(part, literal, s.Offset+skip); err != nil {
				return err
			}
		}
		p, off = p[len(part):], off+int64(len(part))
	}
	return nil
}

// rangesOutput hands the input's ranges on together.
type rangesOutput struct {
	*output
	ranges recording.RangesReader
}

func (o *rangesOutput) ReadRanges(offsets []int64, bufs [][]byte) error {
	var at []int64
	var parts [][]byte
	for i, p := range bufs {
		if offsets[i] < 0 || offsets[i] > o.size-int64(len(p)) {
			return recording.ErrBounds
		}
		_ = o.each(p, offsets[i], func(part, literal []byte, from int64) error {
			if literal != nil {
				copy(part, literal)
				return nil
			}
			at, parts = append(at, from), append(parts, part)
			return nil
		})
	}
	if len(parts) == 0 {
		return nil
	}
	return o.ranges.ReadRanges(at, parts)
}

// Verify walks over the output as a reader would: it has its footer, every
// header is valid, nothing is lost, and batches and rows are those of the
// report. Batches that the plan copies as they are were decoded when it was
// made; those that it changes are read, every value. Nothing counts as
// recovered before it returned nil, and Check, where the output is written.
func (p *Plan) Verify(input io.ReaderAt) error {
	output := p.Output(input)
	l, err := walkOver(output, p.Size(), p.yield)
	if err != nil {
		return fmt.Errorf("recovery: the recovered file does not open: %w", err)
	}
	for i := range l.Verdicts {
		if v := &l.Verdicts[i]; v.Kind == messages.Loss || v.Kind == messages.Note && !v.Harmless {
			return fmt.Errorf("recovery: the recovered file is not whole: byte %d: %s", v.At, v.Reason)
		}
	}
	if err := p.compare(l); err != nil || len(p.changed) == 0 {
		return err
	}
	r, err := recording.NewReader(output, p.Size())
	if err != nil {
		return fmt.Errorf("recovery: the recovered file does not open: %w", err)
	}
	for _, i := range p.changed {
		if err := readWhole(r, i, p.yield); err != nil {
			return err
		}
	}
	return nil
}

// VerifyFraming compares a file that was made whole in place with the plan: it
// opens with its footer, every header is valid, and batches and rows are those
// of the report. Bodies are not read.
func (p *Plan) VerifyFraming(file io.ReaderAt, size int64) error {
	l, err := walkOver(file, size, p.yield)
	if err != nil {
		return err
	}
	return p.compare(l)
}

// walkOver walks over a file.
func walkOver(file io.ReaderAt, size int64, yield func() error) (*messages.Layout, error) {
	w := body.Window{File: file, Size: size, Scattered: true}
	src := &messages.Source{Size: size, ReadAt: w.Fill, Step: func(int64) error {
		if yield == nil {
			return nil
		}
		return yield()
	}}
	ends, err := messages.FindEnds(src, &messages.Options{})
	if err != nil {
		return nil, err
	}
	return messages.Walk(src, ends)
}

// compare compares what is there with what was promised.
func (p *Plan) compare(l *messages.Layout) error {
	batches, rows := 0, int64(0)
	for i := range l.Verdicts {
		if v := &l.Verdicts[i]; v.Kind == messages.Batch {
			batches, rows = batches+1, rows+v.Rows
		}
	}
	if want := &p.Report; !(l.Footer != nil || l.Stream && l.Ended) || batches != want.BatchesRecovered || rows != want.RowsRecovered {
		return fmt.Errorf("recovery: %d batches and %d rows are there, not %d and %d", batches, rows, p.Report.BatchesRecovered, p.Report.RowsRecovered)
	}
	return nil
}

// groupBytes is how much of a batch Verify holds in memory at once.
const groupBytes = 16 << 20

// readWhole reads every value of a batch, some columns at a time.
func readWhole(r *recording.Reader, i int, yield func() error) error {
	start, end, err := r.BatchRange(i)
	if err != nil {
		return err
	}
	var group []int
	var bytes int64
	flush := func() error {
		if len(group) == 0 {
			return nil
		}
		// A column too large for one read was decoded when the plan was made.
		if _, err := r.ReadBatch(i, group); err != nil && !errors.Is(err, recording.ErrTooLarge) {
			return err
		}
		group, bytes = group[:0], 0
		if yield == nil {
			return nil
		}
		return yield()
	}
	columns := r.Stream().Columns
	for c := range columns {
		size := (end - start) * int64(columns[c].ByteWidth)
		if size == 0 { // text and the like: one by one
			size = groupBytes
		}
		if bytes+size > groupBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		group, bytes = append(group, c), bytes+size
	}
	return flush()
}
