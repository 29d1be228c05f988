package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A twin says what any reader must report of a file of a foreign writer.
type twin struct {
	Error   string `json:"error"`
	Rows    []int  `json:"batch_rows"`
	Columns []struct {
		Name   string    `json:"name"`
		Type   string    `json:"type"`
		Values []*string `json:"values"`
	} `json:"columns"`
}

func TestTheTableOfEveryForeignFileSaysWhatItsTwinSays(t *testing.T) {
	twins, err := filepath.Glob("../../../testdata/foreign/*/*.json")
	if err != nil || len(twins) < 50 {
		t.Fatalf("%d twins, %v", len(twins), err)
	}
	compared := 0
	for _, path := range twins {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var want twin
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		data, err := os.ReadFile(strings.TrimSuffix(path, ".json") + ".arrow")
		if err != nil {
			t.Fatal(err)
		}
		e := &Engine{}
		info, err := e.Open(context.Background(), OpenArgs{"x", "x.arrow"}, bytes.NewReader(data), int64(len(data)), nil)
		if err != nil {
			if want.Columns != nil {
				t.Errorf("%s: %v", path, err)
			}
			continue
		}
		all := make([]int, len(want.Columns))
		for i := range all {
			all[i] = i
		}
		if len(all) != len(info.Columns) {
			t.Errorf("%s: %d columns, want %d", path, len(info.Columns), len(all))
			continue
		}
		table, err := e.Table(context.Background(), TableArgs{"x", all, 0, 1000})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		for i, c := range want.Columns {
			if len(table.Cells[i]) != len(c.Values) {
				t.Errorf("%s: column %s has %d rows, want %d", path, c.Name, len(table.Cells[i]), len(c.Values))
				continue
			}
			for row, value := range c.Values {
				got := table.Cells[i][row]
				if (got == nil) != (value == nil) || got != nil && !sameText(*got, clipped(*value)) {
					t.Errorf("%s: %s (%s) of row %d shows %s, want %s", path, c.Name, c.Type, row, shown(got), shown(value))
				}
				compared++
			}
		}
	}
	if compared < 5000 {
		t.Errorf("only %d cells were compared", compared)
	}
}

// sameText compares as pyarrow, which wrote the twins, and Go spell numbers that
// are none.
func sameText(got, want string) bool {
	spelling := strings.NewReplacer("+Inf", "inf", "-Inf", "-inf", "NaN", "nan")
	return spelling.Replace(got) == want
}

func shown(text *string) string {
	if text == nil {
		return "null"
	}
	return *text
}
