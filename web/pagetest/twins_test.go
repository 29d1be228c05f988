package pagetest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Files of five other writers, in file and stream format, in one page: columns
// and values are what their twins say, text and nested columns as text.
func TestFilesOfOtherWritersInThePageAreWhatTheirTwinsSay(t *testing.T) {
	page := open(t, desk)
	for _, name := range []string{
		"arrow-go/types_lz4", "arrow-rs/types_alignment_64", "arrow-js/two_batches_stream", "polars/types_without_views",
		"pyarrow/nested_zstd", "pyarrow/stream_0.14", "pyarrow/dictionary_replaced_stream", "pyarrow/file_no_columns",
	} {
		path := "../../testdata/foreign/" + name + ".arrow"
		twin, err := os.ReadFile("../../testdata/foreign/" + name + ".json")
		check(t, err)
		id := filepath.Base(name)
		check(t, page.Drop(path))
		check(t, page.WaitFor(patience, fmt.Sprintf(`(await oniscope.streams()).includes(%q)`, id)))
		var got struct {
			Wrong []string
			Texts int
		}
		check(t, page.Eval(fmt.Sprintf(`(async () => {
			const id = %q, twin = %s, wrong = [];
			const info = await oniscope.info(id);
			const rows = twin.batch_rows.reduce((a, b) => a + b, 0);
			if (info.rows !== rows || info.format !== twin.format || info.compression !== twin.compression || info.state !== "complete") wrong.push(JSON.stringify(info));
			let texts = 0;
			for (const [k, c] of twin.columns.entries()) {
				const of = info.columns[k];
				if (!of || of.name !== c.name || of.type !== c.type || of.nullable !== c.nullable) wrong.push(c.name + ": " + JSON.stringify(of));
				if (!rows) continue;
				const {values, valid} = await oniscope.values(id, k, 0, rows);
				for (let row = 0; row < rows; row++) {
					const want = c.values[row], null_ = valid !== null && !valid[row];
					if (null_ !== (want === null)) wrong.push(c.name + ", row " + row + ": valid is " + !null_ + ", want " + want);
					if (null_ || want === null || !Array.isArray(values)) continue;
					texts++;
					if (values[row] !== want) wrong.push(c.name + ", row " + row + ": " + values[row] + ", want " + want);
				}
			}
			return {Wrong: wrong.slice(0, 9), Texts: texts};
		})()`, id, json.RawMessage(twin)), &got))
		for _, wrong := range got.Wrong {
			t.Errorf("%s: %s", name, wrong)
		}
		if got.Texts == 0 && name != "pyarrow/file_no_columns" {
			t.Errorf("%s: no value was compared as text", name)
		}
	}
}
