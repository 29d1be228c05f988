package recording

import (
	"errors"
	"fmt"
	"math"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// What Recover does where the chain of messages breaks. The message before
// the break may be the reason: if bytes are missing in it, it ends inside the
// next one. So the search begins in its header, and if a message is found in
// there, the verdict on it is taken back.

// A judged is the state before a message was judged whose end nothing has
// proven yet.
type judged struct {
	m                     *message
	kept, findings, index int
	batchesLost           int
	rows, lost, spent     int64
	clock                 clockSpan
}

// mark keeps the state before m is judged.
func (rc *recoverer) mark(m *message) *judged {
	return &judged{m: m, kept: len(rc.kept), findings: len(rc.findings), index: rc.index, batchesLost: rc.report.BatchesLost,
		rows: rc.rows, lost: rc.judged, spent: rc.spent, clock: rc.clock}
}

// takeBack undoes the verdict on the message before a break: the message next
// begins inside it.
func (rc *recoverer) takeBack(next *message) {
	j := rc.last
	rc.suspicion -= rc.spent - j.spent
	rc.kept, rc.findings, rc.index = rc.kept[:j.kept], rc.findings[:j.findings], j.index
	rc.report.BatchesLost, rc.rows, rc.judged, rc.clock = j.batchesLost, j.rows, j.lost, j.clock
	if j.m.Header == arrowipc.DictionaryBatchHeader {
		delete(rc.dictionaries, j.m.DictionaryID)
	}
	rc.lose(j.m.at, next.at-j.m.at, j.m.Header == arrowipc.RecordBatchHeader, rowsOf(j.m), endsEarly(j.m, next))
}

// endsEarly says that bytes of m are missing.
func endsEarly(m, next *message) string {
	return fmt.Sprintf("%d of its bytes are missing: the next message begins before it ends", m.end()-next.at)
}

// A memo is the last verdict of the checker: what the scan accepts is judged
// right after.
type memo struct {
	at      int64
	schema  *arrowipc.Schema
	checked checked
	err     error
}

// check is checker.check with a memory of one message.
func (rc *recoverer) check(m *message) (checked, error) {
	if rc.o.HeadersOnly {
		return checked{}, rc.checkBounds(m)
	}
	return rc.checkBody(m)
}

// checkBody decodes a message, whatever the options say.
func (rc *recoverer) checkBody(m *message) (checked, error) {
	if rc.memo.schema != rc.schema || rc.memo.at != m.at {
		if rc.verifier != nil {
			rc.verifier.begin(rc.schema, m)
		}
		c, err := rc.checker.check(rc, rc.schema, m)
		rc.memo = memo{m.at, rc.schema, c, err}
	}
	return rc.memo.checked, rc.memo.err
}

// checkBounds holds a message against schema and file, without its body.
func (rc *recoverer) checkBounds(m *message) error {
	switch {
	case m.dataEnd() > rc.size:
		return notIntact("the file ends inside its data")
	case m.Batch.Length > math.MaxInt32:
		return notIntact("it claims %d rows", m.Batch.Length)
	case !fits(rc.schema, m):
		return notIntact("its columns are not those of the schema")
	}
	return nil
}

// takeDictionary notes how many values a dictionary has. It reports false for
// values that continue nothing: after a loss, nobody knows their numbers.
func (rc *recoverer) takeDictionary(m *message) bool {
	size, known := rc.dictionaries[m.DictionaryID]
	switch {
	case !m.Delta:
		rc.replaced = rc.replaced || known && rc.stream
		rc.dictionaries[m.DictionaryID] = m.Batch.Length
		return true
	case !known || rc.blind:
		delete(rc.dictionaries, m.DictionaryID)
		return false
	}
	rc.dictionaries[m.DictionaryID] = size + m.Batch.Length
	return true
}

// limit returns where messages must end: at the footer, or the file's end.
func (rc *recoverer) limit(at int64) int64 {
	if rc.footer != nil && at < rc.footerAt {
		return rc.footerAt
	}
	return rc.size
}

// accept reports whether a message that the scan found is one of this file: it
// fits the schema, and either holds itself or is followed by another.
func (rc *recoverer) accept(m *message) (bool, error) {
	if m.Header == arrowipc.SchemaHeader || !fits(rc.schema, m) {
		return false, nil
	}
	if m.dataEnd() > rc.limit(m.at) {
		if rc.torn == nil && rc.limit(m.at) == rc.size {
			rc.torn = m // the last, if nothing follows
		}
		return false, nil
	}
	if rc.suspicion < 0 {
		return false, nil
	}
	spent := rc.spent
	_, err := rc.check(m)
	var bad *reasonError
	if err == nil || !errors.As(err, &bad) {
		return err == nil, err
	}
	rc.suspicion -= rc.spent - spent
	next, stands, err := rc.messageAt(m.end())
	if err != nil {
		return false, err
	}
	return next != nil || stands == endMark || rc.footer != nil && m.end() == rc.footerAt, nil
}

// fits reports whether a batch or a dictionary has the nodes and buffers that a
// schema asks for.
func fits(s *arrowipc.Schema, m *message) bool {
	if m.Header == arrowipc.DictionaryBatchHeader {
		values := dictionaryField(s.Fields, m.DictionaryID)
		if values == nil {
			return false
		}
		s = &arrowipc.Schema{Fields: []arrowipc.Field{*values}}
	}
	_, err := arrowipc.Columns(s, m.Version, m.Batch, nil)
	return err == nil
}

// scan returns the first message in [from, to) that is one of this file, or a
// batch that the file's end cuts, or nil.
func (rc *recoverer) scan(from, to int64) (*message, error) {
	if from >= to || rc.suspicion < 0 {
		return nil, nil
	}
	if rc.prefix == 4 {
		if to-from <= 8 {
			return nil, nil // an end mark
		}
		rc.once(from, "the bytes behind cannot be searched: messages of a writer before Arrow 0.15 carry no mark")
		return nil, nil
	}
	rc.torn = nil
	m, err := rc.scanner.next(from, to)
	if rc.suspicion -= min(rc.scanner.at, rc.size) - from; m != nil {
		rc.suspicion += m.at - from // what is behind is not looked at again
	}
	if rc.budget < 0 || rc.suspicion < 0 {
		rc.once(rc.scanner.at, "the search ends here: too many places look like the beginning of a message")
	}
	if m == nil && err == nil && rc.torn != nil && rc.torn.at >= from {
		m = rc.torn
	}
	return m, err
}

// resume goes on behind broken framing at pos, at the nearest message that the
// scan finds or the footer points at, and notes what lies between. It reports
// whether there is one.
func (rc *recoverer) resume(reason string) (bool, error) {
	from, begin := rc.pos, rc.pos
	if rc.last != nil && rc.suspicion >= 0 {
		begin = min(begin, rc.last.m.at+8)
	}
	blocks := rc.blocksFrom(from)
	to, found, listed := rc.limit(from), false, false
	for _, b := range blocks {
		if b.Offset == from {
			listed = true
			continue // that one is broken
		}
		m, err := rc.candidate(b)
		if err != nil {
			return false, err
		}
		if m != nil {
			to, found = b.Offset, true
			break
		}
	}
	hit, err := rc.scan(max(begin, rc.resynced+1), to) // what was found before did not hold
	if err != nil {
		return false, err
	}
	if hit != nil {
		rc.resynced = hit.at
	}
	last := rc.last
	rc.last = nil
	if hit != nil {
		to, found, listed = hit.at, true, false
		if hit.at < from {
			rc.last = last
			rc.takeBack(hit)
			rc.last = nil
			rc.pos = hit.at
			return true, nil
		}
	}
	if !listed || !found {
		rc.doubtLast(standing(reason)) // else the footer proves that it ends at from
	}
	var lost []arrowipc.Block
	for _, b := range blocks {
		if b.Offset < to {
			lost = append(lost, b)
		}
	}
	if !found && len(lost) == 0 {
		return false, nil // the tail says what is here
	}
	at := from
	for i, b := range lost {
		if b.Offset < at {
			continue // overlaps the one before
		}
		if b.Offset > at {
			rc.lose(at, b.Offset-at, false, -1, reason)
		}
		why := "no batch stands where the footer says"
		if b.Offset == from {
			why = reason
		}
		end := min(to, b.Offset+int64(b.MetaLength)+b.BodyLength)
		if i+1 < len(lost) {
			end = min(end, max(lost[i+1].Offset, b.Offset+8))
		}
		rc.lose(b.Offset, end-b.Offset, true, -1, why)
		rc.findings[len(rc.findings)-1].body = b.BodyLength
		at = end
	}
	if !found {
		// An end mark may stand right before the footer.
		rc.pos = at
		_, stands, err := rc.messageAt(at)
		if err != nil {
			return false, err
		}
		if rc.ended = stands == endMark; rc.ended || at >= to {
			return false, nil
		}
	}
	if at < to {
		rc.loseStretch(at, to, reason)
	}
	rc.pos, rc.blind = to, true
	if rc.stream && len(rc.dictionaries) > 0 && !rc.doubted {
		rc.doubted = true
		rc.note("warning", from, 0, "suspect: a dictionary may have been replaced in the bytes that are lost, so that words behind them may be others")
	}
	return found, nil
}

// once notes what is told at most once.
func (rc *recoverer) once(at int64, reason string) {
	if !rc.said {
		rc.said = true
		rc.note("info", at, 0, reason)
	}
}

// loseStretch tells the bytes from at to to lost: as whole batches, if all
// before are plain and of one length and these are as long as some of them.
func (rc *recoverer) loseStretch(at, to int64, reason string) {
	length := int64(0)
	for i := range rc.kept {
		k := &rc.kept[i]
		n := int64(k.block.MetaLength) + k.block.BodyLength
		if k.dictionary || !k.plain || length > 0 && n != length {
			length = 0
			break
		}
		length = n
	}
	if length == 0 || (to-at)%length != 0 {
		rc.lose(at, to-at, false, -1, reason)
		return
	}
	for ; at < to; at += length {
		rc.lose(at, length, true, -1, reason)
	}
}

// behindEnd reports whether messages stand behind the end mark at pos: then it
// is none. A footer right behind it proves it.
func (rc *recoverer) behindEnd() (bool, error) {
	if rc.footer == nil {
		if err := rc.footerBehind(rc.behindMark()); err != nil {
			return false, err
		}
	}
	if rc.footer != nil && rc.footerAt <= rc.behindMark() {
		return false, nil
	}
	m, err := rc.scan(rc.pos, rc.limit(rc.pos))
	return m != nil, err
}
