package recording

import (
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// A plain batch is a header and the columns as they are in memory. A file that
// takes pieces is given those; all others get a message that is assembled first,
// which costs a second copy of every value.

// A Gatherer is a File that takes a message in pieces.
type Gatherer interface {
	File

	// WritePieces writes pieces one after another, in one write where the
	// system can, and returns how many bytes of all of them were written. It
	// keeps nothing of them.
	WritePieces(pieces [][]byte) (int64, error)
}

// minGather is the size from which on a batch is written in pieces: below, a
// copy costs less than a list of them.
const minGather = 256 << 10

var zeroPadding [bodyAlign]byte

// gathers reports whether the body of a batch is its columns as they are.
func (e *encoder) gathers(rows int, columns []Vector) bool {
	if e.codec != None || len(columns) != len(e.layout) || plainBytes(e.layout, rows) < minGather {
		return false
	}
	for i, l := range e.layout {
		if l.Width == 0 || l.RunEnd || l.Bits != 8*l.Width || countZeros(columns[i].Valid) > 0 {
			return false
		}
	}
	return true
}

// gather is encode for a batch that gathers: the pieces of its message, valid
// until the next call.
func (e *encoder) gather(at int64, rows int, columns []Vector, strict bool, metadata []arrowipc.KeyValue) ([][]byte, arrowipc.Block, error) {
	if err := e.check(rows, columns, strict); err != nil {
		return nil, arrowipc.Block{}, err
	}
	e.batch.Length, e.batch.Codec = int64(rows), arrowipc.Uncompressed
	e.batch.Nodes, e.batch.Buffers, e.batch.VariadicCounts = e.batch.Nodes[:0], e.batch.Buffers[:0], e.batch.VariadicCounts[:0]
	pieces := append(e.pieces[:0], nil) // the header
	body := int64(0)
	for i := range columns {
		data := columns[i].Data
		e.batch.Nodes = append(e.batch.Nodes, arrowipc.FieldNode{Length: int64(rows)})
		e.batch.Buffers = append(e.batch.Buffers, arrowipc.Buffer{Offset: body}, arrowipc.Buffer{Offset: body, Length: int64(len(data))})
		pieces = append(pieces, data)
		body += int64(len(data))
		if over := body % bodyAlign; over != 0 {
			pieces = append(pieces, zeroPadding[over:])
			body += bodyAlign - over
		}
		if err := e.done(len(data), body); err != nil {
			return nil, arrowipc.Block{}, err
		}
	}
	e.header = arrowipc.AppendRecordBatch(e.header[:0], at, bodyAlign, &e.batch, body, metadata)
	pieces[0] = e.header
	e.pieces = pieces
	return pieces, arrowipc.Block{Offset: at, MetaLength: int32(len(e.header)), BodyLength: body}, nil
}
