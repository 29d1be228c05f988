package live

import (
	"encoding/binary"
	"errors"
	"io"
)

// A once makes one Arrow stream of many: the schema comes once, and the end mark at
// the end. A stream is written as its schema, its batches, its end, one write each.
type once struct {
	w      io.Writer
	schema bool // it was written
	writes int  // of the stream in hand
	holds  bool // what is written is held, until release
	held   []byte
}

func (o *once) renew() { o.writes = 0 }

var endMark = binary.LittleEndian.AppendUint64(nil, 0xFFFFFFFF)

func (o *once) Write(p []byte) (int, error) {
	o.writes++
	if o.writes == 1 && o.schema || o.writes > 1 && len(p) == len(endMark) && string(p) == string(endMark) {
		return len(p), nil
	}
	o.schema = true
	if o.holds {
		o.held = append(o.held, p...)
		return len(p), nil
	}
	if n, err := o.send(p); err != nil {
		return n, err
	}
	if o.writes == 1 {
		return len(p), o.flush()
	}
	return len(p), nil
}

// pieceBytes is what a reader has one writeTimeout for.
const pieceBytes = 256 << 10

// send gives a slow reader time for each piece.
func (o *once) send(p []byte) (int, error) {
	for at := 0; at < len(p); {
		n, err := o.w.Write(p[at:min(len(p), at+pieceBytes)])
		if err != nil {
			return at + n, err
		}
		at += n
	}
	return len(p), nil
}

// release sends what was held.
func (o *once) release() error {
	_, err := o.send(o.held)
	o.holds, o.held = false, o.held[:0]
	return err
}

// Truncate is asked for after a write that failed: what was sent was sent.
func (o *once) Truncate(int64) error { return io.ErrClosedPipe }

func (o *once) flush() error {
	if f, ok := o.w.(interface{ FlushError() error }); ok {
		return f.FlushError()
	}
	return nil
}

func (o *once) end() error {
	_, err := o.w.Write(endMark)
	return errors.Join(err, o.flush())
}
