package engine

import "github.com/oniscope/oniscope/shared/decimate"

// How the bins of tiles are made: of what is kept, by the kernel, or of values.

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
