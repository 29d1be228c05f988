// Package pagetest drives the page in a real headless Chromium: it drops files
// with real drop events, waits for the page's own signals (spec: data-state,
// data-drawn), asks it through its scripting interface, and collects whatever
// goes wrong on the way.
//
// The tests of this package, the picture in README and the measurement of the
// time from drop to traces all use it.
package pagetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/chromedp/chromedp"
)

// ErrNoChromium says that there is no browser to run the page in.
var ErrNoChromium = errors.New("pagetest: no Chromium found: install it with `apt-get install chromium`, or name the binary in ONISCOPE_CHROMIUM")

// FindChromium returns the path of the browser: ONISCOPE_CHROMIUM, or the
// first usual name on the PATH. It returns ErrNoChromium if there is none.
func FindChromium() (string, error) {
	if path := os.Getenv("ONISCOPE_CHROMIUM"); path != "" {
		return path, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoChromium
}

// ErrNoFirefox says that there is no Firefox to run the page in.
var ErrNoFirefox = errors.New("pagetest: no Firefox found: install it with `apt-get install firefox-esr`, or name the binary in ONISCOPE_FIREFOX")

// FindFirefox returns the path of Firefox: ONISCOPE_FIREFOX, or the first usual
// name on the PATH. It returns ErrNoFirefox if there is none.
func FindFirefox() (string, error) {
	if path := os.Getenv("ONISCOPE_FIREFOX"); path != "" {
		return path, nil
	}
	for _, name := range []string{"firefox-esr", "firefox"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoFirefox
}

// A Browser is one running Chromium with an empty profile of its own.
type Browser struct {
	ctx     context.Context
	cancels []context.CancelFunc
	profile string
}

// Start runs Chromium headless until Close or until ctx ends.
func Start(ctx context.Context) (*Browser, error) {
	path, err := FindChromium()
	if err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp("", "oniscope-chromium-")
	if err != nil {
		return nil, fmt.Errorf("pagetest: %w", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(profile),
		chromedp.NoSandbox, // Debian's Chromium needs it as root
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-gpu", true),
	)
	b := &Browser{profile: profile}
	allocator, cancelAllocator := chromedp.NewExecAllocator(ctx, options...)
	browser, cancelBrowser := chromedp.NewContext(allocator, chromedp.WithErrorf(ignoreDetached))
	b.ctx, b.cancels = browser, []context.CancelFunc{cancelBrowser, cancelAllocator}
	if err := chromedp.Do(browser); err != nil {
		b.Close()
		return nil, fmt.Errorf("pagetest: starting %s: %w", path, err)
	}
	return b, nil
}

// Close ends the browser and removes its profile.
func (b *Browser) Close() {
	for _, cancel := range b.cancels {
		cancel()
	}
	os.RemoveAll(b.profile)
}

// Show opens an address in a Chromium that nobody debugs, as people's: a debugger
// asks of every script and request, which takes longer than they do. What the page
// does it has to tell its server. The browser ends with stop.
func Show(address string, v View) (stop func(), err error) {
	path, err := FindChromium()
	if err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp("", "oniscope-chromium-")
	if err != nil {
		return nil, fmt.Errorf("pagetest: %w", err)
	}
	browser := exec.Command(path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-component-update", "--disable-background-networking", "--no-first-run",
		fmt.Sprintf("--window-size=%d,%d", v.Width, v.Height), "--user-data-dir="+profile, address)
	if err := browser.Start(); err != nil {
		os.RemoveAll(profile)
		return nil, fmt.Errorf("pagetest: starting %s: %w", path, err)
	}
	return func() {
		_ = browser.Process.Kill()
		_ = browser.Wait()
		os.RemoveAll(profile)
	}, nil
}

// ignoreDetached drops chromedp's own messages about targets that closed while
// an event was on its way; what concerns the page arrives as events.
func ignoreDetached(string, ...any) {}
