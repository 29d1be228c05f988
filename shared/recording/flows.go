package recording

import (
	"errors"
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/body"
)

// flowBytes is from which size on a compressed buffer of which a part is wanted is
// decoded only as far as that part. A second of any device is far below: its
// columns are decoded whole, and their checksums compared. Changed by tests.
var flowBytes int64 = 16 << 20

// maxFlows bounds how many buffers are kept half decoded. Each takes what its codec
// refers back to, of all known writers 8 MiB at most.
const maxFlows = 16

// flows are the buffers that are decoded in pieces, by where they are in the file,
// the one used last at the end.
type flows []*body.Flow

// take returns the flow of a buffer and makes it the one used last.
func (list *flows) take(f *body.Flow) *body.Flow {
	for i, known := range *list {
		if known.At == f.At && known.Length == f.Length && known.Need == f.Need {
			*list = append(append((*list)[:i], (*list)[i+1:]...), known)
			return known
		}
	}
	if len(*list) == maxFlows {
		(*list)[0].Close()
		*list = append((*list)[:0], (*list)[1:]...)
	}
	*list = append(*list, f)
	return f
}

// fill decodes the wanted parts of large compressed buffers, one after another.
func (b *batchRead) fill() error {
	for _, s := range b.flowing {
		f := b.r.flows.take(&body.Flow{Codec: b.h.batch.Codec, File: b.r.src, At: s.at, Length: s.length, Need: s.need, Work: b.r.work})
		before := f.Read
		s.part = make([]byte, s.hi-s.lo)
		err := f.Fill(s.part, s.lo)
		b.r.read.Body += f.Read - before
		switch {
		case err == nil:
		case errors.Is(err, body.ErrWindow):
			return fmt.Errorf("%w: column %q: %w", ErrTooLarge, b.field(s.column).Name, err)
		case body.Undecided(err) != nil:
			return body.Undecided(err)
		default:
			return b.damaged(s.column, s.at, err)
		}
	}
	return nil
}
