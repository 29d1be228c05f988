// Package store puts a recording on disk: one Arrow file a stream, or its
// parts, the start-time CSV, and the marker recording_<suffix>.json.
//
// Names are chosen once for the whole run and taken with create-new, so that
// two runs never share a file. Files of streams are written by recording.Writer,
// one write a batch; this package adds what only a disk needs: names, locks,
// syncing, what to do when a file is taken away or the disk is full, and a look
// at what is there in the end.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// Options of Begin. The zero value writes into the working directory, with
// Suffix None, and overwrites nothing.
type Options struct {
	Dir    string
	Suffix Suffix // "" means None

	// Overwrite says whether the file of a stream may be replaced, with suffix
	// None; other suffixes find a name that is free. The name "" asks for the
	// companion files. nil: nothing may.
	Overwrite func(stream string) bool

	Now  time.Time     // for the time stamp; host time
	Sync time.Duration // how often a file is forced to the platter; 0 means 5 s, SyncBatch, SyncNever
	Roll uint64        // ticks of Clock after which a stream goes on in its next part; 0: never

	// Tell reports what happens to a stream's files. Any writer's goroutine
	// calls it, and it must not block. nil: nobody listens.
	Tell func(Event)

	// Wrap puts something between a writer and its file. nil: nothing.
	Wrap func(name string, f File) File

	// Free says how many bytes may still be written into the folder. nil: what
	// the file system says.
	Free func() (int64, error)
}

// Values of Options.Sync.
const (
	SyncBatch time.Duration = -1 // after each batch
	SyncNever time.Duration = -2 // when a file is complete
)

const defaultSync = 5 * time.Second

// A Run is the folder and the suffix of one recording. Begin, Commit, then
// OpenStream; each Writer belongs to its own goroutine. One goroutine at a time
// may call the methods of a Run.
type Run struct {
	o      Options
	dir    *folder
	suffix string
	marker *os.File // held and locked until a state other than open is saved

	mu      sync.Mutex          // guards what follows, which writers use
	opened  map[string]*os.File // by stream, from Begin until OpenStream
	made    []string            // names that were free before Begin
	beside  map[string][]byte   // small files, by name
	reserve *os.File            // room for footers on a full disk; nil if it is in use
	lookAt  time.Time           // when the folder was looked at
	where   place
}

// An ExistsError says that a file is there that may not be overwritten.
type ExistsError struct {
	Path string
	Run  *Summary // of the run that it belongs to; nil: there is no summary of it
}

func (e *ExistsError) Error() string {
	text := fmt.Sprintf("store: %s exists", e.Path)
	if e.Run == nil {
		return text
	}
	if at, err := time.Parse(time.RFC3339Nano, e.Run.StartUTC); err == nil {
		text += ": a run of " + at.Local().Format("2006-01-02 15:04:05")
		if e.Run.State != StateOpen {
			text += fmt.Sprintf(", %.1f s long, %s", e.Run.ElapsedS, e.Run.State)
		}
	}
	return text
}

// existing is the error for a name that is taken.
func (r *Run) existing(name string) *ExistsError {
	e := &ExistsError{Path: filepath.Join(r.o.Dir, name)}
	if s, err := ReadSummary(r.MarkerPath()); err == nil {
		e.Run = s
	}
	return e
}

// Begin makes the folder, chooses the suffix, and opens and locks the marker and
// a file for every stream, so that a bad disk shows at once. Nothing that was
// there before changes until Commit; if Begin fails it leaves all as it was.
func Begin(streams []string, o Options) (*Run, error) {
	r, err := begin(streams, o)
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return nil, &folderError{o.Dir, err}
	}
	return r, err
}

// A folderError says that a folder can take no recording: which of its files the system
// was asked for first, and by which call, is no help.
type folderError struct {
	dir string
	err error // of the system
}

func (e *folderError) Error() string {
	return fmt.Sprintf("store: %s: no recording can be written there (%v); choose another folder", e.dir, plain(e.err))
}

func (e *folderError) Unwrap() error { return e.err }

func begin(streams []string, o Options) (*Run, error) {
	if o.Suffix == "" {
		o.Suffix = None
	}
	if o.Overwrite == nil || o.Suffix != None {
		o.Overwrite = func(string) bool { return false }
	}
	if o.Sync == 0 {
		o.Sync = defaultSync
	}
	if o.Tell == nil {
		o.Tell = func(Event) {}
	}
	if o.Wrap == nil {
		o.Wrap = func(_ string, f File) File { return f }
	}
	if err := checkNames(streams); err != nil {
		return nil, err
	}
	dir, err := openFolder(o.Dir)
	if err != nil {
		return nil, err
	}
	if o.Free == nil {
		o.Free = dir.freeBytes
	}
	next, err := candidates(dir.path, streams, o.Suffix, o.Now)
	if err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		suffix, ok := next(try)
		if !ok {
			return nil, err
		}
		run := &Run{o: o, dir: dir, suffix: suffix, opened: map[string]*os.File{}, beside: map[string][]byte{}}
		if err = run.begin(streams); err == nil {
			return run, nil
		}
		run.Abandon()
		// A name that somebody takes at this moment is taken.
		if exists := (*ExistsError)(nil); !errors.As(err, &exists) && !errors.Is(err, ErrInUse) {
			return nil, err
		}
	}
}

// checkNames refuses two streams that would share a file.
func checkNames(streams []string) error {
	seen := map[string]string{}
	for _, name := range streams {
		file := strings.ToLower(StreamFile(name, ""))
		if other, ok := seen[file]; ok {
			return fmt.Errorf("store: streams %q and %q would share the file %s", other, name, file)
		}
		seen[file] = name
	}
	return nil
}

// begin takes all names of a suffix.
func (r *Run) begin(streams []string) error {
	marker := r.name(markerStem, ".json")
	for _, name := range []string{marker, r.name(startTimeStem, ".csv")} {
		switch info, err := r.dir.root().Lstat(name); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return fmt.Errorf("store: %w", err)
		case !r.o.Overwrite(""):
			return r.existing(name)
		case !info.Mode().IsRegular():
			return fmt.Errorf("store: %s: this is not a file", name)
		}
	}
	var err error
	if r.marker, err = r.take(marker, r.o.Overwrite("")); err != nil {
		return err
	}
	for _, stream := range streams {
		f, err := r.take(r.firstFile(stream), r.o.Overwrite(stream))
		if err != nil {
			return err
		}
		r.opened[stream] = f
	}
	return nil
}

// take opens a file, and remembers whether it is new.
func (r *Run) take(name string, replace bool) (*os.File, error) {
	f, made, err := r.dir.open(name, replace)
	if exists := (*ExistsError)(nil); errors.As(err, &exists) {
		err = r.existing(name)
	}
	if made {
		r.made = append(r.made, name)
	}
	return f, err
}

// firstFile is the file in which a stream begins.
func (r *Run) firstFile(stream string) string {
	if r.o.Roll > 0 {
		return partFile(stream, r.suffix, 0)
	}
	return StreamFile(stream, r.suffix)
}

// Abandon leaves all as it was before Begin. It must not be called after Commit.
func (r *Run) Abandon() {
	for _, f := range r.opened {
		f.Close()
	}
	clear(r.opened)
	r.letMarkerGo()
	for _, name := range r.made {
		r.dir.root().Remove(name)
	}
	r.made = nil
}

// Commit empties the files that are replaced, and writes the marker: from now
// on this is the run of these names.
func (r *Run) Commit(first *Summary) error {
	for _, name := range slices.Sorted(maps.Keys(r.opened)) {
		if err := r.opened[name].Truncate(0); err != nil {
			return fmt.Errorf("store: %w", err)
		}
	}
	if stale := r.firstFile(recording.GapStreamName); r.o.Overwrite(recording.GapStreamName) {
		r.dir.root().Remove(stale) // of the run that is replaced; this one may lose nothing
	}
	if err := r.Save(first); err != nil {
		return err
	}
	if err := r.dir.sync(); err != nil {
		return fmt.Errorf("store: the folder: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keepReserve()
	return nil
}

// Suffix returns what the suffix became: "", "0", "2026-11-21T04_17_44".
func (r *Run) Suffix() string { return r.suffix }

// Free returns how many bytes may still be written into the folder.
func (r *Run) Free() (int64, error) { return r.o.Free() }

// name is the name of a companion file.
func (r *Run) name(stem, extension string) string { return FileName(stem, r.suffix, extension) }

// MarkerPath returns the path of recording_<suffix>.json.
func (r *Run) MarkerPath() string { return filepath.Join(r.dir.path, r.name(markerStem, ".json")) }

func (r *Run) letMarkerGo() {
	if r.marker != nil {
		r.marker.Close()
		r.marker = nil
	}
}

// WriteStartTime writes the start-time CSV of the run.
func (r *Run) WriteStartTime(s stream.StartTime) error {
	return r.WriteBeside(startTimeStem, ".csv", s.CSV())
}

// WriteBeside writes a small file next to the streams, whole or not at all. One
// that is there is replaced only where files may be.
func (r *Run) WriteBeside(stem, extension string, data []byte) error {
	name := r.name(stem, extension)
	if there, _ := r.dir.exists(name); there && !r.o.Overwrite("") {
		return r.existing(name)
	}
	if err := r.writeBeside(name, data); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.beside[name] = data
	return nil
}

func (r *Run) writeBeside(name string, data []byte) error {
	f, err := r.dir.replace(name, data, false, r.o.Sync != SyncNever)
	if err != nil {
		return fmt.Errorf("store: %s: %w", name, err)
	}
	return f.Close()
}

// Close closes the files that no stream took, which it leaves empty, writes
// small files again that were taken away, and gives the reserve back. Writers are
// closed by then.
func (r *Run) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.releaseReserve()
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(r.opened)) {
		errs = append(errs, r.opened[name].Close())
	}
	clear(r.opened)
	for _, name := range slices.Sorted(maps.Keys(r.beside)) {
		if there, err := r.dir.exists(name); err == nil && !there {
			errs = append(errs, r.writeBeside(name, r.beside[name]))
		}
	}
	return errors.Join(errs...)
}
