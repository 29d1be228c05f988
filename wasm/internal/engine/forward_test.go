package engine

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// A pageSource is memory that is read as the page's files are. fail gives the
// error of a read.
type pageSource struct {
	data []byte
	fail func(off int64, n int) error

	mu         sync.Mutex
	open, most int
	reads      []int

	held, mostHeld int
}

func (s *pageSource) ReadAt(p []byte, off int64) (int, error) {
	s.mu.Lock()
	s.open++
	s.most = max(s.most, s.open)
	s.reads = append(s.reads, len(p))
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.open--
		s.mu.Unlock()
	}()
	if s.fail != nil {
		if err := s.fail(off, len(p)); err != nil {
			return 0, err
		}
	}
	return bytes.NewReader(s.data).ReadAt(p, off)
}

func (s *pageSource) Hold(off, n int64) (Held, error) {
	h := &heldBytes{source: s, data: make([]byte, n)}
	if _, err := s.ReadAt(h.data, off); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.held++
	s.mostHeld = max(s.mostHeld, s.held)
	s.mu.Unlock()
	return h, nil
}

// heldBytes cannot be copied from once they are released.
type heldBytes struct {
	source *pageSource
	data   []byte
}

func (h *heldBytes) CopyTo(p []byte, from int) { copy(p, h.data[from:from+len(p)]) }

func (h *heldBytes) Release() {
	h.source.mu.Lock()
	defer h.source.mu.Unlock()
	clear(h.data[:1]) // panics the second time
	h.data = nil
	h.source.held--
}

// ended waits until everything that was read is given back.
func (s *pageSource) ended(t *testing.T, most int) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		held := s.held
		s.mu.Unlock()
		if held == 0 {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("%d pieces are still held", held)
		}
	}
	if s.mostHeld > most {
		t.Errorf("%d pieces were held at once", s.mostHeld)
	}
}

func TestAWholeFileIsReadAheadInLargePieces(t *testing.T) {
	data := make([]byte, 70<<20+321)
	for i := range data {
		data[i] = byte(i ^ i>>9 ^ i>>17)
	}
	source := &pageSource{data: data}
	f, end := goForward(source, int64(len(data)))
	const seed = 8
	r := rand.New(rand.NewPCG(seed, 0))
	for at := 0; at < len(data); { // as a walk does: headers, then bodies, a look back now and then
		n := min(len(data)-at, 1+r.IntN(900_000))
		p := make([]byte, n)
		if got, err := f.ReadAt(p, int64(at)); got != n || err != nil || !bytes.Equal(p, data[at:at+n]) {
			t.Fatalf("seed %d: %d of %d bytes at %d, %v", seed, got, n, at, err)
		}
		if at += n; r.IntN(5) == 0 && at > 2000 {
			if _, err := f.ReadAt(p[:1000], int64(at-2000)); err != nil || !bytes.Equal(p[:1000], data[at-2000:at-1000]) {
				t.Fatalf("seed %d: 1000 bytes at %d, %v", seed, at-2000, err)
			}
		}
	}
	if len(source.reads) > 30 {
		t.Errorf("%d reads", len(source.reads))
	}
	total := 0
	for _, n := range source.reads {
		total += n
	}
	if total > len(data)+4*forwardAfter {
		t.Errorf("%d bytes were read of %d", total, len(data))
	}
	end()
	source.ended(t, forwardPieces+2)
}

func TestALookAsideDoesNotEndReadingAhead(t *testing.T) {
	const batch = 46 << 20
	data := make([]byte, 4*batch)
	for i := range data {
		data[i] = byte(i ^ i>>9 ^ i>>17)
	}
	source := &pageSource{data: data}
	f, end := goForward(source, int64(len(data)))
	read := func(at, n int) {
		t.Helper()
		p := make([]byte, n)
		if got, err := f.ReadAt(p, int64(at)); got != n || err != nil || !bytes.Equal(p, data[at:at+n]) {
			t.Fatalf("%d of %d bytes at %d, %v", got, n, at, err)
		}
	}
	for from := 0; from < len(data); from += batch {
		read(from+batch-300_000, 240_000) // the clock that is its last column
		for at := from; at < from+batch; at += 1 << 20 {
			read(at, 1<<20)
		}
	}
	total := 0
	for _, n := range source.reads {
		total += n
	}
	if total > len(data)+2*forwardAfter+4*300_000 {
		t.Errorf("%d bytes were read of %d", total, len(data))
	}
	end()
	source.ended(t, forwardPieces+2)
}

func TestReadingAheadFailsOnlyWhereItIsAsked(t *testing.T) {
	broken := errors.New("the disk is gone")
	data := make([]byte, 40<<20)
	source := &pageSource{data: data, fail: func(off int64, n int) error {
		if off+int64(n) > 30<<20 {
			return broken
		}
		return nil
	}}
	f, end := goForward(source, int64(len(data)))
	p := make([]byte, 1<<20)
	for at := int64(0); at < int64(len(data)); at += int64(len(p)) {
		_, err := f.ReadAt(p, at)
		if want := at+int64(len(p)) > 30<<20; (err != nil) != want || want && !errors.Is(err, broken) {
			t.Errorf("at %d: %v", at, err)
		}
	}
	end()
	source.ended(t, forwardPieces+2)
}
