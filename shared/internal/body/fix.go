package body

import (
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

// A fix is bytes of a batch that the output has otherwise: nothing depends on
// them, but readers refuse the batch for them.
type Fix struct {
	At     int64  // byte of the file
	Bytes  []byte // that belong there
	Reason string
}

// displaced corrects the offsets of empty buffers that lie outside the body.
func displaced(s *arrowipc.Schema, spans []arrowipc.Span, m *messages.Message) (list []Fix) {
	for _, i := range m.Batch.Displaced {
		name := ""
		for c := range spans {
			if spans[c].Buffer <= i && i < spans[c].BufferEnd {
				name = s.Fields[c].Name
			}
		}
		list = append(list, Fix{At: m.At + int64(m.Prefix) + m.Batch.BuffersAt + 16*int64(i), Bytes: make([]byte, 8),
			Reason: fmt.Sprintf("column %q: the offset of the empty buffer %d of the batch lies outside its body; no value depends on it", name, i)})
	}
	return list
}
