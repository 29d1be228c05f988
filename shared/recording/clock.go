package recording

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/stream"
)

// errSuspect says that the ends of a batch's Clock cannot both be right.
var errSuspect = fmt.Errorf("%w: Clock does not rise", ErrDamaged)

// clockEnds returns the first and last Clock of batch i. Of a plain column it
// reads these two values only. A *CorruptError says that the batch has none
// that can be trusted: it is damaged, has no rows, or Clock does not rise in
// it, as in a body of zeros.
func (r *Reader) clockEnds(i int) ([2]uint64, error) {
	ends, err := r.rawEnds(i)
	if b := &r.batches[i]; err == nil && b.rows > 1 && ends[1] <= ends[0] {
		return [2]uint64{}, &CorruptError{Offset: b.offset + int64(b.metaLength), Batch: i, Err: errSuspect}
	}
	return ends, err
}

// rawEnds is clockEnds without a look at whether Clock rises.
func (r *Reader) rawEnds(i int) (ends [2]uint64, err error) {
	b := &r.batches[i]
	if b.hasEnds {
		return b.tickEnds, b.endsErr
	}
	b.tickEnds, b.endsErr = r.readClockEnds(i)
	b.hasEnds = b.endsErr == nil || isCorrupt(b.endsErr)
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
	if r.typeOf(r.clock) == stream.Int64 && int64(ends[0]) < 0 {
		return [2]uint64{}, &CorruptError{Offset: h.bodyAt, Batch: i, Err: errSuspect}
	}
	return ends, nil
}

var errNoRows = errors.New("recording: batch without rows")

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
