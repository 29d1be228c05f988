// Command wasm is the engine of the page: it opens recordings through
// shared/recording and answers the requests of web/src/protocol.d.ts.
//
// One thread: a request runs in its own goroutine, in steps of at most about
// 50 ms, between which the others, and the page's messages, get their turn
// (Engine.breathe). A stream's reader serves one step at a time (openStream.mu).
// The *_js.go files only convert; everything that decides is plain Go.
package main

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// An Engine holds the opened streams of one page. The zero value works.
type Engine struct {
	Yield func()           // lets waiting messages in; nil: there are none
	Now   func() time.Time // paces progress messages; nil: no pacing, one a step

	once    sync.Once
	cache   *columnCache
	mu      sync.Mutex
	streams map[string]*openStream
}

// An openStream is one opened stream.
type openStream struct {
	id, path string
	size     int64
	source   io.ReaderAt

	perBatch   float64  // rows of a full batch, as the first has them
	subsample  []string // how each column stores a slower signal
	compressed bool

	closed atomic.Bool

	mu     sync.Mutex // one step at a time: guards all below
	reader *recording.Reader
	about  stream.Stream // the reader's, with what names and types settle
	title  string
	hz     float64 // of the acquisition clock; 0 unknown
	clock  int     // index of column Clock, or -1: rows are ticks
	line   *timeline
	period float64         // ticks from row to row, known after index
	gaps   []recording.Gap // known after index
	broken map[int]error   // batches that could not be read
	coarse *Envelope       // the last coarse answer, shown until the exact one is there
	asked  EnvelopeArgs    // what it answered
	whole  wholeBatch      // columns of the batch that a table looked at last
}

func (e *Engine) init() {
	e.once.Do(func() {
		e.cache = newColumnCache(maxCacheBytes)
		e.streams = map[string]*openStream{}
	})
}

// breathe ends a step: it lets others run and returns ctx's error, if any.
func (e *Engine) breathe(ctx context.Context) error {
	if e.Yield != nil {
		e.Yield()
	}
	return ctx.Err()
}

// stepLength is how long a step may take that can be ended anywhere.
const stepLength = 16 * time.Millisecond

// breather returns breathe for callers that offer to end a step thousands of
// times a second: it takes the offer when the step has been long enough.
func (e *Engine) breather(ctx context.Context) func() error {
	pace := e.pace(stepLength)
	return func() error {
		if !pace.due() {
			return nil
		}
		err := e.breathe(ctx)
		pace.restart() // what others did meanwhile is not our step
		return err
	}
}

// A pace lets progress messages through at most every interval.
type pace struct {
	now      func() time.Time
	interval time.Duration
	last     time.Time
}

func (e *Engine) pace(interval time.Duration) *pace {
	p := &pace{now: e.Now, interval: interval}
	p.restart()
	return p
}

func (p *pace) restart() {
	if p.now != nil {
		p.last = p.now()
	}
}

func (p *pace) due() bool {
	if p.now == nil {
		return true
	}
	now := p.now()
	if now.Sub(p.last) < p.interval {
		return false
	}
	p.last = now
	return true
}

// OpenProgress counts batch headers read, or, where a file is walked from its
// beginning, says how far. JSON as in protocol.d.ts.
type OpenProgress struct {
	Batches int   `json:"batches"`
	Of      int   `json:"of"`    // 0: unknown
	Bytes   int64 `json:"bytes"` // read
	At      int64 `json:"at"`    // bytes from the start of the file
	Size    int64 `json:"size"`
}

// Open opens the stream in source. name is the file's name; the id of the
// stream is the name without extension, with #2 behind it if that is taken.
// Streams and files without a footer are walked from batch to batch, of which
// progress tells.
func (e *Engine) Open(ctx context.Context, source io.ReaderAt, size int64, name string, progress func(OpenProgress)) (*StreamInfo, error) {
	e.init()
	tell := e.paced(func(p SliceProgress) {
		if progress != nil {
			progress(OpenProgress{At: p.Done, Size: p.Total})
		}
	})
	reader, err := e.reader(ctx, source, size, tell)
	if err != nil {
		return nil, err
	}
	s := &openStream{path: name, size: size, source: source, reader: reader, clock: -1, broken: map[int]error{}}
	s.about = *reader.Stream()
	s.about.Columns = append([]stream.Column(nil), s.about.Columns...)
	s.title = s.about.Complete()
	s.hz = float64(s.about.AcqClockHz)
	var timed bool
	if s.clock, timed = s.about.Clock(); !timed {
		s.hz = 0 // of a clock that is not in the file
	}
	if err := s.measure(); err != nil {
		return nil, err
	}
	s.line = newTimeline(reader.NumBatches(), s.readEnds)
	if err := e.breathe(ctx); err != nil {
		return nil, err
	}
	info, err := s.info() // reads the first and last ticks
	if err != nil {
		return nil, err
	}

	e.mu.Lock()
	defer e.mu.Unlock()
	stem := strings.TrimSuffix(path.Base(name), path.Ext(name))
	s.id = stem
	for n := 2; e.streams[s.id] != nil; n++ {
		s.id = fmt.Sprintf("%s#%d", stem, n)
	}
	e.streams[s.id] = s
	info.ID = s.id
	return info, nil
}

// reader opens a file in steps. tell may be nil.
func (e *Engine) reader(ctx context.Context, source io.ReaderAt, size int64, tell func(done, total int64)) (*recording.Reader, error) {
	r, err := recording.Open(ahead(source, size), size, recording.OpenOptions{Yield: e.breather(ctx), Progress: tell})
	if err != nil {
		return nil, cancelled(ctx, err)
	}
	return r, nil
}

// Close forgets a stream; requests for it that are under way end by
// themselves.
func (e *Engine) Close(id string) error {
	s, err := e.stream("close", id)
	if err != nil {
		return err
	}
	e.mu.Lock()
	delete(e.streams, id)
	e.mu.Unlock()
	s.closed.Store(true)
	e.cache.forget(s)
	return nil
}

func (e *Engine) stream(op, id string) (*openStream, error) {
	e.init()
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.streams[id]
	if s == nil {
		return nil, &ArgumentError{op, fmt.Sprintf("no open stream %q", id)}
	}
	return s, nil
}
