package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
)

type ends struct {
	first, last uint64
	ok          bool
}

// recordedTimeline counts the batches that were read.
func recordedTimeline(batches []ends) (*timeline, *int) {
	reads := 0
	return newTimeline(len(batches), func(b int) (uint64, uint64, bool, error) {
		reads++
		return batches[b].first, batches[b].last, batches[b].ok, nil
	}), &reads
}

func evenBatches(n int) []ends {
	batches := make([]ends, n)
	for i := range batches {
		batches[i] = ends{uint64(1000 * i), uint64(1000*i + 990), true}
	}
	return batches
}

func TestFindAgreesWithALinearSearch(t *testing.T) {
	even, holes, backwards := evenBatches(300), evenBatches(300), evenBatches(300)
	for i := 100; i < len(holes); i++ { // a gap, and from there another pace
		holes[i].first = 500_000 + uint64(3000*(i-100))
		holes[i].last = holes[i].first + 2990
	}
	for _, b := range []int{17, 18, 120, 121, 122, 250} {
		backwards[b] = ends{0, 0, true}
	}
	for name, batches := range map[string][]ends{"even": even, "a gap and another pace": holes, "zeroed batches": backwards} {
		for tick := -500.0; tick < 1_200_000; tick += 377 {
			line, _ := recordedTimeline(batches)
			got, err := line.find(tick)
			if err != nil {
				t.Fatal(err)
			}
			want := 0
			for b := range batches {
				if first := batches[b].first; (first != 0 || b == 0) && float64(first) <= tick {
					want = b
				}
			}
			// A zeroed batch may be found where its neighbours leave room for it.
			if got != want && !(name == "zeroed batches" && got > want && batches[got].first == 0) {
				t.Fatalf("%s: find(%v) = %d, want %d", name, tick, got, want)
			}
		}
	}
}

func TestFindReadsFewBatches(t *testing.T) {
	batches := evenBatches(4340)
	for tick := 500.0; tick < 4340e3; tick += 99_991 {
		line, reads := recordedTimeline(batches)
		if _, err := line.find(tick); err != nil || *reads > 5 {
			t.Fatalf("find(%v) read %d batches of %d, %v", tick, *reads, len(batches), err)
		}
	}
}

func TestDoubtfulBatchesShareTheRoomBetweenTrustedOnes(t *testing.T) {
	batches := evenBatches(6)
	batches[2], batches[3] = ends{0, 0, true}, ends{9e9, 9e9 + 5, true}
	line, _ := recordedTimeline(batches)
	for _, b := range []int{0, 5, 1, 4} {
		if _, _, sure, _ := line.at(b); !sure {
			t.Errorf("batch %d is doubted", b)
		}
	}
	first, last, sure, _ := line.at(2)
	if sure || first != 1990 || last != 2995 {
		t.Errorf("batch 2 at %v to %v, sure %v, want 1990 to 2995", first, last, sure)
	}
	if first, last, _, _ = line.at(3); first != 2995 || last != 4000 {
		t.Errorf("batch 3 at %v to %v, want 2995 to 4000", first, last)
	}
}

func TestTimelinePassesReadErrorsOn(t *testing.T) {
	broken := errors.New("broken")
	line := newTimeline(3, func(int) (uint64, uint64, bool, error) { return 0, 0, false, broken })
	if _, err := line.find(5); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// A readCounter counts how often a file is read.
type readCounter struct {
	io.ReaderAt
	reads int
}

func (c *readCounter) ReadAt(p []byte, off int64) (int, error) {
	c.reads++
	return c.ReaderAt.ReadAt(p, off)
}

// Of batches of a few rows many are read at once, and what keeps them is counted.
func TestManySmallBatchesTakeFewReads(t *testing.T) {
	const batches = 20_000
	data := largeRecording(t, batches, 1)
	src := &readCounter{ReaderAt: bytes.NewReader(data)}
	e := &Engine{}
	info, err := e.Open(context.Background(), OpenArgs{"np_0", "np_0.arrow"}, src, int64(len(data)), nil)
	if err != nil {
		t.Fatal(err)
	}
	src.reads = 0
	env, err := e.Envelope(context.Background(), envelopeArgs(info.Clock.First, info.Clock.Last+1, 300, "exact", 0), nil)
	if err != nil || env.RowsUsed != batches {
		t.Fatalf("%d rows, %v", env.RowsUsed, err)
	}
	if src.reads > 300 { // 227; of 64 batches at a time 786
		t.Errorf("%d reads", src.reads)
	}
	if kept := e.cache.size(); kept < batches*entryBytes {
		t.Errorf("%d columns are kept in %d bytes", batches, kept)
	}
}
