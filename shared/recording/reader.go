package recording

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/internal/parallel"
	"github.com/oniscope/oniscope/shared/stream"
)

// A RangesReader reads several ranges at once: bufs[i] is filled from offset
// offsets[i]. It returns an error unless all are filled. A ReaderAt that can
// do so side by side, as a browser can, implements it.
type RangesReader interface {
	ReadRanges(offsets []int64, bufs [][]byte) error
}

// An ExactRangesReader is a RangesReader that reads bytes between ranges besides, where
// that takes fewer reads, unless it is told not to. Values are read so: of headers and
// ends of clocks there are many, and little between them.
type ExactRangesReader interface {
	ReadExactRanges(offsets []int64, bufs [][]byte) error
}

// Bytes is a file that is in memory, or mapped into it. A Reader of it copies
// nothing out: the Data of plain columns are parts of it, which nobody writes to.
type Bytes []byte

// ReadAt copies, as io.ReaderAt asks for.
func (b Bytes) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// A State says how a file ends and whether it is intact.
type State string

// The states of `info --json`. A Reader never says BeingWritten: only who sees the
// recorder's lock, or is told by the recorder, knows.
const (
	Complete   State = "complete"   // footer valid, nothing damaged as far as looked
	Unfinished State = "unfinished" // no valid footer; everything that is there is intact
	Damaged    State = "damaged"

	BeingWritten State = "open"
)

// Counters count bytes asked of the ReaderAt.
type Counters struct {
	Body     int64 // of columns
	Metadata int64 // of footer, schema and batch headers
}

// A Reader reads one recording, of any writer: Arrow IPC file or stream
// format, plain, zstd or LZ4, with or without a footer.
//
// Rows are numbered over all batches whose header is valid, so that damage inside
// a body does not renumber what follows; a batch without a valid header has no
// rows. Damage is found where it is touched, and kept as a Finding.
//
// One goroutine at a time may call it, its iterators included.
type Reader struct {
	src    io.ReaderAt
	ranges RangesReader // nil: src only
	memory Bytes        // src itself if it is in memory
	size   int64        // of the file
	end    int64        // no message reaches beyond: the footer's start, or size
	footer bool         // valid, or the end mark of a stream
	read   Counters

	ends         *messages.Ends
	walked       *messages.Layout // nil: the footer is believed, and nothing has contradicted it
	contradicted bool             // a header is not as the footer says
	growing      bool             // opened by the index of its writer
	generation   int              // of the list of batches: it changes if the footer proves wrong, and when it grows

	schema   arrowipc.Schema
	metadata []arrowipc.KeyValue // of the footer
	version  int16
	stream   stream.Stream
	gains    map[string]float64 // of signals, that the file does not state
	clock    int                // index of the column Clock, or -1
	clocks   *followed          // what they say of the recording; nil: nobody has asked

	blocks   []arrowipc.Block // of the batches, as a footer lists them
	batches  []batchState
	odd      exceptions
	ticks    tickEnds
	verdicts []int32 // of the walk, in which each batch is
	starts   []int64 // row numbers of the batches indexed so far and of their end
	headers  headerCache
	rhythms  map[int]rhythm  // of the columns measured so far
	scratch  scratch         // of the headers read last
	spans    []arrowipc.Span // of the header checked last
	open     opening         // while it is opened
	findings []Finding       // of batches that were read
	filled   int             // findings whose rows and clocks are known

	decoders []body.Decompressor // of each worker
	flows    flows               // of buffers that are decoded in pieces

	dictionaries dictionaries
	worked       func(n int) error // called with the number of bytes decoded while a slice is written; may be nil
}

// Options let a caller follow a long opening, and help with a file that has lost
// its schema. The zero value, or nil, does neither.
type Options struct {
	// Progress is called with how many bytes of the file have been walked
	// over, where a file without a footer, or a stream, is walked from batch to
	// batch.
	Progress func(done, total int64)
	// SchemaFrom is another file of the same stream: its schema is taken if
	// this one has none that can be read, neither in front nor in a footer.
	SchemaFrom *Reader
	// Index says where the batches are of a file that is being written; nil: it
	// is not, or nobody knows. Of one with a footer it is not asked. Grow takes
	// in those that come.
	Index []Block
}

// An opening is what a Reader needs while it is opened.
type opening struct {
	Options
	ctx context.Context
}

// NewReader is Open without options, and nothing ends it.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	return Open(context.Background(), r, size, nil)
}

// Open opens the recording in the first size bytes of r.
//
// With a valid footer it reads the footer and the first and last batch header;
// without one, the headers of all batches; ctx is asked now and then. Where one
// is not valid, the bytes after it are searched for the next. If r is also a
// RangesReader, the ranges of a batch are asked for together.
//
// It returns ErrEmpty, ErrNotArrow, ErrNoSchema, ErrSchemaLost or ErrBigEndian
// (wrapped), a *CorruptError if the schema is damaged, or the error of r or of
// ctx. Damaged batches are no error here: see Findings.
func Open(ctx context.Context, r io.ReaderAt, size int64, o *Options) (*Reader, error) {
	rd := &Reader{decoders: make([]body.Decompressor, parallel.Workers()), src: r, size: size, end: size, clock: -1, open: opening{ctx: ctx}}
	if o != nil {
		rd.open.Options = *o
	}
	rd.ranges, _ = r.(RangesReader)
	rd.memory, _ = r.(Bytes)
	err := rd.openEnds()
	rd.open = opening{}
	if err != nil {
		return nil, err
	}
	return rd, rd.doubtTime()
}

// doubtTime gives a time axis up that nobody asked for if its rows have nulls where the
// first batch and the last one are looked at.
func (r *Reader) doubtTime() error {
	if r.stream.TimeColumn == "" || len(r.batches) == 0 {
		return nil
	}
	for _, i := range []int{0, len(r.batches) - 1} {
		h, err := r.header(i)
		if err == nil && h.batch.Nodes[h.spans[r.clock].Node].NullCount != 0 {
			r.clock = -1
			r.keepTime()
			r.stream.Columns = nil
			return nil
		}
		if err != nil && !isCorrupt(err) {
			return err
		}
	}
	return nil
}

// step reports how far a walk is, and asks whether to go on.
func (r *Reader) step(at int64) error {
	if r.open.Progress != nil {
		r.open.Progress(min(at, r.size), r.size)
	}
	if r.open.ctx != nil {
		return r.open.ctx.Err()
	}
	return nil
}

// setSchema takes over the schema from footer or message.
func (r *Reader) setSchema(s *arrowipc.Schema, version int16) {
	r.schema, r.version = *s, version
	r.stream = stream.FromMetadata(body.StreamKeyValues(s.Metadata))
	if r.clock = r.tickColumn(stream.ClockName); r.clock < 0 {
		r.clock = body.ClockField(&r.schema)
	}
	r.keepTime()
}

// keepTime takes over what a column of timestamps says of its ticks, in place of what the
// one before said. With a zone they are since 1970 in UTC; without one nobody knows whose
// time it is.
func (r *Reader) keepTime() {
	s := &r.stream
	if i := r.fieldIndex(s.TimeColumn); s.TimeColumn != "" && i >= 0 && body.TimeHz(&r.schema.Fields[i]) > 0 {
		own := stream.FromMetadata(body.StreamKeyValues(r.schema.Metadata))
		s.AcqClockHz, s.StartUTC, s.StartClock = own.AcqClockHz, own.StartUTC, own.StartClock
	}
	s.TimeColumn = ""
	if r.clock < 0 || r.schema.Fields[r.clock].Name == stream.ClockName {
		return
	}
	f := &r.schema.Fields[r.clock]
	s.TimeColumn = f.Name
	if hz := body.TimeHz(f); hz > 0 {
		s.AcqClockHz, s.StartUTC, s.StartClock = hz, "", 0
		if f.Type.Timezone != "" {
			s.StartUTC = time.Unix(0, 0).UTC().Format(time.RFC3339)
		}
	}
}

// SetTimeColumn says which column takes the place of Clock: one of timestamps, or of
// other 64-bit integers that rise. It returns a *ColumnError, or an error that says
// why the column has no times.
func (r *Reader) SetTimeColumn(name string) error {
	columns, err := MatchColumns(r.names(), []string{name})
	if err != nil {
		return err
	}
	if len(columns) != 1 || !r.typeOf(columns[0]).Ticks() {
		return fmt.Errorf("recording: %s: a time axis is one column of timestamps, or of 64-bit integers that rise", name)
	}
	r.clock, r.clocks, r.ticks = columns[0], nil, tickEnds{}
	r.keepTime()
	r.stream.Columns = nil
	return nil
}

// TimeColumns are the names of the columns of timestamps, of which one may take the
// place of Clock.
func (r *Reader) TimeColumns() (names []string) {
	for i, name := range r.names() {
		if body.IsTime(&r.schema.Fields[i]) {
			names = append(names, name)
		}
	}
	return names
}

// Stream returns what is known of the stream, columns in file order: what the
// file says, what SetClock said, and units, scales and strides that names and
// types settle (see stream.Stream.FillIn). The columns are shared: nobody writes
// to them. Copy copies the file's own words.
func (r *Reader) Stream() stream.Stream {
	if r.stream.Columns == nil { // hundreds of them, which many callers never ask for
		r.stream.Columns = make([]stream.Column, len(r.schema.Fields))
		for i := range r.stream.Columns {
			body.Describe(&r.stream.Columns[i], &r.schema.Fields[i])
		}
		r.stream.FillIn()
		for group, gain := range r.gains {
			r.stream.SetGain(group, gain)
		}
	}
	return r.stream
}

// StatesScale reports whether the file itself says what a column's values mean.
func (r *Reader) StatesScale(column int) bool {
	var c stream.Column
	body.Describe(&c, &r.schema.Fields[column])
	return c.Unit != "" || c.Scale != 0
}

// SetGain says the gain of a signal (see stream.Stream.SetGain) that the file does
// not state; 0 takes it back. It reports whether the signal takes one.
func (r *Reader) SetGain(group string, gain float64) bool {
	before, was := r.gains[group]
	delete(r.gains, group)
	r.stream.Columns = nil
	about := r.Stream()
	if gain == 0 {
		return true
	}
	about.Columns = slices.Clone(about.Columns)
	if !about.SetGain(group, gain) {
		if was {
			r.gains[group] = before
		}
		return false
	}
	if r.gains == nil {
		r.gains = map[string]float64{}
	}
	r.gains[group] = gain
	r.stream.Columns = nil
	return true
}

// SetClock says what the file may not: the rate of Clock in ticks a second, and
// when the recording started. 0 and the zero time leave what the file says.
func (r *Reader) SetClock(hz uint64, start time.Time) {
	timed := r.clock >= 0 && body.TimeHz(&r.schema.Fields[r.clock]) > 0 // the column says it
	if hz != 0 && !timed {
		r.stream.AcqClockHz = hz
	}
	if !timed && !start.IsZero() {
		r.stream.StartUTC = start.UTC().Format(time.RFC3339Nano)
	}
	r.stream.Columns = nil // units follow from rates
}

// Adopt takes over what SetClock, SetTimeColumn and SetGain said of another reader of the
// same file.
func (r *Reader) Adopt(other *Reader) {
	if r.clock != other.clock {
		r.clock, r.clocks, r.ticks = other.clock, nil, tickEnds{}
	}
	s, said := &r.stream, &other.stream
	s.TimeColumn, s.AcqClockHz, s.StartUTC, s.StartClock = said.TimeColumn, said.AcqClockHz, said.StartUTC, said.StartClock
	s.Columns, r.gains = nil, maps.Clone(other.gains)
}

// tickColumn returns the column of a clock, or -1: stream.Stream.Clock without
// the columns described.
func (r *Reader) tickColumn(name string) int {
	if i := r.fieldIndex(name); i >= 0 && r.typeOf(i).Ticks() {
		return i
	}
	return -1
}

// layout says how a column is stored and what its values are in memory.
func (r *Reader) layout(column int) (body.Layout, stream.Type) {
	return body.LayoutOf(&r.schema.Fields[column])
}

func (r *Reader) typeOf(column int) stream.Type {
	_, typ := r.layout(column)
	return typ
}

func (r *Reader) runEnd(column int) bool {
	l, _ := r.layout(column)
	return l.RunEnd
}

// fieldIndex returns the first column of that name, or -1. A search costs less
// than a map of all names, which every opening would have to make.
func (r *Reader) fieldIndex(name string) int {
	for i := range r.schema.Fields {
		if r.schema.Fields[i].Name == name {
			return i
		}
	}
	return -1
}

// NumBatches returns the number of batches, damaged ones included.
func (r *Reader) NumBatches() int { return len(r.batches) }

// BytesRead returns what has been read so far.
func (r *Reader) BytesRead() Counters { return r.read }

// An About is what is known of a file without reading more of it.
type About struct {
	Format Format
	Size   int64 // bytes
	State  State // damage of batches is known once they were touched
	Footer bool  // valid; of a stream, its end mark

	// Codecs are those of the batches whose header has been read, in the order
	// in which they come first. Reading does not depend on them.
	Codecs   []Codec
	Metadata map[string]string // of the schema, as it is in the file
}

// About returns what is known of the file so far.
func (r *Reader) About() About {
	a := About{Format: FileFormat, Size: r.size, State: r.state(), Footer: r.footer, Codecs: r.codecs(), Metadata: make(map[string]string, len(r.schema.Metadata))}
	if r.ends.Stream {
		a.Format = StreamFormat
	}
	for _, e := range r.schema.Metadata {
		a.Metadata[e.Key] = e.Value
	}
	return a
}

// Compression names the codecs ("zstd, none"); "none" before any is known.
func (a *About) Compression() string {
	if len(a.Codecs) == 0 {
		return None.String()
	}
	names := make([]string, len(a.Codecs))
	for i, c := range a.Codecs {
		names[i] = c.String()
	}
	return strings.Join(names, ", ")
}

func (r *Reader) codecs() []Codec {
	var list []Codec
	for i := range r.batches {
		b := &r.batches[i]
		if b.checked && (i == 0 || b.codec != r.batches[i-1].codec || len(list) == 0) {
			if c := codecOf(b.codec); !slices.Contains(list, c) {
				list = append(list, c)
			}
		}
	}
	return list
}

func (r *Reader) state() State {
	for i := range r.findings {
		if r.findings[i].Severity == SeverityError {
			return Damaged
		}
	}
	if r.walked != nil {
		return stateOf(r.walked)
	}
	if r.growing {
		return Unfinished
	}
	return Complete
}

// stateOf is the state of a file by its framing.
func stateOf(l *messages.Layout) State {
	for i := range l.Verdicts {
		if v := &l.Verdicts[i]; v.Severity > messages.Info && !v.AtEnd && !v.Suspect {
			return Damaged
		}
	}
	if l.Footer != nil || l.Stream && l.Ended {
		return Complete
	}
	return Unfinished
}

// readAt reads n bytes at off, which lie inside the file, and counts them. They
// are not to be written to.
func (r *Reader) readAt(off, n int64, counter *int64) ([]byte, error) {
	if off < 0 || n < 0 || n > r.size-off {
		return nil, &CorruptError{Offset: off, Batch: -1, Err: ErrBounds}
	}
	if n <= int64(len(r.memory))-off {
		*counter += n
		return r.memory[off : off+n : off+n], nil
	}
	p := make([]byte, n)
	if err := r.readFull(p, off, counter); err != nil {
		return nil, err
	}
	return p, nil
}

// readFull is readAt into memory that is there.
func (r *Reader) readFull(p []byte, off int64, counter *int64) error {
	if off < 0 || int64(len(p)) > r.size-off {
		return &CorruptError{Offset: off, Batch: -1, Err: ErrBounds}
	}
	n, err := r.src.ReadAt(p, off)
	*counter += int64(n)
	if n == len(p) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF // the file is shorter than it was said to be
	}
	return fmt.Errorf("recording: reading %d bytes at %d: %w", len(p), off, err)
}

// A piece is a range of the file to read: n bytes at off.
type piece struct {
	off, n int64
	data   []byte
}

// projection is how columns are read: a projected read costs at most 1.05 times
// what the columns take, of which a hundredth is left to who reads a row beyond.
var projection = ReadRule{Gap: math.MaxInt64, Share: 25}

// fetch fills the data of all pieces, which lie inside the file. Neighbours are
// read as one as long as the bytes between them are less than 4 % of what is
// wanted.
func (r *Reader) fetch(pieces []*piece, counter *int64) error {
	return r.fetchInto(pieces, counter, nil)
}

// fewRows is how small pieces of batches of a few rows are read: with the headers
// between them, for a read takes as long as 10 kB of one.
var fewRows = ReadRule{Gap: nearBytes}

// fetchNear is fetch of pieces of columns of which many may be tiny, from a source
// that reads one after the other. What is read between them counts as headers. exact says
// that the source is to add no bytes of its own.
func (r *Reader) fetchNear(pieces []*piece, exact bool) error {
	total := int64(0)
	for _, p := range pieces {
		total += p.n
	}
	if r.memory != nil || r.ranges != nil || len(pieces) < 2 || total > nearBytes*int64(len(pieces)) {
		return r.fetchBy(projection, pieces, &r.read.Body, nil, exact)
	}
	var read int64
	if err := r.fetchBy(fewRows, pieces, &read, nil, false); err != nil {
		return err
	}
	r.read.Body += total
	r.read.Metadata += max(0, read-total)
	return nil
}

// fetchInto is fetch into memory that is lent, and grown where it is too small;
// nil: into new memory.
func (r *Reader) fetchInto(pieces []*piece, counter *int64, lent *[]byte) error {
	return r.fetchBy(projection, pieces, counter, lent, false)
}

func (r *Reader) fetchBy(rule ReadRule, pieces []*piece, counter *int64, lent *[]byte, exact bool) error {
	if r.memory != nil {
		for _, p := range pieces {
			var err error
			if p.data, err = r.readAt(p.off, p.n, counter); err != nil {
				return err
			}
		}
		return nil
	}
	for _, p := range pieces {
		p.data = []byte{} // of those that take no read
	}
	plan := PlanReads(len(pieces), func(i int) (int64, int64) { return pieces[i].off, pieces[i].n }, rule)
	if r.ranges != nil && lent == nil {
		plan = inSmallBuffers(plan)
	}
	bufs := make([][]byte, len(plan))
	if r.ranges == nil || len(plan) <= 1 {
		var room []byte
		if lent != nil {
			total := int64(0)
			for _, read := range plan {
				total += read.To - read.From
			}
			*lent = body.Grown(*lent, min(total, r.size))
			room = *lent
		}
		for i, read := range plan {
			var err error
			n := read.To - read.From
			if n <= int64(len(room)) {
				bufs[i], room = room[:n:n], room[n:]
				err = r.readFull(bufs[i], read.From, counter)
			} else {
				bufs[i], err = r.readAt(read.From, n, counter)
			}
			if err != nil {
				return err
			}
		}
	} else {
		offsets := make([]int64, len(plan))
		var total int64
		for i, read := range plan {
			if read.From < 0 || read.To > r.size {
				return &CorruptError{Offset: read.From, Batch: -1, Err: ErrBounds}
			}
			offsets[i], bufs[i] = read.From, make([]byte, read.To-read.From)
			total += read.To - read.From
		}
		read := r.ranges.ReadRanges
		if strict, ok := r.ranges.(ExactRangesReader); ok && exact {
			read = strict.ReadExactRanges
		}
		if err := read(offsets, bufs); err != nil {
			return fmt.Errorf("recording: reading %d bytes in %d ranges: %w", total, len(plan), err)
		}
		*counter += total
	}
	for i, read := range plan {
		for _, part := range read.Parts {
			from := part.At - read.From
			pieces[part.Index].data = bufs[i][from : from+part.Length : from+part.Length]
		}
	}
	return nil
}
