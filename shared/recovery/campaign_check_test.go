//go:build linux

package recovery_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/internal/vectors"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

// rowBits gives the bits of each row: null, the value's bytes, or what is
// for them where the column is nested. skip are columns that cannot be compared.
func rowBits(b *recording.Batch, skip []bool) []string {
	rows := make([]string, b.Rows)
	var line []byte
	for i := range rows {
		line = line[:0]
		for k := range b.Columns {
			v := &b.Columns[k]
			switch {
			case skip != nil && skip[v.Column]:
			case v.Valid != nil && v.Valid[i] == 0:
				line = append(line, "null"...)
			case vectors.Array(v) != nil:
				line = vectors.Array(v).AppendText(line, i)
			default:
				w := len(v.Data) / v.Len
				line = fmt.Appendf(line, "%x", v.Data[i*w:(i+1)*w])
			}
			line = append(line, ';')
		}
		rows[i] = string(line)
	}
	return rows
}

// check opens, reads, recovers and verifies the damaged file and holds what
// comes out against what was written.
func (c *campaignCase) check() (result caseResult) {
	wrong := func(format string, args ...any) { result.Wrong = append(result.Wrong, fmt.Sprintf(format, args...)) }
	size := int64(len(c.data))
	source := bytes.NewReader(c.data)
	c.source = source

	// What verify says.
	verified, failed := []recording.Finding(nil), false
	for f, err := range recovery.Verify(context.Background(), source, size, nil) {
		if err != nil {
			failed = true
			if !knownRefusal(err) {
				wrong("verify: %v", err)
			}
			break
		}
		if f.Severity != recording.SeverityInfo {
			verified = append(verified, f)
		}
	}
	result.Verified = failed || len(verified) > 0
	// What is read.
	r, err := recording.NewReader(source, size)
	if err != nil {
		if !knownRefusal(err) {
			wrong("open: %v", err)
		}
		result.Told, result.Changed = true, true
	} else {
		read := c.read(r, c.data, true)
		for _, w := range read.wrong {
			wrong("read: %s", w)
		}
		findings := r.Findings()
		told := r.About().State != recording.Complete || slices.ContainsFunc(findings, func(f recording.Finding) bool { return f.Severity != recording.SeverityInfo })
		if read.missing > 0 && !told {
			wrong("read: %d batches are missing and nothing is said", read.missing)
		}
		result.Told = result.Told || told
		result.Changed = result.Changed || read.missing > 0 || read.changed > 0
		// What a frame says of its window, or where it copies from, can change
		// without changing a value: all else is found.
		if !result.Verified && c.file.checked && read.changed+read.missing > 0 {
			wrong("verify finds nothing, and %d batches are read otherwise, %d not", read.changed, read.missing)
		}
	}

	// What is recovered.
	plan, err := recovery.Examine(context.Background(), source, size, &recovery.Options{Stream: strings.Contains(c.file.name, "stream") && strings.Contains(c.file.name, "replaced")})
	var refused *recovery.Error
	switch {
	case errors.As(err, &refused):
		result.Told = true
		if refused.Report.Outcome != recovery.Failed {
			wrong("recover: refused and %s", refused.Report.Outcome)
		}
	case err != nil:
		wrong("recover: %v", err)
	default:
		if err := plan.Verify(source); err != nil {
			wrong("recover: the output does not verify: %v", err)
			break
		}
		written := make([]byte, plan.Size())
		_, _ = plan.Output(source).ReadAt(written, 0)
		out, err := recording.NewReader(bytes.NewReader(written), plan.Size())
		if err != nil {
			wrong("recover: the output does not open: %v", err)
			break
		}
		read := c.read(out, written, false)
		for _, w := range read.wrong {
			wrong("recover: %s", w)
		}
		if read.damaged > 0 {
			wrong("recover: %d batches of the output cannot be read", read.damaged)
		}
		// Batches of which no byte is there any more leave no trace but the
		// missing end, which is reported.
		if plan.Report.Outcome == recovery.Lossless && read.missing > c.gone() {
			wrong("recover: lossless, and %d batches are missing", read.missing-c.gone())
		}
		if read.missing > 0 && len(plan.Report.Findings) == 0 {
			wrong("recover: %d batches are missing and nothing is said", read.missing)
		}
		if read.lostWhole > 0 {
			wrong("recover: %d batches that nothing has touched are not in the output: %s", read.lostWhole, reasons(plan.Report.Findings))
		}
		result.Told = result.Told || len(plan.Report.Findings) > 0
	}
	result.Told = result.Told || result.Verified
	return result
}

func knownRefusal(err error) bool {
	var corrupt *recording.CorruptError
	return errors.As(err, &corrupt) || errors.Is(err, recording.ErrEmpty) || errors.Is(err, recording.ErrNotArrow) || errors.Is(err, recording.ErrNoSchema) || errors.Is(err, recording.ErrBigEndian) || errors.Is(err, recording.ErrUnsupported) || errors.Is(err, recording.ErrSchemaLost)
}

func reasons(list []recording.Finding) string {
	var out []string
	for _, f := range list {
		out = append(out, fmt.Sprintf("[%d+%d %s]", f.Offset, f.Length, f.Reason))
	}
	return strings.Join(out, " ")
}

// gone counts the batches of which no byte is left, or nothing but the marker that a
// stream has before its end mark too, and zeros: those are room that was made for more.
func (c *campaignCase) gone() (n int) {
	for _, b := range c.file.batches {
		overwritten := slices.ContainsFunc(c.touched, func(s extent) bool { return s.from <= b.from && s.to >= b.to })
		if overwritten || b.to <= min(c.moved, int64(len(c.data))) && len(bytes.Trim(c.data[b.from+4:b.to], "\x00")) == 0 {
			n++
		}
	}
	return n
}

// A campaignRead is how the batches of a reader compare with the originals.
type campaignRead struct {
	missing   int // originals that were not read as they were
	changed   int // batches read that are no originals
	damaged   int // batches that could not be read
	lostWhole int // missing originals that nothing touched, schema and end included
	wrong     []string
}

// read reads every batch and finds its original.
func (c *campaignCase) read(r *recording.Reader, data []byte, input bool) (out campaignRead) {
	var places []arrowipc.Block
	info, err := testdata.Info(r)
	if err != nil {
		if !testdata.Known(err) {
			out.wrong = append(out.wrong, fmt.Sprintf("info: %v", err))
		}
		out.missing = len(c.file.batches)
		return out
	}
	skip, comparable := c.otherTypes(info.Columns)
	found := make([]bool, len(c.file.batches))
	next := 0
	for i := range r.NumBatches() {
		b, err := r.ReadBatch(i, nil)
		if err != nil {
			out.damaged++
			if !testdata.Known(err) {
				out.wrong = append(out.wrong, err.Error())
			}
			continue
		}
		if !comparable {
			out.changed++
			continue
		}
		rows := rowBits(b, skip)
		j := next
		for j < len(found) && !slices.Equal(rows, originalRows(c.file.batches[j].rows, skip)) {
			j++
		}
		if j < len(found) {
			found[j], next = true, j+1
			continue
		}
		if b.Rows == 0 || c.twice && c.isOriginal(rows, skip) {
			continue
		}
		out.changed++
		if places == nil {
			places, _ = dissect.BatchesIn(data)
		}
		s := &places[i]
		if c.file.checked && !c.madePlain {
			out.wrong = append(out.wrong, fmt.Sprintf("batch %d at %d, of %d rows, was never written", i, s.Offset, b.Rows))
		} else if input && !c.mayDiffer(s.Offset, s.Offset+int64(s.MetaLength)+s.BodyLength) {
			out.wrong = append(out.wrong, fmt.Sprintf("batch %d at %d is not as written, and nothing of it was touched", i, s.Offset))
		}
	}
	replaced := 0 // batches of which something was read in their place
	if !c.file.checked || c.madePlain {
		replaced = out.changed
	}
	for j := range found {
		if found[j] || len(c.file.batches[j].rows) == 0 {
			continue
		}
		out.missing++
		if comparable && c.untouched(j) {
			out.lostWhole++
		}
	}
	out.missing = max(0, out.missing-replaced)
	return out
}

// isOriginal reports whether any batch was written with these rows.
func (c *campaignCase) isOriginal(rows []string, skip []bool) bool {
	return slices.ContainsFunc(c.file.batches, func(b campaignBatch) bool { return slices.Equal(rows, originalRows(b.rows, skip)) })
}

// mayDiffer reports whether a batch at [from, to) of the damaged file may have
// other rows without anyone being able to know: the batch itself, a schema or
// a dictionary was touched.
func (c *campaignCase) mayDiffer(from, to int64) bool {
	return c.moved < int64(len(c.file.data)) || c.hits(from, to) || c.hits(8, c.file.batches[0].from) || c.hitsDictionary() || c.footerSchema()
}

// footerSchema reports whether the damage is in a footer.
func (c *campaignCase) footerSchema() bool {
	return c.hits(c.file.meta[len(c.file.meta)-1].from, int64(len(c.file.data)))
}

// untouched reports whether a batch, what is in front of all batches, and
// what it is in the order of are as they were, so that it must be found.
func (c *campaignCase) untouched(j int) bool {
	b := &c.file.batches[j]
	if c.hits(b.from, b.to) || c.hits(0, c.file.batches[0].from) {
		return false
	}
	if c.hitsDictionary() {
		return false
	}
	// Without a marker nothing can be found after damage; a file that is cut
	// off may have lost what is after its batches.
	old := strings.Contains(c.file.name, "0.14") || strings.Contains(c.file.name, "deltas") // nor what words a dictionary has
	unframed := strings.HasPrefix(c.file.name, "polars/") || c.file.name == "arrow-js/types_file"
	return !old && !(unframed && c.footerSchema()) && c.moved >= int64(len(c.file.data))
}

// hitsDictionary reports whether something is touched that is between the
// batches: a dictionary.
func (c *campaignCase) hitsDictionary() bool {
	end := c.file.batches[0].from
	for _, b := range c.file.batches {
		if c.hits(end, b.from) {
			return true
		}
		end = b.to
	}
	return c.hits(end, c.file.meta[len(c.file.meta)-1].from)
}

// otherTypes says which columns cannot be compared because damage of the
// schema gives their bits another meaning. comparable is false if the columns
// are others altogether.
func (c *campaignCase) otherTypes(columns []recording.InfoColumn) (skip []bool, comparable bool) {
	if len(columns) != len(c.file.columns) {
		return nil, false
	}
	for i := range columns {
		if columns[i].Type == c.file.columns[i].Type {
			continue
		}
		if skip == nil {
			skip = make([]bool, len(columns))
		}
		skip[i] = true
	}
	return skip, true
}

// originalRows leaves out the columns that are skipped.
func originalRows(rows []string, skip []bool) []string {
	if skip == nil {
		return rows
	}
	out := make([]string, len(rows))
	for i, row := range rows {
		parts := strings.Split(row, ";")
		if len(parts) != len(skip)+1 {
			return nil // a text with a semicolon in it
		}
		for k := range skip {
			if skip[k] {
				parts[k] = ""
			}
		}
		out[i] = strings.Join(parts, ";")
	}
	return out
}
