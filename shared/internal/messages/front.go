package messages

import (
	"bytes"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// front returns the schema message at the beginning, or nil. Some writers pad
// the magic to 64 bytes.
func (e *Ends) front(src *Source) (*Message, error) {
	cached := &Source{Size: src.Size, ReadAt: func(p []byte, off int64) error {
		if n := copy(p, e.head[min(off, int64(len(e.head))):]); n < len(p) {
			return src.ReadAt(p[n:], off+int64(n))
		}
		return nil
	}}
	if src.View != nil {
		cached.View = func(off, n int64) ([]byte, error) {
			if off+n <= int64(len(e.head)) {
				return e.head[off : off+n], nil
			}
			return src.View(off, n)
		}
	}
	if !e.Magic { // a stream begins with it
		m, _, err := messageAt(cached, 0, 0)
		if err != nil || isSchema(m) {
			e.Stream = isSchema(m)
			return m, err
		}
	}
	return paddedFront(cached, 0)
}

func isSchema(m *Message) bool { return m != nil && m.Schema != nil && m.BodyLength == 0 }

// paddedFront returns the schema message after a magic at base, or nil.
func paddedFront(src *Source, base int64) (*Message, error) {
	for at := base + arrowipc.HeaderLength; at <= base+64; at += 8 {
		m, what, err := messageAt(src, at, 0)
		if err != nil {
			return nil, err
		}
		if isSchema(m) {
			return m, nil
		}
		if what != zeros {
			return nil, nil
		}
	}
	return nil, nil
}

// laterFront looks for the beginning of a file or stream after bytes that are
// no part of it: a greeting of a server, a byte-order mark.
func (e *Ends) laterFront(src *Source) (*Message, error) {
	window := make([]byte, min(src.Size, FrontWindow))
	if err := src.ReadAt(window, 0); err != nil {
		return nil, err
	}
	for from := 1; ; from++ {
		i := bytes.Index(window[from:], []byte(arrowipc.Magic))
		if i < 0 {
			break
		}
		from += i
		m, err := paddedFront(src, int64(from))
		if m != nil || err != nil {
			e.Base, e.Magic = int64(from), true
			return m, err
		}
	}
	var found *Message
	s := scanner{readAt: src.ReadAt, size: src.Size, budget: &e.budget}
	s.accept = func(m *Message) (bool, error) {
		if isSchema(m) {
			found = m
		}
		return true, nil // the first message decides
	}
	if _, err := s.next(1, int64(len(window))); err != nil || found == nil {
		return nil, err
	}
	if e.Footer == nil && !e.beginsFile(found.At) {
		e.Base, e.Stream = found.At, true
	}
	return found, nil
}

// beginsFile reports whether the bytes before a schema at at are those of a
// file whose magic is damaged.
func (e *Ends) beginsFile(at int64) bool {
	if at%8 != 0 || at > 64 || int64(len(e.head)) < at {
		return false
	}
	same := 0
	for i, b := range []byte(arrowipc.Magic + "\x00\x00") {
		if e.head[i] == b {
			same++
		}
	}
	return same >= 4 && allZero(e.head[8:at])
}
