package pagetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// seen gives what the window of the traces shows: the colours of its pixels,
// row by row, with the picture under the newest one where that does not reach.
const seen = `globalThis.seen = (pane = "#traces") => {
	const frame = document.querySelector(pane + " .window"), box = frame.getBoundingClientRect();
	const copy = new OffscreenCanvas(Math.round(box.width), Math.round(box.height)).getContext("2d", { willReadFrequently: true });
	copy.fillStyle = "rgb(14, 19, 22)";
	copy.fillRect(0, 0, box.width, box.height);
	for (const canvas of frame.children) {
		const at = canvas.getBoundingClientRect();
		if (!canvas.hidden && at.width > 0) copy.drawImage(canvas, at.x - box.x, at.y - box.y, at.width, at.height);
	}
	return { width: copy.canvas.width, height: copy.canvas.height, pixels: copy.getImageData(0, 0, copy.canvas.width, copy.canvas.height).data };
}, 0`

// lit is the share of pixels of which green, that all colours of traces have
// about as much of, is nearer to a trace than to the ground.
const lit = `globalThis.lit = (pane) => {
	const { pixels } = seen(pane);
	let lit = 0;
	for (let i = 1; i < pixels.length; i += 4) if (pixels[i] > (0x13 + 0xc4) / 2) lit++;
	return lit / (pixels.length / 4);
}, 0`

// One page for all that is drawn: opening it costs more than looking.
func TestDrawing(t *testing.T) {
	page := ready(t, desk, simulatedRun(t)...)
	check(t, page.WaitQuiet())
	check(t, page.Eval(seen, nil))
	check(t, page.Eval(lit, nil))
	press := func(key string) {
		t.Helper()
		check(t, page.Eval(fmt.Sprintf(`(document.body.dispatchEvent(new KeyboardEvent("keydown", { key: %q, bubbles: true })), oniscope.view())`, key), nil))
	}
	choose := func(key string) {
		t.Helper()
		check(t, page.Eval(fmt.Sprintf(`(document.querySelector('#streams [data-key$=%q] button').click(), oniscope.view())`, key), nil))
	}
	number := func(expression string) float64 {
		t.Helper()
		var n float64
		check(t, page.Eval(expression, &n))
		return n
	}

	t.Run("no carpet at any zoom", func(t *testing.T) {
		for _, rows := range []struct {
			name  string
			least float64 // a line in a row of a pixel and a half is not as bright as a trace
		}{{"as many rows as can be told apart", 0.02}, {"all rows", 0}} {
			for _, span := range []float64{0.001, 0.01, 0.05, 0.13, 0.2, 0.5, 2} {
				share := number(fmt.Sprintf(`oniscope.view({ from: 0, to: %g }).then(() => lit())`, span))
				if share > 0.6 || share < rows.least {
					t.Errorf("%s, %g s: %.0f %% of the pixels are lit", rows.name, span, 100*share)
				}
				t.Logf("%s, %g s: %.0f %%", rows.name, span, 100*share)
			}
			press("a")
		}
	})

	t.Run("all channels at once", func(t *testing.T) {
		press("a")
		if n := number(`oniscope.view().then(({ columns }) => columns.length)`); n != 384 {
			t.Errorf("%v channels", n)
		}
		press("a")
	})

	t.Run("never blank while a step is painted", func(t *testing.T) {
		check(t, page.Eval(`oniscope.view({ from: 1, to: 1.02 })`, nil))
		check(t, page.WaitQuiet()) // the whole run, coarse, is loaded when there is nothing else
		check(t, page.WaitFor(patience, `document.querySelector("#traces .under").width > 300`))
		blank := number(`(async () => {
			let blank = 0;
			document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "0", bubbles: true }));
			for (let frame = 0; frame < 6; frame++) {
				await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
				const { width, height, pixels } = seen();
				for (let part = 0; part < 10; part++) {
					let inked = 0;
					const from = Math.round((width * (part + 0.2)) / 10), to = Math.round((width * (part + 0.8)) / 10);
					for (let y = 0; y < height; y += 2) for (let x = from; x < to; x += 3) if (pixels[(y * width + x) * 4 + 1] > 40) inked++;
					if (inked === 0) blank++;
				}
			}
			return blank;
		})()`)
		if blank > 0 {
			t.Errorf("%v tenths of six frames had nothing in them", blank)
		}
	})

	t.Run("sides are as wide as one likes", func(t *testing.T) {
		check(t, chromedp.Do(page.Context(), chromedp.MouseEvent("mousePressed", 236, 500, chromedp.ButtonType("left")), chromedp.MouseEvent("mouseMoved", 300, 500, chromedp.ButtonType("left")), chromedp.MouseEvent("mouseReleased", 300, 500, chromedp.ButtonType("left"))))
		if left, ruler := boxOf(t, page, "#left").Width, boxOf(t, page, "#ruler"); left != 300 || ruler.X != 300 || ruler.Width != 1600-300-268 {
			t.Errorf("dragged by 64 px the left side has %v px, and the ruler lies at %+v", left, ruler)
		}
		check(t, page.Eval(`document.querySelector(".side-edge.left").dispatchEvent(new KeyboardEvent("keydown", { key: "Home", bubbles: true }))`, nil))
		if left := boxOf(t, page, "#left").Width; left != 236 {
			t.Errorf("its own width is %v px", left)
		}
		check(t, page.WaitQuiet())
	})

	t.Run("the heat map has a scale", func(t *testing.T) {
		check(t, page.Eval(`(document.querySelector("#tools .switch button:last-child").click(), oniscope.view())`, nil))
		var words string
		check(t, page.Eval(`document.querySelector("#heatscale").checkVisibility() ? document.querySelector("#heatscale").innerText : ""`, &words))
		colours := number(`(() => { const { pixels } = seen(), all = new Set(); for (let i = 0; i < pixels.length; i += 4) all.add(pixels[i] << 16 | pixels[i + 1] << 8 | pixels[i + 2]); return all.size; })()`)
		if colours < 50 || colours > 300 || !strings.Contains(words, "µV") || !strings.Contains(words, "RMS") {
			t.Errorf("%v colours, scale %q", colours, words)
		}
		press("h")
	})

	t.Run("the overview goes there", func(t *testing.T) {
		check(t, page.Eval(`oniscope.view({ from: 0, to: 0.2 })`, nil))
		check(t, page.WaitFor(patience, `document.querySelector("#overview .edge").hidden`))
		b := boxOf(t, page, "#overview .lane")
		check(t, chromedp.Do(page.Context(), chromedp.MouseClickXY(b.X+0.75*b.Width, b.Y+20)))
		if from := number(`oniscope.view().then(({ from }) => from)`); from < 1.3 || from > 1.5 {
			t.Errorf("a click at three quarters of 2 s goes to %v s", from)
		}
		inked := number(`(() => { const c = document.querySelector("#overview canvas"), { data } = c.getContext("2d").getImageData(64, 0, c.width - 64, c.height - 20); let n = 0; for (let i = 3; i < data.length; i += 4) if (data[i] > 0) n++; return n; })()`)
		if inked < 5000 {
			t.Errorf("%v pixels of the overview are inked", inked)
		}
	})

	t.Run("signals stand under one another", func(t *testing.T) {
		choose("/LFP")
		if n := number(`document.querySelectorAll("#panes .pane").length`); n != 2 {
			t.Fatalf("%v panes", n)
		}
		before := boxOf(t, page, "#traces").Height
		b := boxOf(t, page, "#panes .border")
		x, y := b.X+b.Width/2, b.Y
		check(t, chromedp.Do(page.Context(), chromedp.MouseEvent("mousePressed", x, y, chromedp.ButtonType("left")), chromedp.MouseEvent("mouseMoved", x, y-60, chromedp.ButtonType("left")), chromedp.MouseEvent("mouseReleased", x, y-60, chromedp.ButtonType("left"))))
		if after := boxOf(t, page, "#traces").Height; after > before-50 || after < before-70 {
			t.Errorf("dragged up by 60 px, the upper signal had %v px and has %v", before, after)
		}
		for _, rows := range []string{"as many rows as can be told apart", "all rows"} { // of LFP, which was chosen last
			for _, span := range []float64{0.005, 0.05, 0.3, 2} {
				share := number(fmt.Sprintf(`oniscope.view({ from: 0, to: %g }).then(() => lit("#panes .pane:last-child"))`, span))
				t.Logf("LFP, %s, %g s: %.0f %%", rows, span, 100*share)
				if share > 0.6 {
					t.Errorf("LFP, %s, %g s: %.0f %% of the pixels are lit", rows, span, 100*share)
				}
			}
			press("a")
		}
		check(t, page.Eval(`(document.querySelector("#panes .pane:last-child .close").click(), oniscope.view())`, nil))
		if n := number(`document.querySelectorAll("#panes .pane").length`); n != 1 {
			t.Errorf("%v panes after one was closed", n)
		}
		if left, all := boxOf(t, page, "#panes .pane").Height, boxOf(t, page, "#panes").Height; left != all {
			t.Errorf("the one that is left has %v of %v px", left, all)
		}
	})

	t.Run("a heartbeat is ticks and leaves the traces", func(t *testing.T) {
		choose("heartbeat_0/")
		if n := number(`Number(document.querySelector("#traces").checkVisibility()) + 2 * Number(document.querySelector('#lower [data-panel$="/ticks"]').checkVisibility())`); n != 3 {
			t.Errorf("traces and ticks: %v", n)
		}
	})
}
