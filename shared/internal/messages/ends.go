package messages

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// Why a file cannot be walked. The texts say what to do next.
var (
	ErrEmpty      = errors.New("the file is empty: nothing had been written when the recording ended, so nothing can be read")
	ErrNoSchema   = errors.New("the file ends before its schema: the recording ended before its first batch, so there are no rows to read")
	ErrSchemaLost = errors.New("the schema at the beginning is damaged, and there is no footer: the schema of another file of the same stream is needed")
	ErrBigEndian  = errors.New("big-endian Arrow files are not read: write the file again on a little-endian machine")
)

// Options help with a file that has lost its schema.
type Options struct {
	// Schema and Version are of another file of the same stream, whose schema
	// message has SchemaLength bytes: used if this one has none that can be
	// read, neither at its beginning nor in a footer.
	Schema       *arrowipc.Schema
	Version      int16
	SchemaLength int64

	// Intact decodes a batch by a schema. It is asked only where the schema at
	// the beginning and that of the footer differ. nil: the header decides.
	Intact func(s *arrowipc.Schema, m *Message) (bool, error)

	// NoFooter says that the last byte is that of a batch: no footer is looked for.
	NoFooter bool
}

// Ends are what the two ends of a file say.
type Ends struct {
	Stream bool  // an Arrow stream, not a file
	Base   int64 // where the file or stream begins: bytes before are not part of it
	Magic  bool  // ARROW1 lies there
	Prefix int   // bytes before the metadata of every message: 8, or 4 before Arrow 0.15; 0: not known yet

	Schema    *arrowipc.Schema // that is believed
	Version   int16
	SchemaAt  int64
	SchemaEnd int64 // end of the schema message that is believed; 0: it is not at the beginning
	SchemaOdd bool  // other readers refuse that message
	Unframed  bool  // the schema at the beginning lacks marker and length
	Borrowed  bool  // the schema is that of another file

	Footer      *arrowipc.Footer // nil: none; its blocks are bytes of the file
	FooterAt    int64
	FooterEnd   int64
	FooterMagic bool
	FooterBase  int64 // where the file of the footer begins: Base, but for files that were joined
	Forgotten   bool  // the blocks are; see Forget

	First int64 // where the walk begins
	notes []Verdict

	blocks  []arrowipc.Block // of the footer, in file order, those that can be
	outside []arrowipc.Block // those that cannot
	size    int64            // of the file
	budget  int64            // bytes of metadata that may still be looked at on suspicion
	head    []byte
	before  []byte // the bytes before the footer: see endsWell
}

// headBytes is what the first read of a file asks for: the schema of a stream
// of some columns.
const headBytes = 4 << 10

// footerGuess is what the first read of a file's end asks for: the whole footer
// of a recording of minutes.
const footerGuess = 64 << 10

// FindEnds reads the schema and the footer of a file and decides which schema
// to believe. It costs the two of them where nothing is damaged.
//
// It returns ErrEmpty, ErrNotArrow, ErrNoSchema, ErrSchemaLost or ErrBigEndian,
// or the error of src.
func FindEnds(src *Source, o *Options) (*Ends, error) {
	if src.Size <= 0 {
		return nil, ErrEmpty
	}
	e := &Ends{budget: 2*src.Size + 1<<16, size: src.Size}
	if err := e.find(src, o); err != nil {
		return nil, err
	}
	if e.Schema.BigEndian {
		return nil, ErrBigEndian
	}
	return e, nil
}

func (e *Ends) find(src *Source, o *Options) (err error) {
	if e.head, err = src.bytes(0, min(src.Size, headBytes)); err != nil {
		return err
	}
	e.Magic = bytes.HasPrefix(e.head, []byte(arrowipc.Magic))
	if isArchive(e.head) { // it may have a recording inside as it is, which others would not find
		return whatIs(src, e.head)
	}
	front, err := e.front(src)
	if err != nil {
		return err
	}
	if !o.NoFooter {
		if err := e.findFooter(src, front); err != nil {
			return err
		}
	}
	if front == nil && !e.Magic {
		if front, err = e.laterFront(src); err != nil {
			return err
		}
	}
	if err := e.findFooterBase(src, front); err != nil {
		return err
	}
	e.shiftFooter()
	if front == nil {
		if ok, err := e.believeUnframed(src); ok || err != nil {
			return err
		}
	}
	switch {
	case front == nil && e.Footer != nil && len(e.Footer.Schema.Fields) > 0:
		return e.believeFooter(src, "no schema at the beginning: taken from the footer", "")
	case front == nil && o.Schema != nil:
		return e.believeOther(src, o)
	case front == nil:
		return e.nothing(src)
	}
	e.Schema, e.Version, e.SchemaAt, e.SchemaEnd, e.First = front.Schema, front.Version, front.At, front.End(), front.End()
	e.Prefix = front.Prefix
	if e.SchemaOdd = front.Odd; e.SchemaOdd {
		e.note(Warning, front.At, front.Length, "the schema at the beginning "+odd, writtenAnew)
	}
	if e.Footer != nil && e.FooterBase == e.Base && !e.Footer.Schema.Equal(front.Schema) {
		if err := e.chooseSchema(src, o, front); err != nil {
			return err
		}
	}
	if e.Base > 0 {
		what := "file"
		if e.Stream {
			what = "stream"
		}
		v := e.note(Info, 0, e.Base, fmt.Sprintf("%d bytes before the %s are not part of it", e.Base, what), leftOut)
		v.Harmless, v.Skipped = true, true
	} else if !e.Stream && !e.Magic {
		e.note(Warning, 0, arrowipc.HeaderLength, "the file does not begin with ARROW1", writtenAnew)
	}
	return nil
}

// nothing says why there is no schema.
func (e *Ends) nothing(src *Source) error {
	_, what, err := messageAt(src, arrowipc.HeaderLength, 0)
	if err != nil {
		return err
	}
	if e.Magic && what != noMessage && what != zeros && what != isMessage {
		return ErrNoSchema
	}
	if e.Magic {
		return ErrSchemaLost
	}
	if bytes.HasPrefix([]byte(arrowipc.Magic+"\x00\x00"), e.head) {
		return ErrNoSchema
	}
	if e.Footer != nil {
		return ErrSchemaLost // one without columns
	}
	// A stream that was cut in its schema.
	if prefix, length, err := arrowipc.ParsePrefix(e.head); err == nil && prefix == 8 && length > 0 && int64(length) <= MaxMetadataBytes && int64(length)+8 > src.Size {
		return ErrNoSchema
	}
	// Batches without a schema are a recording all the same.
	found := false
	s := scanner{readAt: src.ReadAt, size: src.Size, budget: &e.budget, accept: func(m *Message) (bool, error) {
		found = true
		return true, src.step(m.At)
	}}
	if _, err := s.next(0, min(src.Size, 64*FrontWindow)); err != nil {
		return err
	}
	if found {
		return ErrSchemaLost
	}
	return whatIs(src, e.head)
}

// note keeps a verdict that costs nothing, which the caller may change until the next.
func (e *Ends) note(severity Severity, at, length int64, reason, remedy string) *Verdict {
	e.notes = append(e.notes, NewNote(severity, at, length, reason, remedy))
	return &e.notes[len(e.notes)-1]
}

// lose keeps the verdict on bytes that are left out, in which nothing is found.
func (e *Ends) lose(at, length int64, reason string) {
	v := NewLoss(at, length, -1, reason)
	v.Blind = true
	e.notes = append(e.notes, v)
}

// Before returns the verdict on bytes before the beginning; nil if there are
// none.
func (e *Ends) Before() *Verdict {
	for i := range e.notes {
		if e.notes[i].Skipped {
			return &e.notes[i]
		}
	}
	return nil
}

func (e *Ends) harmless() bool {
	for i := range e.notes {
		if !e.notes[i].Harmless {
			return false
		}
	}
	return true
}
