package recording

import (
	"cmp"
	"errors"
	"reflect"
	"slices"
	"sort"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// Polars 2 writes files that hold all that is needed, but not where others look
// for it: the schema message stands in front of the batches without marker and
// length, and dictionaries stand behind the batches that use them. The footer
// makes up for both.

// maxUnframed is how long a schema without a frame may be where no footer says
// where it ends.
const maxUnframed = 1 << 20

const noneBehindSchema = "no batch is found right behind the schema"

// unframedSchema reads a schema message that stands without marker and length
// at the beginning of p, or returns nil.
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
// found in it: what is cut off any more is missed.
func unframedLength(p []byte, m *arrowipc.Message) int64 {
	n := sort.Search(len(p), func(n int) bool {
		short := unframedSchema(p[:n])
		return short != nil && reflect.DeepEqual(short.Schema, m.Schema)
	})
	return int64(n)
}

// padded reports whether the first n bytes of p can be padding.
func padded(p []byte, n int64) bool { return n < maxPadding && allZero(p[:min(n, int64(len(p)))]) }

// unframedBefore reports whether nothing but the footer's schema stands before
// the byte first.
func (r *Reader) unframedBefore(f *arrowipc.Footer, first int64) bool {
	length := min(first, r.end) - arrowipc.HeaderLength
	if length <= 0 || length > maxMetadataBytes {
		return false
	}
	p, err := r.readAt(arrowipc.HeaderLength, length, &r.read.Metadata)
	if err != nil {
		return false
	}
	m := unframedSchema(p)
	return m != nil && reflect.DeepEqual(*m.Schema, f.Schema)
}

// takeUnframed opens a file without a footer by a schema without a frame, and
// returns where the first batch is; -1 if there is no such schema.
func (r *Reader) takeUnframed(at int64, stop stopped) (next int64, err error) {
	if r.format != "file" || stop.prefix != 4 || !stop.damaged {
		return -1, nil
	}
	p, err := r.readAt(at, min(r.size-at, maxUnframed), &r.read.Metadata)
	if err != nil {
		return -1, err
	}
	m := unframedSchema(p)
	if m == nil {
		return -1, nil
	}
	if err := r.setSchema(m.Schema, m.Version); err != nil {
		return -1, err
	}
	length := unframedLength(p, m)
	first, err := r.scan((at + length + 7) &^ 7)
	if err != nil {
		return -1, err
	}
	if next = r.size; first != nil {
		next = first.at
	}
	if !padded(p[length:], next-at-length) {
		end := at + length
		r.find(Finding{Offset: end, Length: next - end, Batch: -1, Severity: "error", LostRows: -1, Reason: noneBehindSchema})
	}
	return next, nil
}

// believeUnframed takes a schema without a frame that stands in front of the
// batches. It reports false if there is none.
func (rc *recoverer) believeUnframed() (bool, error) {
	if !rc.magic || rc.size <= arrowipc.HeaderLength {
		return false, nil
	}
	end := min(rc.size, arrowipc.HeaderLength+maxUnframed)
	if rc.footer != nil && len(rc.blocks) > 0 {
		end = min(rc.blocks[0].Offset, rc.footerAt)
	}
	if end-arrowipc.HeaderLength > maxMetadataBytes {
		return false, nil
	}
	p := make([]byte, end-arrowipc.HeaderLength)
	if err := rc.readAt(p, arrowipc.HeaderLength); err != nil {
		return false, err
	}
	m := unframedSchema(p)
	if m == nil || rc.footer != nil && !reflect.DeepEqual(*m.Schema, rc.footer.Schema) {
		return false, nil
	}
	const reason = "the schema in front of the batches lacks its frame, as Polars writes it"
	rc.unframed = true
	if rc.footer != nil {
		return true, rc.believeFooter(reason, writtenAnew)
	}
	rc.schema, rc.version, rc.schemaEnd = m.Schema, m.Version, 0
	if rc.schema.BigEndian {
		return true, &reasonError{ErrBigEndian}
	}
	length := unframedLength(p, m)
	first, err := rc.scan((arrowipc.HeaderLength+length+7)&^7, rc.size)
	if err != nil {
		return true, err
	}
	if rc.pos = rc.size; first != nil {
		rc.pos = first.at
	}
	rc.mend(arrowipc.HeaderLength, length, reason, writtenAnew)
	if end := arrowipc.HeaderLength + length; !padded(p[length:], rc.pos-end) {
		rc.lose(end, rc.pos-end, false, -1, noneBehindSchema)
	}
	return true, nil
}

// laterDictionaries makes dictionaries known that the footer lists behind the
// first batch. The walk judges them again where they stand.
func (rc *recoverer) laterDictionaries() error {
	if rc.footer == nil || len(rc.footer.Batches) == 0 {
		return nil
	}
	first := rc.footer.Batches[0].Offset
	for _, b := range rc.footer.Batches {
		first = min(first, b.Offset)
	}
	for _, b := range rc.footer.Dictionaries {
		if b.Offset < first || !blockFits(b, rc.footerAt) {
			continue
		}
		m, err := rc.candidate(b)
		if err != nil {
			return err
		}
		if m == nil || m.Header != arrowipc.DictionaryBatchHeader || m.Delta {
			continue
		}
		var bad *reasonError
		if _, err := rc.check(m); errors.As(err, &bad) {
			continue
		} else if err != nil {
			return err
		}
		if _, known := rc.dictionaries[m.DictionaryID]; !known {
			rc.dictionaries[m.DictionaryID] = m.Batch.Length
			if rc.later == nil {
				rc.later = map[int64]*message{}
			}
			rc.later[m.DictionaryID] = m
		}
	}
	return nil
}

// second reports whether a dictionary is not the one that the footer lists
// behind the batches: a file cannot hold both.
func (rc *recoverer) second(m *message) bool {
	later := rc.later[m.DictionaryID]
	return later != nil && !m.Delta && later.at != m.at
}

// keepLater makes sure that what the batches were judged by is kept, also if
// the walk has not come by.
func (rc *recoverer) keepLater() {
	for _, m := range rc.later {
		at, there := slices.BinarySearchFunc(rc.kept, m.at, func(k kept, at int64) int { return cmp.Compare(k.block.Offset, at) })
		if !there {
			rc.kept = slices.Insert(rc.kept, at, kept{block: arrowipc.Block{Offset: m.at, MetaLength: int32(m.length), BodyLength: m.BodyLength}, dictionary: true})
		}
	}
}
