package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
)

// A disk is under all files of a run: it takes so many bytes, and fails and
// tells as a test wants.
type disk struct {
	mu      sync.Mutex
	left    int64 // bytes that it takes; footers have the reserve
	syncErr error
	events  []Event
}

// wrap is Options.Wrap.
func (d *disk) wrap(_ string, f File) File { return &diskFileOf{f, d} }

func (d *disk) options(dir string) Options {
	return Options{
		Dir: dir, Suffix: FileCount, Sync: time.Hour, Wrap: d.wrap, Tell: d.tell,
		Free: func() (int64, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			return d.left, nil
		},
	}
}

func (d *disk) tell(e Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, e)
}

func (d *disk) set(left int64, syncErr error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left, d.syncErr = left, syncErr
}

// said is the text of all events.
func (d *disk) said() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var b strings.Builder
	for _, e := range d.events {
		b.WriteString(e.Text + "\n")
	}
	return b.String()
}

type diskFileOf struct {
	File
	d *disk
}

func (f *diskFileOf) Write(p []byte) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	n := len(p)
	if !strings.HasSuffix(string(p[max(0, n-6):]), "ARROW1") { // else a footer, for which there is the reserve
		n = int(min(int64(n), f.d.left))
		f.d.left -= int64(n)
	}
	written, err := f.File.Write(p[:n])
	if err == nil && n < len(p) {
		err = &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	}
	return written, err
}

func (f *diskFileOf) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.syncErr != nil {
		return f.d.syncErr
	}
	return f.File.Sync()
}

// write writes a batch of n rows that count from a number.
func write(t *testing.T, w *Writer, from, n int) error {
	t.Helper()
	_, err := w.WriteBatch(n, clocks(from, n), nil)
	return err
}

// rowsIn returns the clocks of a file, which has to be complete.
func rowsIn(t *testing.T, path string) (ticks []uint64, about recording.About) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	r, err := recording.NewReader(f, info.Size())
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	all, err := r.Info(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for i := range all.Batches {
		b, err := r.ReadBatch(i, []int{0})
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		ticks = append(ticks, recording.Values[uint64](&b.Columns[0])...)
	}
	return ticks, r.About()
}

// counts checks that files, one after another, hold the rows from..to-1.
func counts(t *testing.T, from, to int, paths ...string) {
	t.Helper()
	next := uint64(from)
	for _, path := range paths {
		ticks, about := rowsIn(t, path)
		if about.State != recording.Complete {
			t.Errorf("%s is %s", path, about.State)
		}
		for _, tick := range ticks {
			if tick != next {
				t.Fatalf("%s: row with %d, want %d", path, tick, next)
			}
			next++
		}
	}
	if next != uint64(to) {
		t.Errorf("%v end at %d, want %d", paths, next, to)
	}
}

// heartbeat begins a run of one stream.
func heartbeat(t *testing.T, o Options) (*Run, *Writer) {
	t.Helper()
	run := start(t, []string{"heartbeat"}, o)
	w, err := run.OpenStream(clockStream("heartbeat"), recording.None)
	if err != nil {
		t.Fatal(err)
	}
	return run, w
}

// mustWrite is write where the disk takes it.
func mustWrite(t *testing.T, w *Writer, from, n int) {
	t.Helper()
	if err := write(t, w, from, n); err != nil {
		t.Fatal(err)
	}
}

// mustWriteEach writes so many batches of n rows, the first from 0 on.
func mustWriteEach(t *testing.T, w *Writer, batches, n int) {
	t.Helper()
	for i := range batches {
		mustWrite(t, w, n*i, n)
	}
}

func isLater(err error) bool {
	var later *LaterError
	return errors.As(err, &later)
}

// TestAFullDiskCompletesTheFileAndGoesOnWhenThereIsRoom: no row of a batch that
// was taken is lost, and a footer is written at once.
func TestAFullDiskCompletesTheFileAndGoesOnWhenThereIsRoom(t *testing.T) {
	dir := t.TempDir()
	d := &disk{left: 200_000}
	_, w := heartbeat(t, d.options(dir))
	n, err := 0, error(nil)
	for ; err == nil; n++ {
		err = write(t, w, 1000*n, 1000)
	}
	n-- // the last one was not taken
	if !isLater(err) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(d.said(), "heartbeat_0.arrow: the disk is full") {
		t.Fatalf("got %v, said %s", err, d.said())
	}
	counts(t, 0, 1000*n, filepath.Join(dir, "heartbeat_0.arrow")) // complete already
	if err := write(t, w, 1000*n, 1000); !isLater(err) {
		t.Fatalf("a full disk took a batch: %v", err)
	}
	d.set(100e6, nil)
	w.again = time.Time{}
	for i := range 3 {
		mustWrite(t, w, 1000*(n+i), 1000)
	}
	if err := errors.Join(w.Tend(time.Now()), w.Close()); err != nil {
		t.Errorf("closing: %v", err)
	}
	second := filepath.Join(dir, "heartbeat_0_001.arrow")
	counts(t, 0, 1000*(n+3), filepath.Join(dir, "heartbeat_0.arrow"), second)
	if _, about := rowsIn(t, second); about.Metadata[keyPart] != "1" || about.Metadata[keyBefore] != "heartbeat_0.arrow" || about.Metadata[keyPartRow] == "" {
		t.Errorf("metadata of the second part: %v", about.Metadata)
	}
	parts := w.Parts()
	if len(parts) != 2 || parts[1].FirstRow != int64(1000*n) || parts[1].Rows != 3000 || parts[0].State != StateComplete || parts[1].State != StateComplete {
		t.Errorf("parts %+v", parts)
	}
	if p := w.Progress(); p.Rows != int64(1000*(n+3)) || p.Durable != p.Bytes {
		t.Errorf("progress %+v", p)
	}
	if !strings.Contains(d.said(), "heartbeat_0_001.arrow: the stream goes on here") {
		t.Errorf("said %s", d.said())
	}
}

func TestADiskFullFromTheStartIsAnErrorOfOpenStream(t *testing.T) {
	d := &disk{left: 10}
	run := start(t, []string{"heartbeat"}, d.options(t.TempDir()))
	if _, err := run.OpenStream(clockStream("heartbeat"), recording.None); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v", err)
	}
}
