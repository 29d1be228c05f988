package recording

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sort"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/stream"
)

// errSuspect says that the ends of a batch's Clock cannot both be right.
var errSuspect = fmt.Errorf("%w: Clock does not rise", ErrDamaged)

// clockEnds returns the first and last Clock of batch i. Of a plain column it
// reads these two values only. A *CorruptError says that the batch has none
// that can be trusted: it is damaged, has no rows, or Clock does not rise in
// it, as in a body of zeros.
func (r *Reader) clockEnds(i int) (ends [2]uint64, err error) {
	b := &r.batches[i]
	if b.hasEnds {
		return b.tickEnds, b.endsErr
	}
	b.tickEnds, b.endsErr = r.readClockEnds(i)
	var corrupt *CorruptError
	b.hasEnds = b.endsErr == nil || errors.As(b.endsErr, &corrupt)
	return b.tickEnds, b.endsErr
}

func (r *Reader) readClockEnds(i int) (ends [2]uint64, err error) {
	if r.clock < 0 {
		return ends, ErrNoClock
	}
	h, err := r.header(i)
	if err != nil {
		return ends, err
	}
	rows := h.batch.Length
	if rows == 0 {
		return ends, &CorruptError{Offset: r.batches[i].offset, Batch: i, Err: errNoRows}
	}
	if h.batch.Codec == arrowipc.Uncompressed && !r.runEnd(r.clock) {
		for k, row := range []int64{0, rows - 1} {
			b, err := r.readRows(i, 0, row, row+1, []int{r.clock})
			if err != nil {
				return ends, err
			}
			ends[k] = binary.LittleEndian.Uint64(b.Columns[0].Data)
		}
	} else {
		b, err := r.readRows(i, 0, 0, rows, []int{r.clock})
		if err != nil {
			return ends, err
		}
		ends[0] = binary.LittleEndian.Uint64(b.Columns[0].Data)
		ends[1] = binary.LittleEndian.Uint64(b.Columns[0].Data[8*(rows-1):])
	}
	if r.typeOf(r.clock) == stream.Int64 && int64(ends[0]) < 0 || rows > 1 && ends[1] <= ends[0] {
		return [2]uint64{}, &CorruptError{Offset: h.bodyAt, Batch: i, Err: errSuspect}
	}
	return ends, nil
}

var errNoRows = errors.New("recording: batch without rows")

// ClockRange returns the first and last Clock, of the outermost batches whose
// Clock can be trusted. ok is false if the file has no Clock or no such batch.
func (r *Reader) clockRange() (first, last uint64, ok bool, err error) {
	if r.clock < 0 {
		return 0, 0, false, nil
	}
	head, i, err := r.trusted(0, len(r.batches), 1)
	if err != nil || i < 0 {
		return 0, 0, false, err
	}
	tail, _, err := r.trusted(len(r.batches)-1, -1, -1)
	if err != nil {
		return 0, 0, false, err
	}
	return head[0], tail[1], true, nil
}

// trusted returns the Clock ends of the first batch from i on, in steps of
// step and before stop, that can be trusted; batch is -1 if there is none.
func (r *Reader) trusted(i, stop, step int) (ends [2]uint64, batch int, err error) {
	for ; i != stop; i += step {
		ends, err := r.clockEnds(i)
		if err == nil {
			return ends, i, nil
		}
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) {
			return ends, -1, err
		}
	}
	return ends, -1, nil
}

// rowAtClock returns the first row with Clock >= ticks of the batches [first,
// next), in which Clock rises, or the row after them. Batches whose Clock cannot
// be trusted are passed over. It searches by halves over the ends of the batches.
func (r *Reader) rowAtClock(ctx context.Context, ticks uint64, first, next int) (int64, error) {
	found := -1           // ends at or after ticks, and hi is not after it
	lo, hi := first, next // all trusted batches before lo end before ticks
	for lo < hi {
		mid := lo + (hi-lo)/2
		ends, i, err := r.trusted(mid, hi, 1)
		switch {
		case err != nil:
			return 0, err
		case i >= 0 && ends[1] < ticks:
			lo = i + 1
		default:
			hi = mid
			if i >= 0 {
				found = i
			}
		}
	}
	if found < 0 {
		return r.startOf(ctx, next)
	}
	rows := r.batches[found].rows
	b, err := r.readRows(found, 0, 0, rows, []int{r.clock})
	if err != nil {
		return 0, err
	}
	clock := ticksOf(&b.Columns[0])
	start, err := r.startOf(ctx, found)
	return start + int64(sort.Search(len(clock), func(i int) bool { return clock[i] >= ticks })), err
}
