package pagetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// foreign finds a file that another writer made.
func foreign(t *testing.T, name string) string {
	t.Helper()
	for _, pattern := range []string{"../../testdata/foreign/", "../../testdata/foreign/*/"} {
		found, err := filepath.Glob(pattern + name)
		check(t, err)
		if len(found) == 1 {
			return found[0]
		}
	}
	t.Fatalf("no testdata/foreign/**/%s", name)
	return ""
}

// streamID is what the page calls a file: its name without extension.
func streamID(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

// A column is what a file holds of one column: the bytes of all its rows, and
// a byte per row that is 0 for nulls.
type column struct {
	name  string
	width int
	data  []byte
	valid []byte
}

// columnsOf reads a file natively, with the reader whose own tests compare it
// with the formulas of the files.
func columnsOf(t *testing.T, path string) (rows int64, columns []column) {
	t.Helper()
	file, err := os.Open(path)
	check(t, err)
	defer file.Close()
	info, err := file.Stat()
	check(t, err)
	r, err := recording.NewReader(file, info.Size())
	check(t, err)
	all, err := r.Select(t.Context(), recording.Selection{})
	check(t, err)
	rows = all.Len()
	var wanted []int
	for i, c := range r.Stream().Columns {
		if c.Type != stream.Other && c.Type != stream.FixedBinary {
			wanted = append(wanted, i)
			columns = append(columns, column{name: c.Name, width: c.Type.Width()})
		}
	}
	all, err = all.With(wanted)
	check(t, err)
	for batch, err := range all.Batches(t.Context()) {
		check(t, err)
		for i := range batch.Columns {
			v := &batch.Columns[i]
			columns[i].data = append(columns[i].data, v.Data...)
			valid := v.Valid
			if valid == nil {
				valid = bytes.Repeat([]byte{1}, v.Len)
			}
			columns[i].valid = append(columns[i].valid, valid...)
		}
	}
	return rows, columns
}

// compareValues asks the page for every value of a stream and compares them
// with those of the file. Where a row is null its value means nothing.
func compareValues(t *testing.T, page *Page, id, path string) {
	t.Helper()
	compareEvery(t, page, id, path, 1, 0)
}

// wide is how many columns a file has of which some stand for the others.
const wide = 100

// compareEvery is compareValues; of a wide file it takes the last column and each
// step-th from the one at from on.
func compareEvery(t *testing.T, page *Page, id, path string, step, from int) {
	t.Helper()
	rows, columns := columnsOf(t, path)
	if len(columns) > wide {
		var some []column
		for i, c := range columns {
			if i%step == from%step || i == len(columns)-1 {
				some = append(some, c)
			}
		}
		columns = some
	}
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	list, err := json.Marshal(names)
	check(t, err)
	got, err := page.Bytes(fmt.Sprintf(`(async () => {
		const names = %s, parts = [];
		const answers = await Promise.all(names.map((name) => oniscope.values(%q, name, 0, %d)));
		for (const [k, {values, valid}] of answers.entries()) {
			const name = names[k];
			if (values.length !== %d) throw new Error(name + ": " + values.length + " values");
			if (valid !== null && !(valid instanceof Uint8Array)) throw new Error(name + ": valid is " + valid);
			parts.push(values, valid ?? new Uint8Array(values.length).fill(1));
		}
		return new Blob(parts);
	})()`, list, id, rows, rows))
	check(t, err)
	for _, c := range columns {
		n := c.width * int(rows)
		if len(got) < n+int(rows) {
			t.Fatalf("%s.%s: the page gave %d bytes too few", id, c.name, n+int(rows)-len(got))
		}
		data, valid := got[:n], got[n:n+int(rows)]
		got = got[n+int(rows):]
		for row := range int(rows) {
			if (valid[row] == 0) != (c.valid[row] == 0) {
				t.Fatalf("%s.%s row %d: valid %d, want %d", id, c.name, row, valid[row], c.valid[row])
			}
			at := row * c.width
			if valid[row] != 0 && !bytes.Equal(data[at:at+c.width], c.data[at:at+c.width]) {
				t.Fatalf("%s.%s row %d: % x, want % x", id, c.name, row, data[at:at+c.width], c.data[at:at+c.width])
			}
		}
	}
	if len(got) != 0 {
		t.Fatalf("%s: %d bytes too many", id, len(got))
	}
}

// Every file that another writer left, whole, killed or empty of rows: all in
// one page, one after the other. Of files of hundreds of channels a sixteenth is
// compared, another in each: the reader's own tests compare all, and
// TestViewServesThePageWithItsFiles all of one in the page.
func TestEveryForeignFileHasTheSameValuesInThePage(t *testing.T) {
	var paths []string
	for _, pattern := range []string{"../../testdata/foreign/bonsai/*.arrow", "../../testdata/foreign/csharp/*.arrow"} {
		found, err := filepath.Glob(pattern)
		check(t, err)
		paths = append(paths, found...)
	}
	if len(paths) < 62 {
		t.Fatalf("only %d files in testdata/foreign, want 62 of Bonsai and C#", len(paths))
	}
	page := open(t, desk)
	for i, path := range paths {
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			continue // refused: TestWhatIsNoRecordingIsRefusedInWords
		}
		if _, err := recordingAt(path); err != nil {
			continue // killed before its schema was whole: refused likewise
		}
		id := streamID(path)
		check(t, page.Drop(path))
		check(t, page.WaitFor(patience, fmt.Sprintf(`(await oniscope.streams()).includes(%q)`, id)))
		compareEvery(t, page, id, path, 16, i)
		closeAll(t, page)
	}
}

// recordingAt opens a file natively and reports why it is refused.
func recordingAt(path string) (*recording.Reader, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return recording.NewReader(bytes.NewReader(data), int64(len(data)))
}

func compressionOf(r *recording.Reader) string {
	about := r.About()
	return about.Compression()
}
