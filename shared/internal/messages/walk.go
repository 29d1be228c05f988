package messages

import (
	"slices"
	"sort"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// How the walk works. The messages of a file say where they end, so it goes
// from one to the next. Where that chain breaks it goes on at the next place
// at which a message lies: a scan of the bytes finds it, or the footer names
// it, whichever is nearer. Footer and messages are claims alike: what validates
// is believed.
//
// The message before a break may be its reason: if bytes are missing in it, it
// ends inside the next one. So a verdict is passed only when something proves
// where the message ends, and the search begins in its header.

// A walker is one walk.
type walker struct {
	src     *Source
	e       *Ends
	blocks  []arrowipc.Block  // of the footer, those that are not passed yet
	pos     int64             // of the next message
	headers *Headers          // of src
	fitted  *arrowipc.Message // that fits the schema, the last of these

	out       []Verdict
	shared    sharing
	open      *open // the last message, whose end nothing has proven
	judged    int64 // losses reach up to here
	last      int   // index in out of the last message that was kept, or -1
	ended     bool  // pos is at an end mark
	suspicion int64 // bytes that may still be searched
	resynced  int64 // where the scan found a message last
	torn      *Message
	told      bool // that the search ended
	odd       int  // which of out is about odd metadata, from 1; 0: none
	scanner   scanner

	stream bool     // what is walked now is a stream
	joints []Joint  // where others began
	rest   *Verdict // on another recording that begins where this one ends; nil: there is none
}

// An open verdict waits for a proof of where its message ends.
type open struct {
	m *Message
	v Verdict
}

// Walk goes over all messages of a file, header by header.
//
// The error is that of src.
func Walk(src *Source, e *Ends) (*Layout, error) {
	ends := *e
	w := &walker{src: src, e: &ends, blocks: ends.blocks, pos: ends.First, out: slices.Clone(ends.notes), last: -1, suspicion: 16*src.Size + 1<<26, stream: ends.Stream}
	for i := range w.out {
		if w.out[i].Kind == Loss {
			w.judged = max(w.judged, w.out[i].At+w.out[i].Length)
		}
	}
	w.headers = NewHeaders(src)
	w.scanner = scanner{readAt: w.search, size: src.Size, accept: w.accept, budget: &ends.budget}
	if err := w.walk(); err != nil {
		return nil, err
	}
	w.prove()
	if err := w.tail(); err != nil {
		return nil, err
	}
	if w.rest != nil {
		w.pass(*w.rest)
	}
	l := &Layout{Ends: w.e, Verdicts: w.out, Ended: w.ended, End: w.end(), Joints: w.joints}
	l.account()
	sort.SliceStable(l.Verdicts, func(i, k int) bool { // notes come before the message that they are about
		a, b := &l.Verdicts[i], &l.Verdicts[k]
		return a.At < b.At || a.At == b.At && rank(a.Kind) < rank(b.Kind)
	})
	return l, nil
}

func rank(k Kind) int {
	if k == Note {
		return 0
	}
	return 1
}

func (w *walker) search(p []byte, off int64) error {
	if err := w.src.step(off); err != nil {
		return err
	}
	return w.src.ReadAt(p, off)
}

func (w *walker) messageAt(at int64) (*Message, standing, error) {
	if w.headers.src != w.src {
		w.headers = NewHeaders(w.src)
	}
	return w.headers.at(at, w.e.Prefix)
}

// blocksFrom returns the footer's blocks at or after at.
func (w *walker) blocksFrom(at int64) []arrowipc.Block {
	for len(w.blocks) > 0 && w.blocks[0].Offset < at {
		w.blocks = w.blocks[1:]
	}
	return w.blocks
}

// limit returns where messages must end: at the footer, or the file's end.
func (w *walker) limit(at int64) int64 {
	if w.e.Footer != nil && at < w.e.FooterAt {
		return w.e.FooterAt
	}
	return w.src.Size
}

// walk judges message after message until none follows.
func (w *walker) walk() error {
	for n := 0; ; n++ {
		if n%64 == 0 {
			if err := w.src.step(w.pos); err != nil {
				return err
			}
		}
		if w.e.Footer != nil && w.pos == w.e.FooterAt { // some writers put no end mark before it
			joined, err := w.joint(noMessage)
			if err != nil || !joined {
				return err
			}
			continue
		}
		m, what, err := w.messageAt(w.pos)
		if err != nil {
			return err
		}
		if m == nil || isSchema(m) {
			joined, err := w.joint(what)
			if err != nil {
				return err
			}
			if joined {
				continue
			}
			if w.rest != nil && isSchema(m) {
				return nil // what is walked ends here, without an end mark
			}
		}
		switch {
		case m != nil:
			w.prove()
			if err := w.message(m); err != nil {
				return err
			}
			if w.pos > m.At {
				continue
			}
			return nil // of the last batch some data are missing
		case what == endMark && len(w.blocksFrom(w.pos)) == 0:
			w.prove()
			more, err := w.behindEnd()
			if err != nil {
				return err
			}
			if !more {
				w.ended = true
				return nil
			}
		}
		// The chain is broken here.
		resumed, err := w.resume(what)
		if err != nil || !resumed {
			return err
		}
	}
}

// prove passes the verdict that waits.
func (w *walker) prove() {
	if w.open == nil {
		return
	}
	w.pass(w.open.v)
	w.open = nil
}

func (w *walker) pass(v Verdict) {
	if v.Kind == Loss {
		w.judged = max(w.judged, v.At+v.Length)
	}
	w.out = append(w.out, v)
	if v.Kind == Batch || v.Kind == Dictionary {
		w.last = len(w.out) - 1
		w.oddities(&v)
	}
}

// oddities notes that other readers refuse the metadata of a message, once for
// all of them.
func (w *walker) oddities(v *Verdict) {
	switch {
	case !v.Odd:
	case w.odd > 0:
		n := &w.out[w.odd-1]
		n.Count, n.Last = n.Count+1, v.At
	default:
		w.note(Warning, v.At, v.Length, "the header of this batch "+odd, writtenAnew)
		w.odd = len(w.out)
	}
}

// loss is the verdict on bytes that are left out.
func loss(at, length int64, m *Message, rows int64, reason string) Verdict {
	v := NewLoss(at, length, rows, reason)
	if v.Blind = m == nil; m != nil && m.isBatch() {
		v.Batches = 1
	}
	return v
}

// note passes a verdict that costs nothing.
func (w *walker) note(s Severity, at, length int64, reason, remedy string) *Verdict {
	w.pass(NewNote(s, at, length, reason, remedy))
	return &w.out[len(w.out)-1]
}

func (w *walker) end() int64 {
	if w.ended {
		return w.end1()
	}
	return max(w.pos, w.judged)
}
