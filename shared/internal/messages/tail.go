package messages

import (
	"bytes"
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// tail judges what follows the last message.
func (w *walker) tail() error {
	from := w.end()
	switch {
	case w.e.Footer != nil && from <= w.e.FooterAt:
		switch {
		case w.ended && w.e.endsWell(w.e.FooterAt-w.pos):
		case from < w.e.FooterAt:
			if err := w.beforeFooter(from); err != nil {
				return err
			}
		case !w.ended && w.endsInBatch() && !w.e.endsWell(0):
			at := w.e.FooterAt - int64(len(mark))
			w.note(Warning, at, int64(len(mark)), "suspect: the last batch ends in the end mark: bytes are missing in it, and its last values are those of others", "").Suspect = true
		}
		if w.e.FooterEnd < w.src.Size {
			w.note(Warning, w.e.FooterEnd, w.src.Size-w.e.FooterEnd, "these bytes follow the end of the file", leftOut).Skipped = true
		}
		return nil
	case w.ended && w.e.Stream:
		zeroTo, err := w.zerosUntil(min(from, w.src.Size))
		if err != nil {
			return err
		}
		const reason = "these bytes follow the end of the stream"
		if zeroTo < w.src.Size { // an end mark may be what is left of a message
			w.pass(loss(from, w.src.Size-from, nil, -1, reason))
		} else if from < w.src.Size {
			w.note(Warning, from, w.src.Size-from, reason, leftOut).Skipped = true
		}
		return nil
	case w.ended && w.stream && from >= w.src.Size: // a stream after a file: it has no footer
		return nil
	case w.ended && from >= w.src.Size:
		w.note(Warning, w.src.Size, 0, "the footer is missing", writtenAnew).AtEnd = true
		return nil
	case w.ended:
		cut, err := w.cutFooter(from)
		if err != nil {
			return err
		}
		w.note(Warning, from, w.src.Size-from, "the footer is cut off or damaged", writtenAnew).AtEnd = cut
		return nil
	}
	if from < w.src.Size {
		if err := w.cutTail(from); err != nil {
			return err
		}
	}
	if w.e.Stream {
		w.note(Warning, w.src.Size, 0, "the end mark of the stream is missing: it may have been cut between two batches", "").AtEnd = true
		return nil
	}
	w.note(Warning, w.src.Size, 0, "the end mark and the footer are missing", writtenAnew).AtEnd = true
	return nil
}

// endsInBatch reports whether the footer begins where the last batch ends.
func (w *walker) endsInBatch() bool {
	return w.last >= 0 && w.out[w.last].Kind == Batch && w.out[w.last].At+w.out[w.last].Length == w.e.FooterAt
}

// beforeFooter judges what lies between the last message and the footer.
func (w *walker) beforeFooter(from int64) error {
	gap := w.e.FooterAt - from
	if w.ended || gap <= 8 {
		w.note(Warning, from, gap, "the end mark before the footer is damaged", writtenAnew)
		return nil
	}
	_, what, err := w.messageAt(from)
	if err != nil {
		return err
	}
	w.doubtLast(what)
	if what == isMessage {
		what = "a message that is not a batch of this file"
	}
	w.pass(loss(from, gap, nil, -1, string(what)))
	return nil
}

// doubtLast notes that nothing proves the end of the last plain batch: where
// bytes are missing in it, it ends in those of the next.
func (w *walker) doubtLast(what standing) {
	if what != noMessage || w.last < 0 {
		return
	}
	if v := &w.out[w.last]; v.Kind == Batch && v.Codec < 0 && v.At+v.Length == w.pos && !w.provenByFooter(v) {
		*v = v.Own()
		v.Doubted = true
	}
}

// cutTail judges what follows the last message of a file without a footer.
func (w *walker) cutTail(from int64) error {
	_, what, err := w.messageAt(from)
	if err != nil {
		return err
	}
	rest := w.src.Size - from
	switch what {
	case zeros:
		end, err := w.zerosUntil(from)
		if err != nil {
			return err
		}
		if end == w.src.Size {
			return w.zeroTail(from)
		}
		w.pass(loss(from, rest, nil, -1, fmt.Sprintf("%d zeros where a message should begin, and no batch after them", end-from)))
	case cutHeader:
		v := loss(from, rest, nil, -1, string(what))
		v.Batches, v.AtEnd = 1, true
		w.pass(v)
	case cutPrefix:
		v := loss(from, rest, nil, -1, string(what)+" or of the end mark")
		v.AtEnd = true
		w.pass(v)
	default:
		w.doubtLast(what)
		w.pass(loss(from, rest, nil, -1, "no message begins here, and no batch is found after it"))
	}
	return nil
}

// zeroTail judges a file that ends in zeros from a message's place on, as a disk
// leaves it that was stopped: the space was reserved, and the data never
// reached it. The zeros may begin in the last batch.
func (w *walker) zeroTail(from int64) error {
	begin, touched, err := w.zerosBefore(from)
	if err != nil {
		return err
	}
	where := fmt.Sprintf("zeros from byte %s to the end of the file", Grouped(begin))
	if touched > 0 {
		batch := Layout{Verdicts: w.out}
		v := w.note(Warning, begin, from-begin, fmt.Sprintf("suspect: %s: %s of batch %d", where, Counted(touched, "row", "rows"), batch.Batches()-1), "")
		v.Suspect, v.Touched = true, touched
	}
	rest := w.src.Size - from
	v := loss(from, rest, nil, -1, fmt.Sprintf("zeros from byte %s to the end of the file, %s bytes: reserved for data that never reached the disk", Grouped(from), Grouped(rest)))
	if w.last >= 0 && w.out[w.last].Kind == Batch && w.out[w.last].Codec == arrowipc.Uncompressed && w.out[w.last].Rows > 0 {
		batch := &w.out[w.last]
		v.Reason += fmt.Sprintf(", at most %s", Counted(int64(float64(rest)/float64(batch.Length)*float64(batch.Rows)), "row", "rows"))
	}
	w.pass(v)
	return nil
}

// zerosBefore returns where the zeros begin that reach the end of the last batch
// at from, and how many of its rows they touch. It reads back from there as far
// as there are zeros.
func (w *walker) zerosBefore(from int64) (begin, touched int64, err error) {
	if w.last < 0 {
		return from, 0, nil
	}
	v := &w.out[w.last]
	if v.Kind != Batch || v.Codec != arrowipc.Uncompressed || v.At+v.Length != from || v.Rows == 0 {
		return from, 0, nil
	}
	m, _, err := w.messageAt(v.At)
	if err != nil || m == nil {
		return from, 0, err
	}
	const step = 64 << 10
	begin = from
	for begin > m.BodyAt() {
		p := make([]byte, min(step, begin-m.BodyAt()))
		if err := w.search(p, begin-int64(len(p))); err != nil {
			return 0, 0, err
		}
		n := len(bytes.TrimRight(p, "\x00"))
		if begin -= int64(len(p) - n); n > 0 {
			break
		}
	}
	first, begin := firstValueAt(w.e.Schema, m, begin)
	if first >= v.Rows {
		return from, 0, nil // the last value ends in zeros
	}
	return begin, v.Rows - first, nil
}

// firstValueAt returns the first row of a plain batch of which a value begins
// at or after a byte of the file, and where the first such value begins.
func firstValueAt(s *arrowipc.Schema, m *Message, at int64) (row, value int64) {
	spans, err := arrowipc.Columns(s, m.Version, m.Batch, nil)
	if err != nil {
		return 0, at
	}
	row, value = m.Batch.Length, at
	for i := range spans {
		bits, fixed := s.Fields[i].Type.FixedBits()
		for k := spans[i].Buffer; k < spans[i].BufferEnd; k++ {
			b := m.Batch.Buffers[k]
			begin := m.BodyAt() + b.Offset
			switch {
			case b.Length == 0 || begin+b.Length <= at:
			case fixed && s.Fields[i].Dictionary == nil && bits > 0 && k == spans[i].BufferEnd-1 && at > begin:
				first := ((at-begin)*8 + int64(bits) - 1) / int64(bits)
				row, value = min(row, first), begin+(first*int64(bits)+7)/8
			default:
				row = 0
			}
		}
	}
	return row, value
}

// cutFooter reports whether the bytes from from on may be the beginning of a
// footer: a file whose end was never written. One that has a closing magic had
// an end, which is damaged.
func (w *walker) cutFooter(from int64) (bool, error) {
	p := make([]byte, min(w.src.Size-from, int64(len(arrowipc.Magic))))
	if err := w.src.ReadAt(p, w.src.Size-int64(len(p))); err != nil {
		return false, err
	}
	return string(p) != arrowipc.Magic, nil
}

// zerosUntil returns where the zeros that begin at from end.
func (w *walker) zerosUntil(from int64) (int64, error) {
	buf := make([]byte, min(1<<20, w.src.Size-from))
	for from < w.src.Size {
		p := buf[:min(int64(len(buf)), w.src.Size-from)]
		if err := w.search(p, from); err != nil {
			return 0, err
		}
		if rest := bytes.TrimLeft(p, "\x00"); len(rest) > 0 {
			return from + int64(len(p)-len(rest)), nil
		}
		from += int64(len(p))
	}
	return w.src.Size, nil
}
