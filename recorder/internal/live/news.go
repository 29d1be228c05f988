package live

import (
	"path/filepath"

	"github.com/oniscope/oniscope/recorder/internal/acquire"
	"github.com/oniscope/oniscope/recorder/internal/run"
	"github.com/oniscope/oniscope/shared/stream"
)

// What a writer has sent of the hub.
type progress struct {
	streams int
	files   map[*file]int // blocks
	gaps    int
	status  *run.Snapshot
	ended   bool
}

// name names the run: no other on this address has its start.
func (h *Hub) name() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.begun.StartUTC
}

// hello is the first message, with the streams that there are.
func (h *Hub) hello(control bool, sent *progress) hello {
	h.mu.Lock()
	defer h.mu.Unlock()
	folder, err := filepath.Abs(h.begun.Dir)
	if err != nil {
		folder = h.begun.Dir
	}
	m := hello{Type: "hello", Version: stream.Version, Run: h.begun.StartUTC, Folder: folder, Suffix: h.begun.Suffix, StartUTC: h.begun.StartUTC,
		AcqClockHz: h.begun.AcqClockHz, Simulated: h.begun.Simulated, Control: control, Credits: maxCredits, Streams: []about{}}
	for _, src := range h.sources {
		m.Streams = append(m.Streams, src.about())
	}
	sent.streams = len(h.sources)
	return m
}

func (src *source) about() about {
	return about{Name: src.stream.Name, Title: src.stream.Title(), RateHz: acquire.RowRate(src.stream), Schema: src.head, File: src.files[0].name}
}

// news yields what a client has not got yet, and notes it as sent.
func (h *Hub) news(sent *progress, clients func() int) func(yield func(any) bool) {
	return func(yield func(any) bool) {
		for {
			m := h.one(sent, clients)
			if m == nil || !yield(m) {
				return
			}
		}
	}
}

// one is the next message of the news, nil if there is none.
func (h *Hub) one(sent *progress, clients func() int) any {
	h.mu.Lock()
	defer h.mu.Unlock()
	if sent.streams < len(h.sources) {
		sent.streams++
		return newStream{"stream", h.sources[sent.streams-1].about()}
	}
	for _, src := range h.sources {
		for _, f := range src.files {
			if from := sent.files[f]; from < len(f.blocks) {
				to := min(len(f.blocks), from+blocksAtOnce)
				sent.files[f] = to
				return newBatches(src.stream.Name, f.name, f.blocks[from:to])
			}
		}
	}
	if sent.gaps < len(h.lost) {
		g := &h.lost[sent.gaps]
		sent.gaps++
		return gap{"gap", g.Device, g.FirstClock, g.LastClock, g.Rows, string(g.Cause)}
	}
	if h.now != nil && h.now != sent.status {
		sent.status = h.now
		return status{"status", h.now, clients()}
	}
	if h.summary != nil && !sent.ended {
		sent.ended = true
		return ended{"end", h.summary}
	}
	return nil
}
