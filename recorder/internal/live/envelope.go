package live

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"sync"
	"unsafe"

	"github.com/oniscope/oniscope/shared/decimate"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A message is a recording.File that keeps the last write, which is one Arrow IPC
// message, after what is put in front of it.
type message struct{ head, data []byte }

func (m *message) Write(p []byte) (int, error) {
	m.data = append(append(m.data[:0], m.head...), p...)
	return len(p), nil
}

// Truncate is never needed: a write into memory does not fail.
func (m *message) Truncate(int64) error { return io.ErrClosedPipe }

// A shown is what one client sees of one stream: columns, and how wide a bin is.
// Pieces are gathered in it, by the goroutine that shares them, until the client's
// writer takes them as one message.
type shown struct {
	id      int // of the client's
	src     *source
	columns []int
	bin     uint64 // ticks; 0: every row
	most    int    // bytes that wait
	clock   int
	layout  stream.Stream

	// Of the sharing goroutine.
	openAt uint64         // tick of the bin that is not over
	open   []decimate.Bin // by column: what it has so far
	bins   []decimate.Bin

	mu       sync.Mutex // guards what follows
	gathered gathered
	spare    [][]byte
	skipped  uint64 // rows that found no room

	// Of the client's writer.
	message message
	writer  *recording.Writer
	written int
	vectors []recording.Vector
}

// gathered is what waits for the writer: the cells of a batch, column by column of
// the layout.
type gathered struct {
	rows  int
	from  uint64 // tick of bin 0
	to    uint64 // tick of the last row
	wide  int    // how many bins are one, for want of room
	bytes int
	cells [][]byte

	pieceRows int // rows of the stream that are in it
}

// maxGathered is what waits at most for one client, of all streams together, each by
// how many of the columns it has: all channels of a probe for some 90 ms. Then bins
// become wider (coarse.go), and of rows, and of bins that are wide enough, the newest
// takes the place of all, or as much of it as there is room for. While it is being
// sent, there are four copies.
const maxGathered = 2 << 20

// renewAfter is how many batches a writer makes before it is replaced: it keeps
// where each was.
const renewAfter = 1000

// newShown shows columns; all is how many a client sees of all streams together.
func newShown(id int, src *source, columns []int, bin uint64, all int) *shown {
	s := &shown{id: id, src: src, columns: columns, bin: bin, most: maxGathered / max(1, all) * len(columns), clock: src.stream.Column(stream.ClockName)}
	s.layout = stream.Stream{Name: src.stream.Name}
	column := func(name string, of stream.Type) {
		s.layout.Columns = append(s.layout.Columns, stream.Column{Name: name, Type: of, ArrowType: of.String(), ByteWidth: of.Width()})
	}
	if bin == 0 {
		column(stream.ClockName, stream.Uint64)
		for _, c := range columns {
			one := src.stream.Columns[c]
			one.RunEnd = false
			s.layout.Columns = append(s.layout.Columns, one)
		}
	} else {
		s.open = make([]decimate.Bin, len(columns))
		column("Bin", stream.Uint32)
		column("Column", stream.Uint16)
		column("Rows", stream.Uint32)
		for _, name := range []string{"Min", "Max", "Mean", "SD"} {
			column(name, stream.Float32)
		}
	}
	for i, name := range s.layout.Names() { // who asks for Clock itself, as of a heartbeat, has it twice
		s.layout.Columns[i].Name = name
	}
	s.vectors = make([]recording.Vector, len(s.layout.Columns))
	s.gathered.cells, s.spare = make([][]byte, len(s.layout.Columns)), make([][]byte, len(s.layout.Columns))
	return s
}

// schema is the Arrow IPC message that says what the batches have.
func (s *shown) schema() []byte { return beginning(&s.layout, recording.StreamFormat) }

// A header is what comes before the Arrow IPC message of a binary message.
type header struct {
	Show    int    `json:"show"`
	Stream  string `json:"stream"`
	Bin     uint64 `json:"bin"`     // ticks; 0: the batch has Clock and the columns, row by row
	From    uint64 `json:"from"`    // else: tick of bin 0, and the batch has a row for each column and bin, column after column
	To      uint64 `json:"to"`      // tick of the last row
	Skipped uint64 `json:"skipped"` // rows of the stream that found no room so far
}

// gather takes a piece in. It returns false for a piece from before something was
// asked for.
func (s *shown) gather(p *piece) bool {
	if p.columns[s.clock] == nil || p.rows == 0 {
		return false
	}
	for _, c := range s.columns {
		if p.columns[c] == nil {
			return false
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g := &s.gathered
	p, need := s.fitting(p)
	for g.bytes+s.wideBytes(need) > s.most && s.widen() {
	}
	if g.bytes+s.wideBytes(need) > s.most {
		s.leaveOut(g.pieceRows)
	}
	g.pieceRows += p.rows
	g.to = numbers[uint64](p.columns[s.clock])[p.rows-1]
	if s.bin > 0 {
		s.gatherBins(p)
	} else {
		g.cells[0] = append(g.cells[0], p.columns[s.clock]...)
		for i, c := range s.columns {
			g.cells[1+i] = append(g.cells[1+i], p.columns[c]...)
		}
		g.rows += p.rows
	}
	g.bytes = 0
	for _, c := range g.cells {
		g.bytes += len(c)
	}
	return true
}

// binBytes is what a bin takes of one column.
const binBytes = 4 + 2 + 4 + 4*4

// fitting is a piece, or its newest rows if there is no room for all, and what they
// will take.
func (s *shown) fitting(p *piece) (*piece, int) {
	each := 8 // a row's Clock
	for _, c := range s.columns {
		each += s.src.stream.Columns[c].ByteWidth
	}
	rows := p.rows
	if s.bin > 0 {
		ticks := numbers[uint64](p.columns[s.clock])
		each = binBytes * len(s.columns)
		if first, last := ticks[0], ticks[len(ticks)-1]; last >= first {
			rows = int(min(uint64(rows), (last-first)/s.bin+2))
		}
	}
	if rows*each <= s.most {
		return p, rows * each
	}
	keep := min(p.rows, s.most/each)
	s.skipped += uint64(p.rows - keep)
	part := &piece{src: p.src, rows: keep, columns: make([][]byte, len(p.columns))}
	for i, data := range p.columns {
		if data != nil {
			part.columns[i] = data[len(data)-keep*s.src.stream.Columns[i].ByteWidth:]
		}
	}
	return part, keep * each
}

func (g *gathered) reset() {
	for i := range g.cells {
		g.cells[i] = g.cells[i][:0]
	}
	g.rows, g.bytes, g.pieceRows, g.wide = 0, 0, 0, 0
}

// leaveOut gives up what was gathered, which is so many rows.
func (s *shown) leaveOut(rows int) {
	s.skipped += uint64(rows)
	rest := s.gathered.pieceRows - rows
	s.gathered.reset()
	s.gathered.pieceRows = rest
}

// maxSpan is how many bins one message spans at most: after a step of Clock it
// begins with the bins that follow the step.
const maxSpan = 1 << 16

// gatherBins adds a row for each column and each bin that has rows. A bin that is
// not over comes again with the next piece, with all its rows so far.
func (s *shown) gatherBins(p *piece) {
	ticks, g := numbers[uint64](p.columns[s.clock]), &s.gathered
	if first := ticks[0] / s.bin * s.bin; g.rows == 0 || first < g.from || (first-g.from)/s.bin > maxSpan/2 {
		s.leaveOut(g.pieceRows - p.rows)
		g.from = first
	}
	edges := make([]int, 0, 64)
	var at []uint32
	last := uint64(math.MaxUint64)
	for row, tick := range ticks {
		b := tick / s.bin
		if b == last {
			continue
		}
		if tick < g.from || len(edges) > 0 && b < last || b-g.from/s.bin > maxSpan { // Clock steps
			s.leaveOut(g.pieceRows - p.rows + row)
			g.from, edges, at = b*s.bin, edges[:0], at[:0]
		}
		last = b
		edges, at = append(edges, row), append(at, uint32(b-g.from/s.bin))
	}
	n := len(edges)
	edges = append(edges, len(ticks))
	if cap(s.bins) < n {
		s.bins = make([]decimate.Bin, n)
	}
	first := g.from + uint64(at[0])*s.bin
	for i, c := range s.columns {
		bins := s.bins[:n]
		clear(bins)
		sum(s.src.stream.Columns[c].Type, bins, p.columns[c], edges)
		if s.openAt == first && s.open[i].Count > 0 {
			bins[0].Add(&s.open[i])
		}
		s.open[i] = bins[n-1]
		for k := 0; k < n; {
			b, number := bins[k], s.numberOf(at[k])
			for k++; k < n && s.numberOf(at[k]) == number; k++ {
				b.Add(&bins[k])
			}
			g.add(number, uint16(c), &b)
		}
	}
	s.openAt = g.from + uint64(at[n-1])*s.bin
}

// add adds a row of the batch.
func (g *gathered) add(number uint32, column uint16, b *decimate.Bin) {
	g.cells[0] = binary.LittleEndian.AppendUint32(g.cells[0], number)
	g.cells[1] = binary.LittleEndian.AppendUint16(g.cells[1], column)
	g.cells[2] = binary.LittleEndian.AppendUint32(g.cells[2], uint32(b.Count))
	for j, v := range [...]float32{b.Min, b.Max, float32(b.Mean), float32(b.SD())} {
		g.cells[3+j] = binary.LittleEndian.AppendUint32(g.cells[3+j], math.Float32bits(v))
	}
	g.rows++
}

// take makes the message of what was gathered: the length of a JSON header, the
// header, and the batch, which begins at a multiple of 8. It is valid until the next
// call. It returns nil if there is nothing.
func (s *shown) take() []byte {
	s.mu.Lock()
	g := s.gathered
	s.gathered, s.spare = gathered{cells: s.spare}, g.cells
	wide := s.bin * uint64(g.width())
	head := header{s.id, s.src.stream.Name, wide, g.from, g.to, s.skipped + s.src.tap.skipped.Load()}
	if wide > 0 {
		head.From = g.from / wide * wide
	}
	s.mu.Unlock()
	defer g.reset()
	if g.rows == 0 {
		return nil
	}
	for i := range s.vectors {
		s.vectors[i].Data = g.cells[i]
	}
	text, err := json.Marshal(head)
	if err != nil {
		return nil
	}
	for (4+len(text))%8 != 0 {
		text = append(text, ' ')
	}
	s.message.head = append(binary.LittleEndian.AppendUint32(s.message.head[:0], uint32(len(text))), text...)
	if s.writer == nil || s.written >= renewAfter {
		w, err := recording.NewWriter(&s.message, &s.layout, recording.WriterOptions{Format: recording.StreamFormat})
		if err != nil {
			return nil
		}
		s.writer, s.written = w, 0
	}
	if _, err := s.writer.WriteBatch(g.rows, s.vectors); err != nil {
		return nil
	}
	s.written++
	return s.message.data
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
