package live

import (
	"encoding/binary"
	"errors"
	"io"
)

// A pieces writes in pieces, so that a slow reader has time for each.
type pieces struct{ w io.Writer }

// pieceBytes is what a reader has one writeTimeout for.
const pieceBytes = 256 << 10

func (o *pieces) Write(p []byte) (int, error) {
	for at := 0; at < len(p); {
		n, err := o.w.Write(p[at:min(len(p), at+pieceBytes)])
		if err != nil {
			return at + n, err
		}
		at += n
	}
	return len(p), nil
}

func (o *pieces) flush() error {
	if f, ok := o.w.(interface{ FlushError() error }); ok {
		return f.FlushError()
	}
	return nil
}

// endMark is what an Arrow stream ends with.
var endMark = binary.LittleEndian.AppendUint64(nil, 0xFFFFFFFF)

func (o *pieces) end() error {
	_, err := o.w.Write(endMark)
	return errors.Join(err, o.flush())
}
