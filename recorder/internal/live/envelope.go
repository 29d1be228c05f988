package live

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"unsafe"

	"github.com/oniscope/oniscope/shared/decimate"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A message is a recording.File that keeps the last write, which is one Arrow IPC
// message.
type message struct{ data []byte }

func (m *message) Write(p []byte) (int, error) {
	m.data = append(m.data[:0], p...)
	return len(p), nil
}

// Truncate is never needed: a write into memory does not fail.
func (m *message) Truncate(int64) error { return io.ErrClosedPipe }

// A shown is what one client sees of one stream: columns, and how wide a bin is.
type shown struct {
	id      int // of the client's
	src     *source
	columns []int
	bin     uint64 // ticks; 0: every row
	clock   int

	message message
	writer  *recording.Writer
	written int
	layout  stream.Stream
	vectors []recording.Vector

	openAt uint64         // tick of the bin that is not over
	open   []decimate.Bin // by column: what it has so far
	bins   []decimate.Bin
	cells  [7][]byte // by column of the layout
}

// renewAfter is how many batches a writer makes before it is replaced: it keeps
// where each was.
const renewAfter = 1000

func newShown(id int, src *source, columns []int, bin uint64) *shown {
	s := &shown{id: id, src: src, columns: columns, bin: bin, clock: src.stream.Column(stream.ClockName)}
	s.layout = stream.Stream{Name: src.stream.Name, Columns: []stream.Column{{Name: stream.ClockName, Type: stream.Uint64, ArrowType: "uint64", ByteWidth: 8}}}
	if bin > 0 {
		s.layout.Columns, s.open = nil, make([]decimate.Bin, len(columns))
		for _, c := range []struct {
			name string
			of   stream.Type
		}{{"Bin", stream.Uint32}, {"Column", stream.Uint16}, {"Rows", stream.Uint32}, {"Min", stream.Float32}, {"Max", stream.Float32}, {"Mean", stream.Float32}, {"SD", stream.Float32}} {
			s.layout.Columns = append(s.layout.Columns, stream.Column{Name: c.name, Type: c.of, ArrowType: c.of.String(), ByteWidth: c.of.Width()})
		}
	} else {
		for _, c := range columns {
			column := src.stream.Columns[c]
			column.RunEnd = false
			s.layout.Columns = append(s.layout.Columns, column)
		}
	}
	s.vectors = make([]recording.Vector, len(s.layout.Columns))
	return s
}

// schema is the Arrow IPC message that says what the batches have.
func (s *shown) schema() []byte { return schemaMessage(&s.layout) }

// A header is what comes before the Arrow IPC message of a binary message.
type header struct {
	Show    int    `json:"show"`
	Stream  string `json:"stream"`
	Bin     uint64 `json:"bin"`     // ticks; 0: the batch has Clock and the columns, row by row
	From    uint64 `json:"from"`    // else: tick of bin 0, and the batch has a row for each column and bin, column after column
	Skipped uint64 `json:"skipped"` // rows of the stream that found no room so far
}

// encode makes the message for a piece: the length of a JSON header, the header,
// and the batch, which begins at a multiple of 8. It returns nil for a piece from
// before something was asked for.
func (s *shown) encode(p *piece) []byte {
	ticks := numbers[uint64](p.columns[s.clock])
	if len(ticks) == 0 {
		return nil
	}
	rows, from := p.rows, uint64(0)
	if s.bin == 0 {
		s.vectors[0].Data = p.columns[s.clock]
		for i, c := range s.columns {
			if p.columns[c] == nil {
				return nil
			}
			s.vectors[i+1].Data = p.columns[c]
		}
	} else if rows, from = s.binned(p, ticks); rows == 0 {
		return nil
	}
	if s.writer == nil || s.written >= renewAfter {
		w, err := recording.NewWriter(&s.message, &s.layout, recording.WriterOptions{Format: recording.StreamFormat})
		if err != nil {
			return nil
		}
		s.writer, s.written = w, 0
	}
	if _, err := s.writer.WriteBatch(rows, s.vectors); err != nil {
		return nil
	}
	s.written++
	head, err := json.Marshal(header{s.id, s.src.stream.Name, s.bin, from, s.src.tap.skipped.Load()})
	if err != nil {
		return nil
	}
	for (4+len(head))%8 != 0 {
		head = append(head, ' ')
	}
	out := make([]byte, 0, 4+len(head)+len(s.message.data))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(head)))
	return append(append(out, head...), s.message.data...)
}

// maxSpan is how many bins one message spans at most: after a step of Clock it
// begins with the bins that follow the step.
const maxSpan = 1 << 16

// binned fills the vectors with a row for each column and each bin that has rows,
// and returns how many, and where bin 0 is. A bin that is not over comes again with
// the next piece, with all its rows so far.
func (s *shown) binned(p *piece, ticks []uint64) (cells int, from uint64) {
	for _, c := range s.columns {
		if p.columns[c] == nil {
			return 0, 0
		}
	}
	from = ticks[0] / s.bin * s.bin
	edges := make([]int, 0, 64)
	var numbers []uint32
	at := uint64(math.MaxUint64)
	for row, tick := range ticks {
		b := tick / s.bin
		if b == at {
			continue
		}
		if tick < from || len(edges) > 0 && b < at || b-from/s.bin > maxSpan { // Clock steps
			from, edges, numbers = b*s.bin, edges[:0], numbers[:0]
		}
		at = b
		edges, numbers = append(edges, row), append(numbers, uint32(b-from/s.bin))
	}
	n := len(edges)
	edges = append(edges, len(ticks))
	for i := range s.cells {
		s.cells[i] = s.cells[i][:0]
	}
	if cap(s.bins) < n {
		s.bins = make([]decimate.Bin, n)
	}
	for i, c := range s.columns {
		bins := s.bins[:n]
		clear(bins)
		sum(s.src.stream.Columns[c].Type, bins, p.columns[c], edges)
		if s.openAt == from && s.open[i].Count > 0 {
			bins[0].Add(&s.open[i])
		}
		s.open[i] = bins[n-1]
		for k := range bins {
			b := &bins[k]
			s.cells[0] = binary.LittleEndian.AppendUint32(s.cells[0], numbers[k])
			s.cells[1] = binary.LittleEndian.AppendUint16(s.cells[1], uint16(c))
			s.cells[2] = binary.LittleEndian.AppendUint32(s.cells[2], uint32(b.Count))
			for j, v := range [...]float32{b.Min, b.Max, float32(b.Mean), float32(b.SD())} {
				s.cells[3+j] = binary.LittleEndian.AppendUint32(s.cells[3+j], math.Float32bits(v))
			}
		}
	}
	s.openAt = from + uint64(numbers[n-1])*s.bin
	for i := range s.cells {
		s.vectors[i].Data = s.cells[i]
	}
	return n * len(s.columns), from
}

// sum is decimate.Sum of a column's bytes.
func sum(t stream.Type, bins []decimate.Bin, data []byte, edges []int) {
	switch t {
	case stream.Int8:
		decimate.Sum(bins, numbers[int8](data), nil, edges)
	case stream.Uint8, stream.Bool:
		decimate.Sum(bins, numbers[uint8](data), nil, edges)
	case stream.Int16:
		decimate.Sum(bins, numbers[int16](data), nil, edges)
	case stream.Uint16:
		decimate.Sum(bins, numbers[uint16](data), nil, edges)
	case stream.Int32:
		decimate.Sum(bins, numbers[int32](data), nil, edges)
	case stream.Uint32:
		decimate.Sum(bins, numbers[uint32](data), nil, edges)
	case stream.Int64:
		decimate.Sum(bins, numbers[int64](data), nil, edges)
	case stream.Uint64:
		decimate.Sum(bins, numbers[uint64](data), nil, edges)
	case stream.Float32:
		decimate.Sum(bins, numbers[float32](data), nil, edges)
	case stream.Float64:
		decimate.Sum(bins, numbers[float64](data), nil, edges)
	}
}

// numbers are the values of a column that the decoder filled.
func numbers[T decimate.Number](data []byte) []T {
	var zero T
	width := int(unsafe.Sizeof(zero))
	v := recording.Vector{Len: len(data) / width, Data: data[:len(data)/width*width], Width: width}
	return recording.Values[T](&v)
}
