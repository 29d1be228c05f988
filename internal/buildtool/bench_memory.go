package buildtool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/oniscope/oniscope/web/pagetest"
)

// maxPageBytes is what page and workers may have in memory while 10 GB are opened,
// looked at and verified: objects of JavaScript, ArrayBuffers, and WebAssembly.
const maxPageBytes = 500e6

// memorySteps are what is done with the page, each until nothing is under way.
var memorySteps = []struct{ name, script string }{
	{"all channels", `press("a")`},
	{"along the run", `(async () => { for (let i = 0; i < 20; i++) await oniscope.view({ from: i * run / 20, to: i * run / 20 + 1 }); })()`},
	{"the whole run", `oniscope.view({ from: 0, to: run })`},
	{"zoomed in and out", `(async () => { for (let wide = run; wide > 0.05; wide /= 3) await oniscope.view({ from: run / 3, to: run / 3 + wide }); press("0"); await oniscope.view(); })()`},
	{"heat map", `(async () => { press("h"); await oniscope.view({ from: 0, to: run }); for (let wide = run; wide > 0.2; wide /= 4) await oniscope.view({ from: run / 2, to: run / 2 + wide }); press("h"); await oniscope.view(); })()`},
	{"all channels of the other signal", `(async () => { const other = document.querySelector('#streams [data-key$="LFP"] button'); other?.click(); await oniscope.view({ from: 0, to: run }); })()`},
	{"verify", `oniscope.verify(id)`},
}

// A memoryCase is a file and a window to look at it in.
type memoryCase struct {
	name string // BENCH chooses by it
	file pageFile
	view pagetest.View
}

var memoryCases = []memoryCase{
	{"10 GB", pageFiles[tenGB], pagetest.View{Width: 1600, Height: 1000}},
	{"1 536 channels", wideFile, pagetest.View{Width: 2560, Height: 1440}},
	{"1 536 channels at 200 %", wideFile, pagetest.View{Width: 1280, Height: 720, Scale: 2}},
}

// BenchMemory prints how much memory the page takes at most while 10 GB are opened,
// looked at in all ways and verified, and how much the process that it runs in: the
// browser's own code, pictures and copies too.
func BenchMemory() error {
	only, err := regexp.Compile(os.Getenv("BENCH"))
	if err != nil {
		return fmt.Errorf("BENCH: %w", err)
	}
	if err := Build(); err != nil {
		return err
	}
	if err := ensureChromium(); err != nil {
		return err
	}
	for _, c := range memoryCases {
		if !only.MatchString(c.name) {
			continue
		}
		err = errors.Join(err, tabMemory(c))
	}
	return err
}

// tabMemory prints rows of the table: the most memory in each step.
func tabMemory(c memoryCase) error {
	dir, err := root()
	if err != nil {
		return err
	}
	path, err := c.file.ensure(dir)
	if err != nil {
		return err
	}
	var most peak
	err = inPage(filepath.Join(dir, "web"), c.view, func(p *pagetest.Page) error {
		step := func(name string, do func() error) error {
			begin := time.Now()
			this, err := peakDuring(p, do)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			most.take(this)
			var engines struct {
				Cache float64 `json:"cache_bytes"`
			}
			if err := p.Eval(`oniscope.engine()`, &engines); err != nil {
				return err
			}
			fmt.Printf("| %s | memory: %s, %s | %v, %.0f MB of it tiles | the tab's process %.0f MB |\n", c.name, name, duration(time.Since(begin).Seconds()), this, engines.Cache/1e6, float64(this.process)/1e6)
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
	if err == nil && float64(most.page) > maxPageBytes {
		err = fmt.Errorf("%s: the page takes %.0f MB of memory, may take %.0f MB", c.name, float64(most.page)/1e6, maxPageBytes/1e6)
	}
	return err
}

// A peak is the most memory that there was, in bytes.
type peak struct {
	page    int64           // of page and workers together
	heaps   []pagetest.Heap // then
	process int64           // of the tab's process
}

func (p *peak) take(q peak) {
	if q.page > p.page {
		p.page, p.heaps = q.page, q.heaps
	}
	p.process = max(p.process, q.process)
}

// String says who has it: JavaScript's objects and ArrayBuffers, and WebAssembly.
func (p peak) String() string {
	var parts []string
	for _, h := range p.heaps {
		part := fmt.Sprintf("%s %.0f", strings.Replace(h.Name, ".worker.js", "", 1), float64(h.Script+h.Buffers)/1e6)
		if h.Wasm > 0 {
			part += fmt.Sprintf(" + %.0f", float64(h.Wasm)/1e6)
		}
		parts = append(parts, part)
	}
	return fmt.Sprintf("%.0f MB at most (%s)", float64(p.page)/1e6, strings.Join(parts, ", "))
}

// peakDuring looks at the memory of the page four times a second.
func peakDuring(p *pagetest.Page, do func() error) (most peak, err error) {
	ended := make(chan error, 1)
	go func() { ended <- do() }()
	for {
		heaps, err := p.Heaps()
		if err != nil {
			return peak{}, errors.Join(err, <-ended)
		}
		process, err := p.Memory()
		if err != nil {
			return peak{}, errors.Join(err, <-ended)
		}
		this := peak{heaps: heaps, process: process}
		for _, h := range heaps {
			this.page += h.Bytes()
		}
		most.take(this)
		select {
		case err := <-ended:
			return most, err
		case <-time.After(250 * time.Millisecond):
		}
	}
}
