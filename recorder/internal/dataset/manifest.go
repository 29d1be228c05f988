package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/oniscope/oniscope/shared/recording"
)

// Manifest is the name of the file that lists the data sets of a folder. Readers
// of data sets pass over names that begin so.
const Manifest = "_manifest.json"

// A manifest lists what the data sets below a folder have in them.
type manifest struct {
	DataSets []dataSetEntry `json:"data_sets"`
}

// A dataSetEntry is the files of one stream, which have the same columns.
type dataSetEntry struct {
	Path       string      `json:"path"`   // of its folder, relative to the manifest
	Stream     string      `json:"stream"` // "" if several may be in it
	Keys       []string    `json:"keys"`   // of the folders in it
	Columns    []column    `json:"columns"`
	Recordings []inDataSet `json:"recordings"`
}

type column struct {
	Name string `json:"name"`
	Type string `json:"type"` // Arrow's
}

// An inDataSet is a recording, or a part of one, in a data set.
type inDataSet struct {
	ID         string   `json:"id"` // in the names of its files
	Source     string   `json:"source"`
	Rows       int64    `json:"rows"`
	LostRows   int64    `json:"lost_rows"` // by damage
	Gaps       int      `json:"gaps"`      // before it was recorded
	StartUTC   string   `json:"start_utc"` // "" unknown
	StartClock uint64   `json:"start_clock"`
	AcqClockHz uint64   `json:"acq_clock_hz"` // 0 unknown
	Files      []string `json:"files"`        // relative to the manifest
}

// readManifest reads the manifest of a folder; one without is empty.
func readManifest(dir string) (m manifest, err error) {
	text, err := os.ReadFile(filepath.Join(dir, Manifest))
	if errors.Is(err, fs.ErrNotExist) {
		return manifest{DataSets: []dataSetEntry{}}, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return m, fmt.Errorf("%s: %w", filepath.Join(dir, Manifest), err)
	}
	return m, nil
}

// find returns the data set of a folder, which is added if it is not listed. A
// recording with other columns cannot go into it: readers take the columns of one
// file for those of all.
func (m *manifest) find(path, stream string, keys []string, columns []column) (*dataSetEntry, error) {
	for i := range m.DataSets {
		d := &m.DataSets[i]
		switch {
		case d.Path != path:
		case !slices.Equal(d.Columns, columns):
			return nil, fmt.Errorf("the data set %s has %s: readers would lose columns without a word; choose another folder, or --columns of both", path, differ(d.Columns, columns))
		case !slices.Equal(d.Keys, keys):
			return nil, fmt.Errorf("the data set %s is in folders by %q, and not by %q: choose another folder", path, strings.Join(d.Keys, ","), strings.Join(keys, ","))
		default:
			if d.Stream != stream {
				d.Stream = ""
			}
			return d, nil
		}
	}
	m.DataSets = append(m.DataSets, dataSetEntry{Path: path, Stream: stream, Keys: keys, Columns: columns, Recordings: []inDataSet{}})
	return &m.DataSets[len(m.DataSets)-1], nil
}

// differ says how columns of a data set differ from those of a recording.
func differ(there, here []column) string {
	var words []string
	for _, c := range there {
		i := slices.IndexFunc(here, func(d column) bool { return d.Name == c.Name })
		switch {
		case i < 0:
			words = append(words, "a column "+c.Name+", which this recording has not")
		case here[i].Type != c.Type:
			words = append(words, fmt.Sprintf("a column %s of %s, here of %s", c.Name, c.Type, here[i].Type))
		}
	}
	for _, c := range here {
		if !slices.ContainsFunc(there, func(d column) bool { return d.Name == c.Name }) {
			words = append(words, "no column "+c.Name)
		}
	}
	switch {
	case len(words) == 0:
		return "its columns in another order"
	case len(words) > 3:
		return fmt.Sprintf("%s, and %d more differences", strings.Join(words[:3], "; "), len(words)-3)
	}
	return strings.Join(words, "; ")
}

// write replaces the manifest of a folder.
func (m *manifest) write(dir string) error {
	slices.SortStableFunc(m.DataSets, func(a, b dataSetEntry) int { return strings.Compare(a.Path, b.Path) })
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	temporary := filepath.Join(dir, fmt.Sprintf(".oniscope-%08x.partial", rand.Uint32()))
	if err := os.WriteFile(temporary, append(text, '\n'), 0o666); err != nil {
		return err
	}
	if err := os.Rename(temporary, filepath.Join(dir, Manifest)); err != nil {
		os.Remove(temporary)
		return err
	}
	return nil
}

// columnsOf are the columns of an excerpt as a manifest lists them.
func columnsOf(x *recording.Excerpt) []column {
	var list []column
	for _, c := range x.Columns() {
		list = append(list, column{c.Name, c.ArrowType})
	}
	return list
}
