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
	"cmp"
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

	// Sums does jobs of the kernel on what a stream was opened from; nil: everything
	// is summed here.
	Sums func(source io.ReaderAt, jobs []SumJob) error

	// SumHere has the kernel sum values that are in memory here, of one of its types:
	// bins of 2^level rows to results, which has room for all; nil: Go sums them.
	SumHere func(kind KernelKind, data []byte, rows, level int, results []byte)

	Store Store // keeps what whole runs look like; nil: nothing is kept

	CacheBytes int64 // of what is kept of the files; 0: 256 MB

	once    sync.Once
	cache   *cache
	tiles   sync.Mutex // guards what is in the tiles of the cache
	mu      sync.Mutex
	streams map[string]*openStream
	origin  uint64 // of ticks that are too large for floating point; see originOf
}

// An openStream is one opened stream.
type openStream struct {
	id, path string
	size     int64
	source   io.ReaderAt

	perBatch   float64               // rows of a full block, as the first has them
	perStored  float64               // rows of a full batch
	blocks     []recording.BatchRows // nil: the batches
	strides    []int                 // of the columns: rows from one value of a slower signal to the next, 1 of others
	subsample  []string              // how each column stores a slower signal
	compressed bool

	closed  atomic.Bool
	growing bool // the file is being written
	given   bool // its times are those of another engine

	kept keeping // of its file from visit to visit

	mu     sync.Mutex // one step at a time: guards all below
	reader *recording.Reader
	title  string
	hz     float64 // of the acquisition clock; 0 unknown
	clock  int     // index of column Clock, or -1: rows are ticks
	line   *timeline
	times  *recording.Times    // known after index
	axis   recording.Axis      // known after index; before, and where Clock rises, places are ticks
	origin uint64              // that ticks are counted from; 0, or above what floating point has
	period float64             // ticks from row to row, known after index
	gaps   []recording.Gap     // known after index
	broken map[int]error       // blocks that could not be read
	odd    map[int]bool        // blocks that are read whole: their Clock is not as its ends say
	ends   map[int]endsOfBlock // of those that were asked for, of batches that are cut
	proved []recording.Finding // what Verify found; nil before it
	coarse *Envelope           // the last coarse answer, shown until the exact one is there
	asked  EnvelopeArgs        // what it answered
	whole  wholeBatch          // columns of the batch that a table looked at last
}

func (e *Engine) init() {
	e.once.Do(func() {
		e.cache = newCache(cmp.Or(e.CacheBytes, defaultCacheBytes))
		e.streams = map[string]*openStream{}
	})
}

// A State says what the engine uses and is. JSON as in protocol.d.ts.
type State struct {
	Bytes   int64  `json:"bytes"` // of memory
	Read    int64  `json:"read"`  // bytes, of all files since the start
	Version string `json:"version"`

	CacheBytes int64 `json:"cache_bytes"` // of memory: what is kept of the files
	CacheLimit int64 `json:"cache_limit"` // how much that may become
}

// Kept is the part of State that the engine itself knows.
func (e *Engine) Kept() State {
	e.init()
	return State{Version: stream.Version, CacheBytes: e.cache.size(), CacheLimit: e.cache.limit}
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
