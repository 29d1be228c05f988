package recording

import (
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/stream"
)

// finishReport makes the findings and the numbers of the report.
func (rc *recoverer) finishReport() {
	rc.report.Findings, rc.report.Outcome, rc.report.RowsRecovered = []Finding{}, Lossless, 0
	if rc.schema == nil {
		return
	}
	about := stream.FromMetadata(body.StreamKeyValues(rc.schema.Metadata))
	rc.report.AcqClockHz = about.AcqClockHz
	list := make([]messages.Verdict, len(rc.list))
	for i := range rc.list {
		list[i] = rc.list[i].Verdict
	}
	placed := messages.Place(list, rc.Footer != nil, rc.clockOf, int64(about.RowsPerBatch), rc.steps.Step())
	suspect, lost := false, false
	for i := range list {
		v, p := &list[i], &placed[i]
		before := len(rc.report.Findings)
		rc.report.Findings = framingFindings(rc.report.Findings, v, p)
		if v.Remedy != "" && rc.verifier == nil && len(rc.report.Findings) > before {
			rc.report.Findings[len(rc.report.Findings)-1].Reason += ": " + v.Remedy
		}
		switch v.Kind {
		case messages.Batch:
			rc.report.BatchesRecovered++
			rc.report.RowsRecovered += v.Rows
		case messages.Loss:
			lost = true
			rc.report.BatchesLost += v.Batches
			rc.report.BytesSkipped += v.Length
		case messages.Note:
			if v.Skipped {
				rc.report.BytesSkipped += v.Length
			}
		}
		suspect = suspect || v.Suspect || v.Doubted
	}
	for i := range rc.suspects {
		s := &rc.suspects[i]
		s.finding.Batch, s.finding.BeforeRow = placed[s.entry].Batch, placed[s.entry].BeforeRow+s.row
		suspect = suspect || !s.mended
	}
	rc.report.Findings = append(rc.report.Findings, mergeSuspects(rc.suspects)...)
	sortFindings(rc.report.Findings)
	switch {
	case lost:
		rc.report.Outcome = Lossy
	case suspect:
		rc.report.Outcome = Suspect
	}
}

// mergeSuspects makes one finding of those of one cause.
func mergeSuspects(list []suspect) (out []Finding) {
	byCause := map[string]int{}
	for i := range list {
		f := list[i].finding
		f.Count, f.LastOffset = 1, f.Offset
		if k, ok := byCause[list[i].cause]; ok && list[i].cause != "" {
			out[k].Count++
			out[k].LastOffset = f.Offset
			continue
		}
		if list[i].cause != "" {
			byCause[list[i].cause] = len(out)
		}
		out = append(out, f)
	}
	return out
}

// clockOf returns the ticks of an entry; where only headers were looked at, it
// reads them.
func (rc *recoverer) clockOf(i int) messages.Span {
	e := &rc.list[i]
	if !e.clock.OK && rc.o.HeadersOnly {
		if clock := body.TickField(rc.schema, "Clock"); clock >= 0 {
			if m, err := rc.messageOf(rc.checker, &e.Verdict); err == nil {
				if c, err := rc.checker.Check(rc.schema, m, clock); err == nil {
					e.clock = c.Clock
				}
			}
		}
	}
	return messages.Span{First: e.clock.First, Last: e.clock.Last, OK: e.clock.OK}
}
