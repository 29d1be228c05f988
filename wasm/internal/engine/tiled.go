package engine

import (
	"context"
	"slices"

	"github.com/oniscope/oniscope/shared/decimate"
)

// A view that holds more than this, in bytes of its columns, is made of tiles; of
// less the rows themselves are kept, and its bins begin and end at the exact row.
var maxRowBytes = 32e6 // changed by tests

// level is of which tiles a view is made; ok is false for one that is made of its
// rows.
func (s *openStream) level(q *request, span batchSpan) (level int, ok bool) {
	level = min(tileLevel(span.rows/float64(q.N)), s.topLevel())
	bytes := float64(s.bytesOf(q.columns)) * float64(span.batches())
	return level, level >= minTileLevel && bytes > maxRowBytes
}

// seen reports whether all tiles of a view are kept.
func (e *Engine) seen(s *openStream, q *request, span batchSpan) bool {
	level, ok := s.level(q, span)
	if !ok {
		return false
	}
	for batch := span.first; batch <= span.last; batch++ {
		if !e.seenBlock(s, q, batch, level) {
			if p, all := e.part(s, q, batch, s.withClock(q.columns)); p.to == 0 || !all {
				return false
			}
		}
	}
	return true
}

// seenBlock reports whether all tiles of a block are kept.
func (e *Engine) seenBlock(s *openStream, q *request, block, level int) bool {
	for _, c := range q.columns {
		if _, _, ok := e.bins(s, block, c, level); !ok {
			return false
		}
	}
	return true
}

// cutEnds adds those of the blocks at both ends of a view of which a part is enough, row
// by row, and returns the blocks that are left; of none of them first is beyond last.
func (e *Engine) cutEnds(ctx context.Context, s *openStream, q *request, span batchSpan, level int, env *Envelope) (batchSpan, error) {
	left := span
	for _, block := range slices.Compact([]int{span.first, span.last}) {
		if e.seenBlock(s, q, block, level) {
			continue
		}
		if p, _ := e.part(s, q, block, s.withClock(q.columns)); p.to == 0 {
			continue
		}
		if _, err := e.addBatches(ctx, s, q, env, []int{block}, true, func(int) {}); err != nil {
			return left, err
		}
		if block == left.first {
			left.first++
		} else {
			left.last--
		}
	}
	return left, nil
}

// A tileUnit is what is read at once: columns [from, to) of those of a request.
type tileUnit struct {
	batches  []int
	from, to int
	read     []tiledRead
	err      error
}

// One unit that the kernel sums takes this much at most, of so many batches: what is read,
// and what is made of it, which of fine bins is nearly as much.
const (
	kernelBytes   = 32 << 20
	kernelBatches = 256
)

// unitsUnderWay is how many units are read at a time. A batch of a probe is a unit, of
// three reads: after the last of them the file would be idle until the next began, and
// where values are decoded nothing would be read meanwhile.
const unitsUnderWay = 2

// tileUnits cuts a view into units.
func (e *Engine) tileUnits(s *openStream, q *request, span batchSpan, level int) (units []*tileUnit) {
	limit, most := s.stepLimit(), int64(s.mostBatches())
	if e.summing(s) {
		limit, most = kernelBytes, max(most, kernelBatches)
	}
	bins := int64(binsIn(int(s.perBatch), level) * tileBinBytes)
	bytes := func(columns []int) int64 { return max(1, s.bytesOf(columns)-s.bytesOf(nil)+bins*int64(len(columns))) }
	if s.isCut() { // one column after another: each is decoded once, and few at a time
		for c := range q.columns {
			together := int(max(1, min(most, limit/bytes(q.columns[c:c+1]))))
			for first := span.first; first <= span.last; first += together {
				u := &tileUnit{from: c, to: c + 1}
				for b := first; b <= min(span.last, first+together-1); b++ {
					u.batches = append(u.batches, b)
				}
				units = append(units, u)
			}
		}
		return units
	}
	batches := int(max(1, min(most, limit/bytes(q.columns))))
	for first := span.first; first <= span.last; first += batches {
		var list []int
		for b := first; b <= min(span.last, first+batches-1); b++ {
			list = append(list, b)
		}
		for from := 0; from < len(q.columns); {
			to := from + 1
			for to < len(q.columns) && bytes(q.columns[from:to+1])*int64(len(list)) <= limit {
				to++
			}
			units = append(units, &tileUnit{batches: list, from: from, to: to})
			from = to
		}
	}
	return units
}

// exactTiles makes a view of tiles, bin by bin of a level: each goes to the pixel in
// which its middle row lies, so that the edges of pixels are good to a quarter of
// one. The next units are read while one is added.
func (e *Engine) exactTiles(ctx context.Context, s *openStream, q *request, span batchSpan, level int, base *Envelope, progress func(*Envelope)) (*Envelope, error) {
	env := q.empty("envelope", "exact")
	pace := e.pace(progressInterval)
	all := span.batches() == len(s.line.places)
	span, err := e.cutEnds(ctx, s, q, span, level, env)
	if err != nil || span.first > span.last {
		return env.whole(), err
	}
	units := e.tileUnits(s, q, span, level)
	read := func(u *tileUnit) <-chan *tileUnit {
		done := make(chan *tileUnit, 1)
		go func() {
			u.err = Guard("envelope", nil, func() (err error) {
				if err = s.loadEnds(u.batches); err == nil {
					u.read, err = e.tiled(s, u.batches, q.columns[u.from:u.to], level)
				}
				return err
			})
			done <- u
		}()
		return done
	}
	pixels := map[int][]int32{} // of the batches of the unit
	var begun []<-chan *tileUnit
	upTo := func(n int) {
		for len(begun) < min(n, len(units)) {
			begun = append(begun, read(units[len(begun)]))
		}
	}
	for i := range units {
		upTo(i + unitsUnderWay)
		u := <-begun[i]
		if u.err != nil {
			return nil, u.err
		}
		upTo(i + 1 + unitsUnderWay)
		if u.from == 0 && !s.isCut() {
			clear(pixels)
		}
		if err := e.addUnit(s, q, env, u, level, pixels); err != nil {
			return nil, err
		}
		u.read = nil
		if err := e.Breathe(ctx); err != nil {
			return nil, err
		}
		if last := u.batches[len(u.batches)-1]; base != nil && u.to == len(q.columns) && last < span.last && pace.due() {
			s.mu.Lock()
			_, done := s.line.guess(last)
			s.mu.Unlock()
			progress(env.over(base, q.Bin(done)))
			pace.told()
		}
	}
	if all {
		go func() { _ = Guard("envelope", nil, func() error { e.remember(s, q.columns, level); return nil }) }()
	}
	return env.whole(), nil
}

// addUnit adds what was read.
func (e *Engine) addUnit(s *openStream, q *request, env *Envelope, u *tileUnit, level int, pixels map[int][]int32) error {
	for k, batch := range u.batches {
		got := &u.read[k]
		if got.err != nil {
			continue
		}
		if pixels[batch] == nil {
			ticks, err := e.middles(s, batch, got.rows, level)
			if err != nil {
				return err
			}
			pixels[batch] = q.pixels(ticks)
			env.RowsUsed += rowsOn(pixels[batch], got.rows, level)
		}
		for c, bins := range got.bins {
			addBins(env.bin(u.from+c, 0), bins, pixels[batch])
		}
	}
	return nil
}

// loadEnds reads the clock ends that middles needs, all of them together.
func (s *openStream) loadEnds(batches []int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var without []int
	for _, b := range batches {
		if s.line.places[b].state == unread {
			without = append(without, b)
		}
	}
	if len(without) == 0 {
		return nil
	}
	return s.loadBlockEnds(without)
}

// outside marks bins that are on no pixel.
const outside = -1

// pixels says in which pixel column each tick is.
func (q *request) pixels(ticks []float64) []int32 {
	out := make([]int32, len(ticks))
	for i, t := range ticks {
		out[i] = outside
		if t >= q.From && t < q.To {
			out[i] = int32(q.Bin(t))
		}
	}
	return out
}

// rowsOn is how many rows of a batch are on a pixel.
func rowsOn(pixels []int32, rows, level int) (n int64) {
	for j, p := range pixels {
		if p != outside {
			n += int64(min(rows, (j+1)<<level) - j<<level)
		}
	}
	return n
}

// addBins adds bins to their pixels.
func addBins(row []decimate.Bin, bins []tileBin, pixels []int32) {
	for from := 0; from < len(bins); {
		p, to := pixels[from], from+1
		for to < len(bins) && pixels[to] == p {
			to++
		}
		if p != outside {
			all := together(bins[from:to])
			row[p].Add(&all)
		}
		from = to
	}
}
