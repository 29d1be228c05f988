package messages

import (
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

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
