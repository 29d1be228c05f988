package recording

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"sort"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// What Recover reads first: the two ends of a file, which hold the schema.

// findEnds finds schema and footer and decides which schema to believe.
func (rc *recoverer) findEnds() error {
	if rc.size == 0 {
		return &reasonError{ErrEmpty}
	}
	head := make([]byte, min(rc.size, arrowipc.HeaderLength))
	if err := rc.readAt(head, 0); err != nil {
		return err
	}
	rc.magic = bytes.HasPrefix(head, []byte(arrowipc.Magic))
	if err := rc.findFooter(); err != nil {
		return err
	}
	front, err := rc.frontSchema()
	if err != nil {
		return err
	}
	if front == nil {
		if ok, err := rc.believeUnframed(); ok || err != nil {
			return err
		}
	}
	switch {
	case front == nil && rc.footer == nil && rc.o.SchemaFrom != nil:
		return rc.believeOther()
	case front == nil && rc.footer == nil:
		if _, stands, err := rc.messageAt(arrowipc.HeaderLength); err != nil {
			return err
		} else if rc.magic && (stands == noMessage || stands == zeros) {
			return &reasonError{ErrSchemaLost}
		}
		if rc.magic || bytes.HasPrefix([]byte(arrowipc.Magic+"\x00\x00"), head) {
			return &reasonError{ErrNoSchema}
		}
		return &reasonError{ErrNotArrow}
	case front == nil:
		return rc.believeFooter("no schema in front of the batches: taken from the footer", "")
	}
	rc.schema, rc.version, rc.schemaAt, rc.schemaEnd, rc.pos = front.Schema, front.Version, front.at, front.end(), front.end()
	rc.prefix, rc.stream = front.prefix, front.at == 0
	if rc.footer != nil && !reflect.DeepEqual(rc.footer.Schema, *front.Schema) {
		if err := rc.chooseSchema(front); err != nil {
			return err
		}
	}
	if rc.schema.BigEndian {
		return &reasonError{ErrBigEndian}
	}
	return nil
}

// frontSchema returns the schema message in front of the batches, or nil. Some
// writers pad the magic to 64 bytes.
func (rc *recoverer) frontSchema() (*message, error) {
	if !rc.magic { // a stream begins with it
		m, _, err := rc.messageAt(0)
		if err != nil || m != nil && m.Schema != nil && m.BodyLength == 0 {
			return m, err
		}
	}
	for at := int64(arrowipc.HeaderLength); at <= 64; at += 8 {
		m, s, err := rc.messageAt(at)
		if err != nil {
			return nil, err
		}
		if m != nil && m.Schema != nil && m.BodyLength == 0 {
			return m, nil
		}
		if s != zeros {
			return nil, nil
		}
	}
	return nil, nil
}

// believeOther takes the schema from another file; the scan finds the first
// batch.
func (rc *recoverer) believeOther() error {
	other := rc.o.SchemaFrom
	rc.schema, rc.version, rc.schemaEnd = &other.schema, other.version, 0
	if rc.pos = 0; rc.magic {
		rc.pos = arrowipc.HeaderLength
	}
	m, err := rc.scan(rc.pos, rc.size)
	if err != nil {
		return err
	}
	if m == nil {
		return &reasonError{fmt.Errorf("%w; nor does any batch in it fit the schema of the other file", ErrNoSchema)}
	}
	rc.note("info", 0, m.at, "no schema in front of the batches: taken from another file")
	rc.pos = m.at
	return nil
}

// believeFooter takes the schema from the footer and begins at the first
// message that can be found.
func (rc *recoverer) believeFooter(reason, remedy string) error {
	rc.schema, rc.version, rc.schemaEnd = &rc.footer.Schema, rc.footer.Version, 0
	if rc.schema.BigEndian {
		return &reasonError{ErrBigEndian}
	}
	first := rc.footerAt
	if len(rc.blocks) > 0 {
		first = rc.blocks[0].Offset
	}
	rc.pos = first
	// The schema's prefix may still say where it ended: batches that the
	// footer lacks begin there.
	var prefix [8]byte
	if rc.size >= arrowipc.HeaderLength+8 {
		if err := rc.readAt(prefix[:], arrowipc.HeaderLength); err != nil {
			return err
		}
		if n, length, err := arrowipc.ParsePrefix(prefix[:]); err == nil && length > 0 {
			at := arrowipc.HeaderLength + int64(n) + int64(length)
			if at < first {
				m, s, err := rc.messageAt(at)
				if err != nil {
					return err
				}
				if m != nil || s == endMark {
					rc.pos = at
				}
			}
		}
	}
	if rc.pos == first { // batches may have moved away from where the footer has them
		m, err := rc.scan(arrowipc.HeaderLength, first)
		if err != nil {
			return err
		}
		if m != nil && m.at < first {
			rc.pos = m.at
		}
	}
	rc.mend(arrowipc.HeaderLength, max(0, min(rc.pos, rc.footerAt)-arrowipc.HeaderLength), reason, remedy)
	return nil
}

// chooseSchema decides between the schema in front and the one in the footer:
// the one that fits the first batch that can be read, in doubt the one in
// front.
func (rc *recoverer) chooseSchema(front *message) error {
	m, _, err := rc.messageAt(rc.pos)
	for i := 0; err == nil && (m == nil || m.Header != arrowipc.RecordBatchHeader) && i < len(rc.blocks); i++ {
		m, err = rc.candidate(rc.blocks[i])
	}
	if err != nil {
		return err
	}
	if m != nil && m.Header == arrowipc.RecordBatchHeader {
		fits := func(s *arrowipc.Schema) (bool, error) {
			_, err := rc.checker.check(rc, s, m)
			var bad *reasonError
			if errors.As(err, &bad) {
				return false, nil
			}
			return err == nil, err
		}
		inFront, err := fits(front.Schema)
		if err != nil {
			return err
		}
		inFooter, err := fits(&rc.footer.Schema)
		if err != nil {
			return err
		}
		if inFooter && !inFront && len(rc.footer.Schema.Fields) > 0 { // zeros in a footer leave no fields
			return rc.believeFooter("the schema in front does not fit the batches: taken from the footer", "")
		}
	}
	rc.mend(rc.footerAt, rc.footerEnd-rc.footerAt, "suspect: the schema in the footer is not the one in front of the batches", frontKept)
	rc.findings[len(rc.findings)-1].Severity = "warning"
	return nil
}

// findFooter looks for a footer at the end, also behind a closing magic that
// is damaged, and before rubbish behind the end.
func (rc *recoverer) findFooter() error {
	window := make([]byte, min(rc.size, tailWindow))
	from := rc.size - int64(len(window))
	if err := rc.readAt(window, from); err != nil {
		return err
	}
	if ok, err := rc.footerEndingAt(rc.size); ok || err != nil {
		return err
	}
	for end := len(window); rc.budget > 0; {
		i := bytes.LastIndex(window[:end], []byte(arrowipc.Magic))
		if i < 0 {
			return nil
		}
		if ok, err := rc.footerEndingAt(from + int64(i+len(arrowipc.Magic))); ok || err != nil {
			return err
		}
		end = i
	}
	return nil
}

// footerEndingAt tries a footer whose closing magic ends at end.
func (rc *recoverer) footerEndingAt(end int64) (bool, error) {
	var trailer [arrowipc.TrailerLength]byte
	if end-arrowipc.HeaderLength < int64(len(trailer)) {
		return false, nil
	}
	if err := rc.readAt(trailer[:], end-int64(len(trailer))); err != nil {
		return false, err
	}
	length := int64(int32(binary.LittleEndian.Uint32(trailer[:])))
	at := end - int64(len(trailer)) - length
	if length <= 0 || length > maxFooterBytes || at < arrowipc.HeaderLength {
		return false, nil
	}
	rc.budget -= length
	p := make([]byte, length)
	if err := rc.readAt(p, at); err != nil {
		return false, err
	}
	f, err := arrowipc.ParseFooter(p)
	if err != nil {
		return false, nil // not a footer
	}
	rc.footer, rc.footerAt, rc.footerEnd = f, at, end
	rc.footerMagic = string(trailer[4:]) == arrowipc.Magic
	for _, list := range [][]arrowipc.Block{f.Dictionaries, f.Batches} {
		for i, b := range list {
			if !blockFits(b, at) {
				rc.note("info", at, length, fmt.Sprintf("footer block %d points at %d with lengths %d and %d, outside the batches", i, b.Offset, b.MetaLength, b.BodyLength))
				continue
			}
			rc.blocks = append(rc.blocks, b)
		}
	}
	sort.Slice(rc.blocks, func(i, j int) bool { return rc.blocks[i].Offset < rc.blocks[j].Offset })
	rc.allBlocks = rc.blocks
	return true, nil
}

// blockFits reports whether a message may stand where a block of the footer at
// footerAt says.
func blockFits(b arrowipc.Block, footerAt int64) bool {
	return b.Offset >= arrowipc.HeaderLength && b.Offset%8 == 0 && b.MetaLength >= 8 && b.BodyLength <= footerAt && b.Offset <= footerAt-int64(b.MetaLength)-b.BodyLength
}
