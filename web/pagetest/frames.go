package pagetest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/tracing"
	"github.com/chromedp/chromedp"
)

// A Frame is what the page's own thread had to do for one frame, since the one
// before it, in milliseconds: Script by the clock, which has the time in which other
// threads had the core; Wall with the styles and layouts after scripts; CPU is Wall
// without the time of others.
type Frame struct{ Script, Wall, CPU float64 }

// Events of a trace that are counted; what is in another is counted with it.
var (
	scripts = []string{"FunctionCall", "EvaluateScript", "RunMicrotasks", "MinorGC", "MajorGC"}
	layouts = []string{"UpdateLayoutTree", "Layout"}
)

// A traceEvent is one of Chromium's. Times are microseconds.
type traceEvent struct {
	Name  string  `json:"name"`
	Phase string  `json:"ph"`
	Pid   int     `json:"pid"`
	Tid   int     `json:"tid"`
	At    float64 `json:"ts"`
	Wall  float64 `json:"dur"`
	CPU   float64 `json:"tdur"`
}

// Frames watches the page for a while, and returns its frames. They come from the
// browser's own trace, so that nothing of the page is called for them.
func (p *Page) Frames(d time.Duration) ([]Frame, error) {
	ctx, stop := context.WithCancel(p.ctx)
	defer stop()
	var events []traceEvent
	var failed error
	done := make(chan struct{})
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *tracing.EventDataCollected:
			var some []traceEvent
			data, err := json.Marshal(e.Value)
			if err == nil {
				err = json.Unmarshal(data, &some)
			}
			failed = cmp.Or(failed, err)
			events = append(events, some...)
		case *tracing.EventTracingComplete:
			close(done)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("pagetest: %w", err)
	}
	if _, err := chromedp.Call(p.ctx, tracing.Start, tracing.StartParams{TraceConfig: &tracing.TraceConfig{IncludedCategories: []string{"devtools.timeline", "v8"}, ExcludedCategories: []string{"*"}}}); err != nil {
		return nil, fmt.Errorf("pagetest: %w", err)
	}
	time.Sleep(d)
	if _, err := chromedp.Call(p.ctx, tracing.End, cdp.Empty{}); err != nil {
		return nil, fmt.Errorf("pagetest: %w", err)
	}
	select {
	case <-done:
		return framesIn(events), failed
	case <-time.After(30 * time.Second):
		return nil, errors.New("pagetest: the browser's trace has no end")
	}
}

// framesIn finds the frames of a page's own thread, which is the one that has most.
func framesIn(events []traceEvent) []Frame {
	type thread struct{ pid, tid int }
	drawn := map[thread][]float64{} // when the frames of each were drawn
	for _, e := range events {
		if e.Name == "FireAnimationFrame" {
			of := thread{e.Pid, e.Tid}
			drawn[of] = append(drawn[of], e.At)
		}
	}
	var own thread
	for of, times := range drawn {
		if len(times) > len(drawn[own]) {
			own = of
		}
	}
	var ends []float64
	for _, e := range events {
		if e.Name == "AnimationFrame" && e.Phase == "e" && e.Pid == own.pid && e.Tid == own.tid {
			ends = append(ends, e.At)
		}
	}
	slices.Sort(ends)
	busy := slices.DeleteFunc(events, func(e traceEvent) bool {
		return e.Phase != "X" || e.Pid != own.pid || e.Tid != own.tid || !slices.Contains(scripts, e.Name) && !slices.Contains(layouts, e.Name)
	})
	slices.SortFunc(busy, func(a, b traceEvent) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(b.Wall, a.Wall)) })
	frames, end := make([]Frame, max(0, len(ends)-1)), 0.0
	for _, e := range busy {
		if e.At < end {
			continue // in the one before
		}
		end = e.At + e.Wall
		if i, _ := slices.BinarySearch(ends, e.At); i > 0 && i < len(ends) {
			frames[i-1].Wall += e.Wall / 1000
			if slices.Contains(scripts, e.Name) {
				frames[i-1].Script += e.Wall / 1000
			}
			frames[i-1].CPU += e.CPU / 1000
		}
	}
	return frames
}
