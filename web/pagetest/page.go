package pagetest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

// View is the window that a page is opened in.
type View struct {
	Width, Height int // CSS pixels
	Light         bool
	Scale         float64 // device pixels in one of CSS; 0: 1
}

// A Page is one tab in a browser context of its own: nothing is shared with
// other pages but the browser.
type Page struct {
	ctx       context.Context
	cancel    context.CancelFunc
	origin    string
	downloads string
	problems  problems
	workers   workers
}

// Open loads url, which must lie below the own origin, and waits until the
// page says that it is ready for files.
func (b *Browser) Open(url string, v View) (*Page, error) {
	p := &Page{origin: originOf(url)}
	p.ctx, p.cancel = chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.note))
	if err := p.open(url, v); err != nil {
		p.Close()
		return nil, fmt.Errorf("pagetest: opening %s: %w", url, err)
	}
	return p, nil
}

func (p *Page) open(url string, v View) error {
	var err error
	if p.downloads, err = os.MkdirTemp("", "oniscope-downloads-"); err != nil {
		return err
	}
	scheme := "dark"
	if v.Light {
		scheme = "light"
	}
	if err := chromedp.Do(p.ctx, chromedp.EmulateViewport(int64(v.Width), int64(v.Height), chromedp.EmulateScale(max(1, v.Scale)))); err != nil {
		return err
	}
	p.followWorkers(p.ctx)
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	}); err != nil {
		return err
	}
	if _, err := chromedp.Call(p.ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: stopwatch}); err != nil {
		return err
	}
	if _, err := chromedp.CallBrowser(p.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior:         browser.SetDownloadBehaviorBehaviorAllow,
		BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID,
		DownloadPath:     p.downloads,
	}); err != nil {
		return err
	}
	if err := chromedp.Do(p.ctx, chromedp.Navigate(url)); err != nil {
		return err
	}
	return p.WaitFor(20*time.Second, `!!globalThis.oniscope && !!document.documentElement.dataset.state`)
}

// Close closes the tab and removes what it downloaded.
func (p *Page) Close() {
	p.cancel()
	if p.downloads != "" {
		os.RemoveAll(p.downloads)
	}
}

// stopwatch notes in the page when files were dropped and when a redraw with
// final data came onto the screen, in milliseconds of the page's own clock.
const stopwatch = `
globalThis.stopwatch = {dropped: 0, drawn: 0, count: 0};
addEventListener("drop", () => { stopwatch.dropped = performance.now(); stopwatch.drawn = 0; }, true);
new MutationObserver(() => {
  const count = Number(document.documentElement.dataset.drawn || 0);
  if (count === stopwatch.count) return;
  stopwatch.count = count;
  if (stopwatch.dropped && !stopwatch.drawn) stopwatch.drawn = performance.now();
}).observe(document, {subtree: true, attributes: true, attributeFilter: ["data-drawn"]});
`

// Drop drops files on the middle of the page with a real drop event, so that
// the page gets File objects backed by the disk.
func (p *Page) Drop(paths ...string) error {
	for i, path := range paths {
		abs, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		paths[i] = abs
	}
	var middle struct {
		X float64 `json:"x"`
		Y float64 `json:"y"`
	}
	if err := p.Eval(`({x: innerWidth/2, y: innerHeight/2})`, &middle); err != nil {
		return err
	}
	data := &input.DragData{Items: []*input.DragDataItem{}, Files: paths, DragOperationsMask: 1}
	for _, kind := range []input.DispatchDragEventType{"dragEnter", "dragOver", "drop"} {
		event := input.DispatchDragEventParams{Type: kind, X: middle.X, Y: middle.Y, Data: data}
		if _, err := chromedp.Call(p.ctx, input.DispatchDragEvent, event); err != nil {
			return fmt.Errorf("pagetest: %s: %w", kind, err)
		}
	}
	return nil
}

// Drawn returns the number of redraws with final data so far.
func (p *Page) Drawn() (int, error) {
	var n int
	err := p.Eval(`Number(document.documentElement.dataset.drawn || 0)`, &n)
	return n, err
}

// WaitDrawn waits until the page is ready and more than n redraws with final
// data have been on the screen.
func (p *Page) WaitDrawn(n int) error {
	return p.WaitFor(30*time.Second, fmt.Sprintf(
		`document.documentElement.dataset.state === "ready" && Number(document.documentElement.dataset.drawn || 0) > %d`, n))
}

// WaitState waits until data-state has the given value.
func (p *Page) WaitState(state string) error {
	return p.WaitFor(30*time.Second, fmt.Sprintf(`document.documentElement.dataset.state === %q`, state))
}

// WaitFor waits until the JavaScript expression is true.
func (p *Page) WaitFor(limit time.Duration, condition string) error {
	deadline := time.Now().Add(limit)
	for {
		var ok bool
		if err := p.Eval(`!!(`+condition+`)`, &ok); err != nil {
			return err
		}
		if ok {
			return nil
		}
		if time.Now().After(deadline) {
			var root string
			_ = p.Eval(`JSON.stringify(document.documentElement.dataset)`, &root)
			return fmt.Errorf("pagetest: not so after %v: %s (root %s; %v)", limit, condition, root, p.Problems())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Eval evaluates a JavaScript expression, waits for its promise if it is one,
// and stores what it gives, as JSON, in result (nil: not wanted).
func (p *Page) Eval(expression string, result any) error {
	ctx, cancel := context.WithTimeout(p.ctx, 60*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](
		`(async () => JSON.stringify((await (`+expression+`)) ?? null))()`, chromedp.EvalAwaitPromise))
	if err != nil {
		return fmt.Errorf("pagetest: %.200s: %w", expression, err)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal([]byte(text), result)
}

// EvalIn evaluates an expression in the workers whose module has a name, such as
// painter.worker.js.
func (p *Page) EvalIn(name, expression string) error {
	found := false
	for _, w := range p.workers.all() {
		if w.name != name {
			continue
		}
		found = true
		if _, err := chromedp.Run(w.ctx, chromedp.Evaluate[bool](`(`+expression+`, true)`)); err != nil {
			return fmt.Errorf("pagetest: %.200s in %s: %w", expression, name, err)
		}
	}
	if !found {
		return fmt.Errorf("pagetest: no worker %s", name)
	}
	return nil
}

// Rejection evaluates an expression whose promise must reject, and returns the
// error's name and message. A promise that is kept is an error here.
func (p *Page) Rejection(expression string) (name, message string, err error) {
	var got struct {
		Kept    bool   `json:"kept"`
		Name    string `json:"name"`
		Message string `json:"message"`
	}
	err = p.Eval(`(async () => { try { await (`+expression+`); return {kept: true}; }
		catch (e) { return {kept: false, name: String(e && e.name), message: String(e && e.message)}; } })()`, &got)
	if err == nil && got.Kept {
		err = fmt.Errorf("pagetest: %s: did not reject", expression)
	}
	return got.Name, got.Message, err
}

// Bytes evaluates an expression that gives a Blob or a typed array, and
// returns its bytes.
func (p *Page) Bytes(expression string) ([]byte, error) {
	var text string
	err := p.Eval(`(async () => {
		const value = await (`+expression+`);
		const blob = value instanceof Blob ? value : new Blob([value]);
		return new Promise((resolve, reject) => {
			const reader = new FileReader();
			reader.onload = () => resolve(String(reader.result).split(",")[1] ?? "");
			reader.onerror = () => reject(reader.error);
			reader.readAsDataURL(blob);
		});
	})()`, &text)
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(text)
}

// Busy is how long the page's own thread has run scripts since it was opened,
// and how long it has made styles and layouts, in seconds.
func (p *Page) Busy() (scripts, layouts float64, err error) {
	if _, err := chromedp.Call(p.ctx, performance.Enable, performance.EnableParams{}); err != nil {
		return 0, 0, fmt.Errorf("pagetest: %w", err)
	}
	got, err := chromedp.Call(p.ctx, performance.GetMetrics, struct{}{})
	if err != nil {
		return 0, 0, fmt.Errorf("pagetest: %w", err)
	}
	for _, metric := range got.Metrics {
		switch metric.Name {
		case "ScriptDuration":
			scripts += metric.Value
		case "LayoutDuration", "RecalcStyleDuration":
			layouts += metric.Value
		}
	}
	return scripts, layouts, nil
}

// Screenshot writes what the window shows to a PNG file.
func (p *Page) Screenshot(path string) error {
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return fmt.Errorf("pagetest: screenshot: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, png, 0o644)
}

// Context is for chromedp's own actions, such as keys and mouse.
func (p *Page) Context() context.Context { return p.ctx }

// WaitDownload waits until a file whose name ends in suffix has been saved by
// the page completely, and returns its path.
func (p *Page) WaitDownload(suffix string) (string, error) {
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		found, err := filepath.Glob(filepath.Join(p.downloads, "*"+suffix))
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			return found[0], nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	names, _ := filepath.Glob(filepath.Join(p.downloads, "*"))
	return "", fmt.Errorf("pagetest: no download *%s; there is %v (%v)", suffix, names, p.Problems())
}

// WaitQuiet waits until nothing has been redrawn for half a second.
func (p *Page) WaitQuiet() error {
	last, since := -1, time.Now()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		n, err := p.Drawn()
		if err != nil {
			return err
		}
		if n != last {
			last, since = n, time.Now()
		} else if time.Since(since) > 500*time.Millisecond {
			return nil
		}
	}
	return fmt.Errorf("pagetest: the page redraws without end")
}
