package recording

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A twin says what any reader must report of the file beside it. Others wrote
// both: see testdata/README.md.
type twin struct {
	Error       string            `json:"error"` // if not empty: it cannot be read, and this stands in the reason
	Format      string            `json:"format"`
	Compression string            `json:"compression"`
	BatchRows   []int64           `json:"batch_rows"`
	Metadata    map[string]string `json:"metadata"`
	Columns     []twinColumn      `json:"columns"`
}

type twinColumn struct {
	Name     string            `json:"name"`
	Type     string            `json:"type"`
	Nullable bool              `json:"nullable"`
	Metadata map[string]string `json:"metadata"`
	Values   []*string         `json:"values"` // of all rows; nil: null
}

func (t *twin) rows() (n int64) {
	for _, rows := range t.BatchRows {
		n += rows
	}
	return n
}

// A twinFile is a file with its twin.
type twinFile struct {
	name string // "pyarrow/types"
	data []byte
	want twin
}

// twinFiles are all files that have a twin.
func twinFiles(tb testing.TB) []twinFile {
	tb.Helper()
	paths, err := filepath.Glob(foreign + "*/*.json")
	if err != nil {
		tb.Fatal(err)
	}
	list := make([]twinFile, len(paths))
	for i, path := range paths {
		name := strings.TrimSuffix(path, ".json")
		text, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		list[i].name = strings.TrimPrefix(filepath.ToSlash(name), foreign)
		if err := json.Unmarshal(text, &list[i].want); err != nil {
			tb.Fatalf("%s: %v", path, err)
		}
		if list[i].data, err = os.ReadFile(name + ".arrow"); err != nil {
			tb.Fatal(err)
		}
	}
	return list
}

func TestNoWriterIsForgottenAndEveryFileHasItsTwin(t *testing.T) {
	count := map[string]int{}
	for _, f := range twinFiles(t) {
		writer, _, _ := strings.Cut(f.name, "/")
		count[writer]++
	}
	for writer, least := range map[string]int{"pyarrow": 40, "arrow-go": 12, "arrow-rs": 12, "arrow-js": 6, "polars": 8} {
		files, err := filepath.Glob(foreign + writer + "/*.arrow")
		if err != nil || len(files) != count[writer] || len(files) < least {
			t.Errorf("%s: %d files, %d twins, want %d or more", writer, len(files), count[writer], least)
		}
	}
}

func TestEveryWritersFileIsReportedAsItsTwinSays(t *testing.T) {
	for _, f := range twinFiles(t) {
		t.Run(f.name, func(t *testing.T) {
			r, err := NewReader(bytes.NewReader(f.data), int64(len(f.data)))
			if f.want.Error != "" {
				if !errors.Is(err, ErrBigEndian) || !strings.Contains(err.Error(), f.want.Error) {
					t.Errorf("not refused as %s: %v", f.want.Error, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			checkTwinInfo(t, r, &f.want)
			checkTwinValues(t, r, &f.want)
		})
	}
}

func checkTwinInfo(t *testing.T, r *Reader, want *twin) {
	t.Helper()
	info, err := infoOf(r)
	if err != nil {
		t.Fatal(err)
	}
	if info.Format.String() != want.Format || info.Rows != want.rows() || info.Batches != len(want.BatchRows) || info.Compression != want.Compression {
		t.Errorf("%s of %d rows in %d batches, %s; want %s of %v, %s", info.Format, info.Rows, info.Batches, info.Compression, want.Format, want.BatchRows, want.Compression)
	}
	if info.State != Complete || len(info.Findings) != 0 {
		t.Errorf("%s: %+v", info.State, info.Findings)
	}
	for i, rows := range want.BatchRows {
		if start, end, err := r.BatchRange(i); err != nil || end-start != rows {
			t.Errorf("batch %d: rows [%d, %d), %v; want %d", i, start, end, err, rows)
		}
	}
	checkTwinSchema(t, r, want)
}

// checkTwinSchema compares columns and metadata.
func checkTwinSchema(t *testing.T, r *Reader, want *twin) {
	t.Helper()
	info, err := infoOf(r)
	if err != nil {
		t.Fatal(err)
	}
	if !sameMetadata(info.Metadata, want.Metadata) {
		t.Errorf("metadata %v, want %v", info.Metadata, want.Metadata)
	}
	if len(info.Columns) != len(want.Columns) {
		t.Fatalf("%d columns, want %d", len(info.Columns), len(want.Columns))
	}
	for i, c := range want.Columns {
		if got := info.Columns[i]; got.Name != c.Name || got.Type != c.Type || got.Nullable != c.Nullable {
			t.Errorf("column %d is %q, %s, nullable %v; want %q, %s, %v", i, got.Name, got.Type, got.Nullable, c.Name, c.Type, c.Nullable)
		}
		if unit := c.Metadata["unit"]; unit != "" && unit != info.Columns[i].Unit {
			t.Errorf("column %q has the unit %q, want %q", c.Name, info.Columns[i].Unit, unit)
		}
	}
}

// sameMetadata takes none and an empty map for the same.
func sameMetadata(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || v != w {
			return false
		}
	}
	return true
}

// checkTwinValues holds every value of a reader against the twin's, null for
// null.
func checkTwinValues(t *testing.T, r *Reader, want *twin) {
	t.Helper()
	row := 0
	for i, rows := range want.BatchRows {
		b, err := r.ReadBatch(i, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Columns) != len(want.Columns) || int64(b.Rows) != rows || b.Start != int64(row) {
			t.Fatalf("batch %d has %d columns and %d rows from %d", i, len(b.Columns), b.Rows, b.Start)
		}
		for k := range b.Columns {
			c := &want.Columns[b.Columns[k].Column]
			for n := range b.Rows {
				text, valid := b.Columns[k].Text(n)
				if w := c.Values[row+n]; valid != (w != nil) || valid && !equalTexts(c.Type, text, *w) {
					t.Errorf("column %q (%s), row %d is %s, want %s", c.Name, c.Type, row+n, shown(text, valid), shownTwin(w))
				}
			}
		}
		row += b.Rows
	}
}

// equalTexts compares as texts, but floats as numbers: how an exponent is laid
// out is nobody's business.
func equalTexts(typ, a, b string) bool {
	if a == b {
		return true
	}
	bits := map[string]int{"float16": 32, "float32": 32, "float64": 64, "run_end_encoded<int32, float32>": 32, "dictionary<int32, float64>": 64}[typ]
	if bits == 0 {
		return false
	}
	x, errX := strconv.ParseFloat(a, bits)
	y, errY := strconv.ParseFloat(b, bits)
	return errX == nil && errY == nil && sameFloat(x, y)
}

func shown(text string, valid bool) string {
	if !valid {
		return "null"
	}
	return strconv.Quote(text)
}

func shownTwin(w *string) string {
	if w == nil {
		return "null"
	}
	return shown(*w, true)
}
