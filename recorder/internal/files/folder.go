package files

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/oniscope/oniscope/shared/stream"
)

// extensions are those of recordings.
var extensions = []string{".arrow", ".arrows", ".feather"}

// A Folder is what a folder has of a run, as paths, sorted by name.
type Folder struct {
	Recordings []string
	StartTimes []string // CSVs
}

// ReadFolder lists the recordings of a folder, and the start-time CSVs beside
// them; what lies deeper is not looked at. ok is false if the path is no folder.
func ReadFolder(path string) (f Folder, ok bool, err error) {
	if info, err := os.Stat(path); path == Stdin || err != nil || !info.IsDir() {
		return Folder{}, false, nil // whoever opens it says why
	}
	list, err := os.ReadDir(path)
	if err != nil {
		return Folder{}, true, err
	}
	for _, e := range list {
		name := e.Name()
		switch {
		case e.IsDir() || strings.HasPrefix(name, "."):
		case slices.Contains(extensions, strings.ToLower(filepath.Ext(name))):
			f.Recordings = append(f.Recordings, filepath.Join(path, name))
		case stream.IsStartTime(name):
			f.StartTimes = append(f.StartTimes, filepath.Join(path, name))
		}
	}
	if len(f.Recordings) == 0 {
		return f, true, fmt.Errorf("%s: a folder without recordings (%s)", path, strings.Join(extensions, ", "))
	}
	return f, true, nil
}

// Expand replaces folders among paths by the recordings in them.
func Expand(paths []string) ([]string, error) {
	var all []string
	for _, path := range paths {
		f, ok, err := ReadFolder(path)
		switch {
		case err != nil:
			return nil, err
		case ok:
			all = append(all, f.Recordings...)
		default:
			all = append(all, path)
		}
	}
	return all, nil
}

// One returns the only recording of a folder, or the path itself if it is none.
func One(path string) (string, error) {
	f, ok, err := ReadFolder(path)
	if err != nil || !ok {
		return path, err
	}
	if n := len(f.Recordings); n > 1 {
		names := make([]string, min(n, 5))
		for i := range names {
			names[i] = filepath.Base(f.Recordings[i])
		}
		if n > len(names) {
			names = append(names, "...")
		}
		return "", fmt.Errorf("%s: a folder with %d recordings: name one of them (%s)", path, n, strings.Join(names, ", "))
	}
	return f.Recordings[0], nil
}
