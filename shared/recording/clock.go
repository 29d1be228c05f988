package recording

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// errSuspect says that the ends of a batch's Clock cannot both be right.
var errSuspect = fmt.Errorf("%w: Clock does not rise", ErrDamaged)

// clockEnds returns the first and last Clock of batch i. Of a plain column it
// reads these two values only. A *CorruptError says that the batch has none
// that can be trusted: it is damaged, has no rows, or Clock does not rise in
// it, as in a body of zeros.
func (r *Reader) clockEnds(i int) ([2]uint64, error) {
	ends, err := r.rawEnds(i)
	if b := &r.batches[i]; err == nil && b.rows() > 1 && int64(ends[1]) <= int64(ends[0]) {
		return [2]uint64{}, &CorruptError{Offset: r.bodyAt(i), Batch: i, Err: errSuspect}
	}
	return ends, err
}

// rawEnds is clockEnds without a look at whether Clock rises.
func (r *Reader) rawEnds(i int) (ends [2]uint64, err error) {
	if ends, err, ok := r.ticks.of(i); ok {
		return ends, err
	}
	ends, err = r.readClockEnds(i)
	r.ticks.hold(i, clockRead{ends, err})
	return ends, err
}

// tickEnds are the first and the last tick of those batches that were asked for.
type tickEnds struct {
	pages  []*tickPage   // as far as any was asked for; nil: none of it
	failed map[int]error // of known ones that have none
}

// A tickPage has those of some batches in a row: often few are asked for, from all over a
// file.
type tickPage struct {
	ticks [tickPageLength][2]uint64
	known [tickPageLength]bool
}

const tickPageLength = 256

func (e *tickEnds) of(i int) (ends [2]uint64, err error, ok bool) {
	n := i / tickPageLength
	if n >= len(e.pages) || e.pages[n] == nil || !e.pages[n].known[i%tickPageLength] {
		return ends, nil, false
	}
	p := e.pages[n]
	return p.ticks[i%tickPageLength], e.failed[i], true
}

// hold keeps what was read of batch i, unless it was the source that failed.
func (e *tickEnds) hold(i int, read clockRead) {
	if read.err != nil && !isCorrupt(read.err) {
		return
	}
	n := i / tickPageLength
	for len(e.pages) <= n {
		e.pages = append(e.pages, nil)
	}
	if e.pages[n] == nil {
		e.pages[n] = &tickPage{}
	}
	p := e.pages[n]
	p.ticks[i%tickPageLength], p.known[i%tickPageLength] = read.ends, true
	delete(e.failed, i)
	if read.err != nil {
		note(&e.failed, i, read.err)
	}
}

func (r *Reader) readClockEnds(i int) ([2]uint64, error) {
	if r.clock < 0 {
		return [2]uint64{}, ErrNoClock
	}
	list, err := r.readEndsOf([]BatchRows{{Batch: i}})
	if err != nil {
		return [2]uint64{}, err
	}
	return list[0].ends, list[0].err
}

// LoadClockEnds reads what ClockEnds asks for of batches that nobody has asked
// for, side by side where the source can. Damage is kept for ClockEnds; the error
// is the source's. The caller bounds the number of batches: of columns that are
// not plain it holds all values.
func (r *Reader) LoadClockEnds(batches []int) error {
	if r.clock < 0 {
		return nil
	}
	var unread []int
	for _, i := range batches {
		if _, _, known := r.ticks.of(max(0, i)); i >= 0 && i < len(r.batches) && !known {
			unread = append(unread, i)
		}
	}
	unread, err := r.guessEnds(unread)
	if err != nil {
		return err
	}
	if err := r.loadHeaders(unread); err != nil {
		return err
	}
	list, err := r.readEndsOf(wholeBatches(unread))
	if err != nil {
		return err
	}
	for k, i := range unread {
		r.ticks.hold(i, list[k])
	}
	return nil
}

// guessEnds reads headers and clock ends in one go, where the ends would be if the
// batches were as the one whose header was kept last, and keeps those of the
// batches that are: of most recordings all but the last. It returns the others.
func (r *Reader) guessEnds(batches []int) (left []int, err error) {
	like := r.headers.last
	if like == nil || r.ranges == nil || r.runEnd(r.clock) || like.batch.Codec != arrowipc.Uncompressed || like.batch.Length < 2 {
		return batches, nil
	}
	bits := batchRead{r: r, h: header{shape: like}, fields: r.schema.Fields, from: 0, to: 1, left: maxReadBytes}
	first, err := bits.plan(r.clock)
	if err != nil || first.valid != nil || first.layout.Bits != 64 {
		return batches, nil
	}
	at := [2]int64{first.values.at} // from the start of the body
	at[1] = at[0] + 8*(like.batch.Length-1)
	ends := map[int][2]*piece{}
	var pieces []*piece
	for _, i := range batches {
		if bodyAt := r.bodyAt(i); r.odd.failed[i] == nil && r.shapeOf(i) == nil && r.offset(i) >= 0 && bodyAt <= r.end-at[1]-8 {
			ends[i] = [2]*piece{{off: bodyAt + at[0], n: 8}, {off: bodyAt + at[1], n: 8}}
			pieces = append(pieces, ends[i][0], ends[i][1])
		}
	}
	if err := r.loadHeadersAnd(batches, pieces); err != nil {
		return nil, err
	}
	for _, i := range batches {
		guessed, ok := ends[i]
		if s := r.shapeOf(i); !ok || s == nil || s.batch != like.batch {
			left = append(left, i)
			continue
		}
		read := clockRead{ends: [2]uint64{binary.LittleEndian.Uint64(guessed[0].data), binary.LittleEndian.Uint64(guessed[1].data)}}
		r.ticks.hold(i, read)
	}
	return left, nil
}

// clockRead is what was read of the Clock of a batch.
type clockRead struct {
	ends [2]uint64
	err  error
}

// PeekClockEnds returns the Clock of the first and of the last row of stretches, of plain
// columns reading these values only; errs[k] as with Peek. Of large compressed columns
// it is quick to those who go forward.
func (r *Reader) PeekClockEnds(stretches []BatchRows) (ends [][2]uint64, errs []error, err error) {
	if r.clock < 0 {
		return nil, nil, ErrNoClock
	}
	if err := r.loadHeadersOf(stretches); err != nil {
		return nil, nil, err
	}
	list, err := r.readEndsOf(stretches)
	if err != nil {
		return nil, nil, err
	}
	ends, errs = make([][2]uint64, len(list)), make([]error, len(list))
	for k := range list {
		ends[k], errs[k] = list[k].ends, list[k].err
	}
	return ends, errs, nil
}

// readEndsOf reads the first and last Clock of stretches; err is the source's.
func (r *Reader) readEndsOf(stretches []BatchRows) (list []clockRead, err error) {
	list = make([]clockRead, len(stretches))
	type endRead struct {
		batchRead
		part columnRead
	}
	reads := make([][]endRead, len(stretches)) // of each: two rows, or all
	var pieces []*piece
	for k, s := range stretches {
		i := s.Batch
		h, err := r.headerOf(s)
		if err != nil {
			if !isCorrupt(err) {
				return nil, err
			}
			list[k].err = err
			continue
		}
		to := s.to(h.batch.Length)
		if s.From == to {
			list[k].err = &CorruptError{Offset: r.offset(i), Batch: i, Err: errNoRows}
			continue
		}
		spans := []Range{{s.From, to}}
		if (h.batch.Codec == arrowipc.Uncompressed || 8*h.batch.Length >= flowBytes) && !r.runEnd(r.clock) {
			spans = []Range{{s.From, s.From + 1}, {to - 1, to}}
		}
		for _, span := range spans {
			e := endRead{batchRead: batchRead{r: r, h: h, fields: r.schema.Fields, from: span.Start, to: span.End, left: maxReadBytes}}
			if e.part, err = e.plan(r.clock); err != nil {
				list[k].err = r.atBuffer(i, err)
				break
			}
			reads[k] = append(reads[k], e)
		}
		if list[k].err == nil {
			for _, e := range reads[k] {
				pieces = append(pieces, e.pieces...)
			}
		}
	}
	if err := r.fetchNear(pieces, false); err != nil {
		return nil, err
	}
	for k, s := range stretches {
		i := s.Batch
		if list[k].err != nil {
			continue
		}
		for n := range reads[k] {
			e := &reads[k][n]
			var v [1]Vector
			err := e.fill()
			if err == nil {
				err = e.decodeAll([]columnRead{e.part}, v[:])
			}
			if err != nil {
				list[k].err = r.atBuffer(i, err)
				break
			}
			if valid := v[0].Valid; valid != nil && (valid[0] == 0 || valid[len(valid)-1] == 0) {
				list[k].err = &CorruptError{Offset: reads[k][0].h.bodyAt, Batch: i, Err: errNoTick}
				break
			}
			if data := v[0].Data; n == 0 {
				list[k].ends[0] = binary.LittleEndian.Uint64(data)
				list[k].ends[1] = binary.LittleEndian.Uint64(data[len(data)-8:])
			} else {
				list[k].ends[1] = binary.LittleEndian.Uint64(data)
			}
		}
	}
	return list, nil
}

// errNoTick says that a row has no time.
var errNoTick = fmt.Errorf("%w: a row has no time", ErrDamaged)

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
