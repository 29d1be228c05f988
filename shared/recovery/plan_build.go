package recovery

import (
	"errors"
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/recording"
)

// plan puts the spans together.
func (rc *recoverer) plan() (*Plan, error) {
	rc.finishReport()
	if rc.report.BatchesRecovered == 0 && rc.report.Outcome == Lossy {
		rc.report.Outcome = Failed
		return nil, &Error{Report: rc.report, Err: ErrNothingIntact}
	}
	if !rc.o.Stream && rc.replacedAny() {
		rc.report.Outcome = Failed
		return nil, &Error{Report: rc.report, Err: ErrReplaced}
	}
	if err := rc.schema.Check(); err != nil {
		rc.report.Outcome = Failed
		return nil, &Error{Report: rc.report, Err: fmt.Errorf("%w: %w", recording.ErrUnsupported, err)}
	}
	p := &Plan{Report: rc.report, yield: rc.ctx.Err, pieces: rc.pieces}
	if rc.untouched() {
		p.Complete = rc.Base == 0 && (rc.FooterEnd == rc.size || rc.Stream && rc.End == rc.size)
		p.copy(rc.Base, rc.wholeEnd()-rc.Base)
		rc.planInPlace(p)
		return p, nil
	}
	if rc.o.HeadersOnly {
		p.Report.Findings = append([]recording.Finding{{Batch: -1, Severity: recording.SeverityInfo, Count: 1, Reason: "of all bodies but the last only the bounds were looked at; a verification reads them"}}, p.Report.Findings...)
	}
	rc.planInPlace(p)
	schema, dropped := rc.schema, rc.salvage != nil && rc.salvage.dropped
	if dropped {
		schema = rc.projectedSchema()
	}
	switch {
	case !rc.o.Stream && rc.Magic && rc.SchemaEnd > 0 && !rc.SchemaOdd && !dropped:
		p.copy(rc.Base, rc.SchemaEnd-rc.Base)
	default:
		if !rc.o.Stream {
			p.literal(arrowipc.AppendHeader(nil))
		}
		if rc.SchemaEnd > 0 && !rc.SchemaOdd && !dropped {
			p.copy(rc.SchemaAt, rc.SchemaEnd-rc.SchemaAt)
		} else {
			p.literal(arrowipc.AppendSchema(nil, p.Size(), body.Align, schema))
		}
	}
	at := p.Size()
	var batches []arrowipc.Block
	dictionaries := []arrowipc.Block{}
	for _, id := range rc.missingWords(schema) {
		message, b, err := body.EmptyDictionary(schema, id, at, body.Align)
		if err != nil {
			return nil, err
		}
		p.literal(message)
		at += int64(len(message))
		dictionaries = append(dictionaries, b)
	}
	for i := range rc.list {
		if !rc.list[i].kept() {
			continue
		}
		b, err := rc.planBatch(p, at, i, schema)
		if reason := (*body.NotIntactError)(nil); errors.As(err, &reason) {
			rc.report.Outcome = Failed
			return nil, &Error{Report: rc.report, Err: reason.Err}
		}
		if err != nil {
			return nil, err
		}
		at += int64(b.MetaLength) + b.BodyLength
		switch {
		case b.MetaLength == 0:
		case rc.list[i].Kind == messages.Dictionary:
			dictionaries = append(dictionaries, b)
		default:
			if schema != rc.schema || rc.list[i].mended || rc.list[i].Odd || rc.salvage != nil && rc.salvage.entry == i || rc.o.HeadersOnly {
				p.changed = append(p.changed, len(batches))
			}
			batches = append(batches, b)
		}
	}
	if rc.o.Stream {
		p.literal(arrowipc.AppendEnd(nil))
		return p, nil
	}
	p.literal(appendEnd(nil, &arrowipc.Footer{Version: rc.Version, Schema: *schema, Dictionaries: dictionaries, Batches: batches, Metadata: rc.metadata()}))
	return p, nil
}

// planBatch puts a message that is kept at offset at of the output: as it is,
// or what a salvage wants of it. The block is zero if that is nothing.
func (rc *recoverer) planBatch(p *Plan, at int64, i int, schema *arrowipc.Schema) (arrowipc.Block, error) {
	e := &rc.list[i]
	cut := rc.salvage != nil && rc.salvage.entry == i
	if cut || schema != rc.schema {
		m, err := rc.messageOf(rc.checker, &e.Verdict)
		if err != nil {
			return arrowipc.Block{}, err
		}
		if e.Kind == messages.Batch {
			batch := m.Batch
			if cut {
				batch = rc.salvage.batch
			}
			return rc.projected(p, at, m, batch, rc.salvage.columns)
		}
		if messages.DictionaryField(schema.Fields, m.DictionaryID) == nil {
			return arrowipc.Block{}, nil
		}
	}
	b := e.Block()
	from, end := b.Offset, b.Offset+int64(b.MetaLength)+b.BodyLength-e.Pad
	b.Offset = at
	if e.Odd {
		m, err := rc.messageOf(rc.checker, &e.Verdict)
		if err != nil {
			return arrowipc.Block{}, err
		}
		header := arrowipc.AppendMessage(nil, at, body.Align, m.Message)
		p.literal(header)
		from, b.MetaLength = m.BodyAt(), int32(len(header))
	}
	for _, f := range rc.fixes[i] {
		if f.At < from {
			continue // it was in the header
		}
		p.copy(from, f.At-from)
		p.literal(f.Bytes)
		from = f.At + int64(len(f.Bytes))
	}
	p.copy(from, end-from)
	if e.Pad > 0 {
		p.literal(make([]byte, e.Pad))
	}
	return b, nil
}

// missingWords are the dictionaries of a schema of which the output has no
// message: what is intact uses no value of them, but readers want one.
func (rc *recoverer) missingWords(s *arrowipc.Schema) (ids []int64) {
	there, batches := map[int64]bool{}, false
	for i := range rc.list {
		switch e := &rc.list[i]; e.Kind {
		case messages.Dictionary:
			there[e.DictionaryID] = true
		case messages.Batch:
			batches = true
		}
	}
	if !batches {
		return nil
	}
	body.EachDictionary(s.Fields, func(f *arrowipc.Field) {
		if id := f.Dictionary.ID; !there[id] {
			there[id], ids = true, append(ids, id)
		}
	})
	return ids
}

// kept reports whether an entry is a message of the output.
func (e *entry) kept() bool {
	return e.Kind == messages.Batch || e.Kind == messages.Dictionary && !e.again
}

// metadata are those of the footer, if there is one.
func (rc *recoverer) metadata() []arrowipc.KeyValue {
	if rc.Footer == nil {
		return nil
	}
	return rc.Footer.Metadata
}

func (p *Plan) copy(offset, length int64) {
	if length == 0 {
		return
	}
	if n := len(p.Spans); n > 0 && p.Spans[n-1].Bytes == nil && p.Spans[n-1].Offset+p.Spans[n-1].Length == offset {
		p.Spans[n-1].Length += length
		return
	}
	p.Spans = append(p.Spans, Span{Offset: offset, Length: length})
}

func (p *Plan) literal(bytes []byte) {
	p.Spans = append(p.Spans, Span{Length: int64(len(bytes)), Bytes: bytes})
}

// wholeEnd is where a file or stream that is whole ends: bytes may follow that
// are not part of it.
func (rc *recoverer) wholeEnd() int64 {
	if rc.Stream {
		return rc.End
	}
	return rc.FooterEnd
}

// untouched reports whether the input is a whole file as it is, but for bytes
// before and after it.
func (rc *recoverer) untouched() bool {
	if rc.o.Stream {
		return rc.Stream && rc.Ended && rc.silent()
	}
	return !rc.Stream && rc.Magic && rc.SchemaEnd > 0 && rc.Footer != nil && rc.FooterMagic && rc.Listed &&
		rc.Footer.Schema.Equal(rc.schema) && rc.silent()
}

// silent reports whether nothing was found that a recovery would change.
func (rc *recoverer) silent() bool {
	for i := range rc.list {
		v := &rc.list[i].Verdict
		if v.Kind == messages.Loss || v.Kind == messages.Note && !v.Harmless && !v.Suspect && !v.Skipped || rc.list[i].mended || rc.list[i].again || v.Pad > 0 {
			return false
		}
	}
	return true
}

// appendEnd appends what follows the last batch: end mark and footer.
func appendEnd(dst []byte, f *arrowipc.Footer) []byte {
	return arrowipc.AppendFooter(arrowipc.AppendEnd(dst), f)
}
