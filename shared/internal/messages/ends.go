package messages

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

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

// shiftFooter makes the footer's blocks places of the file where the file has
// bytes before its beginning, and sorts out those that cannot be.
func (e *Ends) shiftFooter() {
	if e.Footer == nil {
		return
	}
	if e.FooterBase > 0 {
		for _, list := range []*[]arrowipc.Block{&e.Footer.Dictionaries, &e.Footer.Batches} {
			*list = slices.Clone(*list)
			for i, b := range *list {
				if b.Offset >= 0 && b.Offset <= e.FooterAt {
					(*list)[i].Offset += e.FooterBase
				}
			}
		}
	}
	e.outside = nil
	if list := e.Footer.Batches; len(e.Footer.Dictionaries) == 0 && slices.IsSortedFunc(list, byOffset) && !slices.ContainsFunc(list, func(b arrowipc.Block) bool { return !e.fits(b) }) {
		e.blocks = list // of most files; there may be very many
		return
	}
	e.blocks = make([]arrowipc.Block, 0, len(e.Footer.Dictionaries)+len(e.Footer.Batches))
	for _, list := range [][]arrowipc.Block{e.Footer.Dictionaries, e.Footer.Batches} {
		for _, b := range list {
			if e.fits(b) {
				e.blocks = append(e.blocks, b)
			} else {
				e.outside = append(e.outside, b)
			}
		}
	}
	slices.SortStableFunc(e.blocks, byOffset)
}

// fits reports whether a message may lie where a block of the footer says.
func (e *Ends) fits(b arrowipc.Block) bool {
	return b.Offset >= e.FooterBase+arrowipc.HeaderLength && (b.Offset-e.FooterBase)%8 == 0 && b.MetaLength >= 8 && b.BodyLength >= 0 && b.BodyLength <= e.FooterAt &&
		b.Offset <= e.FooterAt-int64(b.MetaLength)-b.BodyLength
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

// Tiled reports whether the blocks of the footer fill the file from the schema
// to the footer, each in its order, as a writer leaves them: then the footer
// can be believed until a header contradicts it.
func (e *Ends) Tiled() bool {
	if e.Footer == nil || !e.FooterMagic || e.FooterBase != e.Base || e.FooterEnd != e.size || e.Borrowed || len(e.notes) > 0 && !e.harmless() ||
		len(e.blocks) != len(e.Footer.Batches)+len(e.Footer.Dictionaries) || !slices.IsSortedFunc(e.Footer.Batches, byOffset) {
		return false
	}
	at := e.SchemaEnd
	if at == 0 {
		at = e.First
	}
	for _, b := range e.blocks {
		if b.Offset < at || b.Offset-at >= MaxPadding {
			return false
		}
		at = b.Offset + int64(b.MetaLength) + b.BodyLength
	}
	return e.FooterAt >= at && e.FooterAt-at <= endBytes && (len(e.blocks) == 0 && e.FooterAt == at || e.endsWell(e.FooterAt-at))
}

// Forget drops the blocks of the footer, which take 24 bytes each: who keeps them
// otherwise calls FindEnds again before a walk.
func (e *Ends) Forget() {
	e.Footer.Batches, e.Footer.Dictionaries, e.blocks, e.outside = nil, nil, nil, nil
	e.Forgotten = true
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

func byOffset(a, b arrowipc.Block) int { return cmp.Compare(a.Offset, b.Offset) }
