package recording

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/stream"
)

// bodyAlign is the multiple at which every buffer, and with it every batch,
// begins in a file of ours. Source: Arrow columnar format, "Buffer Alignment
// and Padding", which recommends 64.
const bodyAlign = body.Align

// maxBodyBytes bounds the body of one batch: the C# library keeps the length
// of a body in 32 bits, signed.
const maxBodyBytes = math.MaxInt32

// errClosed is what a Writer answers after Close.
var errClosed = errors.New("recording: the writer is closed")

// A Format is one of the two that Arrow IPC has.
type Format uint8

// The formats. A stream can be written to a pipe; it has no index, so that a
// reader of it goes over all batches.
const (
	FileFormat   Format = iota // magic, messages, footer
	StreamFormat               // messages and an end mark
)

// String returns "file" or "stream".
func (f Format) String() string {
	if f == StreamFormat {
		return "stream"
	}
	return "file"
}

// MarshalText gives JSON the words of String.
func (f Format) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// WriterOptions say how a recording is written. The zero value writes plain
// bodies.
type WriterOptions struct {
	Format Format
	Codec  Codec // of the bodies: None, Zstd or LZ4
}

// A Block is a batch in a file.
type Block struct {
	Offset, Length        int64  // bytes: where its message begins, and message and body together
	MetaLength            int32  // bytes of them before the body
	Rows                  int64  // 0: nothing was written
	FirstClock, LastClock uint64 // Clock of its first and last row, ticks; 0 without a Clock
	Untimed               bool   // they are not known
}

// A Writer writes one stream as an Arrow IPC file, or as an Arrow IPC stream.
//
// The file is made of whole messages at every moment: the schema is on disk
// before the first batch, each batch is one Write, and a batch that could not
// be written whole is cut off again. One goroutine at a time may call it.
type Writer struct {
	file     File
	format   Format
	enc      *encoder
	strict   bool                // nulls only in nullable columns
	metadata []arrowipc.KeyValue // of the footer
	clock    int                 // column Clock, or -1
	lost     []LostRows          // before the next batch
	whole    [1][]byte           // a message in one piece

	size         int64 // of the whole messages
	rows         int64
	blocks       []arrowipc.Block
	dictionaries []arrowipc.Block
	closed       bool
	err          error // of the first write that failed; all later calls return it
}

// NewWriter writes what comes before the first batch, in one Write, to f,
// which is empty, and returns a Writer for the rest.
//
// The columns of s have fixed-width types: numbers, Bool, FixedBinary with
// its ByteWidth; of the others only utf8, with vectors of GapColumns. RunEnd columns get children named run_ends and values.
// Schema and field metadata are those of stream.Metadata. s is not kept.
func NewWriter(f File, s *stream.Stream, o WriterOptions) (*Writer, error) {
	schema, err := schemaFromStream(s)
	if err != nil {
		return nil, err
	}
	w, err := newSchemaWriter(f, schema, o)
	if err != nil {
		return nil, err
	}
	w.strict = true
	return w, nil
}

// newSchemaWriter is NewWriter for the schema of another file, which is kept
// as it is: types, nullability, names of children, metadata.
func newSchemaWriter(f File, schema arrowipc.Schema, o WriterOptions) (*Writer, error) {
	enc, err := newEncoder(schema, o.Codec)
	if err != nil {
		return nil, err
	}
	w := &Writer{file: f, enc: enc, format: o.Format, clock: clockField(schema.Fields)}
	var head []byte
	if o.Format == FileFormat {
		head = arrowipc.AppendHeader(nil)
	}
	head = arrowipc.AppendSchema(head, int64(len(head)), bodyAlign, &enc.schema)
	if err := w.write(head, "schema"); err != nil {
		return nil, err
	}
	return w, nil
}

// clockField is the column Clock of 64-bit ticks, or -1.
func clockField(fields []arrowipc.Field) int {
	return slices.IndexFunc(fields, func(f arrowipc.Field) bool {
		return f.Name == "Clock" && f.Type.ID == arrowipc.Int && f.Type.BitWidth == 64 && !f.Type.Signed
	})
}

// WriteBatch appends rows rows as one batch, in one Write. columns are in the
// order of the schema; of each, Data holds rows values (of a run-end encoded
// column: the expanded values), Valid and RunEnds are as in Vector, and Type
// and Len may be left zero. A run-end encoded column without RunEnds gets a
// run wherever the value changes. Nothing of columns is kept.
//
// No rows write nothing. A batch that does not fit the schema is refused and
// changes nothing. The first failed or short write ends the writer: the file
// is cut back to its last whole batch, and this and every later call returns
// the same error.
//
// It returns where the batch is, whole, and what it spans: whoever follows the
// recording can read it from there on.
func (w *Writer) WriteBatch(rows int, columns []Vector) (Block, error) {
	if err := w.usable(); err != nil {
		return Block{}, err
	}
	if rows == 0 {
		return Block{}, nil
	}
	return w.writeRows(rows, columns, w.takeLost())
}

// writeRows appends a batch, also one without rows, with custom metadata.
func (w *Writer) writeRows(rows int, columns []Vector, metadata []arrowipc.KeyValue) (Block, error) {
	if err := w.usable(); err != nil {
		return Block{}, err
	}
	pieces, block, err := w.encode(rows, columns, metadata)
	if err != nil {
		return Block{}, fmt.Errorf("recording: batch %d: %w", len(w.blocks), err)
	}
	b := Block{Offset: block.Offset, Length: int64(block.MetaLength) + block.BodyLength, MetaLength: block.MetaLength, Rows: int64(rows)}
	if w.clock >= 0 && rows > 0 {
		ticks := columns[w.clock].Data
		b.FirstClock, b.LastClock = binary.LittleEndian.Uint64(ticks), binary.LittleEndian.Uint64(ticks[len(ticks)-8:])
	}
	if err := w.writeBatch(pieces, block, int64(rows)); err != nil {
		return Block{}, err
	}
	return b, nil
}

// encode returns the message of a batch, in pieces where the file takes them.
func (w *Writer) encode(rows int, columns []Vector, metadata []arrowipc.KeyValue) ([][]byte, arrowipc.Block, error) {
	if _, ok := w.file.(Gatherer); ok && w.enc.gathers(rows, columns) {
		return w.enc.gather(w.size, rows, columns, w.strict, metadata)
	}
	message, block, err := w.enc.encode(w.size, rows, columns, w.strict, metadata)
	w.whole[0] = message
	return w.whole[:], block, err
}

// writeBatch writes the message of a batch, as many bytes as its block says.
func (w *Writer) writeBatch(message [][]byte, block arrowipc.Block, rows int64) error {
	if err := w.writePieces(message, int64(block.MetaLength)+block.BodyLength, "batch"); err != nil {
		return err
	}
	w.blocks = append(w.blocks, block)
	w.rows += rows
	return nil
}

// Close writes the end mark and, to a file, the footer, in one Write. It does not close
// the file. After a failed write it returns that error and writes nothing; a
// second call returns nil.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	if w.closed {
		return nil
	}
	tail := arrowipc.AppendEnd(nil)
	if w.format == FileFormat {
		tail = appendTail(nil, arrowipc.V5, &w.enc.schema, w.dictionaries, w.blocks, w.metadata)
	}
	if err := w.write(tail, "footer"); err != nil {
		return err
	}
	w.closed = true
	w.enc.close()
	return nil
}

// Seal is Close for a file whose last write failed: it cuts the file back to
// the last whole batch, if that is not done, and writes end mark and footer. It
// may be tried again, for instance when a full disk has room again; until it
// succeeds all other calls return the first failure.
func (w *Writer) Seal() error {
	if w.err == nil || w.closed {
		return w.Close()
	}
	if err := w.file.Truncate(w.size); err != nil {
		return err
	}
	first := w.err
	w.err = nil
	err := w.Close()
	if err != nil {
		w.err = first
	}
	return err
}

// Size returns the bytes of the file up to the end of the last whole batch,
// and after Close of the whole file.
func (w *Writer) Size() int64 { return w.size }

// Rows returns the rows of all whole batches.
func (w *Writer) Rows() int64 { return w.rows }

// Batches returns the number of whole batches.
func (w *Writer) Batches() int { return len(w.blocks) }

func (w *Writer) usable() error {
	if w.err == nil && w.closed {
		return errClosed
	}
	return w.err
}

// write writes one message.
func (w *Writer) write(p []byte, what string) error {
	w.whole[0] = p
	return w.writePieces(w.whole[:], int64(len(p)), what)
}

// writePieces is the only place that writes, a message of so many bytes. After a
// failure the file ends at w.size again, where a message ended.
func (w *Writer) writePieces(pieces [][]byte, length int64, what string) error {
	var n int64
	var err error
	if len(pieces) == 1 {
		var written int
		written, err = w.file.Write(pieces[0])
		n = int64(written)
	} else {
		n, err = w.file.(Gatherer).WritePieces(pieces)
	}
	w.whole[0] = nil
	if err == nil && n != length {
		err = io.ErrShortWrite
	}
	if err == nil {
		w.size += length
		return nil
	}
	if what == "batch" {
		what = fmt.Sprintf("batch %d", len(w.blocks))
	}
	w.err = fmt.Errorf("recording: %s: %d of %d bytes written at %d: %w", what, n, length, w.size, err)
	if cut := w.file.Truncate(w.size); cut != nil {
		w.err = fmt.Errorf("%w; cutting the file back to %d bytes failed too: %w", w.err, w.size, cut)
	}
	w.enc.close()
	return w.err
}

// appendTail appends what follows the last batch: end mark, footer, its
// length, magic.
func appendTail(dst []byte, version int16, s *arrowipc.Schema, dictionaries, batches []arrowipc.Block, metadata []arrowipc.KeyValue) []byte {
	dst = arrowipc.AppendEnd(dst)
	return arrowipc.AppendFooter(dst, &arrowipc.Footer{Version: version, Schema: *s, Dictionaries: dictionaries, Batches: batches, Metadata: metadata})
}

// schemaFromStream is the schema that NewWriter writes.
func schemaFromStream(s *stream.Stream) (arrowipc.Schema, error) {
	schema := arrowipc.Schema{Fields: make([]arrowipc.Field, len(s.Columns)), Metadata: keyValues(s.Metadata())}
	seen := make(map[string]bool, len(s.Columns))
	for i := range s.Columns {
		c := &s.Columns[i]
		if seen[c.Name] {
			return arrowipc.Schema{}, fmt.Errorf("recording: column %q is twice in stream %q", c.Name, s.Name)
		}
		seen[c.Name] = true
		t, err := typeFromColumn(c)
		if err != nil {
			return arrowipc.Schema{}, err
		}
		f := arrowipc.Field{Name: c.Name, Nullable: c.Nullable, Type: t, Metadata: keyValues(c.Metadata())}
		if c.RunEnd {
			// Nulls are the values' own; a strict reader checks the names.
			f.Type = arrowipc.DataType{ID: arrowipc.RunEndEncoded}
			f.Children = []arrowipc.Field{
				{Name: "run_ends", Type: arrowipc.DataType{ID: arrowipc.Int, BitWidth: 32, Signed: true}},
				{Name: "values", Nullable: c.Nullable, Type: t},
			}
		}
		if c.ArrowType != "" && c.ArrowType != f.TypeString() && c.ArrowType != t.String() {
			return arrowipc.Schema{}, fmt.Errorf("recording: column %q: cannot write %s, only %s", c.Name, c.ArrowType, f.TypeString())
		}
		schema.Fields[i] = f
	}
	return schema, nil
}

func typeFromColumn(c *stream.Column) (arrowipc.DataType, error) {
	width := int32(c.Type.Width())
	switch c.Type {
	case stream.Bool:
		return arrowipc.DataType{ID: arrowipc.Bool}, nil
	case stream.Int8, stream.Int16, stream.Int32, stream.Int64:
		return arrowipc.DataType{ID: arrowipc.Int, BitWidth: 8 * width, Signed: true}, nil
	case stream.Uint8, stream.Uint16, stream.Uint32, stream.Uint64:
		return arrowipc.DataType{ID: arrowipc.Int, BitWidth: 8 * width}, nil
	case stream.Float16, stream.Float32, stream.Float64:
		unit := slices.Index([]int32{2, 4, 8}, width)
		return arrowipc.DataType{ID: arrowipc.FloatingPoint, Unit: int16(unit)}, nil
	case stream.Other:
		if c.ArrowType == utf8Field.TypeString() {
			return utf8Field.Type, nil
		}
	case stream.FixedBinary:
		t := arrowipc.DataType{ID: arrowipc.FixedSizeBinary, Size: int32(c.ByteWidth)}
		if _, ok := t.FixedBits(); ok && c.ByteWidth > 0 {
			return t, nil
		}
		return t, fmt.Errorf("recording: column %q: cannot write values of %d bytes", c.Name, c.ByteWidth)
	}
	return arrowipc.DataType{}, fmt.Errorf("recording: column %q: cannot write a column of type %s", c.Name, c.Type)
}

func keyValues(kv []stream.KeyValue) []arrowipc.KeyValue {
	out := make([]arrowipc.KeyValue, len(kv))
	for i, e := range kv {
		out[i] = arrowipc.KeyValue{Key: e.Key, Value: e.Value}
	}
	return out
}
