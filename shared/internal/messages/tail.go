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
		if from < w.e.FooterAt {
			if err := w.beforeFooter(from); err != nil {
				return err
			}
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
			w.pass(loss(from, rest, nil, -1, fmt.Sprintf("the last %d bytes are zeros: reserved for data that never reached the disk", rest)))
			return nil
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
