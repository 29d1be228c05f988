package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
)

// A memoryStore is a Store; saved is told of each save.
type memoryStore struct {
	mu    sync.Mutex
	files map[string][]byte
	saved chan string
}

func newMemoryStore() *memoryStore {
	return &memoryStore{files: map[string][]byte{}, saved: make(chan string, 100)}
}

func (m *memoryStore) Read(name string, from, to int64) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	size := int64(len(m.files[name]))
	return m.files[name][min(from, size):min(to, size)]
}

func (m *memoryStore) Write(name string, at int64, data []byte) {
	m.mu.Lock()
	m.files[name] = append(m.files[name][:at:at], data...)
	m.mu.Unlock()
	m.saved <- name
}

// A fileSource is a countingSource that was changed at some time.
type fileSource struct {
	countingSource
	changed string
}

func (f *fileSource) Identity() string { return f.changed }

// visit opens data in a new engine, as a page does that is opened anew.
func visit(t *testing.T, store Store, data []byte, changed string) (*Engine, *fileSource, *StreamInfo) {
	t.Helper()
	e := &Engine{Store: store}
	source := &fileSource{countingSource{ReaderAt: bytes.NewReader(data)}, changed}
	if _, err := e.Open(context.Background(), OpenArgs{"np_0", "np_0.arrow"}, source, int64(len(data)), nil); err != nil {
		t.Fatal(err)
	}
	info, err := e.Index(context.Background(), "np_0", nil)
	if err != nil {
		t.Fatal(err)
	}
	source.bytes = 0
	return e, source, info
}

func TestTheNextVisitSeesTheWholeRunAtOnce(t *testing.T) {
	onTiles(t)
	data := testRecording(t, recording.Zstd)
	store := newMemoryStore()
	look := func(changed string, columns ...int) (*Overview, int64) {
		e, source, _ := visit(t, store, data, changed)
		o, err := e.Overview(context.Background(), OverviewArgs{Stream: "np_0", Columns: columns, Bins: 20}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return o, source.bytes
	}
	saved := func() {
		t.Helper()
		select {
		case <-store.saved:
		case <-time.After(5 * time.Second):
			t.Fatal("nothing was saved")
		}
	}
	ends := 2*min(endBytes, int64(len(data))) + 1100 // and Clock of the batch with a gap inside
	first, read := look("monday", 0, 1)
	saved()
	again, readAgain := look("monday", 0, 1)
	if read <= ends || readAgain > ends || !slices.Equal(again.RMS, first.RMS) || again.Quality != "exact" {
		t.Errorf("%d bytes were read at first, %d at the next visit of a file of %d; %s", read, readAgain, len(data), again.Quality)
	}
	look("monday", 2) // another column is added
	saved()
	if _, read := look("monday", 0, 1, 2); read > ends {
		t.Errorf("%d bytes were read of three columns that are kept", read)
	}
	if _, read := look("tuesday", 0, 1); read <= ends {
		t.Error("what is kept of a file was taken for that of a changed one")
	}
	saved()
	if len(store.files) != 2 {
		t.Errorf("%d files are kept", len(store.files))
	}
	if _, read := look("", 0, 1); read == 0 {
		t.Error("a source without an identity was recalled")
	}
	if other := bytes.Clone(data); true { // the same size and time, another end
		other[len(other)-30] ^= 1
		e, source, _ := visit(t, store, data[:len(data):len(data)], "monday")
		source.ReaderAt = bytes.NewReader(other)
		if name := e.streams["np_0"].storedName(); name == "" || store.files[name] != nil {
			t.Error("the ends of the file do not count")
		}
	}
}

// Whatever is in the store, the picture is right: what is damaged is passed over.
func TestWhatIsKeptMayBeDamaged(t *testing.T) {
	onTiles(t)
	data := testRecording(t, recording.None)
	store := newMemoryStore()
	e, _, _ := visit(t, store, data, "x")
	want, err := e.Overview(context.Background(), OverviewArgs{Stream: "np_0", Columns: []int{0}, Bins: 20}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var name string
	select {
	case name = <-store.saved:
	case <-time.After(5 * time.Second):
		t.Fatal("nothing was saved")
	}
	good := store.files[name]
	const seed = 3
	r := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		bad := bytes.Clone(good[:r.IntN(len(good)+1)])
		if len(bad) > 24 {
			bad[r.IntN(24)] ^= byte(1 << r.IntN(8))
		}
		end := parseStored(bytes.NewReader(bad), len(testBatches), 8, func(c *someTiles) {
			t.Fatalf("seed %d: a column with a changed bit was taken: %+v", seed, c)
		})
		if end > int64(len(storedMark)) {
			t.Fatalf("seed %d: intact up to byte %d", seed, end)
		}
	}
	store.files[name] = good[:len(good)/2]
	e, _, _ = visit(t, store, data, "x")
	got, err := e.Overview(context.Background(), OverviewArgs{Stream: "np_0", Columns: []int{0}, Bins: 20}, nil)
	if err != nil || !slices.Equal(got.RMS, want.RMS) {
		t.Errorf("half of what was kept gives another picture, %v", err)
	}
}

// What is kept takes as much memory as there is of it, whatever length it claims.
func TestWhatIsKeptIsNotBelievedItsLength(t *testing.T) {
	claim := binary.LittleEndian.AppendUint32([]byte(storedMark), storedBytes-100)
	claim = append(claim, make([]byte, storedHead+100)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	end := parseStored(bytes.NewReader(claim), 1, 1, func(*someTiles) { t.Error("it was taken") })
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; end != int64(len(storedMark)) || took > 1<<20 {
		t.Errorf("intact up to byte %d, %d bytes of memory", end, took)
	}
}
