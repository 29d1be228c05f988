package store

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
)

// TestAFailedSyncIsSaidAsWhatItIs: with the row up to which the file is known
// good, and the stream goes on in another file.
func TestAFailedSyncIsSaidAsWhatItIs(t *testing.T) {
	dir := t.TempDir()
	d := &disk{left: 1e9}
	o := d.options(dir)
	o.Sync = SyncBatch
	_, w := heartbeat(t, o)
	mustWriteEach(t, w, 3, 100)
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
	mustWrite(t, w, 400, 100)
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
	_, w := heartbeat(t, d.options(t.TempDir())) // forces once an hour
	first := int64(0)
	for i := range 3 {
		mustWrite(t, w, 100*i, 100)
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
	_, w := heartbeat(t, o)
	mustWriteEach(t, w, 20, 100)
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
		mustWrite(t, w, from, 100)
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
