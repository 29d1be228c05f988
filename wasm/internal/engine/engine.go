// Package engine is what the page runs: it opens recordings through
// shared/recording and answers the requests of web/src/protocol.d.ts. One file
// an operation. It knows no JavaScript: the bridge in wasm converts, and native
// tests and benchmarks call it as it is.
//
// One thread: a request runs in its own goroutine, in steps of at most about
// 50 ms, between which the others, and the page's messages, get their turn
// (Engine.Breathe). A stream's reader serves one step at a time (openStream.mu).
package engine

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// An Engine has the opened streams of one page. The zero value works.
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
	strides    []int    // of the columns: rows from one value of a slower signal to the next, 1 of others
	subsample  []string // how each column stores a slower signal
	compressed bool

	closed atomic.Bool

	mu     sync.Mutex // one step at a time: guards all below
	reader *recording.Reader
	title  string
	hz     float64 // of the acquisition clock; 0 unknown
	clock  int     // index of column Clock, or -1: rows are ticks
	line   *timeline
	times  *recording.Times // known after index
	period float64          // ticks from row to row, known after index
	gaps   []recording.Gap  // known after index
	broken map[int]error    // batches that could not be read
	coarse *Envelope        // the last coarse answer, shown until the exact one is there
	asked  EnvelopeArgs     // what it answered
	whole  wholeBatch       // columns of the batch that a table looked at last
}

func (e *Engine) init() {
	e.once.Do(func() {
		e.cache = newColumnCache(maxCacheBytes)
		e.streams = map[string]*openStream{}
	})
}

// A State says what the engine uses and is. JSON as in protocol.d.ts.
type State struct {
	Bytes   int64  `json:"bytes"` // of memory
	Read    int64  `json:"read"`  // bytes, of all files since the start
	Version string `json:"version"`
}

// columns describes the columns of the stream.
func (s *openStream) columns() []stream.Column { return s.reader.Stream().Columns }

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
