package engine

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
)

func TestTheTableOfEveryForeignFileSaysWhatItsTwinSays(t *testing.T) {
	compared := 0
	for _, f := range testdata.Twins(t) {
		path, want, data := f.Name, f.Want, f.Data
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
	spelling := strings.NewReplacer("NaN", "nan")
	return spelling.Replace(got) == want
}

func shown(text *string) string {
	if text == nil {
		return "null"
	}
	return *text
}
