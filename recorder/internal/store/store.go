// Package store puts a recording on disk: one Arrow file a stream, the
// start-time CSV, and the marker recording_<suffix>.json.
//
// Names are chosen once for the whole run and taken with create-new, so that
// two runs never share a file. Files of streams are written by recording.Writer,
// one write a batch; this package adds what only a disk needs: names, syncing,
// and what happens when it is full.
package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/oniscope/oniscope/shared/stream"
)

// A File is what a stream is written to. *os.File is one; tests put a disk that
// fills up in its place. After Truncate the next Write continues at the new end.
type File interface {
	io.Writer
	Truncate(size int64) error
	Sync() error
	Close() error
}

// Options of Begin. The zero value writes into the working directory, with
// Suffix None, and overwrites nothing.
type Options struct {
	Dir    string
	Suffix Suffix // "" means None

	// Overwrite says whether the file of a stream may be replaced; the name
	// "" asks for the companion files. nil: nothing may.
	Overwrite func(stream string) bool

	Now  time.Time     // for the time stamp; host time
	Sync time.Duration // how often a file is forced to the platter; 0 means 5 s

	// Create makes a stream's file, or truncates it if overwrite is set.
	// nil means on disk.
	Create func(path string, overwrite bool) (File, error)
}

const defaultSync = 5 * time.Second

// A Run is the folder and the suffix of one recording. One goroutine at a time
// may call its methods; each Writer belongs to its own goroutine.
type Run struct {
	o       Options
	suffix  string
	marker  *os.File        // held and locked until a state other than open is saved
	created map[string]File // by stream, until OpenStream takes it
}

// An ExistsError says that a file is there that may not be overwritten.
type ExistsError struct{ Path string }

func (e *ExistsError) Error() string {
	return fmt.Sprintf("store: %s exists; choose another folder or suffix FileCount, or allow to overwrite", e.Path)
}

// Begin makes the folder, chooses the suffix, and creates the marker and an
// empty file for every stream, so that a bad disk shows at once. If it fails it
// removes what it created.
func Begin(streams []string, o Options, first *Summary) (*Run, error) {
	if o.Suffix == "" {
		o.Suffix = None
	}
	if o.Overwrite == nil {
		o.Overwrite = func(string) bool { return false }
	}
	if o.Sync == 0 {
		o.Sync = defaultSync
	}
	if o.Create == nil {
		o.Create = createFile
	}
	if err := checkNames(streams); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	next, err := candidates(o.Dir, streams, o.Suffix, o.Now)
	if err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		suffix, ok := next(try)
		if !ok {
			return nil, err
		}
		var run *Run
		if run, err = begin(streams, suffix, o, first); err == nil {
			return run, nil
		}
		if exists := (*ExistsError)(nil); !errors.As(err, &exists) {
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

func begin(streams []string, suffix string, o Options, first *Summary) (_ *Run, err error) {
	run := &Run{o: o, suffix: suffix, created: map[string]File{}}
	var made []string
	defer func() {
		if err == nil {
			return
		}
		for _, f := range run.created {
			f.Close()
		}
		run.letMarkerGo()
		for _, path := range made {
			os.Remove(path)
		}
	}()

	companions := files(nil, suffix)
	if !o.Overwrite("") {
		if name, err := existing(o.Dir, companions); name != "" || err != nil {
			return nil, cmpErr(err, &ExistsError{filepath.Join(o.Dir, name)})
		}
	}
	for _, name := range streams {
		if file := StreamFile(name, suffix); !o.Overwrite(name) {
			if name, err := existing(o.Dir, []string{file}); name != "" || err != nil {
				return nil, cmpErr(err, &ExistsError{filepath.Join(o.Dir, name)})
			}
		}
	}
	marker := run.path(markerStem, ".json")
	paths := []string{marker}
	for _, name := range streams {
		paths = append(paths, filepath.Join(o.Dir, StreamFile(name, suffix)))
	}
	for _, path := range paths { // before anything is replaced
		if IsOpen(path) {
			return nil, fmt.Errorf("store: %s: %w", path, ErrInUse)
		}
	}
	_, statErr := os.Lstat(marker)
	if run.marker, err = openLocked(marker, o.Overwrite("")); err != nil {
		return nil, existsError(marker, err)
	}
	if errors.Is(statErr, fs.ErrNotExist) {
		made = append(made, marker)
	}
	if err := run.Save(first); err != nil {
		return nil, err
	}
	for _, name := range streams {
		path := filepath.Join(o.Dir, StreamFile(name, suffix))
		_, statErr := os.Lstat(path)
		f, err := o.Create(path, o.Overwrite(name))
		if err != nil {
			return nil, existsError(path, err)
		}
		run.created[name] = f
		if errors.Is(statErr, fs.ErrNotExist) {
			made = append(made, path)
		}
	}
	SyncDir(o.Dir)
	return run, nil
}

func cmpErr(err error, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

func existsError(path string, err error) error {
	if errors.Is(err, fs.ErrExist) {
		return &ExistsError{path}
	}
	return fmt.Errorf("store: %w", err)
}

// openLocked makes an empty file, or empties one that may be overwritten and
// that nobody else writes.
func openLocked(path string, overwrite bool) (*os.File, error) {
	mode := os.O_WRONLY | os.O_CREATE
	if !overwrite {
		mode |= os.O_EXCL
	}
	f, err := os.OpenFile(path, mode, 0o644)
	if err != nil {
		return nil, err
	}
	err = Lock(f)
	if err == nil && overwrite {
		err = f.Truncate(0)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func createFile(path string, overwrite bool) (File, error) {
	f, err := openLocked(path, overwrite)
	if err != nil {
		return nil, err // not f: a nil *os.File is no nil File
	}
	return diskFile{f}, nil
}

// A diskFile is a File on disk. What is written after Truncate continues at
// the new end.
type diskFile struct{ *os.File }

func (f diskFile) Truncate(size int64) error {
	if err := f.File.Truncate(size); err != nil {
		return err
	}
	_, err := f.Seek(size, io.SeekStart)
	return err
}

// unlock lets others have the file, which takes no more rows.
func (f diskFile) unlock() { unlock(f.File) }

// SyncDir forces the folder's entries to the platter, where a folder can be
// synced at all.
func SyncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}

// Suffix returns what the suffix became: "", "0", "2026-11-21T04_17_44".
func (r *Run) Suffix() string { return r.suffix }

func (r *Run) path(stem, extension string) string {
	return filepath.Join(r.o.Dir, FileName(stem, r.suffix, extension))
}

// MarkerPath returns the path of recording_<suffix>.json.
func (r *Run) MarkerPath() string { return r.path(markerStem, ".json") }

// Save replaces the marker and sets its time. A state other than open lets the
// marker's lock go: the run is over.
func (r *Run) Save(s *Summary) error {
	s.UpdatedUTC = time.Now().UTC().Format(time.RFC3339Nano)
	err := r.saveMarker(s)
	if s.State != StateOpen {
		r.letMarkerGo()
	}
	return err
}

func (r *Run) letMarkerGo() {
	if r.marker != nil {
		r.marker.Close()
		r.marker = nil
	}
}

// WriteStartTime writes the start-time CSV of the run.
func (r *Run) WriteStartTime(s stream.StartTime) error {
	path := r.path(startTimeStem, ".csv")
	f, err := createFile(path, r.o.Overwrite(""))
	if err != nil {
		return existsError(path, err)
	}
	_, err = f.Write(s.CSV())
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("store: start time: %w", err)
	}
	return nil
}

// Close closes the files that no stream took. It leaves them: 0 bytes.
func (r *Run) Close() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(r.created)) {
		errs = append(errs, r.created[name].Close())
	}
	clear(r.created)
	return errors.Join(errs...)
}
