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

func isLater(err error) bool {
	var later *LaterError
	return errors.As(err, &later)
}

// TestAFullDiskCompletesTheFileAndGoesOnWhenThereIsRoom: no row of a batch that
// was taken is lost, and a footer is written at once.
func TestAFullDiskCompletesTheFileAndGoesOnWhenThereIsRoom(t *testing.T) {
	dir := t.TempDir()
	d := &disk{left: 200_000}
	run := start(t, []string{"heartbeat"}, d.options(dir))
	w, err := run.OpenStream(clockStream("heartbeat"), recording.None)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
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
		if err := write(t, w, 1000*(n+i), 1000); err != nil {
			t.Fatal(err)
		}
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

// TestAFailedSyncIsSaidAsWhatItIs: with the row up to which the file is known
// good, and the stream goes on in another file.
func TestAFailedSyncIsSaidAsWhatItIs(t *testing.T) {
	dir := t.TempDir()
	d := &disk{left: 1e9}
	o := d.options(dir)
	o.Sync = SyncBatch
	run := start(t, []string{"heartbeat"}, o)
	w, err := run.OpenStream(clockStream("heartbeat"), recording.None)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := write(t, w, 100*i, 100); err != nil {
			t.Fatal(err)
		}
	}
	bad := errors.New("input/output error")
	d.set(1e9, bad)
	if err := write(t, w, 300, 100); err != nil {
		t.Fatalf("the rows are in the file: %v", err)
	}
	if said := d.said(); !strings.Contains(said, "heartbeat_0.arrow: forcing it to the disk failed (input/output error): its rows from 300 on may be damaged") || strings.Contains(said, "full") {
		t.Errorf("said %s", said)
	}
	if parts := w.Parts(); parts[0].State != StateFailed || parts[0].GoodRows != 300 || parts[0].Rows != 400 {
		t.Errorf("parts %+v", parts)
	}
	d.set(1e9, nil)
	if err := write(t, w, 400, 100); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "rows from 300 on may be damaged") {
		t.Errorf("closing tells nothing of it: %v", err)
	}
	counts(t, 400, 500, filepath.Join(dir, "heartbeat_0_001.arrow"))
	if p := w.Progress(); p.Rows != 500 || p.Durable >= p.Bytes {
		t.Errorf("progress %+v", p)
	}
}

// TestTheFirstBatchIsForcedAtOnce: whoever looks at a recording that has begun sees
// that the disk takes it, and need not wait for the interval.
func TestTheFirstBatchIsForcedAtOnce(t *testing.T) {
	d := &disk{left: 1e9}
	run := start(t, []string{"heartbeat"}, d.options(t.TempDir())) // forces once an hour
	w, err := run.OpenStream(clockStream("heartbeat"), recording.None)
	if err != nil {
		t.Fatal(err)
	}
	first := int64(0)
	for i := range 3 {
		if err := write(t, w, 100*i, 100); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = w.Progress().Bytes
		}
		for end := time.Now().Add(5 * time.Second); w.Progress().Durable == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
			if err := w.Tend(time.Now()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if p := w.Progress(); p.Durable != first {
		t.Errorf("%d bytes of %d are on the platter, the first batch ends at %d", p.Durable, p.Bytes, first)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// TestADiskThatNeverSyncsMakesNoFileASecond: after some files the stream stays
// with the last one.
func TestADiskThatNeverSyncsMakesNoFileASecond(t *testing.T) {
	dir := t.TempDir()
	d := &disk{left: 1e9, syncErr: errors.New("input/output error")}
	o := d.options(dir)
	o.Sync = SyncBatch
	run := start(t, []string{"heartbeat"}, o)
	w, err := run.OpenStream(clockStream("heartbeat"), recording.None)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if err := write(t, w, 100*i, 100); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.Parts()); n != maxBadSyncs+1 {
		t.Errorf("%d files", n)
	}
	if w.Close() == nil {
		t.Error("closing tells nothing of it")
	}
	if p := w.Progress(); p.Rows != 2000 || p.Durable != 0 {
		t.Errorf("progress %+v", p)
	}
}

// TestWhatIsTakenAwayIsWrittenUnderAnotherName covers a file that is deleted,
// renamed or replaced, and a folder that is deleted, while it is written.
func TestWhatIsTakenAwayIsWrittenUnderAnotherName(t *testing.T) {
	for name, c := range map[string]struct {
		take func(dir, path string) error
		said string
	}{
		"deleted":        {func(_, path string) error { return os.Remove(path) }, "it was deleted; what was written is in heartbeat_0_001.arrow"},
		"renamed":        {func(dir, path string) error { return os.Rename(path, filepath.Join(dir, "other.arrow")) }, "it was renamed or moved; what was written"},
		"replaced":       {func(dir, path string) error { return replaceWith(path, "something else") }, "it was replaced by another file; what was written"},
		"folder deleted": {func(dir, _ string) error { return os.RemoveAll(dir) }, "it was deleted; what was written"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "today")
			d := &disk{left: 1e9}
			run := start(t, []string{"heartbeat"}, d.options(dir))
			w, err := run.OpenStream(clockStream("heartbeat"), recording.None)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				if err := write(t, w, 100*i, 100); err != nil {
					t.Fatal(err)
				}
			}
			path := filepath.Join(dir, "heartbeat_0.arrow")
			if err := c.take(dir, path); err != nil {
				t.Fatal(err)
			}
			if err := w.Tend(time.Now()); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(d.said(), c.said) {
				t.Errorf("said %s", d.said())
			}
			if err := write(t, w, 300, 100); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			counts(t, 0, 400, filepath.Join(dir, "heartbeat_0_001.arrow"))
			if parts := w.Parts(); len(parts) != 1 || parts[0].File != "heartbeat_0_001.arrow" {
				t.Errorf("parts %+v", parts)
			}
			if name == "replaced" {
				if text, _ := os.ReadFile(path); string(text) != "something else" {
					t.Error("the file of the other program was changed")
				}
			}
		})
	}
}

func replaceWith(path, text string) error {
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// TestADeletedFileIsNoticedAtTheEndToo: between the last look and the end.
func TestADeletedFileIsNoticedAtTheEndToo(t *testing.T) {
	dir := t.TempDir()
	d := &disk{left: 1e9}
	run := start(t, []string{"heartbeat"}, d.options(dir))
	w, err := run.OpenStream(clockStream("heartbeat"), recording.None)
	if err != nil {
		t.Fatal(err)
	}
	if err := write(t, w, 0, 100); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "heartbeat_0.arrow")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	counts(t, 0, 100, filepath.Join(dir, "heartbeat_0_001.arrow"))
}

func TestAMovedFolderTakesTheRecordingAlong(t *testing.T) {
	parent := t.TempDir()
	dir, other := filepath.Join(parent, "today"), filepath.Join(parent, "yesterday")
	d := &disk{left: 1e9}
	run := start(t, []string{"heartbeat"}, d.options(dir))
	w, err := run.OpenStream(clockStream("heartbeat"), recording.None)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := write(t, w, 100*i, 100); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			if err := os.Rename(dir, other); err != nil {
				t.Fatal(err)
			}
			if err := w.Tend(time.Now()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !strings.Contains(d.said(), "today was moved; its files go on where it is now") {
		t.Errorf("said %s", d.said())
	}
	late, err := run.OpenStream(clockStream("late"), recording.None)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), late.Close(), run.Close(), run.Save(&Summary{State: StateComplete})); err != nil {
		t.Error(err)
	}
	counts(t, 0, 300, filepath.Join(other, "heartbeat_0.arrow"))
	if s, err := ReadSummary(filepath.Join(other, "recording_0.json")); err != nil || s.State != StateComplete {
		t.Errorf("marker %+v, %v", s, err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder came back")
	}
}

// TestAFileThatAnotherProgramCutIsGivenUp: writing on would leave a hole.
func TestAFileThatAnotherProgramCutIsGivenUp(t *testing.T) {
	dir := t.TempDir()
	d := &disk{left: 1e9}
	run := start(t, []string{"heartbeat"}, d.options(dir))
	w, err := run.OpenStream(clockStream("heartbeat"), recording.None)
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	for i := range 5 {
		if err := write(t, w, 100*i, 100); err != nil {
			t.Fatal(err)
		}
		if i == 2 {
			size = w.Progress().Bytes
		}
	}
	if err := os.Truncate(filepath.Join(dir, "heartbeat_0.arrow"), size+7); err != nil {
		t.Fatal(err)
	}
	_ = w.Tend(time.Now())
	if err := write(t, w, 500, 100); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "200 rows from 300 on are lost") {
		t.Errorf("got %v", err)
	}
	if parts := w.Parts(); len(parts) != 2 || parts[0].LostRows != 200 || parts[0].State != StateFailed {
		t.Errorf("parts %+v", parts)
	}
	counts(t, 500, 600, filepath.Join(dir, "heartbeat_0_001.arrow"))
}

// TestPartsAreLinkedAndLoseNoRow.
func TestPartsAreLinkedAndLoseNoRow(t *testing.T) {
	dir := t.TempDir()
	d := &disk{left: 1e9}
	o := d.options(dir)
	o.Roll = 1000
	run := start(t, []string{"heartbeat"}, o)
	w, err := run.OpenStream(clockStream("heartbeat"), recording.None)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		if err := write(t, w, 70*i, 70); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var paths []string
	first := int64(0)
	for i, p := range w.Parts() {
		path := filepath.Join(dir, p.File)
		paths = append(paths, path)
		ticks, about := rowsIn(t, path)
		if p.FirstRow != first || int64(len(ticks)) != p.Rows || i > 0 && ticks[0]/1000 == ticks[0]/1000-1 {
			t.Errorf("part %d: %+v", i, p)
		}
		if i > 0 && (about.Metadata[keyBefore] != w.Parts()[i-1].File || ticks[0] < uint64(1000*i) || ticks[0] >= uint64(1000*i+70)) {
			t.Errorf("part %d begins at %d after %q", i, ticks[0], about.Metadata[keyBefore])
		}
		first += p.Rows
	}
	if len(paths) != 4 || filepath.Base(paths[0]) != "heartbeat_0_000.arrow" || filepath.Base(paths[3]) != "heartbeat_0_003.arrow" {
		t.Errorf("files %v", paths)
	}
	counts(t, 0, 3500, paths...)
}

// TestAWriteThatFailsGoesOnInTheNextFile: a limit on the size of files, a bad
// block.
func TestAWriteThatFailsGoesOnInTheNextFile(t *testing.T) {
	dir := t.TempDir()
	run := start(t, []string{"heartbeat"}, Options{Dir: dir, Suffix: FileCount, Wrap: func(_ string, f File) File { return &limited{File: f, room: 20_000} }})
	w, err := run.OpenStream(clockStream("heartbeat"), recording.None)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if err := write(t, w, 1000*i, 1000); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	var paths []string
	for _, p := range w.Parts() {
		paths = append(paths, filepath.Join(dir, p.File))
	}
	if len(paths) < 4 {
		t.Errorf("files %v", paths)
	}
	counts(t, 0, 10_000, paths...)
}

// A limited file has a greatest size.
type limited struct {
	File
	room int
}

func (f *limited) Write(p []byte) (int, error) {
	n := min(len(p), f.room)
	if len(p) < 3000 {
		n = len(p) // a footer
	}
	f.room -= n
	n, err := f.File.Write(p[:n])
	if err == nil && n < len(p) {
		err = &fs.PathError{Op: "write", Path: "x", Err: syscall.EFBIG}
	}
	return n, err
}

// A slowSync is a file on a disk that takes a while to have everything.
type slowSync struct {
	File
	enter chan struct{} // a sync began
	leave chan error    // how it ends
}

func (f *slowSync) Sync() error {
	f.enter <- struct{}{}
	return <-f.leave
}

// TestASlowSyncHoldsUpNoBatch: batches go to the file while a sync is under way,
// and only what it covers counts as durable. One that fails counts though a
// later one would succeed.
func TestASlowSyncHoldsUpNoBatch(t *testing.T) {
	var first *slowSync
	var events []string
	run := start(t, []string{"x"}, Options{
		Dir: t.TempDir(), Suffix: FileCount, Sync: time.Millisecond, Tell: func(e Event) { events = append(events, e.Text) },
		Wrap: func(_ string, f File) File {
			if first == nil {
				first = &slowSync{f, make(chan struct{}), make(chan error)}
				return first
			}
			return f
		},
	})
	w, err := run.OpenStream(clockStream("x"), recording.None)
	if err != nil {
		t.Fatal(err)
	}
	batch := func(from int) {
		t.Helper()
		time.Sleep(2 * time.Millisecond)
		if err := write(t, w, from, 100); err != nil {
			t.Fatal(err)
		}
	}
	batch(0)
	<-first.enter
	batch(100)
	batch(200)
	if p := w.Progress(); p.Rows != 300 || p.Durable != 0 {
		t.Fatalf("while a sync is under way: %+v", p)
	}
	one := w.Parts()[0]
	first.leave <- nil
	for w.Progress().Durable == 0 {
		time.Sleep(time.Millisecond)
		if err := w.Tend(time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if two := w.Parts()[0]; two.GoodRows != 100 || two.GoodBytes >= one.Bytes {
		t.Errorf("a sync that began after 100 rows covers %d rows, %d bytes of %d", two.GoodRows, two.GoodBytes, one.Bytes)
	}
	<-first.enter // the second, of 300 rows
	batch(300)
	first.leave <- errors.New("input/output error")
	for len(w.Parts()) == 1 {
		time.Sleep(time.Millisecond)
		if err := w.Tend(time.Now()); err != nil {
			_ = write(t, w, 400, 100)
		}
	}
	if err := w.Close(); err == nil || len(events) != 2 || !strings.Contains(events[0], "its rows from 100 on may be damaged") {
		t.Errorf("%v; said %q", err, events)
	}
	if p := w.Parts(); p[0].State != StateFailed || p[1].State != StateComplete || p[0].Rows+p[1].Rows != 500 {
		t.Errorf("%+v", p)
	}
}
