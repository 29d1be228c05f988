package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/oniscope/oniscope/shared/stream"
)

// A Suffix says what is between a stream's name and the extension.
type Suffix string

// The suffixes of a rig file and of --suffix. One is chosen for a whole run.
const (
	None      Suffix = "None"      // heartbeat.arrow
	FileCount Suffix = "FileCount" // heartbeat_0.arrow, heartbeat_1.arrow, ...
	Timestamp Suffix = "Timestamp" // heartbeat_2026-11-21T04_17_44.arrow, local time
)

// ParseSuffix returns the suffix of that name, in any case.
func ParseSuffix(text string) (Suffix, error) {
	for _, s := range []Suffix{None, FileCount, Timestamp} {
		if strings.EqualFold(text, string(s)) {
			return s, nil
		}
	}
	return "", fmt.Errorf("suffix %q is not known; possible: None, FileCount, Timestamp", text)
}

// timestampLayout is the visible form of Bonsai's time stamps.
// Source: onix-devices 5.2.
const timestampLayout = "2006-01-02T15_04_05"

// Names of the two companion files of a run.
const (
	startTimeStem = stream.StartTimeStem
	markerStem    = "recording"
)

// maxTries bounds the search for a free name; a folder with more runs than
// that is a mistake somewhere.
const maxTries = 1 << 20

// FileName returns the name of one file of a run: stem, what the suffix became
// ("" for None) and extension.
func FileName(stem, suffix, extension string) string {
	if suffix == "" {
		return stem + extension
	}
	return stem + "_" + suffix + extension
}

// StreamFile returns the name of a stream's file: what is no character of a
// portable file name becomes a dash, and dots stay.
func StreamFile(stream, suffix string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '-'
		}
		return r
	}, stream)
	return FileName(clean, suffix, ".arrow")
}

// partFile returns the name of a stream's part: heartbeat_0_001.arrow.
func partFile(stream, suffix string, number int) string {
	file := StreamFile(stream, suffix)
	return fmt.Sprintf("%s_%03d.arrow", strings.TrimSuffix(file, ".arrow"), number)
}

// files returns all files that a run of these streams makes.
func files(streams []string, suffix string) []string {
	names := []string{FileName(markerStem, suffix, ".json"), FileName(startTimeStem, suffix, ".csv")}
	for _, s := range streams {
		names = append(names, StreamFile(s, suffix))
	}
	return names
}

// candidates yields what the suffix may become, best first. The counting ones
// never end: FileCount begins at the number of files that the fullest stream
// has, as Bonsai does; a time stamp in use is followed by a counter.
func candidates(dir string, streams []string, s Suffix, now time.Time) (func(try int) (string, bool), error) {
	switch s {
	case None:
		return func(try int) (string, bool) { return "", try == 0 }, nil
	case Timestamp:
		stamp := now.Local().Format(timestampLayout)
		return func(try int) (string, bool) {
			if try == 0 {
				return stamp, true
			}
			return stamp + "_" + strconv.Itoa(try), try < maxTries
		}, nil
	case FileCount:
		first, err := mostFiles(dir, streams)
		if err != nil {
			return nil, err
		}
		return func(try int) (string, bool) { return strconv.Itoa(first + try), try < maxTries }, nil
	}
	return nil, fmt.Errorf("store: suffix %q is not known", s)
}

// mostFiles returns the largest number of files `<stem>_*<extension>` that one
// of the run's names already has.
func mostFiles(dir string, streams []string) (int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, fmt.Errorf("store: %w", err)
	}
	most := 0
	for _, name := range files(streams, "") {
		extension := filepath.Ext(name)
		prefix, count := strings.TrimSuffix(name, extension)+"_", 0
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), prefix) && strings.HasSuffix(e.Name(), extension) {
				count++
			}
		}
		most = max(most, count)
	}
	return most, nil
}
