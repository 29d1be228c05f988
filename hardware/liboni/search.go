//go:build (linux || darwin || windows) && (amd64 || arm64)

package liboni

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// find loads liboni. A file that the user named is the only one that is tried.
func find(named string) (*library, error) {
	if named != "" {
		return load(named, "")
	}
	if named = os.Getenv(LibraryVariable); named != "" {
		return load(named, " (named by "+LibraryVariable+")")
	}
	var reasons []string
	for _, path := range candidates() {
		if filepath.IsAbs(path) {
			if _, err := os.Stat(path); err != nil {
				continue
			}
		}
		lib, err := openLibrary(path)
		if err == nil {
			return lib, nil
		}
		switch {
		case filepath.IsAbs(path): // what is there and does not load has the better reason
			reasons = append([]string{err.Error()}, reasons...)
		case without(path, err) != notThere:
			reasons = append(reasons, err.Error())
		}
	}
	reasons = append(reasons, installLibrary(runtime.GOOS))
	return nil, fmt.Errorf("liboni: %s not found: looked %s; %s",
		strings.Join(libraryNames(), " and "), strings.Join(places(), ", "), strings.Join(reasons, "; "))
}

// notThere is what Linux says of a library that it does not find, which says no more
// than where it was looked for.
const notThere = "cannot open shared object file: No such file or directory"

// load loads the file that the user named; from says how, for messages.
func load(named, from string) (*library, error) {
	path, err := filepath.Abs(named) // a bare name would be looked up elsewhere than in the working folder
	if err != nil {
		return nil, fmt.Errorf("liboni: %s%s: %w", named, from, err)
	}
	switch about, err := os.Stat(path); {
	case err != nil:
		return nil, fmt.Errorf("liboni: %s%s: %w; %s", path, from, cause(err), installLibrary(runtime.GOOS))
	case about.IsDir():
		return nil, fmt.Errorf("liboni: %s%s is a folder; name the library in it, as in %s", path, from, filepath.Join(path, libraryNames()[0]))
	}
	lib, err := openLibrary(path)
	if err != nil {
		return nil, fmt.Errorf("liboni: %s%s: %s; want the library of liboni %d.x for %s/%s", path, from, without(path, err), major, runtime.GOOS, runtime.GOARCH)
	}
	return lib, nil
}

// openLibrary loads one candidate.
func openLibrary(path string) (*library, error) {
	handle, err := open(path)
	if err != nil {
		return nil, err
	}
	lib, err := bind(handle, path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return lib, nil
}

// without is the text of an error without the file that it begins with, for
// texts that named it.
func without(path string, err error) string { return strings.TrimPrefix(err.Error(), path+": ") }

// candidates are the paths and names to try: next to the program, what the
// system's loader finds, then folders that it may not know.
func candidates() []string {
	var paths []string
	for _, folder := range programFolders() {
		for _, name := range libraryNames() {
			paths = append(paths, filepath.Join(folder, name))
		}
	}
	paths = append(paths, libraryNames()...)
	for _, folder := range extraFolders() {
		for _, name := range libraryNames() {
			paths = append(paths, filepath.Join(folder, name))
		}
	}
	return paths
}

// places says in words where candidates looks.
func places() []string {
	var list []string
	for _, folder := range programFolders() {
		list = append(list, "next to the program ("+folder+")")
	}
	list = append(list, systemFolders(runtime.GOOS))
	for _, folder := range extraFolders() {
		list = append(list, "in "+folder)
	}
	return list
}

// programFolders are the folder of the program and, if it was started through a
// link, that of the link.
func programFolders() []string {
	program, err := os.Executable()
	if err != nil {
		return nil
	}
	folders := []string{filepath.Dir(program)}
	if real, err := filepath.EvalSymlinks(program); err == nil && filepath.Dir(real) != folders[0] {
		folders = append(folders, filepath.Dir(real))
	}
	return folders
}

// folderOf is the folder of a library, "" if only its name is known.
func folderOf(path string) string {
	if !filepath.IsAbs(path) {
		return ""
	}
	return filepath.Dir(path)
}

// noDriver says why liboni found no driver. liboni itself says only its
// standard error.
func noDriver(lib *library, driver string) error {
	file, folder := driverFile(driver), folderOf(lib.path)
	looked := systemFolders(runtime.GOOS)
	reason := ""
	if folder != "" {
		looked = "next to liboni (" + folder + ") and " + looked
		path := filepath.Join(folder, file)
		if _, err := os.Stat(path); err == nil {
			reason = ": " + path + " is there, but cannot be used"
			if err := whyNot(path); err != nil {
				reason += ": " + without(path, err)
			}
		}
	}
	if reason == "" {
		if err := whyNot(file); err != nil {
			reason = ": " + err.Error()
		}
	}
	return fmt.Errorf("liboni: driver %s: %s was looked for %s%s; %s", driver, file, looked, reason, installDriver(runtime.GOOS, driver))
}

// noHardware says why a driver found no board.
func noHardware(driver string, code int32) error {
	err := failed("oni_init_ctx", code)
	reasons := hardwareReasons(runtime.GOOS, "/", driver, code)
	if len(reasons) == 0 {
		return fmt.Errorf("driver %s: %w", driver, err)
	}
	return fmt.Errorf("driver %s: %w: %s", driver, err, strings.Join(reasons, "; "))
}
