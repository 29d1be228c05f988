package recording

import (
	"context"
	"errors"
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/pace"
	"github.com/oniscope/oniscope/shared/stream"
)

// A GapScan finds the gaps of a recording without reading it: it compares what
// the first and last Clock of every batch leave room for with its rows, and
// reads the clocks of the batches that took too long. What it finds is what
// Verify finds by reading every row, but for gaps shorter than the jitter of
// Clock.
type GapScan struct {
	r      *Reader
	hub    int // column, or -1
	finder pace.Finder
	paced  bool
	clock  pace.Pace // pace of Clock, used for small batches and returned by Period
	pace   pace.Pace // of the clock that shows gaps
	coarse float64   // period of Clock over many rows
	median float64   // step of Clock
	next   int       // batch
	last   uint64
	intact int // the batch before if its ends can be believed, else -1
	gaps   []Gap
	done   bool
}

// ScanGaps prepares a scan. The reader's Stream says at the end which clock
// rates to use.
func (r *Reader) ScanGaps() *GapScan {
	g := &GapScan{r: r, hub: r.tickColumn(stream.HubClockName), finder: pace.NewFinder("HubClock"), intact: -1}
	if g.hub < 0 {
		g.finder = pace.NewFinder("Clock")
	}
	return g
}

// Step looks at the next batches, at most so many. After done nothing is left.
// The error is the source's; batches whose clock cannot be trusted are passed
// over.
func (g *GapScan) Step(batches int) (done bool, err error) {
	if err := g.begin(); err != nil {
		return false, err
	}
	for range max(1, batches) {
		if g.over() {
			break
		}
		if err := g.look(g.next); err != nil {
			return false, err
		}
		g.next++
	}
	if !g.over() {
		return false, nil
	}
	if !g.done {
		g.done = true
		g.gaps = gapsOf(g.finder.Gaps(g.pace, float64(g.r.stream.AcqClockHz), float64(g.r.stream.HubClockHz)))
		g.r.explainGaps(g.gaps)
	}
	return true, nil
}

// begin measures the pace, once.
func (g *GapScan) begin() error {
	if g.paced {
		return nil
	}
	g.paced = true
	return g.measure()
}

func (g *GapScan) over() bool {
	return g.pace.Period == 0 || g.clock.Period == 0 || g.next >= len(g.r.batches)
}

// Gaps returns what was found, in the order of rows, once Step is done.
func (g *GapScan) Gaps() []Gap { return g.gaps }

// Period returns the ticks of Clock from one row to the next, 0 if the stream
// does not deliver evenly or that is not known yet.
func (g *GapScan) Period() float64 { return g.coarse }

// paceBatches is how many batches the pace is measured in, paceEnds how many
// ends of small ones.
const (
	paceBatches = 3
	paceEnds    = 1024
)

// measure finds the pace of both clocks in some batches from all over the
// file.
func (g *GapScan) measure() error {
	n := len(g.r.batches)
	if g.r.clock < 0 || n == 0 {
		return nil
	}
	clock := pace.NewFinder("Clock")
	var tried [paceBatches]int
	var looked [][]uint64
	for k := range paceBatches {
		i := k * (n - 1) / (paceBatches - 1)
		if tried[k] = i; k > 0 && tried[k-1] == i {
			continue
		}
		_, i, err := g.r.trusted(i, n, 1)
		if err != nil {
			return err
		}
		if i < 0 {
			continue
		}
		ticks, hub, err := g.read(i)
		if err != nil {
			return err
		}
		clock.Usual(ticks)
		looked = append(looked, ticks)
		if g.hub >= 0 {
			g.finder.Usual(hub)
		}
	}
	// Batches of a few rows: what they show from one to the next.
	for k := 1; len(clock.Sample) < 2*pace.SmallBatch && k <= min(n-1, paceEnds); k++ {
		i := 1 + (k-1)*(n-1)/min(n-1, paceEnds)
		before, err := g.r.clockEnds(i - 1)
		var now [2]uint64
		if err == nil {
			now, err = g.r.clockEnds(i)
		}
		if rows := g.r.batches[i-1].rows; err == nil && rows > 0 && now[0] > before[0] {
			clock.Keep((now[0] - before[0]) / uint64(rows))
		}
		if err != nil && !isCorrupt(err) {
			return err
		}
	}
	g.clock = clock.Pace() // sorts the sample
	if n := len(clock.Sample); n > 0 {
		g.median = float64(clock.Sample[n/2])
	}
	g.coarse = g.clock.Period
	for best, k := pace.SmallBatch, 0; k < len(looked) && g.clock.Period > 0; k++ {
		if period, steps := evenStretch(looked[k], g.clock); steps > best {
			g.coarse, best = period, steps
		}
	}
	if g.pace = g.finder.Pace(); g.hub < 0 || g.pace.Period == 0 && len(g.finder.Sample) < pace.SmallBatch {
		g.finder.Column, g.finder.Factor, g.hub = "Clock", pace.ClockGapFactor, -1
		g.pace = g.clock
	}
	return nil
}

// evenStretch returns the period over the longest stretch of ticks without a
// step that may be a gap, and its steps: over many rows jitter weighs nothing,
// and a gap would.
func evenStretch(ticks []uint64, p pace.Pace) (period float64, steps int) {
	from := 0
	for i := 1; i <= len(ticks); i++ {
		if i < len(ticks) && ticks[i] > ticks[i-1] && p.Lost(ticks[i]-ticks[i-1], 1) == 0 {
			continue
		}
		if n := i - 1 - from; n > steps {
			period, steps = float64(ticks[i-1]-ticks[from])/float64(n), n
		}
		from = i
	}
	return period, steps
}

func isCorrupt(err error) bool {
	var corrupt *CorruptError
	return errors.As(err, &corrupt)
}

// read reads the clocks of a batch; hub is nil without a column HubClock.
func (g *GapScan) read(i int) (ticks, hub []uint64, err error) {
	columns := []int{g.r.clock}
	if g.hub >= 0 {
		columns = append(columns, g.hub)
	}
	b, err := g.r.peekBatch(i, columns)
	if isCorrupt(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if ticks = ticksOf(&b.Columns[0]); g.hub >= 0 {
		hub = ticksOf(&b.Columns[1])
	}
	return ticks, hub, nil
}

// ticksOf returns the ticks of a clock of either sign; none where rows have
// no tick.
func ticksOf(v *Vector) []uint64 {
	if v.Valid != nil {
		return nil
	}
	if v.Type == stream.Int64 {
		w := *v
		w.Type = stream.Uint64
		v = &w
	}
	return Values[uint64](v)
}

// look compares a batch with its rows.
func (g *GapScan) look(i int) error {
	ends, err := g.r.clockEnds(i)
	if isCorrupt(err) {
		g.intact = -1
		return nil // what is missing here is not a gap but damage
	}
	if err != nil {
		return err
	}
	start, end, err := g.r.BatchRange(i)
	if err != nil {
		return err
	}
	period, before, last := g.coarse, g.intact, g.last
	g.intact, g.last = i, ends[1]
	if g.r.batches[i].afterLoss {
		before = -1 // damage, and no gap besides
	}
	if before >= 0 && ends[0] < last {
		g.finder.Unclaim(start - 1) // one of the two is wrong
		before = -1
	}
	border := before >= 0 && float64(ends[0]-last) > (1+pace.EvenTolerance)*period
	if inside := float64(ends[1]-ends[0]) > (float64(end-start-1)+0.75)*period; !border && !inside {
		g.finder.Last.OK = false
		return nil
	}
	if border && !g.finder.Last.OK {
		ticks, hub, err := g.read(before)
		if err != nil {
			return err
		}
		if n := len(ticks); n > 0 {
			g.finder.Last = pace.Row{Row: start - 1, Tick: ticks[n-1], Clock: ticks[n-1], OK: true}
			if g.hub >= 0 {
				g.finder.Last.OK = len(hub) == n
				if len(hub) == n {
					g.finder.Last.Tick = hub[n-1]
				}
			}
		}
	}
	ticks, hub, err := g.read(i)
	if err != nil {
		return err
	}
	if g.hub < 0 {
		hub = ticks
	}
	if len(hub) != len(ticks) || len(ticks) == 0 {
		g.finder.Last.OK = false
		return nil
	}
	g.finder.Add(i, start, hub, ticks, border)
	return nil
}

// maxInfoClock bounds what Info reads of compressed clocks to find gaps.
const maxInfoClock = 16 << 20

// A rowPace is what Clock shows of a stream.
type rowPace struct {
	period float64 // ticks from row to row, measured over many; 0 of rows that come with events
	step   float64 // the median, of events too; 0 if no two rows follow each other
}

// gaps scans for gaps if that takes no more than the ends of Clock, or little
// more, and measures the pace in any case.
func (r *Reader) gaps(ctx context.Context) ([]Gap, rowPace, error) {
	if r.clock < 0 {
		return nil, rowPace{}, nil
	}
	g := r.ScanGaps()
	if err := g.begin(); err != nil {
		return nil, rowPace{}, err
	}
	pace := rowPace{g.coarse, g.median}
	if pace.period > 0 {
		pace.step = pace.period
	}
	if about := r.About(); about.Compression() != "none" && r.starts[len(r.starts)-1] > maxInfoClock/8 {
		return nil, pace, nil
	}
	for {
		done, err := g.Step(64)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, pace, fmt.Errorf("recording: looking for gaps: %w", err)
		}
		if done {
			return g.Gaps(), pace, nil
		}
	}
}
