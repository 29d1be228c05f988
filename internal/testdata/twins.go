package testdata

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
)

// A Twin says what any reader must report of the file next to it. Others wrote
// both: see testdata/README.md.
type Twin struct {
	Error       string            `json:"error"` // if not empty: it cannot be read, and this is in the reason
	Format      string            `json:"format"`
	Compression string            `json:"compression"`
	BatchRows   []int64           `json:"batch_rows"`
	Metadata    map[string]string `json:"metadata"`
	Columns     []TwinColumn      `json:"columns"`
}

type TwinColumn struct {
	Name     string            `json:"name"`
	Type     string            `json:"type"`
	Nullable bool              `json:"nullable"`
	Metadata map[string]string `json:"metadata"`
	Values   []*string         `json:"values"` // of all rows; nil: null
}

func (t *Twin) Rows() (n int64) {
	for _, rows := range t.BatchRows {
		n += rows
	}
	return n
}

// A TwinFile is a file with its Twin.
type TwinFile struct {
	Name string // "pyarrow/types"
	Data []byte
	Want Twin
}

// Twins are all files that have a Twin.
func Twins(tb testing.TB) []TwinFile {
	tb.Helper()
	paths, err := filepath.Glob(Path("foreign/*/*.json"))
	if err != nil {
		tb.Fatal(err)
	}
	list := make([]TwinFile, len(paths))
	for i, file := range paths {
		name := strings.TrimSuffix(file, ".json")
		slashed := filepath.ToSlash(name)
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		list[i].Name = path.Base(path.Dir(slashed)) + "/" + path.Base(slashed)
		if err := json.Unmarshal(text, &list[i].Want); err != nil {
			tb.Fatalf("%s: %v", file, err)
		}
		if list[i].Data, err = os.ReadFile(name + ".arrow"); err != nil {
			tb.Fatal(err)
		}
	}
	return list
}

// EachTwin calls check for every file that can be read.
func EachTwin(t *testing.T, check func(t *testing.T, f *TwinFile)) {
	for _, f := range Twins(t) {
		if f.Want.Error == "" {
			t.Run(f.Name, func(t *testing.T) { check(t, &f) })
		}
	}
}

// CheckTwinSchema compares columns and metadata.
func CheckTwinSchema(t *testing.T, r *recording.Reader, want *Twin) {
	t.Helper()
	info, err := Info(r)
	if err != nil {
		t.Fatal(err)
	}
	if !SameMetadata(info.Metadata, want.Metadata) {
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

// SameMetadata takes none and an empty map for the same.
func SameMetadata(a, b map[string]string) bool {
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

// CheckTwinValues compares every value of a reader with the Twin's, null for
// null.
func CheckTwinValues(t *testing.T, r *recording.Reader, want *Twin) {
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
				if w := c.Values[row+n]; valid != (w != nil) || valid && !EqualTexts(c.Type, text, *w) {
					t.Errorf("column %q (%s), row %d is %s, want %s", c.Name, c.Type, row+n, Shown(text, valid), shownTwin(w))
				}
			}
		}
		row += b.Rows
	}
}

// EqualTexts compares as texts, but floats as numbers: how an exponent is laid
// out is nobody's business.
func EqualTexts(typ, a, b string) bool {
	if a == b {
		return true
	}
	bits := map[string]int{"float16": 32, "float32": 32, "float64": 64, "run_end_encoded<int32, float32>": 32, "dictionary<int32, float64>": 64}[typ]
	if bits == 0 {
		return false
	}
	x, errX := strconv.ParseFloat(a, bits)
	y, errY := strconv.ParseFloat(b, bits)
	return errX == nil && errY == nil && SameFloat(x, y)
}

// Shown is a text for messages, or null.
func Shown(text string, valid bool) string {
	if !valid {
		return "null"
	}
	return strconv.Quote(text)
}

func shownTwin(w *string) string {
	if w == nil {
		return "null"
	}
	return Shown(*w, true)
}
