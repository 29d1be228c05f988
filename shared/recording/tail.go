package recording

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// suspect notes what looks wrong in an intact batch.
func (rc *recoverer) suspect(m *message, c checked) {
	last := rc.clock
	warn := func(row int64, reason string, clockBefore, clockAfter uint64) {
		rc.findings = append(rc.findings, located{fixed: true, Finding: Finding{
			Offset: m.at, Length: m.dataEnd() - m.at, Batch: rc.index, Severity: "warning", Reason: "suspect: " + reason,
			BeforeRow: rc.rows + row, ClockBefore: clockBefore, ClockAfter: clockAfter}})
	}
	if c.zeroRows > 0 {
		warn(c.zeroFrom, fmt.Sprintf("all columns are 0 in %d rows", c.zeroRows), last.last, c.clock.first)
	}
	if c.clock.ok && last.ok && c.clock.first < last.last {
		warn(0, "Clock runs backwards from the batch before", last.last, c.clock.first)
	}
	if c.stored > 0 {
		warn(0, fmt.Sprintf("%d buffers, the first at byte %d, are stored as they are, which we do not write", c.stored, c.storedAt), last.last, c.clock.first)
	}
	if c.padBytes > 0 {
		warn(0, fmt.Sprintf("%d bytes of padding, from byte %d on, are not the zeros that were written", c.padBytes, c.padAt), last.last, c.clock.first)
	}
	if c.backAt > 0 {
		warn(c.backAt, "Clock runs backwards inside the batch", c.backFrom, c.backTo)
	}
}

// doubtLast notes that nothing proves the end of the last plain batch: where
// bytes are missing inside it, it ends in those of the next.
func (rc *recoverer) doubtLast(stands standing) {
	n := len(rc.kept) - 1
	if stands != noMessage || n < 0 || !rc.kept[n].plain || rc.kept[n].dictionary {
		return
	}
	k := &rc.kept[n]
	rc.findings = append(rc.findings, located{Finding: Finding{Offset: k.block.Offset, Length: int64(k.block.MetaLength) + k.block.BodyLength - k.pad, Batch: rc.index - 1, Severity: "warning",
		Reason: "suspect: no message follows this batch: if bytes are missing in it, its last values are those of others"}})
}

// behindMark returns where the end mark at pos ends: it has 8 bytes, or 4 of a
// writer before Arrow 0.15.
func (rc *recoverer) behindMark() int64 {
	var word [4]byte
	if rc.prefix == 4 && rc.pos+4 <= rc.size && rc.readAt(word[:], rc.pos) == nil && allZero(word[:]) {
		return rc.pos + 4
	}
	return rc.pos + 8
}

// tail judges what stands behind the last message.
func (rc *recoverer) tail() error {
	from := max(rc.pos, rc.judged)
	if rc.ended {
		from = rc.behindMark()
	}
	switch {
	case rc.footer != nil && from <= rc.footerAt:
		if from < rc.footerAt {
			if err := rc.beforeFooter(from); err != nil {
				return err
			}
		}
		if rc.footerEnd < rc.size {
			rc.leaveOut(rc.footerEnd, "these bytes stand behind the end of the file")
		}
		return nil
	case rc.ended && rc.stream:
		zeroTo, err := rc.zerosUntil(min(from, rc.size))
		if err != nil {
			return err
		}
		if zeroTo < rc.size { // an end mark may be what is left of a message
			rc.lose(from, rc.size-from, false, -1, "these bytes stand behind the end of the stream")
		} else if from < rc.size {
			rc.leaveOut(from, "these bytes stand behind the end of the stream")
		}
		return nil
	case rc.ended:
		reason := "the footer is missing"
		if from < rc.size {
			reason = "the footer is cut off or damaged"
		}
		rc.mend(from, rc.size-from, reason, writtenAnew)
		return nil
	}
	if from < rc.size {
		if err := rc.cutTail(from); err != nil {
			return err
		}
	}
	if rc.stream {
		rc.note("info", rc.size, 0, "the end mark of the stream is missing")
		return nil
	}
	rc.mend(rc.size, 0, "the end mark and the footer are missing", writtenAnew)
	return nil
}

// beforeFooter judges what stands between the last message and the footer.
func (rc *recoverer) beforeFooter(from int64) error {
	gap := rc.footerAt - from
	if rc.ended || gap <= 8 {
		rc.mend(from, gap, "the end mark before the footer is damaged", writtenAnew)
		return nil
	}
	_, stands, err := rc.messageAt(from)
	if err != nil {
		return err
	}
	rc.doubtLast(stands)
	if stands == isMessage {
		stands = "a message that is not a batch of this file"
	}
	rc.lose(from, gap, false, -1, string(stands))
	return nil
}

// cutTail judges what stands behind the last message of a file without a
// footer.
func (rc *recoverer) cutTail(from int64) error {
	_, stands, err := rc.messageAt(from)
	if err != nil {
		return err
	}
	rest := rc.size - from
	switch stands {
	case zeros:
		end, err := rc.zerosUntil(from)
		if err != nil {
			return err
		}
		if end == rc.size {
			rc.lose(from, rest, false, -1, fmt.Sprintf("the last %d bytes are zeros: reserved for data that never reached the disk", rest))
			return nil
		}
		rc.lose(from, rest, false, -1, fmt.Sprintf("%d zeros where a message should begin, and no batch behind them", end-from))
	case cutHeader:
		rc.lose(from, rest, true, -1, string(stands))
	case cutPrefix:
		rc.lose(from, rest, false, -1, string(stands)+" or of the end mark")
	default:
		rc.doubtLast(stands)
		rc.lose(from, rest, false, -1, "no message begins here, and no batch is found behind")
	}
	return nil
}

// zerosUntil returns where the zeros that begin at from end.
func (rc *recoverer) zerosUntil(from int64) (int64, error) {
	buf := make([]byte, min(1<<20, rc.size-from))
	for from < rc.size {
		p := buf[:min(int64(len(buf)), rc.size-from)]
		if err := rc.readAt(p, from); err != nil {
			return 0, err
		}
		if rest := bytes.TrimLeft(p, "\x00"); len(rest) > 0 {
			return from + int64(len(p)-len(rest)), nil
		}
		from += int64(len(p))
	}
	return rc.size, nil
}

// footerBehind looks for the footer that begins at at, behind an end mark, and
// is followed by rubbish.
func (rc *recoverer) footerBehind(at int64) error {
	end, err := trailerBehind(rc.readAt, rc.size, at)
	if err == nil && end >= 0 {
		_, err = rc.footerEndingAt(end)
	}
	return err
}

// trailerBehind returns where the footer ends that begins at at, by the length
// in front of its magic; -1 if there is none.
func trailerBehind(readAt func(p []byte, off int64) error, size, at int64) (int64, error) {
	const step = 1 << 20
	overlap := int64(arrowipc.TrailerLength)
	buf := make([]byte, min(step, max(0, size-at)))
	for from := at; from < min(size, at+maxFooterBytes); from += step - overlap {
		p := buf[:min(int64(len(buf)), size-from)]
		if err := readAt(p, from); err != nil {
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

// plan puts the spans together.
func (rc *recoverer) plan() (*Plan, error) {
	rc.compareFooter()
	rc.finishReport()
	if rc.report.BatchesRecovered == 0 && rc.report.Outcome == Lossy {
		rc.report.Outcome = Failed
		return nil, &RecoverError{Report: rc.report, Err: ErrNothingIntact}
	}
	if rc.replaced && !rc.o.Stream {
		rc.report.Outcome = Failed
		return nil, &RecoverError{Report: rc.report, Err: ErrReplaced}
	}
	p := &Plan{Report: rc.report, yield: rc.o.Yield}
	if rc.untouched() {
		p.Complete = true
		p.copy(0, rc.size)
		return p, nil
	}
	if rc.o.HeadersOnly {
		p.Report.Damage = append([]Finding{{Batch: -1, Severity: "info", Reason: "of all bodies but the last only the bounds were looked at: oniscope verify reads them"}}, p.Report.Damage...)
	}
	rc.planInPlace(p)
	schema, dropped := rc.schema, rc.salvage != nil && rc.salvage.dropped
	if dropped {
		schema = rc.projectedSchema()
	}
	switch {
	case !rc.o.Stream && rc.magic && rc.schemaEnd > 0 && !dropped:
		p.copy(0, rc.schemaEnd)
	default:
		if !rc.o.Stream {
			p.literal(arrowipc.AppendHeader(nil))
		}
		if rc.schemaEnd > 0 && !dropped {
			p.copy(rc.schemaAt, rc.schemaEnd-rc.schemaAt)
		} else {
			p.literal(arrowipc.AppendSchema(nil, p.Size(), bodyAlign, schema))
		}
	}
	at := p.Size()
	var batches []arrowipc.Block
	dictionaries := []arrowipc.Block{}
	for i := range rc.kept {
		b, err := rc.planBatch(p, at, i, schema)
		if reason := (*reasonError)(nil); errors.As(err, &reason) {
			rc.report.Outcome = Failed
			return nil, &RecoverError{Report: rc.report, Err: reason.error}
		}
		if err != nil {
			return nil, err
		}
		at += int64(b.MetaLength) + b.BodyLength
		switch {
		case b.MetaLength == 0:
		case rc.kept[i].dictionary:
			dictionaries = append(dictionaries, b)
		default:
			batches = append(batches, b)
		}
	}
	if rc.o.Stream {
		p.literal(arrowipc.AppendEnd(nil))
		return p, nil
	}
	p.literal(appendTail(nil, rc.version, schema, dictionaries, batches, rc.metadata()))
	return p, nil
}

// planBatch puts a message that is kept at offset at of the output: as it is,
// or what a salvage wants of it. The block is zero if that is nothing.
func (rc *recoverer) planBatch(p *Plan, at int64, i int, schema *arrowipc.Schema) (arrowipc.Block, error) {
	k := &rc.kept[i]
	cut := rc.salvage != nil && rc.salvage.kept == i
	if cut || schema != rc.schema {
		m, _, err := rc.messageAt(k.block.Offset)
		if err != nil {
			return arrowipc.Block{}, err
		}
		if m == nil {
			return arrowipc.Block{}, io.ErrUnexpectedEOF // it was there a moment ago
		}
		if !k.dictionary {
			batch := m.Batch
			if cut {
				batch = rc.salvage.batch
			}
			return rc.projected(p, at, m, batch, rc.salvage.columns)
		}
		if dictionaryField(schema.Fields, m.DictionaryID) == nil {
			return arrowipc.Block{}, nil
		}
	}
	b := k.block
	b.Offset = at
	p.copy(k.block.Offset, int64(b.MetaLength)+b.BodyLength-k.pad)
	if k.pad > 0 {
		p.literal(make([]byte, k.pad))
	}
	return b, nil
}

// metadata are those of the footer, if there is one.
func (rc *recoverer) metadata() []arrowipc.KeyValue {
	if rc.footer == nil {
		return nil
	}
	return rc.footer.Metadata
}

func (p *Plan) copy(offset, length int64) {
	if n := len(p.Spans); n > 0 && p.Spans[n-1].Bytes == nil && p.Spans[n-1].Offset+p.Spans[n-1].Length == offset {
		p.Spans[n-1].Length += length
		return
	}
	p.Spans = append(p.Spans, Span{Offset: offset, Length: length})
}

func (p *Plan) literal(bytes []byte) {
	p.Spans = append(p.Spans, Span{Length: int64(len(bytes)), Bytes: bytes})
}

// compareFooter notes where the footer lists other batches than there are.
func (rc *recoverer) compareFooter() {
	if rc.footer == nil {
		return
	}
	listed := map[arrowipc.Block]bool{}
	for _, list := range [][]arrowipc.Block{rc.footer.Dictionaries, rc.footer.Batches} {
		for _, b := range list {
			listed[b] = true
		}
	}
	for i := range rc.kept {
		b := rc.kept[i].block
		if !listed[b] {
			rc.mend(b.Offset, int64(b.MetaLength)+b.BodyLength, "the footer does not list this batch, or not as it is", "kept")
		}
		delete(listed, b)
	}
	told := map[int64]bool{}
	for i := range rc.findings {
		told[rc.findings[i].Offset] = true
	}
	for _, b := range rc.allBlocks {
		if listed[b] && !told[b.Offset] {
			rc.note("info", b.Offset, 0, fmt.Sprintf("the footer lists a batch of %d bytes here: none stands here", int64(b.MetaLength)+b.BodyLength))
		}
	}
	rc.unlisted = len(listed)
	rc.listed = len(rc.footer.Batches)
	batches := map[int64]bool{}
	for _, b := range rc.footer.Batches {
		batches[b.Offset] = true
	}
	missing := len(batches) - rc.report.BatchesLost
	for i := range rc.kept {
		if !rc.kept[i].dictionary {
			missing--
		}
	}
	lost := slices.ContainsFunc(rc.findings, func(f located) bool { return f.Severity == "error" })
	if missing > 0 && !lost {
		rc.findings = append(rc.findings, located{Finding: Finding{Offset: rc.footerAt, Batch: -1, Severity: "error", LostRows: -1,
			Reason: fmt.Sprintf("the footer lists %d batches of which nothing is found", missing)}})
	}
}

// untouched reports whether the input is a complete file as it is.
func (rc *recoverer) untouched() bool {
	if rc.o.Stream {
		return rc.stream && rc.ended && rc.behindMark() == rc.size && rc.silent()
	}
	if !rc.magic || !rc.footerMagic || rc.schemaEnd == 0 || rc.footer == nil || rc.footerEnd != rc.size || rc.unlisted != 0 || !reflect.DeepEqual(rc.footer.Schema, *rc.schema) {
		return false
	}
	return rc.silent()
}

// silent reports whether nothing was found but what is suspect.
func (rc *recoverer) silent() bool {
	for i := range rc.findings {
		if rc.findings[i].Severity != "warning" {
			return false
		}
	}
	return true
}
