package buildtool

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/oniscope/oniscope/web/pagetest"
)

// What BenchFrames demands with 384 channels over 2 000 pixels, 95 times of 100:
// scripts of the page's own thread, and the styles and layouts that they need,
// take at most one frame of 60 a second, and the frame is over after at most five
// times what it takes to lay a finished picture onto the screen.
const (
	maxFrameMilliseconds = 16
	maxFrameBlits        = 5
	frameChannels        = 384
)

// frameView has 2 000 pixels for traces beside both sides and the gutter.
var frameView = pagetest.View{Width: 2000 + 236 + 268 + 64, Height: 1440}

// framesScript lends the page what moves it, once a frame, and a bare blit of a
// picture as large as the traces. Each resolves when the frame after it is done,
// with the milliseconds from the beginning of that frame to the next task.
const framesScript = `(async () => {
	const stage = document.getElementById("stage"), traces = document.getElementById("traces"), box = document.getElementById("plots").getBoundingClientRect();
	const at = { clientX: box.x + box.width * 0.6, clientY: box.y + box.height / 2, bubbles: true, cancelable: true };
	const wheel = (more) => stage.dispatchEvent(new WheelEvent("wheel", { ...at, ...more }));
	const canvas = Object.assign(document.createElement("canvas"), { width: traces.clientWidth, height: traces.clientHeight });
	canvas.style.cssText = "position: fixed; inset: 0; z-index: 99";
	const context = canvas.getContext("2d"), picture = await createImageBitmap(traces.querySelector(".picture"));
	const moves = {
		blit: (i) => { if (!canvas.isConnected) document.body.append(canvas); context.drawImage(picture, i % 40, 0); },
		pan: (i) => wheel({ shiftKey: true, deltaY: i % 60 < 30 ? 25 : -25 }),
		zoom: (i) => wheel({ ctrlKey: true, deltaY: i % 60 < 30 ? 30 : -30 }),
		gain: (i) => wheel({ altKey: true, deltaY: i % 20 < 10 ? 50 : -50 }),
		scroll: (i) => wheel({ deltaY: i % 60 < 30 ? -48 : 48 }),
	};
	globalThis.frame = (name, i) => new Promise((resolve) => {
		if (name !== "blit") canvas.remove(); // hidden it would still be handed over in each frame
		const { port1, port2 } = new MessageChannel();
		let begin = 0;
		port1.onmessage = () => resolve(performance.now() - begin);
		requestAnimationFrame(() => { begin = performance.now(); port2.postMessage(0); });
		moves[name](i);
	});
})()`

// A frameRow is what one kind of movement costs the page's own thread, in
// milliseconds a frame, sorted: scripts, scripts with styles and layouts, and the
// whole frame up to the next task, painting and waiting for a core included.
type frameRow struct {
	name                  string
	script, layout, whole []float64
}

func (r *frameRow) of(times []float64, share float64) float64 {
	return times[min(len(times)-1, int(share*float64(len(times))))]
}

// BenchFrames measures in Chromium how long the page's own thread is busy in a
// frame while all channels of a probe are panned, zoomed, scaled and scrolled.
func BenchFrames() error {
	if err := Build(); err != nil {
		return err
	}
	rows, err := frameTimes()
	if err != nil {
		return err
	}
	return judgeFrames(rows)
}

// frameTimes needs a page that is built.
func frameTimes() ([]frameRow, error) {
	if err := ensureChromium(); err != nil {
		return nil, err
	}
	folder, err := outFolder("frames")
	if err != nil {
		return nil, err
	}
	files, err := recordSimulated(relative(folder), "--duration", "10s", "--pace", "max")
	if err != nil {
		return nil, err
	}
	dir, err := root()
	if err != nil {
		return nil, err
	}
	var rows []frameRow
	err = inPage(filepath.Join(dir, "web"), frameView, func(p *pagetest.Page) error {
		if err := p.Drop(files...); err != nil {
			return err
		}
		if err := p.WaitDrawn(0); err != nil {
			return err
		}
		var shown int
		if err := p.Eval(`(async () => {
			document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "a", bubbles: true }));
			const { columns } = await oniscope.view();
			return columns.length;
		})()`, &shown); err != nil {
			return err
		}
		if shown != frameChannels {
			return fmt.Errorf("%d channels are shown, want %d", shown, frameChannels)
		}
		if err := p.WaitQuiet(); err != nil {
			return err
		}
		if err := p.Eval(framesScript, nil); err != nil {
			return err
		}
		for _, name := range []string{"blit", "pan", "zoom", "gain", "scroll"} {
			if name == "scroll" { // fewer rows than channels
				if err := p.Eval(`(document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "a", bubbles: true })), oniscope.view())`, nil); err != nil {
					return err
				}
			}
			row, err := framesOf(p, name)
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return nil
	})
	return rows, err
}

// framesOf moves for some frames, one after the other.
func framesOf(p *pagetest.Page, name string) (frameRow, error) {
	row := frameRow{name: name}
	for i := range 90 {
		before, styledBefore, err := p.Busy()
		if err != nil {
			return row, err
		}
		var whole float64
		if err := p.Eval(fmt.Sprintf("frame(%q, %d)", name, i), &whole); err != nil {
			return row, err
		}
		after, styled, err := p.Busy()
		if err != nil {
			return row, err
		}
		script := (after - before) * 1000
		row.script, row.layout, row.whole = append(row.script, script), append(row.layout, script+(styled-styledBefore)*1000), append(row.whole, whole)
	}
	for _, times := range [][]float64{row.script, row.layout, row.whole} {
		slices.Sort(times)
	}
	return row, p.Eval(`oniscope.view()`, nil)
}

// judgeFrames prints a table, and says what is too slow.
func judgeFrames(rows []frameRow) error {
	if len(rows) == 0 {
		return errors.New("no frame was measured")
	}
	fmt.Printf("ms a frame of the page's own thread, %d channels, 2 000 px: median, 95th of 100\n%-8s %15s %15s %15s %15s\n", frameChannels, "", "scripts", "and layout", "whole frame", "whole : blit")
	slow := ""
	blit, blitMedian := rows[0].of(rows[0].whole, 0.95), rows[0].of(rows[0].whole, 0.5)
	for _, row := range rows {
		layout, whole, median := row.of(row.layout, 0.95), row.of(row.whole, 0.95), row.of(row.whole, 0.5)
		fmt.Printf("%-8s %7.1f %7.1f %7.1f %7.1f %7.1f %7.1f %7.1f %7.1f\n", row.name, row.of(row.script, 0.5), row.of(row.script, 0.95), row.of(row.layout, 0.5), layout, median, whole, median/blitMedian, whole/blit)
		if layout > maxFrameMilliseconds || whole > maxFrameBlits*blit {
			slow += fmt.Sprintf("; %s %.1f ms, %.1f x blit", row.name, layout, whole/blit)
		}
	}
	if slow != "" {
		return fmt.Errorf("95 frames of 100 must take at most %d ms and %d x a blit%s", maxFrameMilliseconds, maxFrameBlits, slow)
	}
	return nil
}
