package recording

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/internal/pace"
)

// A batchState is what is known of one batch besides its block. There are hundreds of
// thousands where batches have a row each, so that it is small and has no pointers;
// what is known of few batches is kept apart.
type batchState struct {
	low     uint32 // of the number of rows, which is below maxBatchRows
	high    uint8
	codec   arrowipc.Codec
	checked bool  // the header was read and is valid; rows and codec are known
	common  uint8 // number of its header among the common ones, from 1; 0: it has none there
}

func (b *batchState) rows() int64     { return int64(b.high)<<32 | int64(b.low) }
func (b *batchState) setRows(n int64) { b.low, b.high = uint32(n), uint8(n>>32) }

// uncheckedBatch is a batch of so many rows whose header was not read, checkedBatch one whose
// header was.
func uncheckedBatch(rows int64) (b batchState) {
	b.setRows(rows)
	return b
}

func checkedBatch(rows int64, codec arrowipc.Codec) batchState {
	b := uncheckedBatch(rows)
	b.checked, b.codec = true, codec
	return b
}

// blockOf is where batch i is by the footer, the recorder or the walk. Many ask, none
// often: once in the program it is smaller.
//
//go:noinline
func (r *Reader) blockOf(i int) arrowipc.Block {
	if r.walked != nil {
		return r.walked.Verdicts[r.verdicts[i]].Block()
	}
	return r.blocks[i]
}

// offset is where the message of batch i begins.
func (r *Reader) offset(i int) int64 { return r.blockOf(i).Offset }

// exceptions are what is known of some batches, by their numbers.
type exceptions struct {
	failed    map[int]error      // the header was read and is not valid
	found     map[int]bool       // there is a finding
	afterLoss map[int]bool       // something is lost between the batch before and this one
	lost      map[int][]LostRows // before it, as its metadata say
}

// note keeps something of batch i.
func note[T any](m *map[int]T, i int, t T) {
	if *m == nil {
		*m = map[int]T{}
	}
	(*m)[i] = t
}

// firstLook reads the first and the last batch header, and those of the
// dictionaries.
func (r *Reader) firstLook() error {
	if err := r.loadDictionaryHeaders(); err != nil {
		return err
	}
	for i := range r.dictionaries.list {
		d := &r.dictionaries.list[i]
		if d.err != nil || messages.Fit(&r.schema, &messages.Message{Message: &arrowipc.Message{Header: arrowipc.DictionaryBatchHeader, Version: d.version, DictionaryID: d.id, Batch: d.batch}}) != nil {
			return r.walk()
		}
	}
	n := len(r.batches)
	if n == 0 {
		return nil
	}
	ends := []int{0}
	if n > 1 {
		ends = append(ends, n-1)
	}
	if err := r.loadHeaders(ends); err != nil {
		return err
	}
	if r.contradicted {
		return r.walk()
	}
	if n <= 2 {
		return r.indexStep(n)
	}
	return nil
}

// Rows returns the number of rows. After the first look it is not exact: it
// takes all batches but the last to have as many rows as the first.
func (r *Reader) Rows() (rows int64, exact bool) {
	n := len(r.batches)
	known := len(r.starts) - 1
	if known == n {
		return r.starts[n], true
	}
	about := r.batches[0].rows()
	if about == 0 {
		about = max(int64(r.stream.RowsPerBatch), r.batches[n-1].rows())
	}
	return r.starts[known] + about*int64(n-1-known) + r.batches[n-1].rows(), false
}

// maxStepBytes bounds what one read of several headers holds in memory.
const maxStepBytes = 8 << 20

// Index reads the headers of all batches that have not been read: after it Rows
// is exact. Damage becomes findings; the error is that of ctx, which is asked
// between steps of some batches, or the source's. progress may be nil; it counts
// batches. What ctx and progress do may use the reader.
func (r *Reader) Index(ctx context.Context, progress func(done, total int)) error {
	return r.indexUntil(ctx, func() int {
		if progress != nil {
			progress(len(r.starts)-1, len(r.batches))
		}
		return len(r.batches) - (len(r.starts) - 1)
	})
}

// indexBatches is how many batch headers one step reads.
const indexBatches = 64

// indexUntil reads headers as long as more are wanted.
func (r *Reader) indexUntil(ctx context.Context, more func() int) error {
	if r.said && r.contradicted && r.walked == nil {
		if err := r.walk(); err != nil {
			return err
		}
	}
	for {
		n := more()
		if n <= 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.indexStep(min(n, indexBatches)); err != nil {
			return err
		}
	}
}

// indexStep reads the headers of the next batches, which there are.
func (r *Reader) indexStep(batches int) error {
	for left := batches; left > 0 && len(r.starts)-1 < len(r.batches); {
		if r.contradicted && r.walked == nil {
			return r.walk()
		}
		first := len(r.starts) - 1
		var step []int
		var total int64
		for i := first; i < len(r.batches) && len(step) < left; i++ {
			if !r.batches[i].checked && r.odd.failed[i] == nil {
				if total += int64(r.blockOf(i).MetaLength); total > maxStepBytes && len(step) > 0 {
					break
				}
			}
			step = append(step, i)
		}
		var unread []int
		for _, i := range step {
			if !r.batches[i].checked {
				unread = append(unread, i)
			}
		}
		if err := r.loadHeaders(unread); err != nil {
			return err
		}
		if err := r.checkNext(first + len(step)); err != nil {
			return err
		}
		if r.contradicted && r.walked == nil {
			return r.walk()
		}
		for _, i := range step {
			r.starts = append(r.starts, r.starts[i]+r.batches[i].rows())
		}
		left -= len(step)
	}
	return nil
}

// checkNext looks whether batch i begins where the footer says: bytes that are
// missing in the batch before would move it.
func (r *Reader) checkNext(i int) error {
	if r.walked != nil || i >= len(r.batches) || r.batches[i].checked || r.odd.failed[i] != nil {
		return nil
	}
	var p [8]byte
	b := r.blockOf(i)
	if err := r.readFull(p[:], b.Offset, &r.read.Metadata); err != nil {
		return err
	}
	prefix, length, err := arrowipc.ParsePrefix(p[:])
	if err != nil || int64(prefix)+int64(length) != int64(b.MetaLength) {
		r.contradicted = true
	}
	return nil
}

// BatchRange returns the rows [start, end) of batch i. It reads the headers of
// all batches before it that have not been read.
func (r *Reader) BatchRange(i int) (start, end int64, err error) {
	if i < 0 || i >= len(r.batches) {
		return 0, 0, fmt.Errorf("recording: batch %d: the file has %d", i, len(r.batches))
	}
	if err := r.indexUntil(context.Background(), func() int { return min(i+1, len(r.batches)) - (len(r.starts) - 1) }); err != nil {
		return 0, 0, err
	}
	if i >= len(r.batches) { // the footer proved wrong meanwhile
		return 0, 0, fmt.Errorf("recording: batch %d: the file has %d", i, len(r.batches))
	}
	return r.starts[i], r.starts[i+1], nil
}

// indexTo reads headers until row lies in an indexed batch, or all are read.
func (r *Reader) indexTo(row int64) error {
	return r.indexUntil(context.Background(), func() int {
		known := len(r.starts) - 1
		if known == len(r.batches) || r.starts[known] > row {
			return 0
		}
		if like := r.batches[0].rows(); like > 0 { // most have as many
			return int(min(indexBatches, (row-r.starts[known])/like+1))
		}
		return indexBatches
	})
}

// BatchAt returns the batch that holds the row, or a *RangeError.
func (r *Reader) BatchAt(row int64) (batch int, err error) {
	if row >= 0 {
		if err := r.indexTo(row); err != nil {
			return 0, err
		}
	}
	known := len(r.starts) - 1
	if row < 0 || row >= r.starts[known] {
		return 0, &RangeError{Start: row, End: row + 1, Rows: r.starts[known]}
	}
	// The last batch that begins at or before row; those without rows that
	// begin there come before it.
	return sort.Search(known, func(i int) bool { return r.starts[i+1] > row }), nil
}

// Findings returns what was found so far, in file order, with the row before
// which it lies and the Clock on both sides. It may read the headers and the
// ends of the Clock column that this takes.
func (r *Reader) Findings() []Finding {
	if r.contradicted && r.walked == nil {
		_ = r.walk() // a source that fails leaves what was found
	}
	for r.filled != len(r.findings) { // filling may find more
		r.filled = len(r.findings)
		r.fillFindings()
	}
	list := append(r.framing(nil), r.findings...)
	sortFindings(list)
	return list
}

// framing are the findings of the walk, of the verdicts that wanted picks (nil:
// all).
func (r *Reader) framing(wanted func(v *messages.Verdict) bool) (list []Finding) {
	if r.walked == nil {
		if v := r.ends.Before(); v != nil && (wanted == nil || wanted(v)) {
			list = appendFacts(nil, messages.Facts(v, &messages.Placed{Batch: -1}))
		}
		return list
	}
	clock := func(v int) messages.Span {
		i := r.BatchAtByte(r.walked.Verdicts[v].At)
		if i < 0 || r.odd.failed[i] != nil || r.odd.found[i] { // the Clock of a damaged batch may be that of other bytes
			return messages.Span{}
		}
		ends, err := r.clockEnds(i)
		return messages.Span{First: ends[0], Last: ends[1], OK: err == nil}
	}
	step := 0.0
	if slices.ContainsFunc(r.walked.Verdicts, func(v messages.Verdict) bool { return v.Kind == messages.Loss && v.Rows < 0 }) {
		step = r.clockStep()
	}
	placed := messages.Place(r.walked.Verdicts, r.ends.Footer != nil, clock, int64(r.stream.RowsPerBatch), step)
	for i := range r.walked.Verdicts {
		if v := &r.walked.Verdicts[i]; wanted == nil || wanted(v) {
			list = appendFacts(list, messages.Facts(v, placed[i]))
		}
	}
	return list
}

// clockStep samples the Clock of the first batches.
func (r *Reader) clockStep() float64 {
	var s pace.Sample
	for i := 0; i < len(r.batches) && !s.Full() && r.clock >= 0; i++ {
		if r.batches[i].rows() < 2 || r.odd.found[i] {
			continue
		}
		if b, err := r.readRows(i, 0, 0, r.batches[i].rows(), []int{r.clock}); err == nil {
			ticks, _, valid := clocksOf(b, false)
			ticks, _, _ = pace.Valid(ticks, valid)
			s.Add(ticks)
		}
	}
	return s.Step()
}

// fillFindings looks up rows and clocks of all findings. A source that fails
// leaves zeros.
func (r *Reader) fillFindings() {
	for k := range r.filled {
		f := r.findings[k]
		next := sort.Search(len(r.batches), func(i int) bool { return r.offset(i) > f.Offset })
		before := next - 1
		if f.Batch >= 0 && f.Batch < len(r.batches) {
			before, next = f.Batch-1, f.Batch+1
		}
		if row, _, err := r.BatchRange(min(before+1, len(r.batches)-1)); err == nil {
			f.BeforeRow = row
		}
		if before+1 >= len(r.batches) {
			if rows, exact := r.Rows(); exact {
				f.BeforeRow = rows
			}
		}
		if ends, ok := r.nearestEnds(before, -1); ok {
			f.ClockBefore = ends[1]
		}
		if ends, ok := r.nearestEnds(next, 1); ok {
			f.ClockAfter = ends[0]
		}
		r.findings[k] = f
	}
}

// maxNeighbours bounds the search for an intact batch next to a damaged one.
const maxNeighbours = 256

func (r *Reader) nearestEnds(i, step int) (ends [2]uint64, ok bool) {
	for n := 0; i >= 0 && i < len(r.batches) && n < maxNeighbours; i, n = i+step, n+1 {
		ends, err := r.clockEnds(i)
		if err == nil {
			return ends, true
		}
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) {
			break
		}
	}
	return ends, false
}
