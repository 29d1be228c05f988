package engine

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"
)

// A sideSource reads ranges side by side and counts the round trips.
type sideSource struct {
	data  []byte
	trips int
	limit int64 // no byte at or after it can be read
}

func (s *sideSource) ReadAt(p []byte, off int64) (int, error) {
	s.trips++
	if off+int64(len(p)) > s.limit {
		return 0, errors.New("after the limit")
	}
	return copy(p, s.data[off:]), nil
}

func (s *sideSource) ReadRanges(offsets []int64, bufs [][]byte) error {
	s.trips++
	for i, off := range offsets {
		if off+int64(len(bufs[i])) > s.limit {
			return errors.New("after the limit")
		}
		copy(bufs[i], s.data[off:])
	}
	return nil
}

func TestWalkingAFileTakesFewRoundTrips(t *testing.T) {
	data := largeRecording(t, 2000, 100)
	cut := data[:len(data)-24*2000-4096] // without the footer
	source := &sideSource{data: cut, limit: int64(len(cut))}
	e := &Engine{}
	info, err := e.Open(context.Background(), OpenArgs{"np_0", "np_0.arrow"}, source, int64(len(cut)), nil)
	if err != nil || info.State != "unfinished" || info.Batches < 1900 {
		t.Fatalf("%+v, %v", info, err)
	}
	if source.trips > 150 {
		t.Errorf("%d round trips for %d batches", source.trips, info.Batches)
	}
	plain, err := (&Engine{}).Open(context.Background(), OpenArgs{"np_0", "np_0.arrow"}, bytes.NewReader(cut), int64(len(cut)), nil)
	if err != nil || plain.Rows != info.Rows || plain.Batches != info.Batches {
		t.Errorf("read ahead: %d rows in %d batches, else %d in %d; %v", info.Rows, info.Batches, plain.Rows, plain.Batches, err)
	}
}

// Headers that lie unequally far apart, but near, take a round trip a window.
func TestWalkingSmallBatchesTakesFewRoundTrips(t *testing.T) {
	const steps = 3000
	source := &sideSource{data: make([]byte, steps*20<<10)}
	source.limit = int64(len(source.data))
	a := ahead(source, source.limit)
	random := rand.New(rand.NewPCG(5, 6))
	p, at := make([]byte, 400), int64(0)
	for range steps {
		if _, err := a.ReadAt(p, at); err != nil {
			t.Fatal(err)
		}
		at += 2000 + 8*random.Int64N(2200)
	}
	if most := int(at/windowBytes) + 20; source.trips > most {
		t.Errorf("%d round trips for %d headers in %d bytes", source.trips, steps, at)
	}
}

func TestReadingAheadGivesTheBytesOfTheFile(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 200_000)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	source := &sideSource{data: data, limit: 150_000} // reading ahead fails, reading does not
	a := ahead(source, int64(len(data)))
	at, stride := int64(0), int64(500)
	for range 20_000 {
		n := 1 + random.IntN(300)
		switch random.IntN(8) {
		case 0:
			at, stride = int64(random.IntN(150_000)), int64(301+random.IntN(2000))
		case 1:
			at = int64(random.IntN(150_000))
		default:
			at += stride
		}
		if at+int64(n) > source.limit {
			at = 0
		}
		p := make([]byte, n)
		if got, err := a.ReadAt(p, at); got != n || err != nil || !bytes.Equal(p, data[at:at+int64(n)]) {
			t.Fatalf("%d bytes at %d: %d, %v", n, at, got, err)
		}
	}
}
