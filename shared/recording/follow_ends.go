package recording

import "github.com/oniscope/oniscope/shared/internal/pace"

// loadEnds reads the ends of the clocks of the batches [from, to) together.
func (f *follower) loadEnds(from, to int) error {
	list := make([]int, 0, to-from)
	for i := from; i < to; i++ {
		list = append(list, i)
	}
	if err := f.r.LoadClockEnds(list); err != nil {
		return err
	}
	return f.ctx.Err()
}

// one follows a batch by its ends if these leave no doubt.
func (f *follower) one(i int) error {
	if !f.fits(i, i, 0.75*f.period) {
		return f.read(i)
	}
	return f.pass(i, i)
}

// fits reports whether Clock rises evenly, by the ends of the batches from first
// to last, from the row before them on. within is how exactly it must in ticks.
func (f *follower) fits(first, last int, within float64) bool {
	if f.broken || !f.track.Settled() {
		return false
	}
	before, _ := f.track.Last()
	head, err := f.r.rawEnds(first)
	if err != nil || head[0] < before || f.r.odd.afterLoss[first] {
		return false
	}
	tail, err := f.r.rawEnds(last)
	if err != nil || tail[1] < head[0] || f.nulls(first) || f.nulls(last) {
		return false
	}
	if f.period == 0 {
		return last-first <= len(f.r.batches)/maxLooks
	}
	rows := f.rows(first, last)
	inside, border := float64(tail[1]-head[0]), float64(head[0]-before)
	return border <= (1+pace.EvenTolerance)*f.period && max(inside-(rows-1)*f.period, (rows-1)*f.period-inside) <= within
}

// nulls reports whether rows of a batch have no time, by its header.
func (f *follower) nulls(i int) bool {
	h, err := f.r.header(i)
	return err != nil || h.batch.Nodes[h.spans[f.r.clock].Node].NullCount != 0
}

// rows is how many rows the batches from first to last have.
func (f *follower) rows(first, last int) float64 {
	if f.exact {
		return float64(f.r.starts[last+1] - f.r.starts[first])
	}
	return f.like * float64(last-first+1)
}

// adjoins reports whether nothing is known to be missing before a batch.
func (f *follower) adjoins(i int) bool {
	adjoins := f.entered && !f.broken && !f.r.odd.afterLoss[i]
	f.entered, f.broken = true, false
	return adjoins
}

// pass follows batches by their ends.
func (f *follower) pass(first, last int) error {
	head, err := f.r.rawEnds(first)
	if err != nil {
		return err
	}
	tail, err := f.r.rawEnds(last)
	if err != nil {
		return err
	}
	f.adjoins(first)
	start := int64(f.like * float64(first))
	if f.exact {
		start = f.r.starts[first]
	}
	f.track.Pass(last, start, int64(f.rows(first, last)), head[0], tail[1])
	f.passed = last
	return nil
}

// halves follows the batches from first to last.
func (f *follower) halves(first, last int) error {
	if err := f.ctx.Err(); err != nil || first > last {
		return err
	}
	switch {
	case f.fits(first, last, max(0.75, slopeShare*f.rows(first, last))*f.period):
		return f.pass(first, last)
	case first == last:
		return f.read(first)
	}
	middle := first + (last-first)/2
	if err := f.halves(first, middle); err != nil {
		return err
	}
	return f.halves(middle+1, last)
}
