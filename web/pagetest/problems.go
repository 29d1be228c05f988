package pagetest

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// problems collects what no page may do, from the page and its workers.
type problems struct {
	mu   sync.Mutex
	seen []string
}

func (p *problems) add(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, fmt.Sprintf(format, args...))
}

// Problems returns console errors, uncaught exceptions, unhandled rejections,
// failed loads and requests that left the page's own origin.
func (p *Page) Problems() []string {
	p.problems.mu.Lock()
	defer p.problems.mu.Unlock()
	return append([]string(nil), p.problems.seen...)
}

// note sees every event of the page and of its workers, on the goroutine that
// reads from the browser: it must neither block nor call.
func (p *Page) note(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.problems.add("exception: %s", exceptionText(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "assert" {
			p.problems.add("console.%s: %s", e.Type, argumentsText(e.Args))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == "error" {
			p.problems.add("browser log: %s %s", e.Entry.Text, e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if !p.ownURL(e.Request.URL) {
			p.problems.add("request to a foreign origin: %s", e.Request.URL)
		}
	case *network.EventWebSocketCreated:
		if !p.ownURL(e.URL) {
			p.problems.add("websocket to a foreign origin: %s", e.URL)
		}
	}
}

func (p *Page) ownURL(address string) bool {
	socket := strings.Replace(p.origin, "http", "ws", 1)
	for _, prefix := range []string{p.origin + "/", socket + "/", "blob:" + p.origin + "/", "data:"} {
		if strings.HasPrefix(address, prefix) {
			return true
		}
	}
	return false
}

// followWorkers attaches to every worker of the page and to theirs, so that its console,
// exceptions and requests are seen too. Chromium repeats to a late listener
// what a worker's console has said since its start.
func (p *Page) followWorkers(of context.Context) {
	attached := chromedp.Events(of, target.AttachedToTarget)
	go func() {
		for event, err := range attached {
			if err != nil {
				return
			}
			if event.TargetInfo.Type == "worker" {
				ctx, cancel := chromedp.NewContext(p.ctx, chromedp.WithTargetID(event.TargetInfo.TargetID),
					chromedp.WithListener(p.note))
				context.AfterFunc(p.ctx, cancel)
				if err := chromedp.Do(ctx); err != nil && p.ctx.Err() == nil {
					p.problems.add("cannot attach to worker %s: %v", event.TargetInfo.URL, err)
				} else if err == nil {
					p.workers.add(ctx, event.TargetInfo.URL)
					p.followWorkers(ctx)
					flatten := true
					if _, err := chromedp.Call(ctx, target.SetAutoAttach, target.SetAutoAttachParams{AutoAttach: true, Flatten: &flatten}); err != nil && p.ctx.Err() == nil {
						p.problems.add("cannot attach to the workers of %s: %v", event.TargetInfo.URL, err)
					}
				}
			}
		}
	}()
}

func exceptionText(d *runtime.ExceptionDetails) string {
	if d.Exception != nil && d.Exception.Description != "" {
		return d.Text + " " + d.Exception.Description
	}
	return d.Text
}

func argumentsText(args []*runtime.RemoteObject) string {
	var words []string
	for _, a := range args {
		if a.Description != "" {
			words = append(words, a.Description)
		} else {
			words = append(words, string(a.Value))
		}
	}
	return strings.Join(words, " ")
}

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
