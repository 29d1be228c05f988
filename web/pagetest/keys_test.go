package pagetest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A view is what oniscope.view() says is on the screen: seconds and columns.
type view struct {
	Stream  string   `json:"stream"`
	From    float64  `json:"from"`
	To      float64  `json:"to"`
	Columns []string `json:"columns"`
}

// probe opens 384 rows of a probe with their clock rate: Clock = 8333 row + 1000
// at 250 MHz, so that the run begins at 4 us and lasts 12.8 ms.
func probe(t *testing.T) *Page {
	t.Helper()
	page := ready(t, desk, foreign(t, "new_NeuropixelsV1.arrow"), foreign(t, "start-time_0.csv"))
	check(t, page.WaitQuiet())
	return page
}

const (
	runFrom = 1000 / 250e6
	runTo   = (1000 + 384*8333) / 250e6
)

func show(t *testing.T, page *Page, args string) view {
	t.Helper()
	var v view
	check(t, page.Eval(`oniscope.view(`+args+`)`, &v))
	return v
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-6 { // a millionth of a second: a quarter of a pixel or less
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func press(t *testing.T, page *Page, key string, modifiers ...chromedp.Modifier) {
	t.Helper()
	check(t, chromedp.Do(page.Context(), chromedp.KeyEvent(key, chromedp.KeyModifiers(modifiers...))))
}

// One page for all that moves the view: opening it costs more than moving.
func TestTheViewIsMoved(t *testing.T) {
	page := probe(t)
	for _, c := range []struct {
		name string
		do   func(*testing.T, *Page)
	}{
		{"keys move the view", keysMoveTheView},
		{"keys move through the channels", keysMoveThroughTheChannels},
		{"the wheel", theWheel},
		{"dragging the traces pans, dragging the ruler selects", dragging},
		{"the list of all keys", theListOfAllKeys},
		{"the script moves the view", theScriptMovesTheView},
	} {
		t.Run(c.name, func(t *testing.T) { c.do(t, page) })
	}
}

func theScriptMovesTheView(t *testing.T, page *Page) {
	v := show(t, page, `{stream: "new_NeuropixelsV1", from: 0.003, to: 0.005, columns: ["SpikeData117"]}`)
	near(t, "from", v.From, 0.003)
	near(t, "to", v.To, 0.005)
	if v.Stream != "new_NeuropixelsV1" || !slices.Contains(v.Columns, "SpikeData117") {
		t.Errorf("view %+v", v)
	}
	v = show(t, page, `{columns: ["LFP 20"], stream: "new_NeuropixelsV1"}`)
	if !slices.Contains(v.Columns, "LfpData20") {
		t.Errorf("LFP by its label: view %+v", v)
	}
	before, err := page.Drawn()
	check(t, err)
	show(t, page, `{from: 0.001, to: 0.002}`)
	after, err := page.Drawn()
	check(t, err)
	if after <= before {
		t.Errorf("data-drawn stays at %d when the view moved", after)
	}
	for _, c := range []struct{ args, message string }{
		{`{from: 2, to: 1}`, "span"},
		{`{stream: "nobody"}`, "nobody"},
		{`{columns: ["Nothing"]}`, "Nothing"},
	} {
		if _, message, err := page.Rejection(`oniscope.view(` + c.args + `)`); err != nil || !strings.Contains(message, c.message) {
			t.Errorf("view(%s): %q, %v", c.args, message, err)
		}
	}
}

func keysMoveTheView(t *testing.T, page *Page) {
	for _, c := range []struct {
		name      string
		key       string
		modifiers []chromedp.Modifier
		from, to  float64 // from the view 4 ms to 6 ms
	}{
		{"arrow right: a tenth of the screen", kb.ArrowRight, nil, 0.0042, 0.0062},
		{"arrow left: a tenth of the screen", kb.ArrowLeft, nil, 0.0038, 0.0058},
		{"Shift and arrow right: a screen", kb.ArrowRight, []chromedp.Modifier{kb.ModifierShift}, 0.006, 0.008},
		{"plus: closer, around the middle", "+", nil, 0.005 - 0.001/1.5, 0.005 + 0.001/1.5},
		{"minus: farther", "-", nil, 0.0035, 0.0065},
		{"Home: the start of the run", kb.Home, nil, runFrom, runFrom + 0.002},
		{"End: the end of the run", kb.End, nil, runTo - 0.002, runTo},
		{"F: the stream", "f", nil, runFrom, runTo},
		{"0: everything", "0", nil, runFrom, runTo},
	} {
		t.Run(c.name, func(t *testing.T) {
			show(t, page, `{from: 0.004, to: 0.006}`)
			press(t, page, c.key, c.modifiers...)
			v := show(t, page, ``)
			near(t, "from", v.From, c.from)
			near(t, "to", v.To, c.to)
		})
	}
}

func keysMoveThroughTheChannels(t *testing.T, page *Page) {
	first := show(t, page, `{columns: ["SpikeData200"]}`).Columns
	if len(first) >= 384 || len(first) < 20 {
		t.Fatalf("%d channels on the screen, want some of 384", len(first))
	}
	press(t, page, kb.ArrowDown)
	if down := show(t, page, ``).Columns; down[0] == first[0] || down[0] != first[1] {
		t.Errorf("arrow down: first channel %s, want %s", down[0], first[1])
	}
	press(t, page, kb.ArrowUp)
	if up := show(t, page, ``).Columns; up[0] != first[0] {
		t.Errorf("arrow up: first channel %s, want %s", up[0], first[0])
	}
	press(t, page, kb.PageDown)
	if next := show(t, page, ``).Columns; slices.Contains(next, first[0]) || len(next) != len(first) {
		t.Errorf("page down: %d channels from %s", len(next), next[0])
	}
}

// plotPoint is a point over the traces, at a share of their width after the gutter.
func plotPoint(t *testing.T, page *Page, share float64) (x, y float64) {
	t.Helper()
	b := boxOf(t, page, "#traces")
	return b.X + 64 + share*(b.Width-64), b.Y + b.Height/2
}

func wheel(t *testing.T, page *Page, x, y, by float64, modifiers int64) {
	t.Helper()
	// As a map: the typed parameters leave out a delta of 0, which the browser wants.
	check(t, chromedp.FromContext(page.Context()).Target.Call(page.Context(), input.CommandDispatchMouseEvent, map[string]any{
		"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": by, "modifiers": modifiers,
	}, nil))
}

// Modifiers as the protocol counts them.
const (
	alt   = 1
	ctrl  = 2
	shift = 8
)

func theWheel(t *testing.T, page *Page) {
	x, y := plotPoint(t, page, 0.25)
	start := show(t, page, `{from: 0.004, to: 0.006, columns: ["SpikeData200"]}`)

	wheel(t, page, x, y, 120, 0)
	if v := show(t, page, ``); v.Columns[0] == start.Columns[0] || v.From != start.From {
		t.Errorf("wheel scrolls the channels: from %s to %s, time from %v to %v", start.Columns[0], v.Columns[0], start.From, v.From)
	}

	wheel(t, page, x, y, -120, ctrl)
	v := show(t, page, ``)
	if v.To-v.From >= start.To-start.From {
		t.Errorf("Ctrl+wheel zooms in: %v s after %v s", v.To-v.From, start.To-start.From)
	}
	near(t, "the time under the pointer stays", v.From+0.25*(v.To-v.From), 0.0045)

	show(t, page, `{from: 0.004, to: 0.006}`)
	wheel(t, page, x, y, 100, shift)
	if v := show(t, page, ``); v.From <= 0.004 || math.Abs(v.To-v.From-0.002) > 1e-9 {
		t.Errorf("Shift+wheel moves in time: %v to %v", v.From, v.To)
	}

	var before string
	check(t, page.Eval(`document.querySelector("#scalebar").innerText`, &before))
	if before == "" {
		t.Error("the scale bar says nothing")
	}
	wheel(t, page, x, y, 120, alt)
	check(t, page.WaitFor(patience, fmt.Sprintf(`![%q, ""].includes(document.querySelector("#scalebar").innerText)`, before)))
}

func drag(t *testing.T, page *Page, x0, y0, x1, y1 float64) {
	t.Helper()
	check(t, chromedp.Do(page.Context(), chromedp.DragAndDropXY(x0, y0, x1, y1, 8)))
}

func dragging(t *testing.T, page *Page) {
	show(t, page, `{from: 0.004, to: 0.006}`)
	x0, y := plotPoint(t, page, 0.5)
	x1, _ := plotPoint(t, page, 0.25)
	drag(t, page, x0, y, x1, y)
	v := show(t, page, ``)
	if math.Abs(v.From-0.0045) > 0.00001 || math.Abs(v.To-0.0065) > 0.00001 {
		t.Errorf("a quarter of the screen to the left: %v to %v", v.From, v.To)
	}

	show(t, page, `{from: 0.004, to: 0.006}`)
	ruler := boxOf(t, page, "#ruler")
	drag(t, page, x1, ruler.Y+13, x0, ruler.Y+13)
	check(t, page.WaitFor(patience, `document.querySelector("#shade").checkVisibility()`))
	shade := boxOf(t, page, "#shade")
	if math.Abs(shade.X-x1) > 2 || math.Abs(shade.X+shade.Width-x0) > 2 {
		t.Errorf("the selection is drawn from %v to %v, dragged was %v to %v", shade.X, shade.X+shade.Width, x1, x0)
	}
	press(t, page, "f")
	v = show(t, page, ``)
	if math.Abs(v.From-0.0045) > 0.00001 || math.Abs(v.To-0.005) > 0.00001 {
		t.Errorf("F fits the selection: %v to %v", v.From, v.To)
	}
	press(t, page, kb.Escape)
	check(t, page.WaitFor(patience, `!document.querySelector("#shade").checkVisibility()`))
}

func theListOfAllKeys(t *testing.T, page *Page) {
	press(t, page, "?")
	check(t, page.WaitFor(patience, `document.querySelector("#help")?.open`))
	var text string
	check(t, page.Eval(`document.querySelector("#help").innerText`, &text))
	for _, key := range []string{"wheel", "Home", "F", "0", "?"} {
		if !strings.Contains(text, key) {
			t.Errorf("%q is not in the list of keys:\n%s", key, text)
		}
	}
	press(t, page, kb.Escape)
	check(t, page.WaitFor(patience, `!document.querySelector("#help")`))
}

// What a person does with the mouse: select on the ruler, Save slice; open a
// broken file, Recover. The files that the browser saves are compared.
func TestTheButtonsSaveWhatTheyPromise(t *testing.T) {
	path := foreign(t, "new_NeuropixelsV1.arrow")
	page := probe(t)
	// Rows 120 to 239 are the span 4.004 ms to 8.004 ms.
	show(t, page, fmt.Sprintf(`{from: %v, to: %v}`, runFrom, runTo))
	ruler := boxOf(t, page, "#ruler")
	x0, _ := plotPoint(t, page, 0.25)
	x1, _ := plotPoint(t, page, 0.5)
	drag(t, page, x0, ruler.Y+13, x1, ruler.Y+13)
	click(t, page, `#save-slice`)
	click(t, page, `#slice-save`)
	saved, err := page.WaitDownload(".arrow")
	check(t, err)
	var start, end int
	if _, err := fmt.Sscanf(saved[strings.LastIndex(saved, "_")+1:], "%d-%d.arrow", &start, &end); err != nil || end-start < 80 || end-start > 110 {
		t.Fatalf("saved %s: want about 96 rows in its name (%v)", saved, err)
	}
	python(t, "same.py", path, saved, fmt.Sprint(start), fmt.Sprint(end))

	cut := truncated(t, path, "cut.arrow", func(whole int) int { return whole - 100_000 })
	page = ready(t, desk, cut)
	click(t, page, `#recover`)
	click(t, page, `#recover-start`)
	report, err := page.WaitDownload(".json")
	check(t, err)
	recovered, err := page.WaitDownload(".arrow")
	check(t, err)
	if strings.TrimSuffix(report, ".json") != strings.TrimSuffix(recovered, ".arrow") {
		t.Errorf("saved %s and %s", report, recovered)
	}
	python(t, "same.py", cut, recovered)
}

func click(t *testing.T, page *Page, selector string) {
	t.Helper()
	check(t, page.WaitFor(patience, fmt.Sprintf(`document.querySelector(%q)?.checkVisibility()`, selector)))
	// Where it is drawn in three frames in a row: what is filled in beside it moves it.
	check(t, page.WaitFor(patience, fmt.Sprintf(`await (async () => {
		const places = [];
		for (let i = 0; i < 3; i++) {
			await new Promise((shown) => requestAnimationFrame(shown));
			const box = document.querySelector(%q)?.getBoundingClientRect();
			places.push(box && box.x + " " + box.y);
		}
		return places[0] !== undefined && new Set(places).size === 1;
	})()`, selector)))
	b := boxOf(t, page, selector)
	check(t, chromedp.Do(page.Context(), chromedp.MouseClickXY(b.X+b.Width/2, b.Y+b.Height/2)))
}
