package recording

import (
	"sort"

	"github.com/oniscope/oniscope/shared/stream"
)

// Remedies of findings.
const (
	writtenAnew = "written anew"
	frontKept   = "the one in front is kept"
)

// note keeps a finding that costs nothing.
func (rc *recoverer) note(severity string, offset, length int64, reason string) {
	rc.findings = append(rc.findings, located{Finding: Finding{Offset: offset, Length: length, Batch: -1, Severity: severity, Reason: reason}})
}

// mend keeps a finding that costs nothing, for a recovery does something about
// it: remedy.
func (rc *recoverer) mend(offset, length int64, reason, remedy string) {
	rc.findings = append(rc.findings, located{remedy: remedy, Finding: Finding{Offset: offset, Length: length, Batch: -1, Severity: "info", Reason: reason}})
}

// lose keeps a finding about bytes that are left out. batch says that they
// are one record batch, of rows rows, -1 if unknown.
func (rc *recoverer) lose(offset, length int64, batch bool, rows int64, reason string) {
	f := located{Finding: Finding{Offset: offset, Length: length, Batch: -1, Severity: "error", Reason: reason, LostRows: rows}, batch: batch, skip: true}
	if batch {
		f.Batch = rc.index
		rc.index++
		rc.report.BatchesLost++
	}
	rc.findings = append(rc.findings, f)
	rc.judged = max(rc.judged, offset+length)
}

// leaveOut keeps a finding about bytes from at to the end of the file that were
// never part of a recording.
func (rc *recoverer) leaveOut(at int64, reason string) {
	rc.mend(at, rc.size-at, reason, "left out")
	rc.findings[len(rc.findings)-1].skip = true
}

// finishReport tells rows and ticks around every finding.
func (rc *recoverer) finishReport() {
	constant, body := rc.constantRows()
	n := len(rc.kept)
	for i := range rc.findings[:min(len(rc.findings), maxClocks)] {
		at := sort.Search(n, func(k int) bool { return rc.kept[k].block.Offset >= rc.findings[i].Offset })
		rc.clocksAround(at - 1)
		rc.clocksAround(at)
	}
	rowsBefore, before, after := make([]int64, n+1), make([]clockSpan, n+1), make([]clockSpan, n+1)
	for i := range rc.kept {
		rowsBefore[i+1] = rowsBefore[i] + rc.kept[i].rows
		if before[i+1] = before[i]; rc.kept[i].clock.ok {
			before[i+1] = rc.kept[i].clock
		}
		if j := n - 1 - i; rc.kept[j].clock.ok {
			after[j] = rc.kept[j].clock
		} else {
			after[j] = after[j+1]
		}
	}
	sort.SliceStable(rc.findings, func(i, j int) bool { return rc.findings[i].Offset < rc.findings[j].Offset })
	for i := range rc.findings {
		f := &rc.findings[i]
		f.Reason = plainReason(f.Reason)
		at := sort.Search(n, func(k int) bool { return rc.kept[k].block.Offset >= f.Offset }) // kept before it
		if f.skip {
			rc.report.BytesSkipped += f.Length
		}
		alike := f.body == 0 || body == 0 || f.body == body // a shorter batch has a shorter body
		if f.batch && f.LostRows < 0 && constant > 0 && at < n && alike {
			f.LostRows = constant
		}
		if !f.fixed {
			f.BeforeRow, f.ClockBefore, f.ClockAfter = rowsBefore[at], before[at].last, after[at].first
		}
		if f.remedy != "" && rc.verifier == nil {
			f.Reason += ": " + f.remedy
		}
		rc.report.Damage = append(rc.report.Damage, f.Finding)
	}
	for i := range rc.kept {
		if !rc.kept[i].dictionary {
			rc.report.BatchesRecovered++
			rc.report.RowsRecovered += rc.kept[i].rows
		}
	}
	rc.report.AcqClockHz = 0
	if rc.schema != nil {
		s := stream.FromMetadata(streamKeyValues(rc.schema.Metadata))
		rc.report.AcqClockHz = s.AcqClockHz
	}
	rc.report.Outcome = Lossless
	for i := range rc.report.Damage {
		if rc.report.Damage[i].Severity == "error" {
			rc.report.Outcome = Lossy
		}
	}
	if missing := rc.listed - rc.report.BatchesRecovered; rc.report.Outcome == Lossy && missing > rc.report.BatchesLost {
		rc.report.BatchesLost = missing // somewhere in the bytes that were skipped
	}
}

// maxClocks is of how many findings the Clock beside them is read for its own
// sake.
const maxClocks = 1000

// constantRows returns the rows of every batch but the last, if they are the
// same in all that are known: at least two, or one of as many rows as the
// metadata promise; else 0. body is the length of their bodies, 0 if these
// differ.
func (rc *recoverer) constantRows() (rows, body int64) {
	var known []*kept
	for i := range rc.kept {
		if !rc.kept[i].dictionary {
			known = append(known, &rc.kept[i])
		}
	}
	if len(known) < 2 {
		return 0, 0
	}
	known = known[:len(known)-1]
	rows, body = known[0].rows, known[0].block.BodyLength
	for _, k := range known {
		if k.rows != rows {
			return 0, 0
		}
		if k.block.BodyLength != body || !k.plain {
			body = 0
		}
	}
	if len(known) == 1 {
		body = 0 // nulls and runs make it longer or shorter
		promised := stream.FromMetadata(streamKeyValues(rc.schema.Metadata))
		if int64(promised.RowsPerBatch) != rows {
			return 0, 0
		}
	}
	return rows, body
}
