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

	message  message
	writer   *recording.Writer
	written  int
	layout   stream.Stream
	vectors  []recording.Vector
	envelope []float32
	floats   []byte
}

// renewAfter is how many batches a writer makes before it is replaced: it keeps
// where each was.
const renewAfter = 1000

func newShown(id int, src *source, columns []int, bin uint64) *shown {
	s := &shown{id: id, src: src, columns: columns, bin: bin, clock: src.stream.Column(stream.ClockName)}
	s.layout = stream.Stream{Name: src.stream.Name, Columns: []stream.Column{{Name: stream.ClockName, Type: stream.Uint64, ArrowType: "uint64", ByteWidth: 8}}}
	for _, c := range columns {
		column := src.stream.Columns[c]
		if bin == 0 {
			column.RunEnd = false
			s.layout.Columns = append(s.layout.Columns, column)
			continue
		}
		for _, what := range []string{".min", ".max"} {
			s.layout.Columns = append(s.layout.Columns, stream.Column{Name: column.Name + what, Type: stream.Float32, ArrowType: stream.Float32.String(), ByteWidth: 4})
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
	Bin     uint64 `json:"bin"`
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
	rows := p.rows
	if s.bin == 0 {
		s.vectors[0].Data = p.columns[s.clock]
		for i, c := range s.columns {
			if p.columns[c] == nil {
				return nil
			}
			s.vectors[i+1].Data = p.columns[c]
		}
	} else if rows = s.binned(p, ticks); rows == 0 {
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
	head, err := json.Marshal(header{s.id, s.src.stream.Name, s.bin, s.src.tap.skipped.Load()})
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

// binned fills the vectors with the extremes of each bin that has rows, and
// returns how many those are.
func (s *shown) binned(p *piece, ticks []uint64) int {
	edges := make([]int, 0, 64)
	var begins []byte
	at := uint64(math.MaxUint64)
	for row, tick := range ticks {
		if b := tick / s.bin; b != at {
			at = b
			edges = append(edges, row)
			begins = binary.LittleEndian.AppendUint64(begins, b*s.bin)
		}
	}
	bins := len(edges)
	edges = append(edges, len(ticks))
	if cap(s.envelope) < 2*bins {
		s.envelope = make([]float32, 2*bins)
	}
	envelope := s.envelope[:2*bins]
	s.floats = s.floats[:0]
	s.vectors[0].Data = begins
	for i, c := range s.columns {
		if p.columns[c] == nil {
			return 0
		}
		decimate.Clear(envelope)
		minMax(s.src.stream.Columns[c].Type, envelope, p.columns[c], edges)
		for _, side := range []int{0, 1} {
			start := len(s.floats)
			for b := range bins {
				s.floats = binary.LittleEndian.AppendUint32(s.floats, math.Float32bits(envelope[2*b+side]))
			}
			s.vectors[1+2*i+side].Data = s.floats[start:len(s.floats):len(s.floats)]
		}
	}
	return bins
}

// minMax is decimate.MinMax of a column's bytes.
func minMax(t stream.Type, envelope []float32, data []byte, edges []int) {
	switch t {
	case stream.Int8:
		decimate.MinMax(envelope, numbers[int8](data), nil, edges)
	case stream.Uint8, stream.Bool:
		decimate.MinMax(envelope, numbers[uint8](data), nil, edges)
	case stream.Int16:
		decimate.MinMax(envelope, numbers[int16](data), nil, edges)
	case stream.Uint16:
		decimate.MinMax(envelope, numbers[uint16](data), nil, edges)
	case stream.Int32:
		decimate.MinMax(envelope, numbers[int32](data), nil, edges)
	case stream.Uint32:
		decimate.MinMax(envelope, numbers[uint32](data), nil, edges)
	case stream.Int64:
		decimate.MinMax(envelope, numbers[int64](data), nil, edges)
	case stream.Uint64:
		decimate.MinMax(envelope, numbers[uint64](data), nil, edges)
	case stream.Float32:
		decimate.MinMax(envelope, numbers[float32](data), nil, edges)
	case stream.Float64:
		decimate.MinMax(envelope, numbers[float64](data), nil, edges)
	}
}

// numbers are the values of a column that the decoder filled.
func numbers[T decimate.Number](data []byte) []T {
	var zero T
	width := int(unsafe.Sizeof(zero))
	v := recording.Vector{Len: len(data) / width, Data: data[:len(data)/width*width], Width: width}
	return recording.Values[T](&v)
}
