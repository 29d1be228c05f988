package messages

import (
	"fmt"
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

// sharing has messages that are alike share a ruling.
type sharing struct {
	last *Ruling // of the last message
	few  map[Ruling]*Ruling
}

// maxShared is how many rulings are looked among: compressed batches of a few rows have
// some lengths in turn.
const maxShared = 1 << 10

// of returns a ruling that says the same, for many messages.
func (s *sharing) of(r Ruling) *Ruling {
	if s.last != nil && *s.last == r {
		return s.last
	}
	if s.last = s.few[r]; s.last == nil {
		if s.last = &r; s.few == nil || len(s.few) >= maxShared {
			s.few = map[Ruling]*Ruling{}
		}
		s.few[r] = s.last
	}
	return s.last
}

// message judges one well-formed message and moves pos to its end; pos stays if
// the file ends inside its data.
func (w *walker) message(m *Message) error {
	if m.Header == arrowipc.SchemaHeader {
		w.pos = min(m.End(), w.src.Size)
		w.open = &open{m, loss(m.At, w.pos-m.At, m, -1, "a second schema lies between the batches")}
		return nil
	}
	end, wrong, err := w.trueEnd(m)
	if err != nil {
		return err
	}
	limit := w.limit(m.At)
	if wrong != "" {
		w.pos = min(end, limit)
		w.open = &open{m, loss(m.At, w.pos-m.At, m, -1, wrong)}
		return nil
	}
	if m.DataEnd() > limit {
		if next, err := w.scan(m.At+8, limit); err != nil {
			return err
		} else if next != nil {
			w.pos = next.At
			w.open = &open{m, loss(m.At, next.At-m.At, m, m.rows(), endsEarly(m, next))}
			return nil
		}
		v := loss(m.At, limit-m.At, m, m.rows(), fmt.Sprintf("only %d of the %d bytes of its body are there", max(0, limit-m.BodyAt()), m.BodyLength))
		if v.AtEnd = limit == w.src.Size; v.AtEnd {
			v.Torn = m
		} else {
			w.pos = limit // the footer
		}
		w.pass(v)
		return nil
	}
	w.pos = min(end, limit)
	if m.Message != w.fitted {
		if err := Fit(w.e.Schema, m); err != nil {
			w.open = &open{m, loss(m.At, w.pos-m.At, m, m.rows(), err.Error())}
			return nil
		}
		w.fitted = m.Message
	}
	r := rulingOf(m)
	r.Length, r.Pad = w.pos-m.At, max(0, m.End()-limit)
	v := Verdict{m.At, w.shared.of(r)}
	w.open = &open{m, v}
	if v.Pad > 0 {
		w.prove()
		w.note(Warning, limit, 0, fmt.Sprintf("%d bytes of padding after the last batch are missing", v.Pad), "added").AtEnd = limit == w.src.Size
	}
	return nil
}

// provenByFooter reports whether the footer lists a batch as it is, and begins
// right after it.
func (w *walker) provenByFooter(v *Verdict) bool {
	return w.e.Footer != nil && slices.Contains(w.e.blocks, v.Block()) && v.At+v.Length <= w.e.FooterAt && w.e.FooterAt-v.At-v.Length <= MaxPadding+8
}

// endsEarly says that bytes of m are missing.
func endsEarly(m, next *Message) string {
	return fmt.Sprintf("%d of its bytes are missing: the next message begins before it ends", m.End()-next.At)
}

// trueEnd returns where the message ends, and what is wrong if that is not
// where it says: a body length that is damaged would swallow the batches after
// it.
func (w *walker) trueEnd(m *Message) (end int64, wrong string, err error) {
	blocks := w.blocksFrom(m.At)
	if len(blocks) > 0 && blocks[0].Offset == m.At {
		b := blocks[0]
		if int64(b.MetaLength) == m.Length && b.BodyLength == m.BodyLength {
			return m.End(), "", nil
		}
		if to := b.Offset + int64(b.MetaLength) + b.BodyLength; to > m.End() && int64(b.MetaLength) == m.Length && m.End() < w.src.Size {
			if _, here, err := w.messageAt(m.End()); err != nil {
				return 0, "", err
			} else if here != isMessage && here != endMark {
				_, there, err := w.messageAt(to)
				if err != nil {
					return 0, "", err
				}
				if there == isMessage || there == endMark || to == w.e.FooterAt {
					return to, fmt.Sprintf("its header says that %d bytes follow, but the next message begins after %d", m.BodyLength, b.BodyLength), nil
				}
			}
		}
		blocks = blocks[1:]
	}
	// The next message by the footer, or right after the data.
	for i, b := range blocks {
		if b.Offset >= min(m.End(), w.src.Size) {
			break
		}
		found, err := w.e.candidate(w.src, blocks[i])
		if err != nil {
			return 0, "", err
		}
		if found != nil {
			return b.Offset, fmt.Sprintf("its header says that %d bytes follow, but a batch begins before they end", m.BodyLength), nil
		}
	}
	if m.End()-m.DataEnd() < MaxPadding || m.DataEnd() > w.src.Size {
		return m.End(), "", nil // the usual, or a torn batch
	}
	for _, align := range []int64{8, MaxPadding} {
		tight := m.BodyAt() + (m.Batch.DataEnd()+align-1)/align*align
		found, what, err := w.messageAt(tight)
		if err != nil {
			return 0, "", err
		}
		if found != nil || what == endMark || what == atEnd {
			tight = min(tight, w.src.Size)
			return tight, fmt.Sprintf("its header says that %d bytes follow, but only %d do", m.BodyLength, tight-m.BodyAt()), nil
		}
	}
	if m.End() > w.src.Size {
		return w.src.Size, fmt.Sprintf("its header says that %d bytes follow, but its data end at %d", m.BodyLength, m.Batch.DataEnd()), nil
	}
	return m.End(), "", nil
}

// accept reports whether a message that the scan found is one of this file: it
// fits the schema, and its data lie where messages do.
func (w *walker) accept(m *Message) (bool, error) {
	if m.Header == arrowipc.SchemaHeader || Fit(w.e.Schema, m) != nil {
		return false, nil
	}
	if m.DataEnd() > w.limit(m.At) {
		if w.torn == nil && w.limit(m.At) == w.src.Size {
			w.torn = m // the last, if nothing follows
		}
		return false, nil
	}
	return w.suspicion >= 0, nil
}

// scan returns the first message in [from, to) that is one of this file, or a
// batch that the file's end cuts, or nil.
func (w *walker) scan(from, to int64) (*Message, error) {
	if from >= to || w.suspicion < 0 {
		return nil, nil
	}
	if w.e.Prefix == 4 {
		if to-from > 8 { // more than an end mark
			w.once(from, "the bytes after this cannot be searched: messages of a writer before Arrow 0.15 carry no mark")
		}
		return nil, nil
	}
	w.torn = nil
	m, err := w.scanner.next(from, to)
	if w.suspicion -= min(w.scanner.at, w.src.Size) - from; m != nil {
		w.suspicion += m.At - from // these bytes are not looked at again
	}
	if w.e.budget < 0 || w.suspicion < 0 {
		w.once(w.scanner.at, "the search ends here: too many places look like the beginning of a message")
	}
	if m == nil && err == nil && w.torn != nil && w.torn.At >= from {
		m = w.torn
	}
	return m, err
}

// once says why a search ended, at most once.
func (w *walker) once(at int64, reason string) {
	if !w.told {
		w.told = true
		w.note(Info, at, 0, reason, "").Harmless = true
	}
}

// resume goes on after broken framing at pos, at the nearest message that the
// scan finds or the footer points at. It reports whether there is one.
func (w *walker) resume(what standing) (bool, error) {
	from, begin := w.pos, w.pos
	if w.open != nil && w.suspicion >= 0 {
		begin = min(begin, w.open.m.At+8)
	}
	to, found, listed := w.limit(from), false, false
	var next *Message
	for _, b := range w.blocksFrom(from) {
		if b.Offset == from {
			listed = true
			continue // that one is broken
		}
		m, err := w.e.candidate(w.src, b)
		if err != nil {
			return false, err
		}
		if m != nil {
			to, found, next = b.Offset, true, m
			break
		}
	}
	hit, err := w.scan(max(begin, w.resynced+1), to) // what was found before was no message
	if err != nil {
		return false, err
	}
	if hit != nil {
		w.resynced, next = hit.At, hit
	}
	if next != nil {
		if joined, err := w.joinBefore(begin, next, what); joined || w.rest != nil || err != nil {
			return joined, err
		}
	}
	if hit != nil {
		to, found, listed = hit.At, true, false
		if hit.At < from {
			m := w.open.m
			v := loss(m.At, hit.At-m.At, m, m.rows(), endsEarly(m, hit))
			v.Blind = true
			w.open = nil
			w.pass(v)
			w.pos = hit.At
			return true, nil
		}
	}
	if w.open != nil && (!listed || !found) { // else the footer proves that it ends at from
		if v := &w.open.v; what == noMessage && v.Kind == Batch && v.Codec == arrowipc.Uncompressed && !w.provenByFooter(v) {
			*v = v.Own()
			v.Doubted = true
		}
	}
	w.prove()
	if !found && len(w.blocksFrom(from)) == 0 {
		return false, nil // the tail says what is here
	}
	if !found {
		// An end mark may lie right before the footer.
		if mark := to - 8; mark >= from {
			if _, s, err := w.messageAt(mark); err != nil {
				return false, err
			} else if s == endMark {
				to = mark
			}
		}
	}
	if to > from {
		w.pass(loss(from, to-from, nil, -1, string(what)))
	}
	if w.pos = to; !found && w.e.Footer != nil && to < w.e.FooterAt {
		w.ended = true
	}
	return found, nil
}

// behindEnd reports whether messages follow the end mark at pos: then it is
// none. A footer right after it proves it.
func (w *walker) behindEnd() (bool, error) {
	if w.e.Footer == nil {
		end, err := trailerAfter(w.src, w.end1())
		if err != nil {
			return false, err
		}
		if end >= 0 {
			if _, err := w.e.footerEndingAt(w.src, end, nil, nil); err != nil {
				return false, err
			}
			w.e.shiftFooter()
			w.blocks = nil
		}
	}
	if w.e.Footer != nil && w.e.FooterAt <= w.end1() {
		return false, nil
	}
	m, err := w.scan(w.pos, w.limit(w.pos))
	return m != nil, err
}

// end1 returns where the end mark at pos ends: it has 8 bytes, or 4 of a writer
// before Arrow 0.15.
func (w *walker) end1() int64 {
	var word [4]byte
	if w.e.Prefix == 4 && w.pos+4 <= w.src.Size && w.src.ReadAt(word[:], w.pos) == nil && allZero(word[:]) {
		return w.pos + 4
	}
	return w.pos + 8
}

func (w *walker) end() int64 {
	if w.ended {
		return w.end1()
	}
	return max(w.pos, w.judged)
}
