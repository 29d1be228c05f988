package pagetest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/oniscope/oniscope/shared/stream"
)

// Who works by key alone keeps his place when what he pressed goes away, and each key
// does something that is seen, whatever is on the screen.
func TestTheKeyboardKeepsItsPlace(t *testing.T) {
	dir := t.TempDir()
	page := ready(t, desk, gapsFile(t, dir, "first_0.arrow"), gapsFile(t, dir, "second_0.arrow"))
	check(t, page.WaitFor(patience, `document.querySelector("#state").textContent.includes("4")`))
	press(t, page, kb.Tab)
	say := func(script string) (words string) {
		t.Helper()
		check(t, page.Eval(script, &words))
		return strings.ReplaceAll(words, "\u202f", " ")
	}
	focus := func(selector string) {
		t.Helper()
		check(t, page.WaitFor(patience, `document.querySelector("`+selector+`")?.checkVisibility()`))
		check(t, page.Eval(`document.querySelector("`+selector+`").focus()`, nil))
	}
	has := func(after, selector string) {
		t.Helper()
		if err := page.WaitFor(patience/10, `document.activeElement.matches("`+selector+`")`); err != nil {
			t.Errorf("%s the focus is at %s", after, say(`document.activeElement.outerHTML.slice(0, 120)`))
		}
	}

	focus("#verify")
	press(t, page, kb.Enter)
	has("verified,", "#verify")
	check(t, page.WaitFor(patience, `!!document.querySelector("#findings")`))
	has("with its findings there,", "#verify")
	press(t, page, "i")
	focus("#save-slice")
	press(t, page, kb.Enter)
	check(t, page.WaitFor(patience, `document.querySelector("#slice")?.open`))
	press(t, page, kb.Escape)
	has("after a dialog", "#save-slice")
	focus("#selection-panel button:not(.primary)")
	press(t, page, kb.Enter)
	has("after the selection was cleared", "#save")
	check(t, page.Drop(foreign(t, "start-time_0.csv")))
	focus(".notice .close")
	press(t, page, kb.Enter)
	check(t, page.WaitFor(patience, `!document.querySelector(".notice")`))
	focus("#streams .stream")
	press(t, page, kb.Tab)
	press(t, page, kb.Enter)
	check(t, page.WaitFor(patience, `(await oniscope.streams()).length === 1`))
	has("after a stream was closed", "#streams .stream")

	// A table has its keys wherever the focus is, and those of traces have a rest.
	check(t, page.Eval(`document.activeElement.blur()`, nil))
	press(t, page, "t")
	check(t, page.WaitFor(patience, `!!document.querySelector("#row-3 .rest span")?.textContent`))
	for range 3 {
		press(t, page, kb.ArrowDown)
	}
	check(t, page.WaitFor(patience, `document.querySelector("#row-2")?.getAttribute("aria-selected") === "true"`))
	press(t, page, "h")
	press(t, page, "t")
	check(t, page.Eval(`oniscope.view()`, nil))
	if say(`String(document.querySelector("#heatscale").hidden)`) != "true" {
		t.Error("H in a table changed what is behind it")
	}

	// The scale of the heat map is the gain of traces: same keys, same field.
	press(t, page, "h")
	check(t, page.WaitFor(patience, `!document.querySelector("#heatscale").hidden && !document.querySelector("#gain").hidden`))
	top := say(`document.querySelector("#gain").value`)
	if scale := say(`document.querySelector("#heatscale").innerText`); !strings.Contains(scale, top) {
		t.Errorf("the field says %q, the scale %q", top, scale)
	}
	press(t, page, kb.ArrowUp, kb.ModifierAlt)
	check(t, page.WaitFor(patience, `document.querySelector("#gain").value.replaceAll("\u202f", " ") !== "`+top+`" && document.querySelector("#heatscale").innerText.includes(document.querySelector("#gain").value)`))
	press(t, page, "h")
	press(t, page, "]")
	check(t, page.WaitFor(patience, `document.querySelector("#status-mentioned").textContent.includes("row heights")`))

	// Plates can be closed, and shown again; what is copied is said.
	show(t, page, `{from: 0.05, to: 0.15}`)
	check(t, page.WaitFor(patience, `!!document.querySelector(".loss")`))
	act(t, page, "Close the plates")
	check(t, page.WaitFor(patience, `!document.querySelector(".loss")`))
	act(t, page, "Close the plates")
	check(t, page.WaitFor(patience, `!!document.querySelector(".loss")`))
	act(t, page, "Copy report")
	check(t, page.WaitFor(patience, `document.querySelector("#status-mentioned").textContent !== ""`))

	// The list of channels is as high as there is room, also when the window was larger.
	check(t, chromedp.Do(page.Context(), chromedp.EmulateViewport(1280, 500)))
	check(t, page.WaitFor(patience, `innerHeight === 500 && document.querySelector("#channels .scroll").getBoundingClientRect().bottom <= document.querySelector("#left").getBoundingClientRect().bottom`))

	// In a small window the channels lie in a side that is closed.
	check(t, chromedp.Do(page.Context(), chromedp.EmulateViewport(640, 400)))
	check(t, page.WaitFor(patience, `document.querySelector(".fold-left").checkVisibility()`))
	press(t, page, "/")
	check(t, page.WaitFor(patience, `document.activeElement.id === "channel-find"`))
	press(t, page, kb.Escape)
	press(t, page, kb.Escape)
	check(t, page.WaitFor(patience, `document.activeElement.matches(".fold-left") && getComputedStyle(document.querySelector("#left")).visibility === "hidden"`))
}

// act runs an action by the beginning of its name, in the palette.
func act(t *testing.T, page *Page, name string) {
	t.Helper()
	press(t, page, "k", kb.ModifierCtrl)
	check(t, page.WaitFor(patience, `document.querySelector("#palette")?.open`))
	check(t, page.Eval(`(() => {
		const field = document.querySelector("#palette input");
		field.value = "`+name+`";
		field.dispatchEvent(new Event("input"));
		field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
	})()`, nil))
}

// A slow quantity has its value at the cursor, by mouse and by keys, and the fields of the
// bar are wrong only until something else is typed.
func TestSlowQuantitiesAreReadAtTheCursor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory_0.arrow")
	columns := []stream.Column{{Name: "PercentUsed", Type: stream.Uint8, ByteWidth: 1}, {Name: "BytesUsed", Type: stream.Uint32, ByteWidth: 4}}
	check(t, os.WriteFile(path, slowRecording(t, columns, 21), 0o600)) // n percent, n bytes after n x 0.1 s
	page := ready(t, desk, path)
	check(t, page.Eval(`oniscope.view({from: 0, to: 2.1})`, nil))
	says := func(words string) string {
		return fmt.Sprintf(`document.querySelector("#cursor-panel").innerText.replaceAll("\u202f", " ").replace(/\s*\n\s*/g, " ").includes(%q)`, words)
	}
	check(t, page.Eval(`document.querySelector("#stage").focus()`, nil))
	press(t, page, kb.ArrowRight, chromedp.ModifierCtrl) // to the middle
	check(t, page.WaitFor(patience, says("Buffer used 10 %")))
	check(t, page.WaitFor(patience, says("Buffer used 10 B")))
	var at struct{ X, Y float64 }
	check(t, page.Eval(`(() => { const {left, top, width, height} = document.querySelector('[data-panel] .window').getBoundingClientRect(); return {x: left + width * 1.75 / 2.1, y: top + height / 2}; })()`, &at))
	check(t, chromedp.Do(page.Context(), chromedp.MouseEvent("mouseMoved", at.X, at.Y)))
	check(t, page.WaitFor(patience, says("Buffer used 17 %")))

	const invalid = `document.querySelector("#span").hasAttribute("aria-invalid")`
	check(t, page.Eval(`document.querySelector("#span").select()`, nil))
	for _, key := range []string{"a", "b", kb.Enter} {
		press(t, page, key)
	}
	check(t, page.WaitFor(patience, invalid))
	check(t, page.Eval(`document.querySelector("#span").select()`, nil))
	press(t, page, "1")
	check(t, page.WaitFor(patience, "!"+invalid))
}
