package engine

import (
	"context"
	"fmt"
	"io"

	"github.com/oniscope/oniscope/shared/recording"
)

// OpenProgress counts batch headers read, or, where a file is walked from its
// beginning, says how far. JSON as in protocol.d.ts.
type OpenProgress struct {
	Batches int   `json:"batches"`
	Of      int   `json:"of"`    // 0: unknown
	Bytes   int64 `json:"bytes"` // read
	At      int64 `json:"at"`    // bytes from the start of the file
	Size    int64 `json:"size"`
}

// OpenArgs name what is opened. JSON as in protocol.d.ts, where source is the
// bridge's.
type OpenArgs struct {
	Stream string `json:"stream"` // its id from now on: the page's choice, and not that of an open stream
	Name   string `json:"name"`   // of the file
}

// Open opens the stream in source, which has size bytes. Streams and files
// without a footer are walked from batch to batch; progress says how far.
func (e *Engine) Open(ctx context.Context, a OpenArgs, source io.ReaderAt, size int64, progress func(OpenProgress)) (*StreamInfo, error) {
	tell := e.paced(func(p SliceProgress) {
		if progress != nil {
			progress(OpenProgress{At: p.Done, Size: p.Total})
		}
	})
	return e.openAs(ctx, a, source, size, func() (*recording.Reader, error) { return e.reader(ctx, source, size, nil, tell) })
}

// openAs opens a stream by the reader that read returns.
func (e *Engine) openAs(ctx context.Context, a OpenArgs, source io.ReaderAt, size int64, read func() (*recording.Reader, error)) (*StreamInfo, error) {
	e.init()
	if a.Stream == "" || a.Name == "" {
		return nil, &ArgumentError{"open", "stream must be an id, and name the name of the file"}
	}
	if err := e.claim(a.Stream); err != nil {
		return nil, err
	}
	s, info, err := e.open(ctx, a, source, size, read)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		delete(e.streams, a.Stream)
		return nil, err
	}
	e.streams[a.Stream] = s
	return info, nil
}

// claim takes an id for a stream that is being opened.
func (e *Engine) claim(id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, taken := e.streams[id]; taken {
		return &ArgumentError{"open", fmt.Sprintf("stream %q is open already", id)}
	}
	e.streams[id] = nil
	return nil
}

func (e *Engine) open(ctx context.Context, a OpenArgs, source io.ReaderAt, size int64, read func() (*recording.Reader, error)) (*openStream, *StreamInfo, error) {
	reader, err := read()
	if err != nil {
		return nil, nil, err
	}
	s := &openStream{id: a.Stream, path: a.Name, size: size, source: source, reader: reader, clock: -1, broken: map[int]error{}}
	about := reader.Stream()
	s.title, s.hz = about.Title(), float64(about.AcqClockHz)
	var timed bool
	if s.clock, timed = about.Clock(); !timed {
		s.hz = 0 // of a clock that is not in the file
	}
	if err := s.measure(ctx); err != nil {
		return nil, nil, err
	}
	s.line = newTimeline(s.numBlocks(), s.readEnds)
	if err := e.firstEnds(ctx, s); err != nil {
		return nil, nil, err
	}
	if err := e.Breathe(ctx); err != nil {
		return nil, nil, err
	}
	info, err := s.info() // reads the first and last ticks
	if err != nil {
		return nil, nil, err
	}
	return s, info, nil
}

// reader opens a file in steps, by an index if there is one. tell may be nil.
func (e *Engine) reader(ctx context.Context, source io.ReaderAt, size int64, index []recording.Block, tell func(done, total int64)) (*recording.Reader, error) {
	r, err := recording.Open(e.inSteps(ctx), ahead(source, size), size, &recording.Options{Progress: tell, Index: index})
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

// followedAtOnce is how many rows a stream may have whose Clock is followed before
// anything of it is shown, where its ends say that it does not rise.
const followedAtOnce = 1 << 17

// firstEnds looks at the first tick and the last, which say what places are counted
// from, and whether Clock begins anew.
func (e *Engine) firstEnds(ctx context.Context, s *openStream) error {
	n := s.numBlocks()
	if s.clock < 0 || n == 0 {
		return nil
	}
	first, end, err := s.blockEnds(0)
	_, last, lastErr := s.blockEnds(n - 1)
	for _, err := range []error{err, lastErr} {
		if err != nil && !damaged(err) {
			return err
		}
	}
	if err == nil {
		s.origin = e.originOf(first)
	}
	if rows, _ := s.reader.Rows(); err == nil && lastErr == nil && end <= last || rows > followedAtOnce {
		return nil
	}
	if err := e.indexAll(ctx, s, nil); err != nil {
		return err
	}
	if err := e.followClock(ctx, s); err != nil {
		return err
	}
	if s.origin == 0 && len(s.times.Segments) > 0 {
		if s.origin = e.originOf(s.times.Segments[0].ClockFirst); s.origin > 0 {
			e.layOut(s)
		}
	}
	return nil
}
