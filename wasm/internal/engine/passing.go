package engine

import (
	"sync"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// What is read to be verified, recovered or saved is summed up in passing: the engine that
// does it makes tiles of it, and the one that draws keeps them, so that afterwards what was
// read is seen without reading it again: after a verification or a recovery the whole run.

// The tiles are fine enough for a whole run in so many pixels, if all of them have
// room in half of what may be kept; else coarser.
const passingPixels = 4096

// passingBytes is how many bytes are passed on at once.
const passingBytes = 1 << 20

// A passing makes tiles of the columns that it is shown.
type passing struct {
	engine *Engine
	stream *openStream
	level  int
	send   func(data []byte)

	mu   sync.Mutex
	open map[int64][]someTiles // of batches, by their place in the file, not known to be intact
	out  []byte
}

// passing makes tiles of what a watcher sees of a stream, and passes them to send; flush
// passes on the last of them. The watcher sees nothing if nobody wants tiles, or they
// would be too many. Of a batch that is cut into blocks none are made.
func (e *Engine) passing(s *openStream, send func(data []byte)) (w recording.Watcher, flush func()) {
	p := e.newPassing(s, send)
	if p == nil {
		return w, func() {}
	}
	return recording.Watcher{Look: p.look, Intact: p.intact}, p.flush
}

func (e *Engine) newPassing(s *openStream, send func(data []byte)) *passing {
	s.mu.Lock()
	defer s.mu.Unlock()
	if send == nil || s.blocks != nil || s.numBlocks() == 0 {
		return nil
	}
	columns := int64(0)
	for i := range s.columns() {
		if s.passes(i) {
			columns++
		}
	}
	rows, _ := s.reader.Rows()
	level, top := max(minTileLevel, tileLevel(float64(rows)/passingPixels)), s.topLevel()
	for level = min(level, top); ; level++ {
		bins := int64(binsIn(int(s.perBatch), level)) * int64(s.numBlocks())
		if bins*columns*tileBinBytes <= e.cache.limit/2 {
			return &passing{engine: e, stream: s, level: level, send: send, open: map[int64][]someTiles{}}
		}
		if level == top {
			return nil
		}
	}
}

// passes reports whether tiles of a column are made in passing: of numbers, but for
// bits and the Clock.
func (s *openStream) passes(column int) bool {
	t := s.columns()[column].Type
	return column != s.clock && t.Numeric() && t != stream.Bool
}

// look takes a column of the batch at a place in the file. Those with nulls are left
// out: to sum them takes as long as to check them.
func (p *passing) look(offset int64, v *recording.Vector) (ends recording.Extremes) {
	if v.Len == 0 || v.Valid != nil || !p.stream.passes(v.Column) {
		return ends
	}
	v.RunEnds = nil // each row has its value
	bins := p.engine.binsOf(&plotVector{Vector: *v}, p.level)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[offset] = append(p.open[offset], someTiles{column: v.Column, level: p.level, rows: []int{v.Len}, bins: [][]tileBin{bins}})
	return endsOf(bins)
}

// endsOf are the least and the greatest value of bins.
func endsOf(bins []tileBin) (ends recording.Extremes) {
	for i := range bins {
		b := &bins[i]
		if b.Count == 0 {
			continue
		}
		least, most := float64(b.Min), float64(b.Max)
		if ends.Known {
			least, most = min(least, ends.Least), max(most, ends.Most)
		}
		ends = recording.Extremes{Least: least, Most: most, Known: true}
	}
	return ends
}

// intact passes on what was made of the batch at a place in the file, and forgets those
// before it, which are damaged.
func (p *passing) intact(offset int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if batch := p.stream.reader.BatchAtByte(offset); batch >= 0 {
		for _, c := range p.open[offset] {
			c.first = batch
			if p.out = c.append(p.out); len(p.out) >= passingBytes {
				p.flush()
			}
		}
	}
	for at := range p.open {
		if at <= offset {
			delete(p.open, at)
		}
	}
}

func (p *passing) flush() {
	if len(p.out) > 0 {
		p.send(p.out)
		p.out = p.out[:0]
	}
}

// AddTiles keeps tiles that another engine, with the same stream open, made of its file.
func (e *Engine) AddTiles(id string, data []byte) error {
	s, err := e.stream("tiles", id)
	if err != nil {
		return err
	}
	top := s.topLevel()
	for len(data) > 0 {
		var c *someTiles
		if c, data = parseTiles(data, len(s.line.places), len(s.columns())); c == nil {
			return &ArgumentError{"tiles", "they are not of this stream"}
		}
		for i, rows := range c.rows {
			e.keepBins(s, c.first+i, c.column, c.level, rows, c.bins[i])
			if c.level < top {
				e.keepBins(s, c.first+i, c.column, top, rows, coarser(c.bins[i], top-c.level))
			}
		}
	}
	return nil
}
