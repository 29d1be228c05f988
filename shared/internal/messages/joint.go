package messages

import (
	"bytes"
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// How files are read that were joined byte by byte (cat a b > c). At the end of
// a file or stream the walk looks whether another begins. If that has the same
// columns the walk goes on in it, and nothing is lost; else it ends there. The
// footer at the end is that of the last file, whose places count from where
// that begins.

// A Joint is where another file or stream begins.
type Joint struct {
	At   int64 // byte of the file
	Same bool  // it has the same columns, so that its batches are walked too
}

// beginsAt returns the schema message of a file or stream that begins at at, or
// nil.
func beginsAt(src *Source, at int64) (m *Message, stream bool, err error) {
	var head [arrowipc.HeaderLength]byte
	if at <= 0 || src.Size-at < int64(len(head)) {
		return nil, false, nil
	}
	if err := src.ReadAt(head[:], at); err != nil {
		return nil, false, err
	}
	if bytes.HasPrefix(head[:], []byte(arrowipc.Magic)) {
		m, err = paddedFront(src, at)
		return m, false, err
	}
	m, _, err = messageAt(src, at, 0)
	if err != nil || !isSchema(m) {
		return nil, false, err
	}
	return m, true, nil
}

// findFooterBase finds out where the file of the footer begins: after others if
// files were joined. Its last batch ends right before it.
func (e *Ends) findFooterBase(src *Source, front *Message) error {
	e.FooterBase = e.Base
	if e.Footer == nil || front == nil {
		return nil
	}
	last := int64(0)
	for _, list := range [][]arrowipc.Block{e.Footer.Dictionaries, e.Footer.Batches} {
		for _, b := range list {
			if end := b.Offset + int64(b.MetaLength) + b.BodyLength; b.BodyLength <= e.FooterAt && b.Offset <= e.FooterAt {
				last = max(last, end)
			}
		}
	}
	to := e.FooterAt - last // the file begins here, or up to some padding before
	from := max(front.End(), to-MaxPadding-8)
	if last == 0 || from >= to {
		return nil
	}
	p := make([]byte, min(to-from+int64(len(arrowipc.Magic)), src.Size-from))
	if err := src.ReadAt(p, from); err != nil {
		return err
	}
	if i := bytes.LastIndex(p, []byte(arrowipc.Magic+"\x00\x00")); i >= 0 {
		at := from + int64(i)
		m, err := paddedFront(src, at)
		if err != nil {
			return err
		}
		if m != nil && arrowipc.EqualFields(m.Schema.Fields, e.Footer.Schema.Fields) {
			e.FooterBase = at
		}
	}
	return nil
}

// joint goes on where another file or stream begins right after what ends here.
// It reports false if none does.
func (w *walker) joint(what standing) (bool, error) {
	at, over := w.pos, false
	switch {
	case w.e.Footer != nil && w.e.FooterAt >= at && w.e.FooterAt <= w.end1() && (what == endMark || w.pos == w.e.FooterAt):
		at, over = w.e.FooterEnd, true
	case what == endMark:
		var err error
		if at, err = w.endAfterMark(); err != nil {
			return false, err
		}
	}
	m, stream, err := beginsAt(w.src, at)
	end := at
	if m == nil && err == nil && over && at < w.src.Size { // padding may come first, and bytes of neither
		if m, err = w.beginning(at, w.src.Size, func(*Message) bool { return true }); m != nil && err == nil {
			at, stream, err = w.magicBefore(at, m)
		}
	}
	if m == nil || err != nil {
		return false, err
	}
	w.prove()
	if end < at {
		if err := w.between(end, at); err != nil {
			return false, err
		}
	}
	return w.join(at, m, stream)
}

// endAfterMark is where a file or stream ends whose end mark is where the walk is.
func (w *walker) endAfterMark() (int64, error) {
	if !w.stream {
		if end, err := trailerAfter(w.src, w.end1()); err != nil || end >= 0 {
			return end, err
		}
	}
	return w.end1(), nil
}

// between takes bytes that are part of neither of two files: padding, which is shorter
// than any batch, is no loss.
func (w *walker) between(from, to int64) error {
	if to-from > MaxPadding {
		w.pass(loss(from, to-from, nil, -1, "bytes between two files, which are part of neither"))
		return nil
	}
	p := make([]byte, to-from)
	if err := w.src.ReadAt(p, from); err != nil {
		return err
	}
	if len(bytes.Trim(p, "\x00\r\n\t ")) == 0 {
		w.note(Warning, from, to-from, "padding between two files", "left out")
	} else {
		w.pass(loss(from, to-from, nil, -1, "bytes between two files, which are part of neither"))
	}
	return nil
}

// join goes over to the file or stream that begins at at with a schema.
func (w *walker) join(at int64, m *Message, stream bool) (bool, error) {
	kind := "file"
	if stream {
		kind = "stream"
	}
	reason := fmt.Sprintf("another %s begins at byte %s", kind, Grouped(at))
	same := arrowipc.EqualFields(m.Schema.Fields, w.e.Schema.Fields) && m.Schema.BigEndian == w.e.Schema.BigEndian && m.Prefix == w.e.Prefix
	if same {
		w.joints = append(w.joints, Joint{at, true})
		w.note(Warning, at, m.End()-at, reason, "joined to the one before")
		w.pos, w.stream = m.End(), stream
		if w.e.Footer != nil && w.e.FooterEnd <= at {
			w.e.Footer, w.e.FooterMagic, w.blocks = nil, false, nil // of a file that is over
		}
		return true, nil
	}
	w.endAt(at, reason+", with other columns")
	if !w.stream {
		if _, err := w.e.footerEndingAt(w.src, at, nil, nil); err != nil {
			return false, err
		}
		w.e.shiftFooter()
		w.blocks = w.e.blocksFrom(w.pos)
	}
	return false, nil
}

// endAt ends what is walked where a recording begins that is another.
func (w *walker) endAt(at int64, reason string) {
	w.joints = append(w.joints, Joint{at, false})
	part := *w.src
	part.Size = at
	rest := NewNote(Warning, at, w.src.Size-at, reason, "left out: it is a recording of its own")
	w.rest, w.src = &rest, &part
	w.e.Footer, w.e.FooterMagic, w.e.FooterBase, w.blocks = nil, false, w.e.Base, nil
}

// blocksFrom are the footer's blocks at or after at.
func (e *Ends) blocksFrom(at int64) []arrowipc.Block {
	list := e.blocks
	for len(list) > 0 && list[0].Offset < at {
		list = list[1:]
	}
	return list
}

// joinBefore goes over to a file or stream that begins after begin and whose first
// message is one that was found after damage. It reports false if there is none.
func (w *walker) joinBefore(begin int64, first *Message, what standing) (bool, error) {
	end := int64(0) // of the file or stream before it, where that is whole
	if what == endMark {
		var err error
		if end, err = w.endAfterMark(); err != nil {
			return false, err
		}
	}
	at, m, stream, err := w.jointBefore(begin, end, first)
	if m == nil || err != nil {
		return false, err
	}
	if at < w.pos && w.open != nil { // the last message before it ends in it
		last := w.open.m
		w.open = nil
		w.pass(loss(last.At, at-last.At, last, last.rows(), fmt.Sprintf("%d of its bytes are missing: another recording begins before it ends", last.End()-at)))
	} else {
		w.prove()
		if what != endMark {
			end = at
		}
		if end < at {
			if err := w.between(end, at); err != nil {
				return false, err
			}
		} else if at > w.pos {
			w.pass(loss(w.pos, at-w.pos, nil, -1, string(what)))
		}
	}
	joined, err := w.join(at, m, stream)
	if w.rest != nil {
		w.pos = at
	}
	return joined, err
}

// jointBefore looks for the beginning of a file or stream whose first batch is
// a message that a scan found after damage. What is before end, if that is before it, is
// of the one before.
func (w *walker) jointBefore(from, end int64, first *Message) (at int64, m *Message, stream bool, err error) {
	const window = 1 << 20
	from = max(from, first.At-window)
	if m, err = w.beginning(from, first.At, func(m *Message) bool { return m.End() == first.At }); m == nil || err != nil {
		return 0, nil, false, err
	}
	if end <= m.At { // the magic that ends a file begins none
		from = max(from, end)
	}
	at, stream, err = w.magicBefore(from, m)
	return at, m, stream, err
}

// beginning returns the first schema message in [from, to) that is right, or nil.
func (w *walker) beginning(from, to int64, right func(m *Message) bool) (*Message, error) {
	s := scanner{readAt: w.search, size: w.src.Size, budget: &w.e.budget, accept: func(m *Message) (bool, error) {
		return isSchema(m) && right(m), nil
	}}
	return s.next(from, to)
}

// magicBefore returns where the file or stream begins, at from or after it, whose schema
// message is m.
func (w *walker) magicBefore(from int64, m *Message) (at int64, stream bool, err error) {
	p := make([]byte, min(m.At-from, MaxPadding+arrowipc.HeaderLength))
	if err := w.src.ReadAt(p, m.At-int64(len(p))); err != nil {
		return 0, false, err
	}
	if i := bytes.LastIndex(p, []byte(arrowipc.Magic)); i >= 0 && allZero(p[i+len(arrowipc.Magic):]) {
		return m.At - int64(len(p)-i), false, nil
	}
	return m.At, true, nil
}
