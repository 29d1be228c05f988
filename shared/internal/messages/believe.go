package messages

import (
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// Which schema is believed where the two ends of a file disagree, or one is lost.

// believeOther takes the schema from another file; the search finds the first
// batch.
func (e *Ends) believeOther(src *Source, o *Options) error {
	e.Schema, e.Version, e.Borrowed = o.Schema, o.Version, true
	begin := int64(0)
	if e.Magic {
		begin = arrowipc.HeaderLength
	}
	m, err := e.scanHeaders(src, begin, src.Size)
	if err != nil {
		return err
	}
	if m == nil {
		return fmt.Errorf("%w; nor does any batch in it fit the schema of the other file", ErrNoSchema)
	}
	const reason = "no schema at the beginning: taken from another file"
	e.First = m.At
	if e.Stream = !e.Magic && m.At == 0; m.At <= arrowipc.HeaderLength+(o.SchemaLength+63)&^63 {
		e.note(Warning, 0, m.At, reason, "")
		return nil
	}
	e.note(Warning, 0, 0, reason, "")
	e.lose(0, m.At, fmt.Sprintf("the first %d bytes are not readable: no batch is found in them", m.At))
	return nil
}

// scanHeaders returns the first message in [from, to) whose header fits the
// schema and whose data lie in the file.
func (e *Ends) scanHeaders(src *Source, from, to int64) (*Message, error) {
	s := scanner{readAt: func(p []byte, off int64) error {
		if err := src.step(off); err != nil {
			return err
		}
		return src.ReadAt(p, off)
	}, size: src.Size, budget: &e.budget}
	s.accept = func(m *Message) (bool, error) {
		return m.Header != arrowipc.SchemaHeader && Fit(e.Schema, m) == nil && m.DataEnd() <= src.Size, nil
	}
	return s.next(from, to)
}

// believeFooter takes the schema from the footer and begins at the first
// message that can be found.
func (e *Ends) believeFooter(src *Source, reason, remedy string) error {
	e.Schema, e.Version, e.SchemaEnd = &e.Footer.Schema, e.Footer.Version, 0
	if e.Schema.BigEndian {
		return ErrBigEndian
	}
	begin := e.Base + arrowipc.HeaderLength
	first := e.FooterAt
	if len(e.blocks) > 0 {
		first = e.blocks[0].Offset
	}
	e.First = first
	// The schema's prefix may still say where it ended: batches that the
	// footer lacks begin there.
	var prefix [8]byte
	if src.Size >= begin+8 {
		if err := src.ReadAt(prefix[:], begin); err != nil {
			return err
		}
		if n, length, err := arrowipc.ParsePrefix(prefix[:]); err == nil && length > 0 {
			at := begin + int64(n) + int64(length)
			if at < first {
				m, what, err := messageAt(src, at, 0)
				if err != nil {
					return err
				}
				if m != nil || what == endMark {
					e.First = at
				}
			}
		}
	}
	if e.First == first { // batches may have moved away from where the footer has them
		m, err := e.scanHeaders(src, begin, first)
		if err != nil {
			return err
		}
		if m != nil && m.At < first {
			e.First = m.At
		}
	}
	if e.Version == arrowipc.NoVersion {
		e.Version = arrowipc.V4
		if m, _, err := messageAt(src, e.First, 0); err != nil {
			return err
		} else if m != nil {
			e.Version = m.Version
		}
	}
	length := max(0, min(e.First, e.FooterAt)-begin)
	v := e.note(Warning, begin, length, reason, remedy)
	if e.Unframed || length <= MaxPadding-arrowipc.HeaderLength {
		v.Severity, v.Harmless = Info, true // some writers leave the schema to the footer
	}
	if !e.Magic {
		e.note(Warning, 0, arrowipc.HeaderLength, "the file does not begin with ARROW1", writtenAnew)
	}
	return nil
}

// chooseSchema decides between the schema at the beginning and the one in the
// footer: the one by which the first batch that can be read is intact, in doubt
// the one at the beginning.
func (e *Ends) chooseSchema(src *Source, o *Options, front *Message) error {
	m, _, err := messageAt(src, e.First, e.Prefix)
	for i := 0; err == nil && (m == nil || !m.isBatch()) && i < len(e.blocks); i++ {
		m, err = e.candidate(src, e.blocks[i])
	}
	if err != nil {
		return err
	}
	if m != nil && m.isBatch() && len(e.Footer.Schema.Fields) > 0 { // zeros in a footer leave no fields
		fits := func(s *arrowipc.Schema) (bool, error) {
			if Fit(s, m) != nil || s.BigEndian || s.Check() != nil || s.Odd() {
				return false, nil
			}
			if o.Intact == nil || m.DataEnd() > src.Size {
				return true, nil
			}
			return o.Intact(s, m)
		}
		inFront, err := fits(front.Schema)
		if err != nil {
			return err
		}
		inFront = inFront && !front.Odd
		inFooter, err := fits(&e.Footer.Schema)
		if err != nil {
			return err
		}
		if inFooter && !inFront {
			return e.believeFooter(src, "the schema at the beginning does not fit the batches: taken from the footer", "")
		}
	}
	e.note(Warning, e.FooterAt, e.FooterEnd-e.FooterAt, "the schema in the footer is not the one before the batches", "the one before the batches is kept")
	return nil
}

// candidate reads the message that a footer's block points at; nil if there is
// none of these lengths. What suspicion may cost is bounded, so that a footer
// cannot make the same bytes be read over and over.
func (e *Ends) candidate(src *Source, b arrowipc.Block) (*Message, error) {
	if e.budget -= int64(b.MetaLength); e.budget < 0 {
		return nil, nil
	}
	m, _, err := (&Headers{src: src, guess: int64(b.MetaLength)}).at(b.Offset, e.Prefix)
	if err != nil || m == nil || m.Header == arrowipc.SchemaHeader || m.Length != int64(b.MetaLength) || m.BodyLength != b.BodyLength {
		return nil, err
	}
	return m, nil
}
