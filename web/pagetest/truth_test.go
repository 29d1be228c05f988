package pagetest

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// gapsFile is a recording of six batches of 2000 rows of eight channels, 8333 ticks
// apart, of which 601 rows are missing inside a batch and 3 inside another; a
// character in its name turns the text around it.
func gapsFile(t *testing.T, dir, name string) string {
	t.Helper()
	s := &stream.Stream{Name: "probe", AcqClockHz: 250_000_000}
	for c := range 8 {
		s.Columns = append(s.Columns, stream.Column{Name: fmt.Sprint("SpikeData", c), Type: stream.Uint16, ArrowType: "uint16", ByteWidth: 2})
	}
	s.Columns = append(s.Columns, stream.Column{Name: "Clock", Type: stream.Uint64, ArrowType: "uint64", ByteWidth: 8})
	file := &growing{}
	w, err := recording.NewWriter(file, s, recording.WriterOptions{})
	check(t, err)
	row := 0
	for b := range 6 {
		vectors := make([]recording.Vector, 9)
		for i := range 2000 {
			switch {
			case b == 1 && i == 700:
				row += 601
			case b == 3 && i == 1500:
				row += 3
			}
			for c := range 8 {
				v := 512 + (row*7+c*13)%40
				vectors[c].Data = append(vectors[c].Data, byte(v), byte(v>>8))
			}
			for k := range 8 {
				vectors[8].Data = append(vectors[8].Data, byte(uint64(row)*8333>>(8*k)))
			}
			row++
		}
		_, err := w.WriteBatch(2000, vectors)
		check(t, err)
	}
	check(t, w.Close())
	path := filepath.Join(dir, name)
	check(t, os.WriteFile(path, file.Bytes(), 0o644))
	return path
}

// What is known of a file is the same everywhere on the page, at once.
func TestWhatIsFoundIsSaidEverywhere(t *testing.T) {
	page := ready(t, desk, gapsFile(t, t.TempDir(), "gap\u202es_0.arrow"))
	check(t, page.WaitFor(patience, `document.querySelector("#state").textContent.includes("gap")`))
	say := func(script string) (words string) {
		t.Helper()
		check(t, page.Eval(script, &words))
		return strings.ReplaceAll(words, "\u202f", " ")
	}
	if got := say(`document.querySelector("#state").textContent`); got != "complete, 2 gaps" {
		t.Errorf("the pill says %q", got)
	}
	id := say(`(await oniscope.streams())[0]`)
	if n := say(fmt.Sprintf(`String((await oniscope.info(%q)).findings.filter((f) => f.reason.startsWith("gap: ")).length)`, id)); n != "2" {
		t.Errorf("info() has %s gaps", n)
	}
	health := say(`document.querySelector("#health-panel").innerText`)
	for _, want := range []string{"604 of 12 604 rows missing in 2 gaps", "(601 rows)", "Gap of 100 µs", "(3 rows)"} {
		if !strings.Contains(health, want) {
			t.Errorf("Health is without %q:\n%s", want, health)
		}
	}
	if rate := say(`document.querySelector("#stream-panel").innerText`); strings.Contains(rate, "measured") {
		t.Errorf("gaps are taken for a slower clock:\n%s", rate)
	}
	// The strip of the stream shows them too, with the frame that follows.
	check(t, page.WaitFor(patience, `(() => { const c = document.querySelector(".strip"), p = c.getContext("2d").getImageData(0, 1, c.width, 1).data;
		const colours = new Set(); for (let i = 0; i < p.length; i += 4) colours.add([...p.slice(i, i + 4)].join()); return colours.size > 1; })()`))

	// A direction character is written out wherever the name stands.
	if text := say(`document.title + document.body.innerText + [...document.querySelectorAll("[title]")].map((n) => n.title).join()`); strings.Contains(text, "\u202e") || !strings.Contains(text, `gap\u{202e}s_0`) {
		t.Error("the name of the file turns the text around it")
	}

	// From gap to gap by key; End is where the rows end.
	show(t, page, `{from: 0.1, to: 0.2}`)
	press(t, page, ",")
	check(t, page.WaitFor(patience, `document.querySelector("#losses .loss")?.checkVisibility()`))
	if plate := say(`document.querySelector("#losses").innerText`); plate != "Gap\n601 rows, 20.0 ms missing" {
		t.Errorf("the plate says %q", plate)
	}
	v := show(t, page, ``)
	near(t, "the gap in the middle", (v.From+v.To)/2, 2699*8333/250e6)

	// Without a mouse: the cursor is moved and read (in the gap there is nothing), and a span selected between two places of it.
	press(t, page, kb.ArrowRight, kb.ModifierCtrl)
	press(t, page, "i")
	for range 5 {
		press(t, page, kb.ArrowRight, kb.ModifierCtrl, kb.ModifierShift)
	}
	press(t, page, "o")
	show(t, page, ``)
	check(t, page.WaitFor(patience, `document.querySelector("#cursor").checkVisibility()`))
	if shade := boxOf(t, page, "#shade"); math.Abs(shade.Width-100) > 3 {
		t.Errorf("five steps of 20 pixels select %v pixels", shade.Width)
	}
	if words := say(`document.querySelector("#cursor-panel").innerText + document.querySelector("#selection-panel").innerText`); !strings.Contains(words, "no value") || !strings.Contains(words, "length") {
		t.Errorf("the inspector says %q", words)
	}
	press(t, page, kb.Escape)

	// Verified: the same words, and nothing is green beside errors.
	press(t, page, "v")
	check(t, page.WaitFor(patience, `!!document.querySelector("#findings")`))
	if got := say(`document.querySelector("#state").textContent + ", " + document.querySelector("#state").className`); got != "complete, 2 gaps, pill warn" {
		t.Errorf("verified, the pill says %q", got)
	}

	// A wrong span leaves no trace, a start-time CSV alone is answered.
	check(t, page.Eval(`(() => { const f = document.querySelector("#span"); f.focus(); f.value = "abc"; f.dispatchEvent(new Event("change")); f.blur(); })()`, nil))
	if field := say(`document.querySelector("#span").value + document.querySelector("#span").matches("[aria-invalid]")`); !strings.HasSuffix(field, "msfalse") && !strings.HasSuffix(field, "sfalse") {
		t.Errorf("the span field says %q", field)
	}
	check(t, page.Drop(foreign(t, "start-time_0.csv")))
	check(t, page.WaitFor(patience, `document.querySelector("#notices").innerText.includes("start-time_0.csv")`))
}

// Channels are found, shown alone, hidden and ordered, by hand and by key.
func TestChannelsAreSelectedShownAndOrdered(t *testing.T) {
	page := probe(t)
	shown := func() (first string, n int) {
		t.Helper()
		columns := show(t, page, ``).Columns
		return columns[0], len(columns)
	}
	all := `(document.querySelector("#channels h2 .note").textContent)`
	press(t, page, "/")
	check(t, page.WaitFor(patience, `document.activeElement.id === "channel-find"`))
	check(t, page.Eval(`document.activeElement.value = ""`, nil)) // the protocol sends a character besides the key
	for _, key := range "20-40" {
		press(t, page, string(key))
	}
	press(t, page, "\r")
	if first, n := shown(); first != "SpikeData40" || n != 21 {
		t.Errorf("20-40 shown alone: %d channels from %s", n, first)
	}
	check(t, page.Eval(`(() => { document.activeElement.blur(); const f = document.querySelector("#channel-order"); f.value = "depth"; f.dispatchEvent(new Event("change")); })()`, nil))
	show(t, page, ``)
	if columns := show(t, page, ``).Columns; strings.Join(columns[:4], " ") != "SpikeData40 SpikeData38 SpikeData39 SpikeData36" {
		t.Errorf("by depth: %v", columns[:4])
	}
	press(t, page, "X", 8) // Shift
	if _, n := shown(); n < 60 {
		t.Errorf("all again: %d channels", n)
	}

	// A double click shows one channel, another all; a row is as high as it is asked to be.
	x, y := plotPoint(t, page, 0.5)
	check(t, chromedp.Do(page.Context(), chromedp.MouseClickXY(x, y, chromedp.ClickCount(1)), chromedp.MouseClickXY(x, y, chromedp.ClickCount(2))))
	if _, n := shown(); n != 1 {
		t.Errorf("after a double click there are %d channels", n)
	}
	check(t, chromedp.Do(page.Context(), chromedp.MouseClickXY(x, y, chromedp.ClickCount(1)), chromedp.MouseClickXY(x, y, chromedp.ClickCount(2))))
	var before, after string
	check(t, page.Eval(all, &before))
	check(t, page.Eval(`(() => { const f = document.querySelector("#spacing"); f.value = "40"; f.dispatchEvent(new Event("change")); })()`, nil))
	_, n := shown()
	check(t, page.Eval(all, &after))
	if b := boxOf(t, page, "#traces"); n != int(b.Height/40) || before == after {
		t.Errorf("rows of 40 px: %d channels in %v px, %q before, %q after", n, b.Height, before, after)
	}
	check(t, page.Eval(`(() => { const f = document.querySelector("#gain"); f.dataset.was = f.value; })()`, nil))
	press(t, page, kb.ArrowDown, kb.ModifierAlt)
	check(t, page.WaitFor(patience, `document.querySelector("#gain").value !== document.querySelector("#gain").dataset.was`))
	if _, m := shown(); m != n {
		t.Errorf("the gain changes the rows: %d, %d before", m, n)
	}

	// The gain of the amplifier, which the file does not say, gives traces a unit, also when the file is opened again.
	check(t, page.Eval(`(() => { const f = document.querySelector("#amplifier-gain"); f.value = "500"; f.dispatchEvent(new Event("change")); })()`, nil))
	check(t, page.WaitFor(patience, `/[µm]V$/.test(document.querySelector("#gain").value)`))
	check(t, page.Eval(`document.querySelector("#streams .close").click()`, nil))
	check(t, page.WaitState("empty"))
	check(t, page.Drop(foreign(t, "new_NeuropixelsV1.arrow")))
	check(t, page.WaitFor(patience, `/[µm]V$/.test(document.querySelector("#gain").value) && document.querySelector("#amplifier-gain")?.value === "500"`))
}

// Two folders dropped together are two runs with a clock each; the address has the
// view, and brings it back.
func TestTwoRunsStayApart(t *testing.T) {
	dir := t.TempDir()
	for _, run := range []string{"monday", "tuesday"} {
		check(t, os.Mkdir(filepath.Join(dir, run), 0o755))
		gapsFile(t, filepath.Join(dir, run), "np_0.arrow")
		gapsFile(t, filepath.Join(dir, run), "other_0.arrow")
	}
	page := ready(t, desk, filepath.Join(dir, "monday"), filepath.Join(dir, "tuesday"))
	var list []string
	lines := func() string {
		t.Helper()
		check(t, page.Eval(`[...document.querySelectorAll("#streams li")].map((li) => li.querySelector(".name").textContent + (li.matches(".current, .active") ? "*" : ""))`, &list))
		return strings.Join(list, " ")
	}
	if got := lines(); got != "monday* probe · np_0* probe · other_0 tuesday" {
		t.Errorf("the list of streams: %q", got)
	}
	show(t, page, `{from: 0.1, to: 0.2}`)
	check(t, page.Eval(`[...document.querySelectorAll("#streams .run button")].at(-1).click()`, nil))
	show(t, page, ``)
	if got := lines(); got != "monday tuesday* probe · np_0#2* probe · other_0#2" {
		t.Errorf("after the switch: %q", got)
	}
	if v := show(t, page, ``); v.From == 0.1 || v.Stream != "np_0#2" {
		t.Errorf("the other run is at %+v", v)
	}
	var head string
	check(t, page.Eval(`document.querySelector(".run-name").textContent + "|" + document.title + "|" + document.querySelector("#run").innerText`, &head))
	if !strings.HasPrefix(head, "tuesday|tuesday · Oniscope|") || !strings.Contains(strings.ReplaceAll(head, "\u202f", " "), "2 streams") || !strings.Contains(strings.ReplaceAll(head, "\u202f", " "), "4 gaps") {
		t.Errorf("the head says %q", head)
	}

	// The address of this view opens it in another tab, once its file is there.
	show(t, page, `{from: 0.15, to: 0.25, columns: ["SpikeData3"]}`)
	check(t, page.WaitFor(patience, `location.hash.includes("s=0.15,0.25") && location.hash.includes("SpikeData3")`))
	var hash string
	check(t, page.Eval(`location.hash`, &hash))
	check(t, page.Eval(`(document.querySelectorAll("#streams .close").forEach((b) => b.click()))`, nil))
	again := open(t, desk)
	check(t, again.Eval(fmt.Sprintf(`(location.hash = %q)`, strings.ReplaceAll(hash, "%232", "")), nil))
	check(t, again.Drop(filepath.Join(dir, "tuesday", "np_0.arrow")))
	check(t, again.WaitDrawn(0))
	if v := show(t, again, ``); v.From != 0.15 || v.To != 0.25 {
		t.Errorf("from the address %s: %+v", hash, v)
	}
}
