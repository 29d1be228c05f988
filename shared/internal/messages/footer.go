package messages

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sort"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// findFooter looks for a footer at the end, also before a closing magic that is
// damaged, and before rubbish after the end. front is the schema message at the
// beginning, nil if there is none.
func (e *Ends) findFooter(src *Source, front *Message) error {
	if src.Size < arrowipc.HeaderLength+int64(arrowipc.TrailerLength) {
		return nil
	}
	guess := min(src.Size, footerGuess)
	tail, err := src.bytes(src.Size-guess, guess)
	if err != nil {
		return err
	}
	if ok, err := e.footerEndingAt(src, src.Size, tail, front); ok || err != nil {
		return err
	}
	if len(tail) == footerGuess {
		window := min(src.Size, TailWindow)
		if tail, err = src.bytes(src.Size-window, window); err != nil {
			return err
		}
	}
	from := src.Size - int64(len(tail))
	for end := len(tail); e.budget > 0; {
		i := bytes.LastIndex(tail[:end], []byte(arrowipc.Magic))
		if i < 0 {
			return nil
		}
		if ok, err := e.footerEndingAt(src, from+int64(i+len(arrowipc.Magic)), nil, front); ok || err != nil {
			return err
		}
		end = i
	}
	return nil
}

// footerEndingAt tries a footer whose closing magic ends at end. tail are the
// last bytes before end, if they have been read.
func (e *Ends) footerEndingAt(src *Source, end int64, tail []byte, front *Message) (bool, error) {
	var trailer [arrowipc.TrailerLength]byte
	if end-arrowipc.HeaderLength < int64(len(trailer)) {
		return false, nil
	}
	if tail != nil {
		copy(trailer[:], tail[len(tail)-len(trailer):])
	} else if err := src.ReadAt(trailer[:], end-int64(len(trailer))); err != nil {
		return false, err
	}
	length := int64(int32(binary.LittleEndian.Uint32(trailer[:])))
	at := end - int64(len(trailer)) - length
	if length <= 0 || length > MaxFooterBytes || at < arrowipc.HeaderLength {
		return false, nil
	}
	var p []byte // of the footer, after what lies before it
	lead := min(at, endBytes)
	if have := int64(len(tail)) - int64(len(trailer)); have >= lead+length {
		p = tail[have-lead-length : have]
	} else {
		if string(trailer[4:]) != arrowipc.Magic {
			if ok, err := mayBeFooter(src, at, length); !ok || err != nil {
				return false, err
			}
		}
		e.budget -= length
		var err error
		if p, err = src.bytes(at-lead, lead+length); err != nil {
			return false, err
		}
	}
	var schema *arrowipc.Message
	if front != nil {
		schema = front.Message
	}
	f, err := arrowipc.ParseFooter(p[lead:], schema)
	if err != nil {
		return false, nil // not a footer
	}
	e.Footer, e.FooterAt, e.FooterEnd = f, at, end
	e.before = slices.Clone(p[:lead])
	e.FooterMagic = string(trailer[4:]) == arrowipc.Magic
	if f.Odd {
		e.note(Warning, at, length, "the footer "+odd, writtenAnew)
	}
	if !e.FooterMagic {
		e.note(Warning, end-int64(len(arrowipc.Magic)), int64(len(arrowipc.Magic)), "the footer is not followed by ARROW1", writtenAnew)
	}
	return true, nil
}

// endBytes is the most that lies between the last batch and a footer: an end mark and
// padding.
const endBytes = MaxPadding + 8

// mark is the end mark of files and streams since Arrow 0.15.
var mark = []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}

// endsWell reports whether the last n bytes before the footer, after the last batch, are
// what writers leave there: nothing, or an end mark and zeros. Bytes that are missing in
// the last batch, or are too many, move the mark: it may then be the end of the batch.
func (e *Ends) endsWell(n int64) bool {
	if n > int64(len(e.before)) {
		return false
	}
	p := e.before[int64(len(e.before))-n:]
	if n == 0 {
		return !bytes.HasSuffix(e.before, mark)
	}
	if rest, ok := bytes.CutPrefix(p, mark); ok {
		return allZero(rest)
	}
	return e.Prefix == 4 && n >= 4 && allZero(p)
}

// mayBeFooter looks at the root of a flatbuffer: where the recorder was killed,
// samples say how long a footer is, and that may be a hundred megabytes.
// Source: FlatBuffers internals, "Tables" and "VTable".
func mayBeFooter(src *Source, at, length int64) (bool, error) {
	var b [4]byte
	if length < int64(len(b)) {
		return false, nil
	}
	if err := src.ReadAt(b[:], at); err != nil {
		return false, err
	}
	table := int64(binary.LittleEndian.Uint32(b[:]))
	if table < 4 || table > length-4 {
		return false, nil
	}
	if err := src.ReadAt(b[:], at+table); err != nil {
		return false, err
	}
	fields := table - int64(int32(binary.LittleEndian.Uint32(b[:])))
	if fields < 4 || fields > length-4 {
		return false, nil
	}
	if err := src.ReadAt(b[:], at+fields); err != nil {
		return false, err
	}
	own, size := int64(binary.LittleEndian.Uint16(b[:])), int64(binary.LittleEndian.Uint16(b[2:]))
	return own >= 4 && own%2 == 0 && fields+own <= length && size >= 4 && table+size <= length, nil
}

// trailerAfter returns where the footer ends that begins at at, by the length
// before its magic; -1 if there is none.
func trailerAfter(src *Source, at int64) (int64, error) {
	const step = 1 << 20
	overlap := int64(arrowipc.TrailerLength)
	buf := make([]byte, min(step, max(0, src.Size-at)))
	for from := at; from < min(src.Size, at+MaxFooterBytes); from += step - overlap {
		p := buf[:min(int64(len(buf)), src.Size-from)]
		if err := src.ReadAt(p, from); err != nil {
			return -1, err
		}
		if err := src.step(from); err != nil {
			return -1, err
		}
		for start := 4; start < len(p); {
			i := bytes.Index(p[start:], []byte(arrowipc.Magic))
			if i < 0 {
				break
			}
			i += start
			length := int64(binary.LittleEndian.Uint32(p[i-4:]))
			if length == from+int64(i)-4-at {
				return from + int64(i+len(arrowipc.Magic)), nil
			}
			start = i + 1
		}
		if int64(len(p)) < step {
			break
		}
	}
	return -1, nil
}

// Polars 2 writes files that contain all that is needed, but not where others
// look for it: the schema message before the batches lacks marker and length,
// and dictionaries follow the batches that use them. The footer makes up for
// both.

// maxUnframed is how long a schema without a frame may be where no footer says
// where it ends.
const maxUnframed = 1 << 20

// unframedSchema reads a schema message without marker and length at the
// beginning of p, or returns nil.
func unframedSchema(p []byte) *arrowipc.Message {
	prefix, length, err := arrowipc.ParsePrefix(p)
	if err != nil || prefix != 4 || length < 4 || length > 64 { // where the root begins
		return nil
	}
	m, err := arrowipc.ParseMessage(p)
	if err != nil || m.Header != arrowipc.SchemaHeader || m.BodyLength != 0 {
		return nil
	}
	return m
}

// unframedLength is how many bytes of p the schema takes that unframedSchema
// found in it: if any more is cut off, it is missed.
func unframedLength(p []byte, m *arrowipc.Message) int64 {
	n := sort.Search(len(p), func(n int) bool {
		short := unframedSchema(p[:n])
		return short != nil && short.Schema.Equal(m.Schema)
	})
	return int64(n)
}

// padded reports whether the first n bytes of p can be padding.
func padded(p []byte, n int64) bool { return n < MaxPadding && allZero(p[:min(n, int64(len(p)))]) }

// believeUnframed takes a schema without a frame before the batches. It
// reports false if there is none.
func (e *Ends) believeUnframed(src *Source) (bool, error) {
	if !e.Magic || e.Base > 0 || src.Size <= arrowipc.HeaderLength {
		return false, nil
	}
	end := min(src.Size, arrowipc.HeaderLength+maxUnframed)
	if e.Footer != nil && len(e.blocks) > 0 {
		end = min(e.blocks[0].Offset, e.FooterAt)
	}
	if end-arrowipc.HeaderLength > MaxMetadataBytes {
		return false, nil
	}
	p := make([]byte, end-arrowipc.HeaderLength)
	if err := src.ReadAt(p, arrowipc.HeaderLength); err != nil {
		return false, err
	}
	m := unframedSchema(p)
	if m == nil || e.Footer != nil && !m.Schema.Equal(&e.Footer.Schema) {
		return false, nil
	}
	const reason = "the schema before the batches lacks its frame, as Polars writes it"
	e.Unframed = true
	if e.Footer != nil {
		return true, e.believeFooter(src, reason, writtenAnew)
	}
	e.Schema, e.Version, e.SchemaEnd = m.Schema, m.Version, 0
	if e.Schema.BigEndian {
		return true, ErrBigEndian
	}
	length := unframedLength(p, m)
	first, err := e.scanHeaders(src, (arrowipc.HeaderLength+length+7)&^7, src.Size)
	if err != nil {
		return true, err
	}
	if e.First = src.Size; first != nil {
		e.First = first.At
	}
	e.note(Info, arrowipc.HeaderLength, length, reason, writtenAnew).Harmless = true
	if end := arrowipc.HeaderLength + length; !padded(p[length:], e.First-end) {
		e.lose(end, e.First-end, "no batch is found right after the schema")
	}
	return true, nil
}
