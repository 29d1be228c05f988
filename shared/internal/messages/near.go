package messages

// NearBytes is how far behind a header the next may begin to be read with it: each
// read takes as long as 10 kB of one, and a hundred times as long in a browser.
// NearTogether are read together at most.
const (
	NearBytes    = 1 << 10
	NearTogether = 128 << 10
)

// nearInARow is how many reads must be near the one before for more to be read: a look
// at a few reads no more than these.
const nearInARow = 4

// Near returns a source that reads what lies behind headers that are near each other, as
// those of batches of a few rows are, in the same go.
func (s *Source) Near() *Source {
	if s.View != nil {
		return s
	}
	near := *s
	near.ReadAt = (&nearReads{src: s}).fill
	return &near
}

// nearReads are the reads of a source that goes forward in small steps.
type nearReads struct {
	src  *Source
	at   int64
	data []byte
	next int64 // where the last read ended
	near int   // how many in a row began near where the one before ended
}

func (w *nearReads) fill(p []byte, off int64) error {
	if gap := off - w.next; gap >= 0 && gap <= NearBytes && len(p) <= NearBytes {
		w.near++
	} else {
		w.near = 0
	}
	w.next = off + int64(len(p))
	if d := off - w.at; d >= 0 && d+int64(len(p)) <= int64(len(w.data)) {
		copy(p, w.data[d:])
		return nil
	}
	n := min(NearTogether, w.src.Size-off)
	if w.near >= nearInARow && n > int64(len(p)) {
		w.at, w.data = off, grown(w.data, n)
		if w.src.ReadAt(w.data, off) == nil {
			copy(p, w.data)
			return nil
		}
		w.data = w.data[:0] // what lies behind it may be what cannot be read
	}
	return w.src.ReadAt(p, off)
}
