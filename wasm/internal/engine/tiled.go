package engine

import (
	"context"
	"math"
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

// A tiledRead is bins of columns of a batch.
type tiledRead struct {
	bins [][]tileBin
	rows int
	err  error // *recording.CorruptError: the batch is damaged
}

// tiled gives the bins of columns of batches, from the tiles that are kept or from
// the file.
func (e *Engine) tiled(s *openStream, batches, columns []int, level int) ([]tiledRead, error) {
	result := make([]tiledRead, len(batches))
	missing := make([][]int, len(batches)) // positions in columns
	for k, batch := range batches {
		result[k].bins = make([][]tileBin, len(columns))
		for i, c := range columns {
			if bins, rows, ok := e.bins(s, batch, c, level); ok {
				result[k].bins[i], result[k].rows = bins, rows
			} else {
				missing[k] = append(missing[k], i)
			}
		}
	}
	return result, alike(missing, func(from, to int) error {
		wanted := make([]int, len(missing[from]))
		for i, at := range missing[from] {
			wanted[i] = columns[at]
		}
		fresh, err := e.summed(s, batches[from:to], wanted, level)
		if err != nil {
			return err
		}
		for k := from; k < to; k++ {
			if result[k].err = fresh[k-from].err; result[k].err != nil {
				continue
			}
			result[k].rows = fresh[k-from].rows
			for i, at := range missing[k] {
				bins := fresh[k-from].bins[i]
				result[k].bins[at] = bins
				e.keepBins(s, batches[k], wanted[i], level, result[k].rows, bins)
				if top := s.topLevel(); level < top {
					e.keepBins(s, batches[k], wanted[i], top, result[k].rows, coarser(bins, top-level))
				}
			}
		}
		return nil
	})
}

// topLevel is the level at which a full batch is one bin; all that is read fills
// it, so that an overview costs nothing of what was seen.
func (s *openStream) topLevel() int {
	level := minTileLevel
	for binsIn(int(s.perBatch), level) > 1 {
		level++
	}
	return level
}

// summing reports whether the kernel sums up what it can of a stream.
func (e *Engine) summing(s *openStream) bool { return e.Sums != nil && !s.compressed }

// summed reads columns of batches and makes bins of them.
func (e *Engine) summed(s *openStream, batches, columns []int, level int) ([]tiledRead, error) {
	result := make([]tiledRead, len(batches))
	for k := range result {
		result[k].bins = make([][]tileBin, len(columns))
	}
	for k, batch := range batches { // what a coarse answer has read
		for i, c := range columns {
			if v := e.cache.vector(s, batch, c); v != nil {
				result[k].rows, result[k].bins[i] = v.Len, e.binsOf(v, level)
				e.cache.summedUp(s, batch, c)
			}
		}
	}
	if e.summing(s) {
		if err := e.sumByKernel(s, batches, columns, level, result); err != nil {
			return nil, err
		}
	}
	missing := make([][]int, len(batches))
	for k := range result {
		for i := range columns {
			if result[k].bins[i] == nil && result[k].err == nil {
				missing[k] = append(missing[k], i)
			}
		}
	}
	return result, alike(missing, func(from, to int) error {
		return e.sumValues(s, batches[from:to], columns, missing[from], level, result[from:to])
	})
}

// sumByKernel fills in what the kernel can sum up.
func (e *Engine) sumByKernel(s *openStream, batches, columns []int, level int, result []tiledRead) error {
	s.mu.Lock()
	places, errs, err := s.reader.Places(s.rowsOfAll(batches), columns)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	type place struct{ batch, column int }
	var jobs []SumJob
	var which []place
	for k := range batches {
		for i := range places[k] {
			if errs[k] != nil || result[k].bins[i] != nil {
				continue
			}
			if p := &places[k][i]; canSum(p, level) {
				jobs = append(jobs, SumJob{Place: *p, Level: level, Bins: make([]tileBin, binsIn(int(p.Rows), level))})
				which = append(which, place{k, i})
			}
		}
	}
	if err := e.Sums(s.source, jobs); err != nil {
		return err
	}
	for n := range jobs {
		if !jobs[n].Failed {
			r := &result[which[n].batch]
			r.rows, r.bins[which[n].column] = int(jobs[n].Rows), jobs[n].Bins
		}
	}
	return nil
}

// sumValues reads columns[missing] and fills in their bins.
func (e *Engine) sumValues(s *openStream, batches, columns, missing []int, level int, result []tiledRead) error {
	wanted := make([]int, len(missing))
	for i, at := range missing {
		wanted[i] = columns[at]
	}
	s.mu.Lock()
	list, errs, err := s.reader.Peek(s.rowsOfAll(batches), wanted, false)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	for k, batch := range batches {
		r := &result[k]
		if errs[k] != nil {
			if !damaged(errs[k]) {
				return errs[k]
			}
			s.note(batch, errs[k])
			r.err = errs[k]
			continue
		}
		r.rows = list[k].Rows
		for i, at := range missing {
			r.bins[at] = e.binsOf(s.plotVector(list[k], i), level)
		}
	}
	return nil
}

// binsOf are the bins of a column of a batch.
func (e *Engine) binsOf(v *plotVector, level int) []tileBin {
	if bins, ok := e.sumHere(&v.Vector, level); ok {
		return bins
	}
	bins := make([]decimate.Bin, binsIn(v.Len, level))
	sum(bins, v, levelEdges(v.Len, level))
	return packed(bins)
}

// levelEdges are the rows at which the bins of a level begin, and the end.
func levelEdges(rows, level int) []int {
	edges := make([]int, binsIn(rows, level)+1)
	for i := range edges {
		edges[i] = min(rows, i<<level)
	}
	return edges
}

// middles gives the tick of the middle row of each bin of a batch. Clock is read
// only where its ends say that it does not rise evenly.
func (e *Engine) middles(s *openStream, batch, rows, level int) ([]float64, error) {
	n := binsIn(rows, level)
	middle := func(j int) int { return min(rows-1, j<<level+1<<level/2) }
	ticks := make([]float64, n)
	s.mu.Lock()
	first, last, sure, err := s.line.at(batch)
	even := !sure || s.even(first, last, rows)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if even {
		step := 0.0
		if rows > 1 {
			step = (last - first) / float64(rows-1)
		}
		for j := range ticks {
			ticks[j] = first + step*float64(middle(j))
		}
		return ticks, nil
	}
	known, err := e.everyTick(s, batch)
	if err != nil {
		return nil, err
	}
	for j := range ticks {
		if m := middle(j); known == nil { // damage in Clock only: as if it were even
			ticks[j] = first + (last-first)*float64(m)/math.Max(1, float64(rows-1))
		} else {
			ticks[j] = known[min((m+tickRows-1)/tickRows, len(known)-1)]
		}
	}
	return ticks, nil
}

// tickRows is how far apart the ticks lie that are kept of a batch that is not
// even: the middle of a bin of any level is one of them, or the last row.
const tickRows = 1 << minTileLevel / 2

// everyTick gives the ticks of each tickRows-th row of a batch, and of the last;
// nil if its Clock is damaged.
func (e *Engine) everyTick(s *openStream, batch int) ([]float64, error) {
	key := cacheKey{s, batch, ofTicks, minTileLevel}
	if kept, ok := e.cache.get(key).([]float64); ok {
		return kept, nil
	}
	read, err := e.read(s, []int{batch}, []int{s.clock}, nil, false)
	if err != nil || read[0].err != nil {
		return nil, err
	}
	all, _, err := s.splitClock(batch, partRead{}, read[0].vectors)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	var ticks []float64
	for row := 0; row < len(all)-1; row += tickRows {
		ticks = append(ticks, float64(all[row]))
	}
	ticks = append(ticks, float64(all[len(all)-1]))
	e.cache.putOne(key, ticks, int64(8*len(ticks)))
	return ticks, nil
}

// even reports whether a batch that begins and ends at these ticks has its rows
// evenly between them, so that nothing is missing inside; the caller holds s.mu.
// That takes the period to be known: from following the clock, or from the first
// batch and the last agreeing.
func (s *openStream) even(first, last float64, rows int) bool {
	if s.clock < 0 {
		return true
	}
	fits := func(first, last, rows, period float64) bool {
		return period > 0 && math.Abs(last-first-(rows-1)*period) <= evenWithin*period
	}
	if s.times != nil {
		return fits(first, last, float64(rows), s.period)
	}
	period := s.samplePeriod()
	for _, b := range []int{0, len(s.line.places) - 1} {
		p := s.line.places[b]
		if p.state != trusted || !fits(p.first, p.last, s.rowsOf(b), period) {
			return false
		}
	}
	return fits(first, last, float64(rows), period)
}

// evenWithin is by how many periods the ends of an even batch may be off; one
// missing row is a whole one.
const evenWithin = 0.75
