package engine

import (
	"fmt"
	"math"
	"sort"

	"github.com/oniscope/oniscope/shared/decimate"
	"github.com/oniscope/oniscope/shared/recording"
)

// samplePeriod is the ticks from one row to the next, about; 0 unknown. The
// caller holds s.mu.
func (s *openStream) samplePeriod() float64 {
	if s.clock < 0 {
		return 1
	}
	if s.period > 0 {
		return s.period
	}
	for _, b := range []int{0, len(s.line.places) - 1} {
		if b < 0 || s.line.places[b].state != trusted {
			continue
		}
		p := s.line.places[b]
		if rows := s.rowsOf(b); rows > 1 && p.last > p.first {
			return (p.last - p.first) / (rows - 1)
		}
	}
	// Batches of one row: from batch to batch.
	if n := len(s.line.places); n > 1 {
		rows, _ := s.reader.Rows()
		if first, last := s.line.places[0], s.line.places[n-1]; first.state == trusted && last.state == trusted && rows > 1 {
			return (last.last - first.first) / float64(rows-1)
		}
	}
	return 0
}

// blankGaps empties the bins of a coarse envelope that lie inside gaps; the
// caller holds s.mu.
func (s *openStream) blankGaps(env *Envelope) {
	v := decimate.Bins{From: env.From, To: env.To, N: env.Bins}
	for _, g := range s.gaps {
		from, to := s.gapSpan(&g)
		from, to = math.Max(from, v.From), math.Min(to, v.To)
		if from >= to {
			continue
		}
		for b := v.Bin(from) + 1; b < v.N && v.Edge(b+1) <= to; b++ {
			for c := range env.Columns {
				env.bin(c, b)[0] = decimate.Bin{}
			}
		}
	}
}

// note remembers a batch that could not be read.
func (s *openStream) note(batch int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken[batch] = err
}

// coverage says what there is between the first tick and the last; the caller
// holds s.mu.
func (s *openStream) coverage(rows int64) []CoverageSpan {
	first, _ := s.line.guess(0)
	_, end := s.line.guess(len(s.line.places) - 1)
	var holes []CoverageSpan
	for _, g := range s.gaps {
		from, to := s.gapSpan(&g)
		holes = append(holes, CoverageSpan{from, to, "gap", g.LostRows, fmt.Sprintf("%d rows missing", g.LostRows)})
	}
	told := map[int]bool{} // batches whose hole is there already
	for b, p := range s.line.places {
		err := s.broken[b]
		if err == nil && p.state != doubtful || s.rowsOf(b) == 0 {
			continue
		}
		from, to := s.line.guess(b)
		reason := fmt.Sprintf("the clock of batch %d does not fit its neighbours", s.rowsIn(b).Batch)
		if err != nil {
			reason = err.Error()
		}
		told[s.rowsIn(b).Batch] = true
		rows := int64(s.rowsOf(b))
		if n := len(holes); n > 0 && holes[n-1].Kind == "damaged" && holes[n-1].To == from { // batch after batch: one hole
			holes[n-1].To, holes[n-1].Rows = to, holes[n-1].Rows+rows
			continue
		}
		holes = append(holes, CoverageSpan{from, to, "damaged", rows, reason})
	}
	period := s.samplePeriod()
	for _, f := range s.reader.Findings() {
		if f.LostRows == 0 || f.Severity == recording.SeverityInfo {
			continue
		}
		from, to := s.lossSpan(&f)
		if s.clock < 0 { // rows are ticks, and rows close up
			from, to = float64(f.BeforeRow), float64(f.BeforeRow)
		}
		if f.ClockAfter == 0 && f.LostRows > 0 {
			to = from + float64(f.LostRows)*period
		}
		kind := "missing"
		if told[f.Batch] && s.batchBroken(f.Batch) != nil {
			continue
		}
		if from < to {
			holes = append(holes, CoverageSpan{from, to, kind, f.LostRows, f.Reason})
		}
	}
	sort.SliceStable(holes, func(i, k int) bool { return holes[i].From < holes[k].From })
	spans := []CoverageSpan{}
	data := func(from, to float64) {
		if to >= from {
			n := rows
			if len(holes) > 0 && period > 0 {
				n = int64(math.Round((to-from)/period)) + 1
			}
			spans = append(spans, CoverageSpan{from, to, "data", n, ""})
		}
	}
	at := first
	for _, h := range holes {
		if h.From > at {
			data(at, h.From)
		}
		spans = append(spans, h)
		at = math.Max(at, h.To)
	}
	if at < end || len(holes) == 0 {
		data(at, end)
	}
	return spans
}
