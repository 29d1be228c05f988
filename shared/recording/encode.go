package recording

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
)

// An encoder turns columns into the bytes of batch messages. Its buffers are
// used again for every batch, so that a steady stream allocates almost
// nothing.
type encoder struct {
	schema arrowipc.Schema
	layout []body.Layout
	codec  Codec // of the batches to come
	frames body.Compressor
	worked func(n int) error // called with the number of bytes encoded; may be nil
	err    error             // of a codec, in the batch in hand

	batch   arrowipc.RecordBatch
	header  []byte
	pieces  [][]byte // of a message that is not assembled
	message []byte   // room for the header, then the body
	room    int
	scratch []byte // bits, run ends, values of runs: a buffer before it is compressed

	runs     []int32 // run ends, where the caller gave none
	runData  []byte  // one value a run
	runValid []byte  // one byte a run; empty: all valid
}

func newEncoder(schema arrowipc.Schema, codec Codec) (*encoder, error) {
	if schema.BigEndian {
		return nil, fmt.Errorf("recording: cannot write: %w", ErrBigEndian)
	}
	e := &encoder{schema: schema, codec: codec, layout: make([]body.Layout, len(schema.Fields))}
	for i := range schema.Fields {
		e.layout[i], _ = body.LayoutOf(&schema.Fields[i])
	}
	// Room for the header: 16 bytes a node and a buffer, and the rest.
	e.room = 512
	for _, l := range e.layout {
		e.room += 3 * 16
		if l.RunEnd {
			e.room += 4 * 16
		}
	}
	if codec > LZ4 {
		return nil, fmt.Errorf("recording: cannot write compression %v: choose none, zstd or lz4", codec)
	}
	return e, nil
}

func (e *encoder) close() {
	e.frames.Close()
	e.message, e.scratch, e.header, e.pieces = nil, nil, nil, nil
}

// encode returns the message for a batch that begins at offset at of the file,
// valid until the next call, and the footer's block for it.
func (e *encoder) encode(at int64, rows int, columns []Vector, strict bool, metadata []arrowipc.KeyValue) ([]byte, arrowipc.Block, error) {
	if err := e.check(rows, columns, strict); err != nil {
		return nil, arrowipc.Block{}, err
	}
	e.begin(e.codec, rows, plainBytes(e.layout, rows))
	for i := range columns {
		if err := e.column(i, rows, &columns[i]); err != nil {
			return nil, arrowipc.Block{}, err
		}
		if err := e.done(columns[i].bytes(), int64(len(e.message)-e.room)); err != nil {
			return nil, arrowipc.Block{}, err
		}
	}
	message, block := e.finish(at, arrowipc.AppendRecordBatch, metadata)
	return message, block, nil
}

// begin empties the message for a batch whose plain body takes about so many
// bytes.
func (e *encoder) begin(codec Codec, rows, about int) {
	e.batch.Length, e.batch.Codec = int64(rows), codec.ipc()
	e.batch.Nodes, e.batch.Buffers, e.batch.VariadicCounts = e.batch.Nodes[:0], e.batch.Buffers[:0], e.batch.VariadicCounts[:0]
	e.err = nil
	e.message = e.message[:0]
	if codec == None {
		// Headers of one schema have one size, so that only the first
		// batch moves its body.
		e.message = slices.Grow(e.message, e.room+about)
	}
	e.message = e.message[:min(e.room, cap(e.message))]
	if len(e.message) < e.room {
		e.message = append(e.message, make([]byte, e.room-len(e.message))...)
	}
}

// done is called after each column, of so many bytes, with those of the body so
// far.
func (e *encoder) done(bytes int, body int64) error {
	if e.err != nil {
		return e.err
	}
	if body > maxBodyBytes {
		return fmt.Errorf("%d rows make a body of more than %d bytes, write fewer at a time", e.batch.Length, maxBodyBytes)
	}
	if e.worked != nil {
		return e.worked(bytes)
	}
	return nil
}

// A headerAppender is arrowipc.AppendRecordBatch, or the like for a dictionary.
type headerAppender func(dst []byte, at int64, align int, r *arrowipc.RecordBatch, bodyLength int64, metadata []arrowipc.KeyValue) []byte

// finish puts the header before the body.
func (e *encoder) finish(at int64, header headerAppender, metadata []arrowipc.KeyValue) ([]byte, arrowipc.Block) {
	bodyLength := int64(len(e.message) - e.room)
	e.header = header(e.header[:0], at, bodyAlign, &e.batch, bodyLength, metadata)
	if more := len(e.header) - e.room; more > 0 {
		e.message = slices.Insert(e.message, 0, make([]byte, more)...)
		e.room += more
	}
	start := e.room - len(e.header)
	copy(e.message[start:], e.header)
	return e.message[start:], arrowipc.Block{Offset: at, MetaLength: int32(len(e.header)), BodyLength: bodyLength}
}

// plainBytes is what the bodies of the data buffers take.
func plainBytes(layout []body.Layout, rows int) int {
	total := 0
	for _, l := range layout {
		total += (rows*l.Bits+7)/8 + bodyAlign
	}
	return total
}

// check refuses, before anything is encoded, columns that do not fit.
func (e *encoder) check(rows int, columns []Vector, strict bool) error {
	if rows < 0 || rows > math.MaxInt32 {
		return fmt.Errorf("%d rows", rows)
	}
	if len(columns) != len(e.layout) {
		return fmt.Errorf("%d columns, the schema has %d", len(columns), len(e.layout))
	}
	for i := range columns {
		v, f, l := &columns[i], &e.schema.Fields[i], &e.layout[i]
		if l.Width == 0 {
			if err := checkArray(f, v, rows); err != nil {
				return err
			}
			continue
		}
		switch {
		case int64(len(v.Data)) != int64(rows)*int64(l.Width):
			return fmt.Errorf("column %q: %d bytes for %d rows of %d bytes", f.Name, len(v.Data), rows, l.Width)
		case v.Len != 0 && v.Len != rows:
			return fmt.Errorf("column %q: %d rows in a batch of %d", f.Name, v.Len, rows)
		case v.Valid != nil && len(v.Valid) != rows:
			return fmt.Errorf("column %q: validity of %d rows in a batch of %d", f.Name, len(v.Valid), rows)
		case strict && !f.Nullable && countZeros(v.Valid) > 0:
			return fmt.Errorf("column %q: nulls in a column that is not nullable", f.Name)
		case l.RunEnd && l.RunBits == 16 && rows > math.MaxInt16:
			return fmt.Errorf("column %q: %d rows, run ends of 16 bits reach %d", f.Name, rows, math.MaxInt16)
		}
	}
	return nil
}

// checkArray refuses an array that is not of the field, and what metadata of
// version V5 cannot say.
func checkArray(f *arrowipc.Field, v *Vector, rows int) error {
	switch {
	case v.array == nil:
		return fmt.Errorf("column %q: cannot write a column of type %s without its array", f.Name, f.TypeString())
	case v.array.Len != rows:
		return fmt.Errorf("column %q: %d rows in a batch of %d", f.Name, v.array.Len, rows)
	case v.array.Field.TypeString() != f.TypeString():
		return fmt.Errorf("column %q: %s in a column of %s", f.Name, v.array.Field.TypeString(), f.TypeString())
	case v.array.NullUnions():
		return fmt.Errorf("%w: column %q has unions that are null, as before Arrow 1.0, which nothing writes any more: leave the column out", ErrUnsupported, f.Name)
	}
	return nil
}

// array appends the nodes and buffers of an array.
func (e *encoder) array(a *array.Array) {
	a.Walk(
		func(n arrowipc.FieldNode) { e.batch.Nodes = append(e.batch.Nodes, n) },
		e.buffer,
		func(n int64) { e.batch.VariadicCounts = append(e.batch.VariadicCounts, n) },
	)
}

func (e *encoder) column(i, rows int, v *Vector) error {
	l := &e.layout[i]
	if l.Width == 0 {
		e.array(v.array)
		return nil
	}
	if !l.RunEnd {
		e.values(l, rows, v.Data, v.Valid)
		return nil
	}
	ends := v.RunEnds
	if ends == nil {
		e.runs = appendRunEnds(e.runs[:0], v, l.Width, rows)
		ends = e.runs
	} else if err := checkRunEnds(ends, v, l.Width, rows); err != nil {
		return fmt.Errorf("column %q: %w", e.schema.Fields[i].Name, err)
	}
	e.batch.Nodes = append(e.batch.Nodes, arrowipc.FieldNode{Length: int64(rows)}, arrowipc.FieldNode{Length: int64(len(ends))})
	e.buffer(nil) // run ends have no nulls
	e.scratch = e.scratch[:0]
	for _, end := range ends {
		switch l.RunBits {
		case 16:
			e.scratch = binary.LittleEndian.AppendUint16(e.scratch, uint16(end))
		case 32:
			e.scratch = binary.LittleEndian.AppendUint32(e.scratch, uint32(end))
		default:
			e.scratch = binary.LittleEndian.AppendUint64(e.scratch, uint64(end))
		}
	}
	e.buffer(e.scratch)
	// One value a run, the last: the check above made the others equal.
	e.runData, e.runValid = e.runData[:0], e.runValid[:0]
	for _, end := range ends {
		last := int(end) - 1
		e.runData = append(e.runData, v.Data[last*l.Width:(last+1)*l.Width]...)
		if v.Valid != nil {
			e.runValid = append(e.runValid, v.Valid[last])
		}
	}
	e.values(l, len(ends), e.runData, e.runValid)
	return nil
}

// values appends the node, validity and data buffer of n values.
func (e *encoder) values(l *body.Layout, n int, data, valid []byte) {
	nulls := countZeros(valid)
	e.batch.Nodes = append(e.batch.Nodes, arrowipc.FieldNode{Length: int64(n), NullCount: int64(nulls)})
	if nulls == 0 {
		e.buffer(nil)
	} else {
		e.scratch = appendBits(e.scratch[:0], valid)
		e.buffer(e.scratch)
	}
	if l.Bits == 1 {
		e.scratch = appendBits(e.scratch[:0], data)
		data = e.scratch
	}
	e.buffer(data)
}

// buffer appends one buffer, compressed if the batch is. An error of a codec
// waits for done.
func (e *encoder) buffer(data []byte) {
	if len(data) == 0 || e.batch.Codec == arrowipc.Uncompressed { // length 0 whatever the codec
		e.stored(data)
		return
	}
	start := len(e.message)
	message, err := e.frames.Append(binary.LittleEndian.AppendUint64(e.message, uint64(len(data))), e.batch.Codec, data)
	if err != nil {
		e.err = fmt.Errorf("%v: %w", codecOf(e.batch.Codec), err)
		return
	}
	e.message = message
	e.pad(start)
}

// stored appends a buffer as it is in a file.
func (e *encoder) stored(data []byte) {
	start := len(e.message)
	e.message = append(e.message, data...)
	e.pad(start)
}

// pad notes the buffer that begins at start and fills up with zeros.
func (e *encoder) pad(start int) {
	e.batch.Buffers = append(e.batch.Buffers, arrowipc.Buffer{Offset: int64(start - e.room), Length: int64(len(e.message) - start)})
	var zeros [bodyAlign]byte
	if over := (len(e.message) - e.room) % bodyAlign; over != 0 {
		e.message = append(e.message, zeros[over:]...)
	}
}

// appendBits packs one byte a row into one bit a row, least significant first.
func appendBits(dst, rows []byte) []byte {
	for len(rows) > 0 {
		var b byte
		n := min(8, len(rows))
		for i, r := range rows[:n] {
			if r != 0 {
				b |= 1 << i
			}
		}
		dst, rows = append(dst, b), rows[n:]
	}
	return dst
}

func countZeros(valid []byte) int {
	n := 0
	for _, v := range valid {
		if v == 0 {
			n++
		}
	}
	return n
}

// sameRow reports whether rows i and i-1 hold the same: both null, or the
// same value.
func sameRow(v *Vector, width, i int) bool {
	if v.Valid != nil {
		if now, before := v.Valid[i] != 0, v.Valid[i-1] != 0; now != before {
			return false
		} else if !now {
			return true
		}
	}
	return string(v.Data[i*width:(i+1)*width]) == string(v.Data[(i-1)*width:i*width])
}

func appendRunEnds(dst []int32, v *Vector, width, rows int) []int32 {
	for i := 1; i < rows; i++ {
		if !sameRow(v, width, i) {
			dst = append(dst, int32(i))
		}
	}
	return append(dst, int32(rows))
}

// checkRunEnds makes sure that nothing is lost by keeping one value a run.
func checkRunEnds(ends []int32, v *Vector, width, rows int) error {
	start := 0
	for _, end := range ends {
		if int(end) <= start || int(end) > rows {
			return fmt.Errorf("run ends at %d after %d in a batch of %d rows", end, start, rows)
		}
		for i := start + 1; i < int(end); i++ {
			if !sameRow(v, width, i) {
				return fmt.Errorf("the value changes at row %d, inside the run [%d, %d)", i, start, end)
			}
		}
		start = int(end)
	}
	if start != rows {
		return fmt.Errorf("run ends stop at %d in a batch of %d rows", start, rows)
	}
	return nil
}
