package buildtool

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/oniscope/oniscope/web/pagetest"
)

// maxTabBytes is what the process of the tab may have of its own while 10 GB are
// opened, looked at and verified: JavaScript, WebAssembly and all else.
const maxTabBytes = 500e6

// memorySteps are what is done with the page, each until nothing is under way.
var memorySteps = []struct{ name, script string }{
	{"all channels", `press("a")`},
	{"along the run", `(async () => { for (let i = 0; i < 20; i++) await oniscope.view({ from: i * run / 20, to: i * run / 20 + 1 }); })()`},
	{"the whole run", `oniscope.view({ from: 0, to: run })`},
	{"zoomed in and out", `(async () => { for (let wide = run; wide > 0.05; wide /= 3) await oniscope.view({ from: run / 3, to: run / 3 + wide }); press("0"); await oniscope.view(); })()`},
	{"all channels of the other signal", `(async () => { const other = document.querySelector('#streams [data-key$="LFP"] button'); other?.click(); await oniscope.view({ from: 0, to: run }); })()`},
	{"verify", `oniscope.verify(id)`},
}

// BenchMemory prints how much memory the tab of the page takes at most while 10 GB
// are opened, looked at in all ways and verified.
func BenchMemory() error {
	if err := Build(); err != nil {
		return err
	}
	if err := ensureChromium(); err != nil {
		return err
	}
	text, err := tabMemory()
	fmt.Print(text)
	return err
}

// tabMemory gives rows of the table: the most memory in each step.
func tabMemory() (rows string, err error) {
	dir, err := root()
	if err != nil {
		return "", err
	}
	path, err := pageFiles[tenGB].ensure(dir)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	most := int64(0)
	err = inPage(filepath.Join(dir, "web"), pagetest.View{Width: 1600, Height: 1000}, func(p *pagetest.Page) error {
		step := func(name string, do func() error) error {
			begin := time.Now()
			peak, err := peakDuring(p, do)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			most = max(most, peak)
			var engines struct {
				Bytes float64 `json:"bytes"`
				Cache float64 `json:"cache_bytes"`
			}
			if err := p.Eval(`oniscope.engine()`, &engines); err != nil {
				return err
			}
			fmt.Fprintf(&b, "| 10 GB | memory of the tab: %s, %s | %.0f MB at most | engines %.0f MB, %.0f MB of it tiles |\n", name, duration(time.Since(begin).Seconds()), float64(peak)/1e6, engines.Bytes/1e6, engines.Cache/1e6)
			return nil
		}
		if err := step("opened", func() error {
			if err := p.Drop(path); err != nil {
				return err
			}
			return p.WaitDrawn(0)
		}); err != nil {
			return err
		}
		if err := p.Eval(`(async () => {
			globalThis.press = (key) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
			globalThis.id = (await oniscope.streams())[0];
			globalThis.run = (await oniscope.info(id)).duration_s;
		})()`, nil); err != nil {
			return err
		}
		for _, s := range memorySteps {
			if err := step(s.name, func() error {
				begin := fmt.Sprintf(`void (globalThis.done = "", Promise.resolve(%s).then(() => (globalThis.done = "yes"), (e) => (globalThis.done = String(e))))`, s.script)
				if err := p.Eval(begin, nil); err != nil {
					return err
				}
				if err := p.WaitFor(maxPageRound, "globalThis.done"); err != nil {
					return err
				}
				var done string
				if err := p.Eval("done", &done); err != nil || done != "yes" {
					return fmt.Errorf("%s, %w", done, err)
				}
				return p.WaitFor(maxPageRound, `document.documentElement.dataset.state === "ready"`)
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && float64(most) > maxTabBytes {
		err = errors.New("the tab takes too much memory")
	}
	return b.String(), err
}

// peakDuring looks at the memory of the tab twice a second.
func peakDuring(p *pagetest.Page, do func() error) (peak int64, err error) {
	ended := make(chan error, 1)
	go func() { ended <- do() }()
	for {
		bytes, err := p.Memory()
		if err != nil {
			return 0, errors.Join(err, <-ended)
		}
		peak = max(peak, bytes)
		select {
		case err := <-ended:
			return peak, err
		case <-time.After(500 * time.Millisecond):
		}
	}
}
