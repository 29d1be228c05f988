package recovery

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/recording"
)

// How a salvage works. The buffers of a batch follow each other column by column.
// Of a batch that the end of the file cuts, the columns before the cut are
// whole, and of a plain column the rows before the cut are. The rows that all
// wanted columns have are kept, as a batch of its own header. A file has one
// schema and no value is made up, so if other columns lack rows, they are left
// out of the whole output: all batches are projected onto the wanted ones.

// A salvage is a batch that the end of the file cuts, and what is kept of it.
type salvage struct {
	columns []int                 // wanted
	dropped bool                  // the others are left out
	entry   int                   // index in recoverer.list
	batch   *arrowipc.RecordBatch // cut, its buffers where they are
}

// salvageAll is the pattern for every column.
const salvageAll = "all"

// wantedColumns resolves the patterns of the options.
func (rc *recoverer) wantedColumns() ([]int, error) {
	patterns := rc.o.Salvage
	if slices.Contains(patterns, salvageAll) {
		patterns = nil
	}
	columns, err := recording.MatchColumns(columnNames(rc.schema), patterns)
	slices.Sort(columns)
	return columns, err
}

// trySalvage keeps what it can of a batch that the end of the file cuts: an
// entry for the rows that it keeps, and the verdict on the others. kept is nil
// if there are none; said is what else there is to say.
func (rc *recoverer) trySalvage(m *messages.Message) (kept *entry, lost *messages.Verdict, said string, err error) {
	columns, err := rc.wantedColumns()
	if err != nil {
		return nil, nil, "", err
	}
	spans, err := arrowipc.Columns(rc.schema, m.Version, m.Batch, nil)
	if err != nil || m.Header != arrowipc.RecordBatchHeader {
		return nil, nil, "", nil // the header is damaged
	}
	rows, least := m.Batch.Length, -1
	whole := 0
	for i := range spans {
		n := rc.rowsLeft(m, i, spans[i])
		if n == m.Batch.Length {
			whole++
		}
		if n < rows && slices.Contains(columns, i) {
			rows, least = n, i
		}
	}
	if rows == 0 {
		if least < 0 {
			return nil, nil, "", nil // a batch of no rows
		}
		return nil, nil, fmt.Sprintf("; nothing to salvage: no row of column %q is there (%d of %d columns are whole)", rc.schema.Fields[least].Name, whole, len(spans)), nil
	}
	cut, err := rc.cutBatch(m, spans, columns, rows)
	if err != nil {
		return nil, nil, "", err
	}
	if cut == nil {
		return nil, nil, "; nothing to salvage: a nested column cannot be cut, name the others", nil
	}
	part := *m
	message := *m.Message
	message.Batch = cut
	part.Message = &message
	checked, err := rc.checker.Check(rc.schema, &part, columns...)
	var bad *body.NotIntactError
	if errors.As(err, &bad) {
		return nil, nil, "; nothing to salvage: " + bad.Error(), nil
	}
	if err != nil {
		return nil, nil, "", err
	}
	rc.salvage = &salvage{columns: columns, dropped: len(columns) < len(spans), entry: len(rc.list), batch: cut}
	bytes := int64(0)
	for i, span := range spans {
		if !slices.Contains(columns, i) {
			rc.report.ColumnsLeftOut = append(rc.report.ColumnsLeftOut, rc.schema.Fields[i].Name)
			continue
		}
		for _, b := range cut.Buffers[span.Buffer:span.BufferEnd] {
			bytes += b.Length
		}
	}
	kept = &entry{Verdict: messages.NewBatch(m), clock: checked.Clock}
	kept.Rows, kept.Length, kept.Odd = rows, 0, false
	loss := messages.NewLoss(m.At, rc.size-m.At-bytes, m.Batch.Length-rows,
		fmt.Sprintf("the file ends inside this batch; %d of its %d rows are kept, of %d of its %d columns", rows, m.Batch.Length, len(columns), len(spans)))
	loss.AtEnd = true
	return kept, &loss, "", nil
}

// rowsLeft returns how many rows of a column the file still has: of plain
// columns of fixed width those before its end, of others all or none.
func (rc *recoverer) rowsLeft(m *messages.Message, column int, span arrowipc.Span) int64 {
	f := &rc.schema.Fields[column]
	width, fixed := f.Type.FixedBits()
	if f.Dictionary != nil {
		width, fixed = f.Dictionary.Index.FixedBits()
	}
	rows := m.Batch.Length
	for i := span.Buffer; i < span.BufferEnd; i++ {
		b := m.Batch.Buffers[i]
		left := rc.size - m.BodyAt() - b.Offset
		if left >= b.Length || b.Length == 0 {
			continue
		}
		if !fixed || m.Batch.Codec != arrowipc.Uncompressed || left <= 0 {
			return 0
		}
		per := int64(1) // bits a row
		if i > span.Buffer {
			per = int64(width)
		}
		if per > 0 {
			rows = min(rows, left*8/per)
		}
	}
	return rows
}

// cutBatch returns the header of the first rows of a batch, buffers where they
// are; nil if a column cannot be cut.
func (rc *recoverer) cutBatch(m *messages.Message, spans []arrowipc.Span, columns []int, rows int64) (*arrowipc.RecordBatch, error) {
	cut := *m.Batch
	if rows == cut.Length {
		return &cut, nil
	}
	cut.Length = rows
	cut.Nodes, cut.Buffers = slices.Clone(cut.Nodes), slices.Clone(cut.Buffers)
	for i, span := range spans {
		f := &rc.schema.Fields[i]
		wanted := slices.Contains(columns, i)
		cut.Nodes[span.Node].Length = rows
		cut.Nodes[span.Node].NullCount = min(cut.Nodes[span.Node].NullCount, rows)
		width, fixed := f.Type.FixedBits()
		if f.Dictionary != nil {
			width, fixed = f.Dictionary.Index.FixedBits()
		}
		switch {
		case !wanted:
		case fixed && span.BufferEnd == span.Buffer+2:
			err := rc.cutValues(m, &cut, span.Node, span.Buffer, rows, int64(width))
			if err != nil {
				return nil, err
			}
		case f.Type.ID == arrowipc.RunEndEncoded && span.NodeEnd == span.Node+3 && span.BufferEnd == span.Buffer+4:
			if ok, err := rc.cutRuns(m, &cut, span, f, rows); !ok || err != nil {
				return nil, err
			}
		case span.NodeEnd == span.Node+1 && span.BufferEnd == span.Buffer+3: // offsets after the rows mean nothing
			if err := rc.cutValues(m, &cut, span.Node, span.Buffer, rows, -1); err != nil {
				return nil, err
			}
		default:
			return nil, nil
		}
	}
	return &cut, nil
}

// cutValues cuts a node and its buffers, validity and values of width bits
// each, to the first rows; a width of -1 leaves the values.
func (rc *recoverer) cutValues(m *messages.Message, cut *arrowipc.RecordBatch, node, buffer int, rows, width int64) error {
	n := &cut.Nodes[node]
	n.Length = rows
	if width >= 0 {
		cut.Buffers[buffer+1].Length = min(cut.Buffers[buffer+1].Length, (rows*width+7)/8)
	}
	validity := &cut.Buffers[buffer]
	validity.Length = min(validity.Length, (rows+7)/8)
	if validity.Length == 0 || n.NullCount == 0 {
		return nil
	}
	p := make([]byte, validity.Length)
	if err := rc.checker.Fill(p, m.BodyAt()+validity.Offset); err != nil {
		return err
	}
	n.NullCount = rows
	for k, x := range p {
		if rest := rows - 8*int64(k); rest < 8 {
			x &= 1<<rest - 1
		}
		n.NullCount -= int64(bits.OnesCount8(x))
	}
	return nil
}

// cutRuns cuts a run-end encoded column to the runs of the first rows; the last
// run may end after them. ok is false if its values cannot be cut.
func (rc *recoverer) cutRuns(m *messages.Message, cut *arrowipc.RecordBatch, span arrowipc.Span, f *arrowipc.Field, rows int64) (ok bool, err error) {
	endBits, ok1 := f.Children[0].Type.FixedBits()
	width, ok2 := f.Children[1].Type.FixedBits()
	if !ok1 || !ok2 || endBits < 16 || f.Children[1].Dictionary != nil {
		return false, nil
	}
	ends := cut.Buffers[span.Buffer+1]
	size := int64(endBits / 8)
	p := make([]byte, min(ends.Length, cut.Nodes[span.Node+1].Length*size, rows*size))
	if err := rc.checker.Fill(p, m.BodyAt()+ends.Offset); err != nil {
		return false, err
	}
	runs := int64(0)
	for runs < int64(len(p))/size {
		if runs++; body.RunEndAt(p, endBits, int(runs-1)) >= rows {
			break
		}
	}
	if err := rc.cutValues(m, cut, span.Node+1, span.Buffer, runs, int64(endBits)); err != nil {
		return false, err
	}
	return true, rc.cutValues(m, cut, span.Node+2, span.Buffer+2, runs, int64(width))
}

// projected appends to a plan what a batch has of some columns, after a
// header of its own, and returns its block.
func (rc *recoverer) projected(p *Plan, at int64, m *messages.Message, batch *arrowipc.RecordBatch, columns []int) (arrowipc.Block, error) {
	spans, err := arrowipc.Columns(rc.schema, m.Version, m.Batch, nil)
	if err != nil {
		return arrowipc.Block{}, err
	}
	if _, err := arrowipc.Columns(rc.schema, arrowipc.V5, m.Batch, nil); err != nil {
		return arrowipc.Block{}, &body.NotIntactError{Err: fmt.Errorf("%w: the unions or run ends of a file in metadata version V4 have buffers that a salvaged batch cannot have: recover it without a salvage", recording.ErrUnsupported)}
	}
	out := arrowipc.RecordBatch{Length: batch.Length, Codec: batch.Codec}
	var parts []Span
	var size int64
	add := func(off, length int64) {
		parts = append(parts, Span{Offset: m.BodyAt() + off, Length: length})
		size += length
		if pad := -size & (body.Align - 1); pad > 0 {
			parts = append(parts, Span{Length: pad, Bytes: make([]byte, pad)})
			size += pad
		}
	}
	for i := 0; i < len(columns); {
		run := i + 1 // columns[i:run] follow one another
		for batch.Length == m.Batch.Length && run < len(columns) && columns[run] == columns[run-1]+1 {
			run++
		}
		from := spans[columns[i]]
		to := spans[columns[run-1]]
		i = run
		out.Nodes = append(out.Nodes, batch.Nodes[from.Node:to.NodeEnd]...)
		buffers := batch.Buffers[from.Buffer:to.BufferEnd]
		together := batch.Length == m.Batch.Length && aligned(buffers)
		start, end := int64(-1), int64(0)
		for _, b := range buffers {
			switch {
			case b.Length == 0:
				out.Buffers = append(out.Buffers, arrowipc.Buffer{Offset: size})
			case together:
				if start < 0 {
					start = b.Offset
				}
				end = b.Offset + b.Length
				out.Buffers = append(out.Buffers, arrowipc.Buffer{Offset: size + b.Offset - start, Length: b.Length})
			default:
				out.Buffers = append(out.Buffers, arrowipc.Buffer{Offset: size, Length: b.Length})
				add(b.Offset, b.Length)
			}
		}
		if start >= 0 {
			add(start, end-start)
		}
	}
	for _, c := range columns {
		out.VariadicCounts = append(out.VariadicCounts, batch.VariadicCounts[spans[c].View:spans[c].ViewEnd]...)
	}
	header := arrowipc.AppendRecordBatch(nil, at, body.Align, &out, size, nil)
	p.literal(header)
	for _, s := range parts {
		if s.Bytes != nil {
			p.literal(s.Bytes)
		} else {
			p.copy(s.Offset, s.Length)
		}
	}
	return arrowipc.Block{Offset: at, MetaLength: int32(len(header)), BodyLength: size}, nil
}

// aligned reports whether all buffers are at multiples of 8.
func aligned(buffers []arrowipc.Buffer) bool {
	for _, b := range buffers {
		if b.Length > 0 && b.Offset%8 != 0 {
			return false
		}
	}
	return true
}

// projectedSchema is the schema of the output of a salvage.
func (rc *recoverer) projectedSchema() *arrowipc.Schema {
	s := *rc.schema
	s.Fields = nil
	for _, c := range rc.salvage.columns {
		s.Fields = append(s.Fields, rc.schema.Fields[c])
	}
	return &s
}

// columnNames are those of a schema.
func columnNames(s *arrowipc.Schema) []string {
	names := make([]string, len(s.Fields))
	for i := range names {
		names[i] = s.Fields[i].Name
	}
	return names
}
