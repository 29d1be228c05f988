package engine

// A timeline says where in time each batch of a stream lies.
//
// It reads the first and last tick of a batch when it is asked for the batch,
// and never more than asked. Ticks that do not fit between those of the
// batches around (zeros after a power loss, a damaged body) are doubted: such
// a batch is placed evenly between its trusted neighbours, so that one bad
// batch never moves the others.
//
// One caller at a time.
type timeline struct {
	// ends reads the ticks of the first and the last row of a batch; ok is
	// false if the batch has none to trust. err is for failing reads only.
	ends   func(batch int) (first, last uint64, ok bool, err error)
	places []place
	trust  marks // the batches that are trusted
}

type place struct {
	first, last float64 // ticks of first and last row, if trusted
	state       placeState
}

type placeState uint8

const (
	unread placeState = iota
	trusted
	doubtful
)

// newTimeline makes a timeline of n batches of which nothing is known yet.
func newTimeline(n int, ends func(int) (uint64, uint64, bool, error)) *timeline {
	return &timeline{ends: ends, places: make([]place, n)}
}

// learn takes the ends of a batch from a caller that has read them anyway.
func (t *timeline) learn(b int, first, last uint64, ok bool) {
	p := &t.places[b]
	if p.state != unread {
		return
	}
	p.first, p.last, p.state = float64(first), float64(last), doubtful
	if ok && first <= last && t.fits(b, p.first, p.last) {
		p.state = trusted
		t.trust.add(b)
	}
}

// guess is at without reading.
func (t *timeline) guess(b int) (first, last float64) {
	if p := t.places[b]; p.state == trusted {
		return p.first, p.last
	}
	return t.between(b)
}

// at returns where batch b lies. For a doubtful batch it is an estimate.
func (t *timeline) at(b int) (first, last float64, sure bool, err error) {
	if t.places[b].state == unread {
		first, last, ok, err := t.ends(b)
		if err != nil {
			return 0, 0, false, err
		}
		t.learn(b, first, last, ok)
	}
	first, last = t.guess(b)
	return first, last, t.places[b].state == trusted, nil
}

// fits reports whether the ticks lie between those of the nearest trusted
// batches on both sides.
func (t *timeline) fits(b int, first, last float64) bool {
	if i := t.below(b); i >= 0 && first < t.places[i].last {
		return false
	}
	if i := t.above(b); i < len(t.places) && last > t.places[i].first {
		return false
	}
	return true
}

// between places batch b evenly between its trusted neighbours.
func (t *timeline) between(b int) (first, last float64) {
	lo, hi := t.below(b), t.above(b)
	switch {
	case lo >= 0 && hi < len(t.places):
		from, to := t.places[lo].last, t.places[hi].first
		share := (to - from) / float64(hi-lo-1)
		return from + share*float64(b-lo-1), from + share*float64(b-lo)
	case lo >= 0: // after the last: as long as the one before
		p := t.places[lo]
		length := p.last - p.first
		return p.last + length*float64(b-lo-1), p.last + length*float64(b-lo)
	case hi < len(t.places):
		p := t.places[hi]
		length := p.last - p.first
		return p.first - length*float64(hi-b), p.first - length*float64(hi-b-1)
	}
	return float64(b), float64(b + 1)
}

func (t *timeline) below(b int) int { return t.trust.previous(b - 1) }

func (t *timeline) above(b int) int { return t.trust.next(b+1, len(t.places)) }

// find returns the last batch that begins at or before tick, or 0. It reads
// the ends of a few batches: where it looks is guessed from where the known
// ones lie, so that an even recording takes one or two reads, whatever its
// length.
func (t *timeline) find(tick float64) (int, error) {
	lo, hi := 0, len(t.places)-1
	for probes := 0; lo < hi; probes++ {
		loFirst, _, _, err := t.at(lo)
		if err != nil {
			return 0, err
		}
		if tick < loFirst {
			return lo, nil
		}
		hiFirst, _, _, err := t.at(hi)
		if err != nil {
			return 0, err
		}
		if tick >= hiFirst {
			return hi, nil
		}
		// Now lo begins at or before tick and hi after it.
		if hi-lo == 1 {
			return lo, nil
		}
		guess := (lo + hi) / 2 // uneven: halve
		if probes%4 != 3 && hiFirst > loFirst {
			guess = lo + int((tick-loFirst)/(hiFirst-loFirst)*float64(hi-lo))
		}
		guess = min(max(guess, lo+1), hi-1)
		first, last, _, err := t.at(guess)
		if err != nil {
			return 0, err
		}
		switch {
		case tick < first:
			hi = guess
			if before, _, _, err := t.at(guess - 1); err != nil {
				return 0, err
			} else if before <= tick { // off by one, the usual miss
				lo = guess - 1
			}
		case tick <= last:
			return guess, nil
		default:
			lo = guess
			if after, _, _, err := t.at(guess + 1); err != nil {
				return 0, err
			} else if tick < after {
				hi = guess + 1
			}
		}
	}
	return lo, nil
}
