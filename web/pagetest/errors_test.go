package pagetest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

func TestWhatIsNoRecordingIsRefusedInWords(t *testing.T) {
	page, dir := open(t, desk), t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		check(t, os.WriteFile(path, []byte(content), 0o644))
		return path
	}
	for _, c := range []struct{ name, path, wants string }{
		{"text", write("notes.arrow", strings.Repeat("These are my notes.\n", 100)), "notes.arrow"},
		{"nothing", write("nothing.arrow", ""), "nothing.arrow"},
		{"a few bytes", write("few.arrow", "ARROW1"), "few.arrow"},
		{"parquet", write("table.arrow", "PAR1"+strings.Repeat("\x00", 500)+"PAR1"), "table.arrow"},
	} {
		t.Run(c.name, func(t *testing.T) {
			check(t, page.Drop(c.path))
			check(t, page.WaitFor(patience, fmt.Sprintf(`document.querySelector("#notices").innerText.includes(%q)`, c.wants)))
			check(t, page.WaitState("error"))
			var text string
			check(t, page.Eval(`document.body.innerText`, &text))
			if !strings.Contains(text, c.wants) {
				t.Errorf("the page does not name %s:\n%s", c.wants, text)
			}
			var ids []string
			check(t, page.Eval(`oniscope.streams()`, &ids))
			if len(ids) != 0 {
				t.Errorf("streams %v", ids)
			}
			// The page goes on: a good file opens after the bad one.
			again(t, page, foreign(t, "new_Heartbeat.arrow"))
			compareValues(t, page, "new_Heartbeat", foreign(t, "new_Heartbeat.arrow"))
			check(t, page.Eval(`document.querySelectorAll(".notice .close").forEach((b) => b.click())`, nil))
			closeAll(t, page)
		})
	}
}

func TestAGoodFileBesideABadOneOpens(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.arrow")
	check(t, os.WriteFile(bad, []byte("no Arrow here, only words, and a few more of them"), 0o644))
	page := open(t, desk)
	check(t, page.Drop(bad, foreign(t, "new_Heartbeat.arrow")))
	check(t, page.WaitFor(patience, `(await oniscope.streams()).includes("new_Heartbeat")`))
	var text string
	check(t, page.Eval(`document.body.innerText`, &text))
	if !strings.Contains(text, "bad.arrow") {
		t.Errorf("the page does not say what became of bad.arrow:\n%s", text)
	}
}

func TestAFileOfTextOnlyIsListed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "words.arrow")
	writeTextFile(t, path)
	page := open(t, desk)
	check(t, page.Drop(path))
	check(t, page.WaitState("ready"))
	var info struct {
		Rows    int64 `json:"rows"`
		Columns []struct {
			Name      string `json:"name"`
			Type      string `json:"type"`
			Plottable bool   `json:"plottable"`
		} `json:"columns"`
	}
	check(t, page.Eval(`oniscope.info("words")`, &info))
	if info.Rows != 3 || len(info.Columns) != 1 || info.Columns[0].Name != "Word" || info.Columns[0].Type != "utf8" || info.Columns[0].Plottable {
		t.Errorf("info %+v", info)
	}
	check(t, page.WaitFor(patience, `/Word/.test(document.body.innerText)`)) // in the table, which is loaded when it is asked for
}

func writeTextFile(t *testing.T, path string) {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "Word", Type: arrow.BinaryTypes.String}}, nil)
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	builder.Field(0).(*array.StringBuilder).AppendValues([]string{"one", "two", "three"}, nil)
	batch := builder.NewRecordBatch()
	defer batch.Release()
	file, err := os.Create(path)
	check(t, err)
	writer, err := ipc.NewFileWriter(file, ipc.WithSchema(schema))
	check(t, err)
	check(t, writer.Write(batch))
	check(t, writer.Close())
	check(t, file.Close())
}

func TestAScriptsMistakesRejectInWords(t *testing.T) {
	page := ready(t, desk, foreign(t, "new_Heartbeat.arrow"))
	for _, c := range []struct{ call, name, message string }{
		{`oniscope.values("new_Heartbeat", "Clok", 0, 1)`, "ColumnError", "Clock"},
		{`oniscope.values("new_Heartbeat", "Clock", 0, 1231)`, "RangeError", "1230"},
		{`oniscope.values("new_Heartbeat", "Clock", -1, 1)`, "RangeError", "1230"},
		{`oniscope.slice("new_Heartbeat", {start: 5, end: 2000})`, "RangeError", "1230"},
		{`oniscope.slice("new_Heartbeat", {columns: ["Nothing*"]})`, "ColumnError", "Nothing*"},
		{`oniscope.info("no such stream")`, "", "no such stream"},
		{`oniscope.values("new_Heartbeat", "Clock", "a", {})`, "", ""},
		{`oniscope.slice("new_Heartbeat", {start: "a"})`, "", ""},
	} {
		name, message, err := page.Rejection(c.call)
		if err != nil {
			t.Errorf("%s: %v", c.call, err)
			continue
		}
		if (c.name != "" && name != c.name) || !strings.Contains(message, c.message) || message == "" {
			t.Errorf("%s: %s: %q, want %s and %q", c.call, name, message, c.name, c.message)
		}
	}
	var bytes struct {
		Bytes int64 `json:"bytes"`
		Read  int64 `json:"read"`
	}
	check(t, page.Eval(`oniscope.engine()`, &bytes))
	if bytes.Bytes <= 0 || bytes.Bytes > 300e6 || bytes.Read <= 0 {
		t.Errorf("engine %+v", bytes)
	}
}
