package engine

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
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
	s.about = reader.Stream()
	s.about.Columns = append([]stream.Column(nil), s.about.Columns...)
	s.title = s.about.Title()
	s.hz = float64(s.about.AcqClockHz)
	var timed bool
	if s.clock, timed = s.about.Clock(); !timed {
		s.hz = 0 // of a clock that is not in the file
	}
	if err := s.measure(); err != nil {
		return nil, err
	}
	s.line = newTimeline(reader.NumBatches(), s.readEnds)
	if err := e.Breathe(ctx); err != nil {
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
	r, err := recording.Open(e.inSteps(ctx), ahead(source, size), size, &recording.Options{Progress: tell})
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
