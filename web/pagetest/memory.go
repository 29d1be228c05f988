package pagetest

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// workers are the workers of a page that were attached to.
type workers struct {
	mu   sync.Mutex
	list []worker
}

type worker struct {
	ctx  context.Context
	name string // end of its address
}

func (w *workers) add(ctx context.Context, url string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, worker{ctx, path.Base(url)})
}

func (w *workers) all() []worker {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]worker(nil), w.list...)
}

// A Heap is what the page or one of its workers has in memory, in bytes: what
// performance.measureUserAgentSpecificMemory counts, and garbage.
type Heap struct {
	Name    string // "page", or the end of the worker's address
	Script  int64  // JavaScript's objects
	Buffers int64  // ArrayBuffers, which are outside of its heap
	Wasm    int64  // memories of WebAssembly, which are neither
}

// Bytes is all of it.
func (h Heap) Bytes() int64 { return h.Script + h.Buffers + h.Wasm }

// Heaps returns what the page and its workers have in memory, without what the
// browser itself takes: its code, pictures, copies on their way.
func (p *Page) Heaps() ([]Heap, error) {
	one := func(ctx context.Context, name string) (Heap, error) {
		got, err := chromedp.Call(ctx, runtime.GetHeapUsage, struct{}{})
		if err != nil {
			return Heap{}, fmt.Errorf("pagetest: memory of %s: %w", name, err)
		}
		wasm, err := chromedp.Run(ctx, chromedp.Evaluate[float64](`globalThis.oniscopeHost?.memory?.() ?? 0`))
		return Heap{name, int64(got.UsedSize), int64(got.BackingStorageSize), int64(wasm)}, err
	}
	own, err := one(p.ctx, "page")
	if err != nil {
		return nil, err
	}
	list := []Heap{own}
	for _, w := range p.workers.all() {
		if h, err := one(w.ctx, w.name); err == nil { // else it has ended
			list = append(list, h)
		}
	}
	return list, nil
}

// CollectGarbage has the workers whose module has a name collect their garbage, if there
// are any yet.
func (p *Page) CollectGarbage(name string) error {
	for _, w := range p.workers.all() {
		if w.name != name {
			continue
		}
		if _, err := chromedp.Call(w.ctx, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
			return fmt.Errorf("pagetest: garbage of %s: %w", name, err)
		}
	}
	return nil
}

// Memory returns how many bytes the process of the tab has of its own: the heaps
// of JavaScript and WebAssembly of page and workers, and whatever else the browser
// keeps there. It is known on Linux only; elsewhere, or if there is no such process,
// it is an error.
func (p *Page) Memory() (int64, error) {
	browser := chromedp.FromContext(p.ctx).Browser.Process()
	if browser == nil {
		return 0, fmt.Errorf("pagetest: the process of the browser is not known")
	}
	parents, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		return 0, err
	}
	parent, own := map[int]int{}, map[int]int64{}
	for _, file := range parents {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		fields := map[string]string{}
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(line, ":")
			fields[name] = strings.TrimSpace(value)
		}
		pid, _ := strconv.Atoi(fields["Pid"])
		parent[pid], _ = strconv.Atoi(fields["PPid"])
		kilobytes, _ := strconv.ParseInt(strings.TrimSuffix(fields["RssAnon"], " kB"), 10, 64)
		own[pid] = kilobytes << 10
	}
	most := int64(0)
	for pid := range own {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil || !strings.Contains(string(line), "--type=renderer") {
			continue
		}
		for up := pid; up > 1; up = parent[up] {
			if up == browser.Pid {
				most = max(most, own[pid]) // the others are spare ones
			}
		}
	}
	if most == 0 {
		return 0, fmt.Errorf("pagetest: no process of a tab found below %d", browser.Pid)
	}
	return most, nil
}
