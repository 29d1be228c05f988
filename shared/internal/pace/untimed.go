package pace

import "slices"

// Rows without a tick, where a clock is null, have no time. The clock goes on around
// them: among others they count as rows, as far apart as those around them are, so
// that neither a gap is made of them nor one hidden.

// Rows are rows [Start, End).
type Rows struct{ Start, End int64 }

// maxUntimed bounds the stretches of rows without a tick that are kept; further ones
// are counted.
const maxUntimed = 1 << 20

// An Untimed says which rows have no tick.
type Untimed struct {
	Stretches []Rows // in order; not more than maxUntimed of them
	Places    int    // how many stretches there are
	Rows      int64  // and rows in them
	First     Rows   // the first of them
	Batch     int    // of its first row
	LastBatch int    // of the last stretch

	end int64 // of the last stretch
}

// add notes rows of a batch.
func (u *Untimed) add(batch int, from, to int64) {
	u.Rows += to - from
	u.LastBatch = batch
	switch n := len(u.Stretches); {
	case u.Places > 0 && u.end == from:
		if u.Places == n {
			u.Stretches[n-1].End = to
		}
		if u.Places == 1 {
			u.First.End = to
		}
	default:
		if u.Places++; u.Places == 1 {
			u.First, u.Batch = Rows{from, to}, batch
		}
		if n < maxUntimed {
			u.Stretches = append(u.Stretches, Rows{from, to})
		}
	}
	u.end = to
}

// AddValid is Add where some rows have no tick: valid has a byte for each row, 0 if
// its tick is null; nil: none is.
func (t *Track) AddValid(batch int, row int64, clock, hub []uint64, valid []byte, adjoining bool) {
	if valid == nil || clock == nil {
		t.Add(batch, row, clock, hub, adjoining)
		return
	}
	for from := 0; from < len(valid); from++ {
		if valid[from] != 0 {
			continue
		}
		to := from + 1
		for to < len(valid) && valid[to] == 0 {
			to++
		}
		t.Untimed.add(batch, row+int64(from), row+int64(to))
		from = to
	}
	ticks, first, end := Valid(clock, valid)
	if hub != nil {
		hub = hub[first:end]
	}
	t.Add(batch, row+int64(first), ticks, hub, adjoining)
}

// Valid returns the ticks of the rows [first, end), from the first that has one to the last.
// Rows between that have none are where they would be if rows came evenly.
func Valid(ticks []uint64, valid []byte) (some []uint64, first, end int) {
	if valid == nil {
		return ticks, 0, len(ticks)
	}
	for end = len(valid); end > 0 && valid[end-1] == 0; end-- {
	}
	for first < end && valid[first] == 0 {
		first++
	}
	return filled(ticks[first:end], valid[first:end]), first, end
}

// filled gives rows without a tick one between those around them: as far from the row
// before as rows are apart, so that rows that are missing are so before the next tick.
// The first and the last row have ticks.
func filled(ticks []uint64, valid []byte) []uint64 {
	ticks = slices.Clone(ticks)
	var steps []uint64
	each := func(do func(before, next int)) {
		before := 0
		for i := 1; i < len(ticks); i++ {
			if valid[i] != 0 {
				do(before, i)
				before = i
			}
		}
	}
	each(func(before, next int) {
		if ticks[next] > ticks[before] {
			steps = append(steps, (ticks[next]-ticks[before])/uint64(next-before))
		}
	})
	median := uint64(1)
	if len(steps) > 0 {
		slices.Sort(steps)
		median = steps[len(steps)/2]
	}
	each(func(before, next int) {
		n, step := uint64(next-before), median
		even := uint64(0)
		if ticks[next] > ticks[before] {
			even = ticks[next] - ticks[before]
			if even < n*(median+median/2) { // nothing is missing: evenly
				step = 0
			}
		}
		for k := uint64(1); k < n; k++ {
			if step == 0 {
				ticks[before+int(k)] = ticks[before] + even/n*k + even%n*k/n
			} else {
				ticks[before+int(k)] = ticks[before] + step*k
			}
		}
	})
	return ticks
}
