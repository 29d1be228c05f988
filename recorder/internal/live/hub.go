// Package live serves a recording while it is made: the page, the files as far as
// they are written, what comes at this moment, and the state.
//
//	store ---- where batches are ----> Hub ---> websocket: texts, never lost
//	decoder -- tap --> pieces --------> Hub ---> websocket: rows, droppable
//	files <--- ranges ------------------------- /files/NAME.arrow, /live/NAME.arrows
//
// The files are the buffer: what was recorded is read from them, however far back,
// and nothing of it is kept here but where each batch is. Only the last instant
// comes from the decoder. Goroutines of the recording copy into memory of fixed
// size and go on; where there is no room, what is shown is skipped, and counted,
// and never what is recorded. A client that does not read costs one message of
// each stream that it looks at, and is closed after a while with a reason.
package live

import (
	"bytes"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/oniscope/oniscope/recorder/internal/run"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A Hub follows a run and tells those who look. It is a run.Listener. NewHub, then
// Close.
type Hub struct {
	pieces  chan *piece
	slabs   chan []byte  // spare
	held    atomic.Int64 // bytes of pieces that are under way
	decoded decoded
	taps    atomic.Pointer[map[*stream.Stream]*source]
	end     chan struct{}
	ending  sync.Once
	sharing sync.WaitGroup

	mu      sync.Mutex // guards what follows; nobody waits for anything while holding it
	begun   run.Begun
	sources []*source
	now     *run.Snapshot
	lost    []recording.GapRecord
	summary *store.Summary // nil until all files are complete
	changed chan struct{}  // closed when something changes
}

// A source is one stream of the run.
type source struct {
	stream   *stream.Stream
	head     []byte // its schema, as an Arrow IPC message
	fileHead []byte // what its files begin with
	tap      tap

	files []*file // guarded by Hub.mu
}

// A file is one part of a stream. Guarded by Hub.mu.
type file struct {
	name   string
	blocks []recording.Block // only ever appended to
	size   int64             // to the end of the last whole batch, or of the schema
}

// NewHub returns a hub for one run.
func NewHub() *Hub {
	h := &Hub{pieces: make(chan *piece, maxPieces), slabs: make(chan []byte, spareSlabs), end: make(chan struct{}), changed: make(chan struct{})}
	h.taps.Store(&map[*stream.Stream]*source{})
	h.sharing.Go(h.share)
	return h
}

// Close ends what the hub does beside.
func (h *Hub) Close() {
	h.ending.Do(func() { close(h.end) })
	h.sharing.Wait()
}

// Begun is called by the run.
func (h *Hub) Begun(b run.Begun) {
	h.change(func() { h.begun = b })
}

// Opened is called by the run.
func (h *Hub) Opened(s *stream.Stream, name string) {
	src := &source{stream: s, head: beginning(s, recording.StreamFormat), fileHead: beginning(s, recording.FileFormat)}
	src.files = []*file{{name: name, size: int64(len(src.fileHead))}}
	src.tap.skipped = &atomic.Uint64{}
	h.change(func() {
		h.sources = append(h.sources, src)
		taps := maps.Clone(*h.taps.Load())
		taps[s] = src
		h.taps.Store(&taps)
	})
}

// beginning is what a stream or a file of s begins with.
func beginning(s *stream.Stream, f recording.Format) []byte {
	var m message
	if _, err := recording.NewWriter(&m, s, recording.WriterOptions{Format: f}); err != nil {
		return nil
	}
	return bytes.Clone(m.data)
}

// Written is called by the run.
func (h *Hub) Written(stream, name string, block recording.Block) {
	h.change(func() {
		for _, src := range h.sources {
			if src.stream.Name != stream {
				continue
			}
			f := src.files[len(src.files)-1]
			if f.name != name {
				f = &file{name: name}
				src.files = append(src.files, f)
			}
			f.blocks = append(f.blocks, block)
			f.size = block.Offset + block.Length
		}
	})
}

// Status is called by the run.
func (h *Hub) Status(s *run.Snapshot, lost []recording.GapRecord) {
	h.change(func() { h.now, h.lost = s, lost })
}

// Ended is called by the run.
func (h *Hub) Ended(s *store.Summary) {
	h.change(func() { h.summary = s })
}

// change changes what others see, and wakes them.
func (h *Hub) change(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
	close(h.changed)
	h.changed = make(chan struct{})
}

// next is closed with the next change.
func (h *Hub) next() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.changed
}

// find returns the stream of a name, nil if there is none.
func (h *Hub) find(name string) *source {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.sources, func(s *source) bool { return s.stream.Name == name })
	if i < 0 {
		return nil
	}
	return h.sources[i]
}

// wait returns true once f, with mu, is true; false if one of the ends comes before.
func (h *Hub) wait(f func() bool, ends ...<-chan struct{}) bool {
	for {
		h.mu.Lock()
		yes, changed := f(), h.changed
		h.mu.Unlock()
		if yes {
			return true
		}
		var end [2]<-chan struct{} // nil: never
		copy(end[:], ends)
		select {
		case <-changed:
		case <-end[0]:
			return false
		case <-end[1]:
			return false
		case <-h.end:
			return false
		}
	}
}

// awaitBegin waits until it is known which run this is.
func (h *Hub) awaitBegin(ends ...<-chan struct{}) bool {
	return h.wait(func() bool { return h.begun.StartUTC != "" }, ends...)
}

// awaitStream waits until a stream is there, or all those are that a run begins with:
// its state is known after them.
func (h *Hub) awaitStream(name string, ends ...<-chan struct{}) bool {
	return h.wait(func() bool {
		return h.now != nil || h.summary != nil || slices.ContainsFunc(h.sources, func(s *source) bool { return s.stream.Name == name })
	}, ends...)
}

// await returns a stream once it is there, nil if the end comes before.
func (h *Hub) await(name string, end <-chan struct{}) *source {
	h.wait(func() bool {
		return slices.ContainsFunc(h.sources, func(s *source) bool { return s.stream.Name == name })
	}, end)
	return h.find(name)
}

// names are those of all streams.
func (h *Hub) names() (names []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sources {
		names = append(names, s.stream.Name)
	}
	return names
}

// part returns the blocks of a stream's file from one on, and whether the stream
// goes on in a further file.
func (h *Hub) part(src *source, number, from int) (name string, blocks []recording.Block, more, ended bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := src.files[number]
	return f.name, f.blocks[from:len(f.blocks):len(f.blocks)], number+1 < len(src.files), h.summary != nil
}
