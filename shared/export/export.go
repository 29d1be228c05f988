// Package export writes parts of recordings in the formats that other programs
// read: CSV, NPY, flat binary, Parquet, and arrow-go's record batches.
//
// Everything goes batch by batch from a recording.Excerpt to an io.Writer, in
// memory that does not grow with the recording. What needs arrow-go stays out
// of WebAssembly (build constraint !js).
package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// Options let a caller choose units and follow a long export. The zero value, or
// nil, writes raw values.
type Options struct {
	// Physical makes CSV and NPY give scale x (raw - offset) as float64 where
	// a column has a scale, and its unit after its name.
	Physical bool
	Progress func(done, total int64) // rows of the excerpt; nil: none
}

// A Report says what was written and what could not be.
type Report struct {
	Rows     int64               `json:"rows"`
	Columns  int                 `json:"columns"`
	Bytes    int64               `json:"bytes"`
	LostRows int64               `json:"lost_rows"`          // rows missing in the selection, as far as known
	Findings []recording.Finding `json:"findings"`           // by which they are missing; if there are any, data were lost
	LeftOut  []string            `json:"left_out,omitempty"` // columns that no one asked for and the format has no type for
	Gaps     []recording.Finding `json:"gaps"`               // rows between those that were written that never reached the recording, as verification finds them
	Segments []Segment           `json:"segments"`           // stretches of rows whose Clock rises; none without a Clock
}

// ErrKind says that a format cannot hold a column or its values.
var ErrKind = errors.New("export: not possible in this format")

// A kindError is ErrKind in the words of one column, or of one value.
type kindError struct{ text string }

func (e *kindError) Error() string { return "export: " + e.text }

func (e *kindError) Is(target error) bool { return target == ErrKind }

func kindf(format string, args ...any) error {
	return &kindError{fmt.Sprintf(format, args...)}
}

// A job is one export: it goes over the excerpt and counts what is written.
type job struct {
	ctx     context.Context
	r       *recording.Reader
	x       *recording.Excerpt
	o       Options
	w       io.Writer
	columns []stream.Column // as they are written
	report  Report
	times   recording.Times
	places  []segmentPlace        // of the segments in the output
	failed  error                 // of the output
	corrupt func(err error) error // called with each damaged batch; nil: nobody asks
}

func newJob(ctx context.Context, w io.Writer, x *recording.Excerpt, o *Options) (*job, error) {
	j := &job{ctx: ctx, r: x.Reader(), x: x, w: w, report: Report{Findings: []recording.Finding{}, Gaps: []recording.Finding{}, Segments: []Segment{}}}
	if o != nil {
		j.o = *o
	}
	for _, c := range x.Columns() {
		j.columns = append(j.columns, written(c))
	}
	if len(j.columns) == 0 {
		return nil, kindf("no column is selected")
	}
	j.report.Columns = len(j.columns)
	return j, nil
}

// showableJob is newJob, with its gaps found, that leaves out columns of a type that is
// Polars' own, integers of 128 bits, unless they were asked for.
func showableJob(ctx context.Context, w io.Writer, x *recording.Excerpt, o *Options) (*job, error) {
	var kept []int
	var out []string
	for i, c := range x.Columns() {
		if strings.Contains(c.ArrowType, "int128") && !x.Named() {
			out = append(out, c.Name)
		} else {
			kept = append(kept, x.Indices()[i])
		}
	}
	if len(out) > 0 && len(kept) > 0 {
		var err error
		if x, err = x.With(kept); err != nil {
			return nil, err
		}
	} else {
		out = nil
	}
	j, err := newJob(ctx, w, x, o)
	if err != nil {
		return nil, err
	}
	j.report.LeftOut = out
	return j, j.findGaps()
}

// findGaps looks for rows that are missing between those to be written, and for
// places where Clock begins anew.
func (j *job) findGaps() (err error) {
	if j.report.Gaps, err = j.x.Missing(j.ctx); err == nil {
		j.times, err = j.x.Follow(j.ctx)
	}
	return err
}

// written is a column as exports write it: run ends written out.
func written(c stream.Column) stream.Column {
	if c.RunEnd {
		_, values, _ := strings.Cut(strings.TrimSuffix(c.ArrowType, ">"), ", ")
		c.RunEnd, c.ArrowType = false, values
	}
	return c
}

// physical reports whether a column is written in its unit.
func (j *job) physical(c *stream.Column) bool {
	return j.o.Physical && c.Scale != 0 && c.Type.Numeric()
}

// Write counts what goes to the output.
func (j *job) Write(p []byte) (int, error) {
	n, err := j.w.Write(p)
	j.report.Bytes += int64(n)
	if err != nil {
		j.failed = err
	}
	return n, err
}

// each calls f with the rows of the excerpt, in pieces of bounded size. Damaged
// batches are left out and counted.
func (j *job) each(f func(b *recording.Batch) error) error {
	done, total := int64(0), j.x.Len()
	start, _ := j.x.Rows()
	for b, err := range j.x.Batches(j.ctx) {
		var corrupt *recording.CorruptError
		switch {
		case errors.As(err, &corrupt):
			if j.corrupt != nil {
				if err := j.corrupt(err); err != nil {
					return err
				}
			}
			continue
		case err != nil:
			return err
		}
		j.place(b)
		if err := f(b); err != nil {
			return err
		}
		j.report.Rows += int64(b.Rows)
		if done = max(done, b.Start+int64(b.Rows*j.x.Stride())-start); j.o.Progress != nil {
			j.o.Progress(min(done, total), total)
		}
	}
	if j.o.Progress != nil {
		j.o.Progress(total, total)
	}
	if err := j.endSegments(); err != nil {
		return err
	}
	lost, rows := j.x.Lost()
	j.report.Findings, j.report.LostRows = append(j.report.Findings, lost...), rows
	return nil
}
