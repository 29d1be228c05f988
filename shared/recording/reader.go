package recording

import (
	"context"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/internal/parallel"
	"github.com/oniscope/oniscope/shared/stream"
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
	said         bool             // the rows of batches were told, by their writer or by another Reader
	generation   int              // of the list of batches: it changes if the footer proves wrong, and when it grows

	schema   arrowipc.Schema
	metadata []arrowipc.KeyValue // of the footer
	version  int16
	stream   stream.Stream
	gains    map[string]float64 // of signals, that the file does not state
	clock    int                // index of the column Clock, or -1
	clocks   *followed          // what they say of the recording; nil: nobody has asked

	blocks   []arrowipc.Block // of the batches, as a footer or a recorder lists them; see blockOf
	verdicts []int32          // of the walk, in which each batch is: in place of blocks
	batches  []batchState
	odd      exceptions
	ticks    tickEnds
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
	watcher      Watcher           // of what copies and exports decode
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
	// Index says where the batches are, and what is in them, as the writer of a file
	// without a footer knows it, or Reader.Blocks of another Reader of the same file;
	// nil: nobody does. Where a footer lists other batches it is not asked. Grow takes
	// in those that come to a file that is being written.
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
