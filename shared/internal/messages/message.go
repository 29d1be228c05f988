// Package messages is the one walk over the bytes of an Arrow file or stream:
// framing, footers, and the search for the next message after damage.
//
// [FindEnds] reads the two ends of a file, which hold the schema. [Walk] goes
// from message to message and gives a [Layout]: an immutable list of verdicts,
// one for each stretch of the file. The reader, recovery and verification fold
// the same list, so they cannot disagree about where a batch lies. No body is
// read here; whether a batch's values are intact is the business of its
// readers.
//
// Source: Arrow columnar format, "Encapsulated message format", "IPC Streaming
// Format" and "IPC File Format".
package messages

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

const (
	// MaxMetadataBytes is the longest metadata of one message that is
	// believed; a header of 1540 buffers takes 40 kB.
	MaxMetadataBytes = 64 << 20
	// MaxPadding is the most that follows the last buffer of a body: writers
	// align to 8 or 64.
	MaxPadding = 64
	// TailWindow is how many bytes of rubbish may follow a footer for it to
	// be found from the end.
	TailWindow = 1 << 20
	// FrontWindow is how many bytes may lie before a whole file for its
	// beginning to be found.
	FrontWindow = 1 << 20
	// MaxFooterBytes has room for 24 bytes a batch and the schema: ten
	// million batches of a wide table.
	MaxFooterBytes = 256 << 20
	// MaxRows keeps rows times width inside an int64 whatever a header says.
	MaxRows = 1 << 38

	maxKept      = 1 << 20 // bytes of metadata that are kept to be compared with the next
	maxCutHeader = 1 << 20 // bytes at the end that may be the beginning of a header
	maxBody      = 1 << 60 // keeps the sum of an offset and a body inside an int64
)

// A Source is the file that is walked.
type Source struct {
	// ReadAt fills p from offset off, which lies inside the file.
	ReadAt func(p []byte, off int64) error
	// View returns n bytes from off, which lie inside the file, of a file that is
	// in memory; nil: it is not. Nobody writes to them.
	View func(off, n int64) ([]byte, error)
	Size int64
	// Step is called with the place reached now and then; an error ends the
	// walk, which returns it. It may be nil.
	Step func(at int64) error
}

func (s *Source) step(at int64) error {
	if s.Step == nil {
		return nil
	}
	return s.Step(at)
}

// bytes returns n bytes from off, which lie inside the file.
func (s *Source) bytes(off, n int64) ([]byte, error) {
	if s.View != nil {
		return s.View(off, n)
	}
	p := make([]byte, n)
	if err := s.ReadAt(p, off); err != nil {
		return nil, err
	}
	return p, nil
}

// A Message is the metadata of a message and where it lies.
type Message struct {
	*arrowipc.Message
	At     int64 // byte of the file
	Prefix int   // 8, or 4 of a writer before Arrow 0.15
	Length int64 // of prefix and metadata, in bytes
}

// BodyAt returns where the body begins.
func (m *Message) BodyAt() int64 { return m.At + m.Length }

// End returns where the message ends, by its own words.
func (m *Message) End() int64 { return m.BodyAt() + m.BodyLength }

// DataEnd returns where the last buffer ends; up to End follows padding.
func (m *Message) DataEnd() int64 { return m.BodyAt() + m.Batch.DataEnd() }

// Block is what a footer would say of the message.
func (m *Message) Block() arrowipc.Block {
	return arrowipc.Block{Offset: m.At, MetaLength: int32(m.Length), BodyLength: m.BodyLength}
}

func (m *Message) isBatch() bool { return m.Header == arrowipc.RecordBatchHeader }

// rows of a record batch, -1 of other messages.
func (m *Message) rows() int64 {
	if !m.isBatch() {
		return -1
	}
	return m.Batch.Length
}

// What lies where a message should begin.
type standing string

const (
	isMessage standing = ""
	endMark   standing = "an end mark"
	atEnd     standing = "the file ends"
	zeros     standing = "zeros where a message should begin"
	cutPrefix standing = "the file ends inside the first 8 bytes of a message"
	cutHeader standing = "the file ends inside the header of a batch"
	noMessage standing = "no message begins here"
)

// Zeros is the reason of a loss where zeros are found instead of a message.
const Zeros = string(zeros)

func messageAt(src *Source, at int64, framing int) (*Message, standing, error) {
	return NewHeaders(src).at(at, framing)
}

// Headers read messages one after the other. What a message says is often what the one
// before it said: then it is parsed once, and shared.
type Headers struct {
	src    *Source
	guess  int64 // how many bytes to read at first
	buf    []byte
	raw    []byte            // the metadata parsed last
	parsed *arrowipc.Message // of raw; nobody writes to it
}

// NewHeaders reads the messages of a file.
func NewHeaders(src *Source) *Headers { return &Headers{src: src} }

// At is At for many messages.
func (h *Headers) At(at int64) (*Message, error) {
	m, _, err := h.at(at, 0)
	return m, err
}

// bytes returns n bytes from off, valid until the next call.
func (h *Headers) bytes(off, n int64) ([]byte, error) {
	if h.src.View != nil {
		return h.src.View(off, n)
	}
	h.buf = grown(h.buf, n)
	return h.buf, h.src.ReadAt(h.buf, off)
}

// parse is arrowipc.ParseMessage of bytes that the next call may change.
func (h *Headers) parse(p []byte) (*arrowipc.Message, error) {
	if h.parsed != nil && bytes.Equal(p, h.raw) {
		return h.parsed, nil
	}
	m, err := arrowipc.ParseMessage(p)
	switch {
	case err != nil:
	case m.Header == arrowipc.SchemaHeader: // it refers to the bytes
		return arrowipc.ParseMessage(bytes.Clone(p))
	case len(p) <= maxKept:
		h.raw, h.parsed = append(h.raw[:0], p...), m
	}
	return m, err
}

// at reads the message at offset at, or says what lies there instead.
// It is well formed, and its lengths are multiples of 8; nothing else is
// checked. framing is 8 or 4, or 0 if it is not known yet. The error is that of reading.
func (h *Headers) at(at int64, framing int) (*Message, standing, error) {
	rest := h.src.Size - at
	if rest <= 0 {
		return nil, atEnd, nil
	}
	p, err := h.bytes(at, min(max(8, h.guess), rest))
	if err != nil {
		return nil, "", err
	}
	head := p[:min(8, len(p))]
	if rest < 8 {
		if framing == 4 && rest >= 4 && allZero(p[:4]) {
			return nil, endMark, nil // of a stream from before Arrow 0.15
		}
		if allZero(p) {
			return nil, zeros, nil
		}
		return nil, cutPrefix, nil
	}
	prefix, length, err := arrowipc.ParsePrefix(head)
	switch {
	case err != nil:
		return nil, noMessage, nil
	case length == 0 && (prefix == 8 || framing == 4 && !allZero(head)):
		return nil, endMark, nil
	case length == 0 && allZero(head):
		return nil, zeros, nil
	case length == 0 || length > MaxMetadataBytes || (prefix+int(length))%8 != 0:
		return nil, noMessage, nil
	case int64(length) > rest-int64(prefix):
		// A header of this length may have been begun; a longer rest means
		// that the length is damaged.
		if rest <= maxCutHeader {
			return nil, cutHeader, nil
		}
		return nil, noMessage, nil
	}
	whole := int64(prefix) + int64(length)
	switch have := int64(len(p)); {
	case have >= whole:
		p = p[prefix:whole]
	case h.src.View != nil:
		if p, err = h.src.View(at+int64(prefix), int64(length)); err != nil {
			return nil, "", err
		}
	default:
		p = slices.Grow(p, int(whole-have))[:whole]
		h.buf = p
		if err := h.src.ReadAt(p[have:], at+have); err != nil {
			return nil, "", err
		}
		p = p[prefix:]
	}
	parsed, err := h.parse(p)
	if err != nil || parsed.BodyLength%8 != 0 || parsed.BodyLength > maxBody {
		return nil, noMessage, nil
	}
	h.guess = whole + 8
	return &Message{Message: parsed, At: at, Prefix: prefix, Length: whole}, isMessage, nil
}

// Fit compares the header of a record or dictionary batch with a schema. The
// error says what does not fit.
func Fit(s *arrowipc.Schema, m *Message) error {
	if m.Batch.Length > MaxRows {
		return fmt.Errorf("it claims %d rows", m.Batch.Length)
	}
	if m.Header == arrowipc.DictionaryBatchHeader {
		values := DictionaryField(s.Fields, m.DictionaryID)
		if values == nil {
			return fmt.Errorf("a dictionary that no column uses")
		}
		if DictionaryField(values.Children, m.DictionaryID) != nil {
			return fmt.Errorf("dictionary %d is inside of itself", m.DictionaryID)
		}
		s = &arrowipc.Schema{Fields: []arrowipc.Field{*values}}
	}
	_, err := arrowipc.Columns(s, m.Version, m.Batch, nil)
	return err
}

// DictionaryField returns the field of the values of dictionary id, or nil.
func DictionaryField(fields []arrowipc.Field, id int64) *arrowipc.Field {
	for i := range fields {
		if d := fields[i].Dictionary; d != nil && d.ID == id {
			values := fields[i]
			values.Dictionary = nil
			return &values
		}
		if f := DictionaryField(fields[i].Children, id); f != nil {
			return f
		}
	}
	return nil
}

func allZero(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}

// grown returns p with length n; its contents are undefined.
func grown(p []byte, n int64) []byte {
	return slices.Grow(p[:0], int(n))[:n]
}
