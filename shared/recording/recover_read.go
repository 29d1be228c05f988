package recording

import (
	"fmt"
	"io"
)

// windowBytes is how much one read asks for: a browser takes a millisecond for
// a read of any size below that, and a batch has a thousand buffers.
const windowBytes = 4 << 20

// readAt fills p from offset off.
func (rc *recoverer) readAt(p []byte, off int64) error {
	if w := rc.inWindow(int64(len(p)), off); w != nil {
		copy(p, w)
		return rc.work(int64(len(p)))
	}
	n, err := rc.r.ReadAt(p, off)
	if n == len(p) {
		return rc.work(int64(n))
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("recording: reading %d bytes at %d: %w", len(p), off, err)
}

// view is readAt without a copy where it can: the bytes are valid until the
// next read, or lie in buf.
func (rc *recoverer) view(n, off int64, buf *[]byte) ([]byte, error) {
	if w := rc.inWindow(n, off); w != nil {
		return w, rc.work(n)
	}
	*buf = grown(*buf, n)
	return *buf, rc.readAt(*buf, off)
}

// inWindow returns n bytes from off as a part of the window, nil if they are
// better read by themselves. Reads go forward through the file mostly, so a
// window is read and the next reads are served from it.
func (rc *recoverer) inWindow(n, off int64) []byte {
	if w := off - rc.windowAt; w >= 0 && w+n <= int64(len(rc.window)) {
		return rc.window[w : w+n]
	}
	if ahead := min(windowBytes, rc.size-off); !rc.scattered && n < ahead {
		rc.window, rc.windowAt = grown(rc.window, ahead), off
		if got, _ := rc.r.ReadAt(rc.window, off); int64(got) == ahead {
			return rc.window[:n]
		}
		rc.window = rc.window[:0] // what cannot be read may lie after these bytes
	}
	return nil
}

// work counts bytes and yields every few megabytes.
func (rc *recoverer) work(n int64) error {
	if rc.worked += n; rc.worked < 4<<20 {
		return nil
	}
	return rc.yield()
}

func (rc *recoverer) yield() error {
	rc.worked = 0
	if rc.o.Progress != nil {
		rc.o.Progress(min(rc.size, rc.at), rc.size)
	}
	if rc.o.Yield != nil {
		return rc.o.Yield()
	}
	return nil
}
