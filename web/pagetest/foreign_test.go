package pagetest

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// Files and streams of every writer, with every kind of type: the page opens
// them, shows what can be plotted, lists the rest as a table, and gives scripts
// the values that the twin next to the file states.
func TestEveryWritersTypesOpenInThePage(t *testing.T) {
	page := open(t, desk)
	for _, name := range []string{
		"arrow-go/types_stream_zstd", "arrow-js/types_stream", "arrow-rs/types_0.14", "polars/types", "pyarrow/nested_stream_lz4", "pyarrow/unions",
		"pyarrow/dictionary_deltas_stream", "pyarrow/texts_zstd", "pyarrow/times", "pyarrow/extensions", "pyarrow/file_empty_batches", "pyarrow/stream_no_columns",
	} {
		path := "../../testdata/foreign/" + name + ".arrow"
		text, err := os.ReadFile(strings.TrimSuffix(path, ".arrow") + ".json")
		check(t, err)
		var twin struct {
			Columns []struct {
				Name   string
				Values []*string
			}
		}
		check(t, json.Unmarshal(text, &twin))
		id := streamID(path)
		check(t, page.Drop(path))
		check(t, page.WaitFor(patience, fmt.Sprintf(`(await oniscope.streams()).includes(%q)`, id)))
		check(t, page.WaitState("ready"))
		var info struct {
			Columns []struct{ Plottable bool }
		}
		check(t, page.Eval(fmt.Sprintf(`oniscope.info(%q)`, id), &info))
		if len(info.Columns) != len(twin.Columns) {
			t.Errorf("%s: %d columns, want %d", name, len(info.Columns), len(twin.Columns))
			continue
		}
		for i, c := range twin.Columns {
			if info.Columns[i].Plottable {
				continue
			}
			var got struct {
				Values []string
				Valid  []int
			}
			check(t, page.Eval(fmt.Sprintf(`(async () => { const {values, valid} = await oniscope.values(%q, %d, 0, %d); return {Values: values, Valid: valid && [...valid]}; })()`, id, i, len(c.Values)), &got))
			for row, want := range c.Values {
				if null := got.Valid != nil && got.Valid[row] == 0; null != (want == nil) || want != nil && got.Values[row] != *want {
					t.Errorf("%s: %s of row %d is %q (null %v)", name, c.Name, row, got.Values[row], null)
				}
			}
		}
		// What cannot be plotted is a row of the list that shows a table.
		check(t, page.Eval(fmt.Sprintf(`oniscope.view({stream: %q})`, id), nil))
		var notices int
		check(t, page.Eval(`document.querySelectorAll(".notice").length`, &notices))
		if notices != 0 {
			var words string
			check(t, page.Eval(`document.querySelector("#notices").innerText`, &words))
			t.Errorf("%s: %s", name, words)
		}
		closeAll(t, page)
	}
}
