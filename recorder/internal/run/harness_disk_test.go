package run

import (
	"sync"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/store"
)

// A slowDisk is under all files; a test may freeze it, for all or for some.
type slowDisk struct {
	mu     sync.Mutex
	change sync.Cond
	frozen func(name string) bool
	rate   func(name string, bytes int) time.Duration
}

func (d *slowDisk) wrap(name string, f store.File) store.File {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.change.L = &d.mu
	return &slowFile{f, name, d}
}

// freeze holds writes to some files up until it is called with nil.
func (d *slowDisk) freeze(which func(name string) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.change.L = &d.mu
	d.frozen = which
	d.change.Broadcast()
}

// setRate says how long writes take from now on.
func (d *slowDisk) setRate(rate func(name string, bytes int) time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rate = rate
}

func (d *slowDisk) wait(name string, bytes int) {
	d.mu.Lock()
	for d.frozen != nil && d.frozen(name) {
		d.change.Wait()
	}
	rate := d.rate
	d.mu.Unlock()
	if rate != nil {
		time.Sleep(rate(name, bytes))
	}
}

type slowFile struct {
	store.File
	name string
	d    *slowDisk
}

func (f *slowFile) Write(p []byte) (int, error) {
	f.d.wait(f.name, len(p))
	return f.File.Write(p)
}

func (f *slowFile) Sync() error {
	f.d.wait(f.name, 0)
	return f.File.Sync()
}

func all(string) bool { return true }
