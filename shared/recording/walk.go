package recording

import (
	"errors"
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// A message is a message's metadata and where it stands.
type message struct {
	*arrowipc.Message
	at     int64
	prefix int   // 8, or 4 of a writer before Arrow 0.15
	length int64 // of prefix and metadata
}

func (m *message) bodyAt() int64  { return m.at + m.length }
func (m *message) end() int64     { return m.bodyAt() + m.BodyLength }
func (m *message) dataEnd() int64 { return m.bodyAt() + m.Batch.DataEnd() }

// What stands where a message should begin.
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

// messageAt reads the message at offset at, or says what stands there
// instead. It is well formed, and its lengths are multiples of 8; nothing else
// is checked. The error is that of reading.
func (rc *recoverer) messageAt(at int64) (*message, standing, error) {
	var head [8]byte
	rest := rc.size - at
	if rest <= 0 {
		return nil, atEnd, nil
	}
	p := head[:min(8, rest)]
	if err := rc.readAt(p, at); err != nil {
		return nil, "", err
	}
	if rest < 8 {
		if rc.prefix == 4 && rest >= 4 && allZero(p[:4]) {
			return nil, endMark, nil // of a stream from before Arrow 0.15
		}
		if allZero(p) {
			return nil, zeros, nil
		}
		return nil, cutPrefix, nil
	}
	prefix, length, err := arrowipc.ParsePrefix(p)
	switch {
	case err != nil:
		return nil, noMessage, nil
	case length == 0 && (prefix == 8 || rc.prefix == 4 && !allZero(p)):
		return nil, endMark, nil
	case length == 0 && allZero(p):
		return nil, zeros, nil
	case rc.prefix != 0 && prefix != rc.prefix || length == 0 || length > maxMetadataBytes || (prefix+int(length))%8 != 0:
		return nil, noMessage, nil
	case int64(length) > rest-int64(prefix):
		// A header of this length may have been begun; a longer rest means
		// that the length is damaged.
		if rest <= maxCutHeader {
			return nil, cutHeader, nil
		}
		return nil, noMessage, nil
	}
	metadata := make([]byte, length)
	if err := rc.readAt(metadata, at+int64(prefix)); err != nil {
		return nil, "", err
	}
	parsed, err := arrowipc.ParseMessage(metadata)
	if err != nil || parsed.BodyLength%8 != 0 || parsed.BodyLength > maxMessageBody {
		return nil, noMessage, nil
	}
	return &message{Message: parsed, at: at, prefix: prefix, length: int64(prefix) + int64(length)}, isMessage, nil
}

// candidate reads the message that a footer's block points at; nil if there is
// none of these lengths. What suspicion may cost is bounded, so that a footer
// cannot make the same bytes be read over and over.
func (rc *recoverer) candidate(b arrowipc.Block) (*message, error) {
	if rc.budget -= int64(b.MetaLength); rc.budget < 0 {
		return nil, nil
	}
	m, _, err := rc.messageAt(b.Offset)
	if err != nil || m == nil || m.Header == arrowipc.SchemaHeader || m.length != int64(b.MetaLength) || m.BodyLength != b.BodyLength {
		return nil, err
	}
	return m, nil
}

// blocksFrom returns the footer's blocks at or behind at.
func (rc *recoverer) blocksFrom(at int64) []arrowipc.Block {
	for len(rc.blocks) > 0 && rc.blocks[0].Offset < at {
		rc.blocks = rc.blocks[1:]
	}
	return rc.blocks
}

// walk judges message after message until none follows.
func (rc *recoverer) walk() error {
	for {
		m, stands, err := rc.messageAt(rc.pos)
		if err != nil {
			return err
		}
		if err := rc.yield(); err != nil {
			return err
		}
		blocks := rc.blocksFrom(rc.pos)
		switch {
		case rc.footer != nil && rc.pos == rc.footerAt:
			return nil // some writers put no end mark before it
		case m != nil:
			before := rc.mark(m)
			if err := rc.message(m); err != nil {
				return err
			}
			if rc.pos > m.at {
				rc.last = before
				continue
			}
			return nil // of the last batch some data are missing
		case stands == endMark && len(blocks) == 0:
			rc.last = nil
			more, err := rc.behindEnd()
			if err != nil {
				return err
			}
			if !more {
				rc.ended = true
				return nil
			}
		}
		// The chain is broken here.
		resumed, err := rc.resume(string(stands))
		if err != nil || !resumed {
			return err
		}
	}
}

// message judges one well-formed message and moves pos behind it; pos stays if
// the file ends inside its data.
func (rc *recoverer) message(m *message) error {
	if m.Header == arrowipc.SchemaHeader {
		rc.lose(m.at, m.end()-m.at, false, -1, "a second schema stands between the batches")
		if rc.pos = m.end(); rc.pos > rc.size {
			rc.pos = rc.size
		}
		return nil
	}
	end, wrong, err := rc.trueEnd(m)
	if err != nil {
		return err
	}
	if wrong != "" {
		rc.lose(m.at, end-m.at, m.Header == arrowipc.RecordBatchHeader, -1, wrong)
		rc.pos = end
		return nil
	}
	limit := rc.size
	if rc.footer != nil && m.at < rc.footerAt {
		limit = rc.footerAt
	}
	batch := m.Header == arrowipc.RecordBatchHeader
	if m.dataEnd() > limit {
		if next, err := rc.scan(m.at+8, limit); err != nil {
			return err
		} else if next != nil {
			rc.lose(m.at, next.at-m.at, batch, rowsOf(m), endsEarly(m, next))
			rc.pos = next.at
			return nil
		}
		said := ""
		if limit == rc.size {
			var kept bool
			if kept, said, err = rc.trySalvage(m); err != nil || kept {
				return err
			}
		}
		rc.lose(m.at, limit-m.at, batch, rowsOf(m), fmt.Sprintf("only %d of the %d bytes of its body are there%s", limit-m.bodyAt(), m.BodyLength, said))
		rc.findings[len(rc.findings)-1].end = limit == rc.size
		if limit < rc.size {
			rc.pos = limit // the footer
		}
		return nil
	}
	checked, err := rc.check(m)
	var bad *reasonError
	switch {
	case errors.As(err, &bad):
		rc.lose(m.at, min(end, limit)-m.at, batch, rowsOf(m), bad.Error())
		if !batch {
			delete(rc.dictionaries, m.DictionaryID)
		}
	case err != nil:
		return err
	case !batch && rc.second(m):
		rc.lose(m.at, min(end, limit)-m.at, false, 0, "a second dictionary of a column that has one")
	case !batch && !rc.takeDictionary(m):
		rc.lose(m.at, min(end, limit)-m.at, false, -1, "values of a dictionary whose beginning is missing")
	default:
		k := kept{
			block:      arrowipc.Block{Offset: m.at, MetaLength: int32(m.length), BodyLength: m.BodyLength},
			pad:        max(0, m.end()-limit),
			dictionary: !batch,
			clock:      checked.clock,
			plain:      m.Batch.Codec == arrowipc.Uncompressed,
		}
		if batch {
			k.rows = m.Batch.Length
			rc.suspect(m, checked)
			if rc.verifier != nil {
				rc.verifier.intact(rc.index, rc.rows)
			}
			rc.index++
			rc.rows += k.rows
			if k.clock.ok {
				rc.clock = k.clock
			}
		}
		rc.kept = append(rc.kept, k)
		if k.pad > 0 {
			rc.mend(limit, 0, fmt.Sprintf("%d bytes of padding behind the last batch are missing", k.pad), "added")
		}
	}
	rc.pos = min(end, limit)
	return nil
}

func rowsOf(m *message) int64 {
	if m.Header != arrowipc.RecordBatchHeader {
		return -1
	}
	return m.Batch.Length
}

// trueEnd returns where the message ends, and what is wrong if that is not
// where it says: a body length that is damaged would swallow the batches
// behind it.
func (rc *recoverer) trueEnd(m *message) (end int64, wrong string, err error) {
	blocks := rc.blocksFrom(m.at)
	if len(blocks) > 0 && blocks[0].Offset == m.at {
		b := blocks[0]
		if int64(b.MetaLength) == m.length && b.BodyLength == m.BodyLength {
			return m.end(), "", nil
		}
		blocks = blocks[1:]
	}
	// The next message by the footer, or right behind the data.
	for i, b := range blocks {
		if b.Offset >= min(m.end(), rc.size) {
			break
		}
		found, err := rc.candidate(blocks[i])
		if err != nil {
			return 0, "", err
		}
		if found != nil {
			return b.Offset, fmt.Sprintf("its header says that %d bytes follow, but a batch begins before they end", m.BodyLength), nil
		}
	}
	if m.end()-m.dataEnd() < maxPadding || m.dataEnd() > rc.size {
		return m.end(), "", nil // the usual, or a torn batch
	}
	for _, align := range []int64{8, maxPadding} {
		tight := m.bodyAt() + (m.Batch.DataEnd()+align-1)/align*align
		found, stands, err := rc.messageAt(tight)
		if err != nil {
			return 0, "", err
		}
		if found != nil || stands == endMark || stands == atEnd {
			tight = min(tight, rc.size)
			return tight, fmt.Sprintf("its header says that %d bytes follow, but only %d do", m.BodyLength, tight-m.bodyAt()), nil
		}
	}
	if m.end() > rc.size {
		return rc.size, fmt.Sprintf("its header says that %d bytes follow, but its data end at %d", m.BodyLength, m.Batch.DataEnd()), nil
	}
	return m.end(), "", nil
}

func allZero(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}
