package recording

import "github.com/oniscope/oniscope/shared/internal/messages"

// What one Reader has seen of a file is given to another of the same file, which then
// reads no header before its batch is read. It is believed as a footer is: until a
// header contradicts it. Whoever wants proof, as recovery.Verify, asks no Reader.

// Blocks says where all batches are and what is in them, for Options.Index of another
// Reader of the same bytes. ok is false as long as that is not known of all, and where
// something is damaged or lost, of which an index says nothing.
func (r *Reader) Blocks() (list []Block, ok bool) {
	if len(r.starts) != len(r.batches)+1 || r.contradicted || len(r.odd.failed) > 0 || len(r.findings) > 0 || r.ends.Stream || !r.wellWalked() {
		return nil, false
	}
	list = make([]Block, len(r.batches))
	for i := range list {
		b := r.blockOf(i)
		list[i] = Block{Offset: b.Offset, Length: int64(b.MetaLength) + b.BodyLength, MetaLength: b.MetaLength, Rows: r.batches[i].rows(), Untimed: true}
		if list[i].Length > r.end-b.Offset {
			return nil, false
		}
		if ends, err, known := r.ticks.of(i); known && err == nil {
			list[i].FirstClock, list[i].LastClock, list[i].Untimed = ends[0], ends[1], false
		}
	}
	return list, true
}

// wellWalked reports whether a walk, if there was one, found batches one after another,
// and nothing else up to the end that the file lacks.
func (r *Reader) wellWalked() bool {
	if r.walked == nil {
		return true
	}
	if r.walked.Footer != nil || len(r.walked.Joints) > 0 {
		return false
	}
	for i := range r.walked.Verdicts {
		if v := &r.walked.Verdicts[i]; v.Kind != messages.Batch && (!v.AtEnd || v.Touched > 0) {
			return false
		}
	}
	return true
}

// take believes an index of the batches that the footer lists, if it is one of them.
func (r *Reader) take(index []Block) {
	if len(index) == 0 || len(index) != len(r.blocks) {
		return
	}
	for i := range index {
		b, f := &index[i], &r.blocks[i]
		if b.Offset != f.Offset || b.MetaLength != f.MetaLength || b.Length != int64(f.MetaLength)+f.BodyLength || b.Rows < 0 || b.Rows > maxBatchRows {
			return
		}
	}
	r.said = true
	for i := range index {
		r.batches[i] = uncheckedBatch(index[i].Rows)
		r.starts = append(r.starts, r.starts[i]+index[i].Rows)
		r.hearTicks(i, &index[i])
	}
}

// hearTicks keeps what an index says of the Clock of batch i.
func (r *Reader) hearTicks(i int, b *Block) {
	if r.clock >= 0 && b.Rows > 0 && !b.Untimed {
		r.ticks.hold(i, clockRead{ends: [2]uint64{b.FirstClock, b.LastClock}})
	}
}
