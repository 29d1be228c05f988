package engine

import (
	"math"

	"github.com/oniscope/oniscope/shared/decimate"
)

// A tile is what is kept of one column of some successive batches: bins of
// 2^level rows, counted from the first row of each batch. So a tile needs to know
// neither how many rows come before it nor when they were recorded, and damage in
// one batch moves nothing. A tile has about tileBins bins: of a coarse level it
// covers many batches, of a fine one a single one.
type tile struct {
	slots int       // bins of each batch, as many as a full batch has
	rows  []int32   // of each batch; unfilled: not there
	bins  []tileBin // slots of each batch
}

// A tileBin is a decimate.Bin in 20 bytes.
type tileBin struct {
	Min, Max, Mean, SD float32
	Count              uint32
}

const (
	tileBins     = 512
	tileBinBytes = 20
	unfilled     = -1
)

// minTileLevel is the finest level of which tiles are made; rows of which a pixel
// has fewer than two bins of it are kept as they are.
const minTileLevel, maxTileLevel = 4, 30

// tileLevel is the level whose bins are at most half of so many rows.
func tileLevel(rows float64) int {
	return min(maxTileLevel, int(math.Floor(math.Log2(math.Max(1, rows/2)))))
}

// binsIn is how many bins of a level a batch has.
func binsIn(rows, level int) int { return (rows + 1<<level - 1) >> level }

// tileKey says in which tile the bins of a batch are, and where. A batch with more
// rows than a full one has a tile of its own.
func (s *openStream) tileKey(batch, column, level, rows int) (key cacheKey, at, slots int) {
	slots = max(1, binsIn(int(s.perBatch), level))
	if n := binsIn(rows, level); n > slots {
		return cacheKey{s, -1 - batch, column, level}, 0, n
	}
	group := max(1, tileBins/slots)
	return cacheKey{s, batch / group, column, level}, batch % group, slots
}

// bins returns what is kept of a column of a batch: of this level, or made of a
// finer one.
func (e *Engine) bins(s *openStream, batch, column, level int) (bins []tileBin, rows int, ok bool) {
	if bins, rows, ok = e.keptBins(s, batch, column, level); ok {
		return bins, rows, ok
	}
	for finer := level - 1; finer >= max(minTileLevel, level-5); finer-- {
		if bins, rows, ok = e.keptBins(s, batch, column, finer); ok {
			bins = coarser(bins, level-finer)
			e.keepBins(s, batch, column, level, rows, bins)
			return bins, rows, true
		}
	}
	return nil, 0, false
}

func (e *Engine) keptBins(s *openStream, batch, column, level int) (bins []tileBin, rows int, ok bool) {
	e.tiles.Lock()
	defer e.tiles.Unlock()
	for _, rows := range []int{0, math.MaxInt32} { // with others, or in a tile of its own
		key, at, _ := s.tileKey(batch, column, level, rows)
		if t, _ := e.cache.get(key).(*tile); t != nil && at < len(t.rows) && t.rows[at] != unfilled {
			return t.bins[at*t.slots:][:binsIn(int(t.rows[at]), level)], int(t.rows[at]), true
		}
	}
	return nil, 0, false
}

// keepBins puts what was made of a column of a batch into its tile. Bins that are all of a
// tile become it: nobody may change them.
func (e *Engine) keepBins(s *openStream, batch, column, level, rows int, bins []tileBin) {
	if s.closed.Load() {
		return
	}
	e.tiles.Lock()
	defer e.tiles.Unlock()
	key, at, slots := s.tileKey(batch, column, level, rows)
	t, _ := e.cache.get(key).(*tile)
	if t == nil || at >= len(t.rows) { // a file that grows has more batches than it had
		n := 1
		if key.batch >= 0 {
			group := max(1, tileBins/slots)
			n = max(at+1, min(group, len(s.line.places)-key.batch*group))
		}
		larger := &tile{slots: slots, rows: make([]int32, n)}
		if larger.bins = bins; len(bins) != n*slots {
			larger.bins = make([]tileBin, n*slots)
		}
		for i := range larger.rows {
			larger.rows[i] = unfilled
		}
		if t != nil {
			copy(larger.rows, t.rows)
			copy(larger.bins, t.bins)
		}
		t = larger
		e.cache.putOne(key, t, int64(4*n+tileBinBytes*len(t.bins)))
	}
	copy(t.bins[at*t.slots:], bins)
	t.rows[at] = int32(rows)
}

// packed makes tile bins.
func packed(bins []decimate.Bin) []tileBin {
	out := make([]tileBin, len(bins))
	for i := range bins {
		out[i] = tileBinOf(&bins[i])
	}
	return out
}

func tileBinOf(b *decimate.Bin) tileBin {
	if b.Count == 0 {
		return tileBin{}
	}
	return tileBin{b.Min, b.Max, float32(b.Mean), float32(b.SD()), uint32(b.Count)}
}

// coarser makes one bin of each 2^levels.
func coarser(bins []tileBin, levels int) []tileBin {
	each := 1 << levels
	out := make([]tileBin, 0, len(bins)/each+1)
	for len(bins) > 0 {
		n := min(each, len(bins))
		all := together(bins[:n])
		out = append(out, tileBinOf(&all))
		bins = bins[n:]
	}
	return out
}

// together is the bin of all bins.
func together(bins []tileBin) (all decimate.Bin) {
	var n, sum, squares, centre float64
	for i := range bins {
		b := &bins[i]
		if b.Count == 0 {
			continue
		}
		if n == 0 {
			all.Min, all.Max, centre = b.Min, b.Max, float64(b.Mean)
		}
		all.Min, all.Max = min(all.Min, b.Min), max(all.Max, b.Max)
		count, sd, d := float64(b.Count), float64(b.SD), float64(b.Mean)-centre
		n += count
		sum += count * d
		squares += count * (sd*sd + d*d)
	}
	if n > 0 {
		shift := sum / n
		all.Count, all.Mean, all.Squares = int64(n), centre+shift, max(0, squares-sum*shift)
	}
	return all
}
