package recovery

import (
	"sort"

	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// finishReport makes the findings and the numbers of the report.
func (rc *recoverer) finishReport() {
	rc.report.Findings, rc.report.Outcome, rc.report.RowsRecovered = []recording.Finding{}, Lossless, 0
	if rc.schema == nil {
		return
	}
	about := stream.FromMetadata(body.StreamKeyValues(rc.schema.Metadata))
	rc.report.AcqClockHz = about.AcqClockHz
	list := make([]messages.Verdict, len(rc.list))
	for i := range rc.list {
		list[i] = rc.list[i].Verdict
	}
	also := make([]int, len(rc.suspects))
	for i := range also {
		also[i] = rc.suspects[i].entry
	}
	placed := messages.Place(list, rc.Footer != nil, rc.clockOf, int64(about.RowsPerBatch), rc.steps.Step(), also...)
	suspect, lost := false, false
	for i := range list {
		v := &list[i]
		for _, f := range messages.Facts(v, placed[i]) {
			if f.Remedy != "" && rc.verifier == nil {
				f.Reason += ": " + f.Remedy
			}
			rc.report.Findings = append(rc.report.Findings, findingOf(&f))
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
	for _, f := range append(rc.clocks.breaks(rc), rc.clocks.oddTicks(rc)...) {
		rc.report.Findings = append(rc.report.Findings, f)
		suspect = suspect || f.Severity > recording.SeverityInfo
	}
	inFileOrder(rc.report.Findings)
	switch {
	case lost:
		rc.report.Outcome = Lossy
	case suspect:
		rc.report.Outcome = Suspect
	}
}

// findingOf is the finding of a fact.
func findingOf(f *messages.Fact) recording.Finding {
	return recording.Finding{Offset: f.Offset, Length: f.Length, Batch: f.Batch, Severity: recording.Severity(f.Severity), Reason: f.Reason, BeforeRow: f.BeforeRow,
		LostRows: f.LostRows, ClockBefore: f.ClockBefore, ClockAfter: f.ClockAfter, Count: f.Count, LastOffset: f.LastOffset}
}

// inFileOrder sorts findings; those of one place by their rows.
func inFileOrder(list []recording.Finding) {
	sort.SliceStable(list, func(i, k int) bool {
		a, b := &list[i], &list[k]
		return a.Offset < b.Offset || a.Offset == b.Offset && a.BeforeRow < b.BeforeRow
	})
}

// mergeSuspects makes one finding of those of one cause.
func mergeSuspects(list []suspect) (out []recording.Finding) {
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
