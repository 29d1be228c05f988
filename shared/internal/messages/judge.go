package messages

import (
	"fmt"
	"slices"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

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
