package export

import (
	"context"

	"github.com/oniscope/oniscope/shared/recording"
)

// Recording writes an excerpt as a recording again (recording.Copy), and reports of it
// what is reported of other formats. batches is how many it has.
//
// Segments are left out where they are not those of the rows that were read: where
// damaged batches are left out, and of one row for each value of a slower signal.
func Recording(ctx context.Context, f recording.File, x *recording.Excerpt, o *recording.CopyOptions) (report Report, batches int, err error) {
	report = Report{Columns: len(x.Indices()), Segments: []Segment{}}
	if report.Gaps, err = x.Missing(ctx); err != nil {
		return report, 0, err
	}
	written, err := recording.Copy(ctx, f, x, o)
	report.Rows, report.Bytes, report.LostRows, report.Findings = written.Rows, written.Bytes, written.LostRows, written.Findings
	if err == nil && !x.Unique() && written.Rows == x.Len() {
		report.Segments, err = segmentsOf(ctx, x)
	}
	return report, written.Batches, err
}

// segmentsOf are the segments of all rows of an excerpt.
func segmentsOf(ctx context.Context, x *recording.Excerpt) ([]Segment, error) {
	j := &job{ctx: ctx, r: x.Reader(), x: x, report: Report{Segments: []Segment{}}}
	var err error
	if j.times, err = x.Follow(ctx); err != nil {
		return nil, err
	}
	for _, rows := range x.Ranges() {
		j.place(&recording.Batch{Start: rows.Start, Rows: int(rows.Len())})
		j.report.Rows += rows.Len()
	}
	err = j.endSegments()
	return j.report.Segments, err
}
