package pagetest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/chromedp/chromedp/kb"
)

// notes is a stream of words as an experimenter's log would be: text, a
// dictionary, a list, a structure and nulls, next to Clock. Rows are 10 ms apart
// at 250 MHz.
const notesPerBatch = 500

func notesFile(t *testing.T, rows int) string {
	t.Helper()
	kind := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	place := arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Float64}, arrow.Field{Name: "arm", Type: arrow.BinaryTypes.String})
	hz := arrow.NewMetadata([]string{"acq_clock_hz"}, []string{"250000000"})
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "Clock", Type: arrow.PrimitiveTypes.Uint64},
		{Name: "Message", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "Kind", Type: kind},
		{Name: "Tags", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
		{Name: "Place", Type: place},
	}, &hz)
	path := filepath.Join(t.TempDir(), "notes.arrow")
	file, err := os.Create(path)
	check(t, err)
	writer, err := ipc.NewFileWriter(file, ipc.WithSchema(schema), ipc.WithZstd())
	check(t, err)
	var text strings.Builder
	for row := range rows {
		message := fmt.Sprintf("%q", noteText(row))
		if row%7 == 3 {
			message = "null"
		}
		tags := fmt.Sprintf(`["lick", "t%d"]`, row%5)
		if row%4 == 1 {
			tags = "null"
		}
		fmt.Fprintf(&text, `,{"Clock": %d, "Message": %s, "Kind": %q, "Tags": %s, "Place": {"x": %d.5, "arm": %q}}`,
			noteTick(row), message, []string{"reward", "cue", "omission"}[row%3], tags, row%40, []string{"left", "right"}[row%2])
	}
	all, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader("["+text.String()[1:]+"]"))
	check(t, err)
	defer all.Release()
	for start := 0; start < rows; start += notesPerBatch { // one dictionary for all: a file can hold no other
		batch := all.NewSlice(int64(start), int64(min(rows, start+notesPerBatch)))
		check(t, writer.Write(batch))
		batch.Release()
	}
	check(t, writer.Close())
	check(t, file.Close())
	return path
}

func noteTick(row int) int { return 1000 + row*2_500_000 }

func noteText(row int) string { return fmt.Sprintf("trial %d: reached the port", row) }

// tableRow is what the table shows of one row, cell by cell.
func tableRow(t *testing.T, page *Page, row int) []string {
	t.Helper()
	var cells []string
	check(t, page.Eval(fmt.Sprintf(`[...document.querySelectorAll('#row-%d > span:not([hidden]), #row-%[1]d .rest > span')].map(c => c.textContent.replaceAll("\u202f", " "))`, row), &cells))
	return cells
}

func TestWordsOpenAsATableThatScrollsWithTheClock(t *testing.T) {
	const rows = 20_000
	page := ready(t, desk, notesFile(t, rows))
	if got, want := tableRow(t, page, 0), []string{"0", "0.000 004", "1 000", "trial 0: reached the port", "reward", `["lick", "t0"]`, `{x: 0.5, arm: "left"}`}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("row 0 shows %q, want %q", got, want)
	}
	if got := tableRow(t, page, 17); len(got) != 7 || got[3] != "–" || got[5] != "–" {
		t.Errorf("row 17 has a null message and null tags, and shows %q", got)
	}
	var lines int
	check(t, page.Eval(`document.querySelectorAll("#table .line").length`, &lines))
	if lines > 80 {
		t.Errorf("%d lines exist for a table of which 50 are seen", lines)
	}

	// The view moves the table: row 12 000 is at 120 s.
	var view struct{ From, To float64 }
	check(t, page.Eval(`oniscope.view({from: 120.000004, to: 121})`, &view))
	check(t, page.WaitFor(patience, `!!document.querySelector("#row-12000:not([hidden])")`))
	if got := tableRow(t, page, 12_000); len(got) != 7 || got[3] != noteText(12_000) || got[1] != "120.000 004" {
		t.Errorf("row 12000 shows %q", got)
	}
	var first string
	check(t, page.Eval(`[...document.querySelectorAll("#table .line:not([hidden])")].map(l => +l.dataset.row).sort((a, b) => a - b)[0].toString()`, &first))
	if first != "12000" {
		t.Errorf("the first row is %s, the view begins at row 12000", first)
	}

	// Scrolling moves the view, and the end can be reached.
	check(t, page.Eval(`document.querySelector("#table .cells").focus()`, nil))
	press(t, page, kb.End)
	check(t, page.WaitFor(patience, fmt.Sprintf(`document.querySelector("#row-%d:not([hidden])")?.getAttribute("aria-selected") === "true"`, rows-1)))
	check(t, page.WaitFor(patience, `(() => { const r = document.querySelector("#row-19999").getBoundingClientRect(); return r.bottom <= innerHeight - 23; })()`))
	press(t, page, kb.PageUp)
	press(t, page, kb.ArrowUp)
	check(t, page.WaitFor(patience, `!document.querySelector('#row-19999[aria-selected="true"]')`))

	// A click chooses a row and puts the cursor on its time.
	check(t, page.Eval(`oniscope.view({from: 10.000004, to: 11})`, nil))
	check(t, page.WaitFor(patience, `!!document.querySelector("#row-1002:not([hidden])")`))
	check(t, page.Eval(`document.querySelector("#row-1002 .rest span").click()`, nil))
	check(t, page.WaitFor(patience, `document.querySelector("#cursor-panel").innerText.replaceAll("\u202f", " ").includes("10.020")`))
	var panel string
	check(t, page.Eval(`document.querySelector("#cursor-panel").innerText`, &panel))
	if !strings.Contains(panel, noteText(1002)) {
		t.Errorf("the inspector does not show the row that was chosen:\n%s", panel)
	}
	valuesOfWordsAreStrings(t, page)
}

func valuesOfWordsAreStrings(t *testing.T, page *Page) {
	t.Helper()
	var got struct {
		Values []string `json:"values"`
		Valid  []int    `json:"valid"`
	}
	check(t, page.Eval(`(async () => { const {values, valid} = await oniscope.values("notes", "Message", 498, 504); return {values, valid: [...valid]}; })()`, &got))
	for i, row := range []int{498, 499, 500, 501, 502, 503} {
		if null := row%7 == 3; (got.Valid[i] == 0) != null || !null && got.Values[i] != noteText(row) {
			t.Errorf("row %d: %q, valid %d", row, got.Values[i], got.Valid[i])
		}
	}
	check(t, page.Eval(`oniscope.values("notes", "Kind", 1, 4)`, &got))
	if fmt.Sprint(got.Values) != "[cue omission reward]" || got.Valid != nil {
		t.Errorf("Kind: %v, valid %v", got.Values, got.Valid)
	}
}

func TestAnyStreamIsATableOnDemand(t *testing.T) {
	path := foreign(t, "new_NeuropixelsV1.arrow")
	page := ready(t, desk, path)
	press(t, page, "t")
	check(t, page.WaitFor(patience, `!!document.querySelector("#row-5:not([hidden])")`))
	check(t, page.Eval(`oniscope.view({from: 1000 + 2500 * 0, to: 50000})`, nil))
	got := tableRow(t, page, 0)
	_, columns := columnsOf(t, path)
	if len(got) < 5 || got[0] != "0" {
		t.Fatalf("row 0 shows %q", got)
	}
	var heads []string
	check(t, page.Eval(`[...document.querySelectorAll("#table .head .rest > span")].map(h => h.firstChild.textContent)`, &heads))
	for i, name := range heads {
		for _, c := range columns {
			if c.name == name && c.width == 2 {
				if want := fmt.Sprint(uint16(c.data[0]) | uint16(c.data[1])<<8); strings.ReplaceAll(got[i+1], " ", "") != want {
					t.Errorf("%s of row 0 shows %s, want %s", name, got[i+1], want)
				}
			}
		}
	}
	press(t, page, "t")
	check(t, page.WaitFor(patience, `document.querySelector("#table").hidden && !document.querySelector("#traces").hidden`))
	aDamagedBatchIsMarkedInTheTable(t, page)
}

func aDamagedBatchIsMarkedInTheTable(t *testing.T, page *Page) {
	t.Helper()
	path := notesFile(t, 1500)
	data, err := os.ReadFile(path)
	check(t, err)
	frame := []byte{0x28, 0xb5, 0x2f, 0xfd}
	at := bytes.Index(data, frame)
	for n := range 3 { // a few buffers of the first batch
		copy(data[at+4+n*60:], bytes.Repeat([]byte{0xff}, 12))
	}
	broken := filepath.Join(t.TempDir(), "broken.arrow")
	check(t, os.WriteFile(broken, data, 0o644))
	closeAll(t, page)
	check(t, page.Drop(broken))
	check(t, page.WaitFor(patience, `document.querySelectorAll("#table .broken").length > 0`))
	var title string
	check(t, page.Eval(`document.querySelector("#table .broken").title`, &title))
	if !strings.Contains(title, "cannot be read") {
		t.Errorf("the cell says %q", title)
	}
}
