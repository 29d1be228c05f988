package recording

import (
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

// A file that grows. Its writer says where the batches are (Writer.WriteBatch
// returns it), so that nothing is walked and no header is read before its batch
// is. What it says is believed as a footer is: until a header contradicts it.

// openIndexed takes the batches from the index of the file's writer.
func (r *Reader) openIndexed() error {
	r.growing, r.said, r.end = true, true, r.ends.SchemaEnd
	r.starts = append(r.starts[:0], 0)
	if err := r.Grow(r.size, r.open.Index); err != nil {
		return err
	}
	return r.firstLook()
}

// Grow takes in the batches that came to a file that was opened with
// Options.Index. size is that of the file by now; index are the batches after
// those that are known, in order.
//
// It returns a *CorruptError, and changes nothing, if the index cannot be that of
// such a file.
func (r *Reader) Grow(size int64, index []Block) error {
	if !r.growing {
		return fmt.Errorf("recording: this file was not opened as one that grows")
	}
	if r.walked != nil { // a header was not as the recorder said
		r.size = max(size, r.size)
		return r.walk()
	}
	end := r.end
	for i, b := range index {
		switch {
		case b.Offset < end || b.Length < int64(b.MetaLength) || b.MetaLength < 8 || int64(b.MetaLength) > messages.MaxMetadataBytes || b.Length > size-b.Offset:
			return &CorruptError{Offset: b.Offset, Batch: len(r.batches) + i, Err: fmt.Errorf("%w: the recorder puts a batch of %d bytes at %d, the one before ends at %d and the file at %d", ErrBounds, b.Length, b.Offset, end, size)}
		case b.Rows < 0 || b.Rows > maxBatchRows:
			return &CorruptError{Offset: b.Offset, Batch: len(r.batches) + i, Err: fmt.Errorf("%w: %d rows", ErrDamaged, b.Rows)}
		}
		end = b.Offset + b.Length
	}
	if len(r.batches) == 0 {
		r.rhythms = nil
	}
	exact := len(r.starts) == len(r.batches)+1
	for _, b := range index {
		r.hearTicks(len(r.batches), &b)
		r.blocks = append(r.blocks, arrowipc.Block{Offset: b.Offset, MetaLength: b.MetaLength, BodyLength: b.Length - int64(b.MetaLength)})
		r.batches = append(r.batches, uncheckedBatch(b.Rows))
		if exact {
			r.starts = append(r.starts, r.starts[len(r.starts)-1]+b.Rows)
		}
	}
	r.size, r.end = max(size, r.size), max(end, r.end)
	if len(index) > 0 {
		r.generation++ // what clocks were said to be is of fewer batches
	}
	return nil
}

// asSaid compares a header with what was said of its batch.
func (r *Reader) asSaid(b *batchState, m *arrowipc.Message) error {
	if r.said && r.walked == nil && b.rows() != m.Batch.Length {
		return fmt.Errorf("%w: the batch has %d rows by its header, %d were said", ErrDamaged, m.Batch.Length, b.rows())
	}
	return nil
}
