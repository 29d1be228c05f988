package recording

import (
	"context"
	"slices"
	"sort"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/pace"
)

// A NotedLoss is what the metadata of a batch say is missing before it.
type NotedLoss struct {
	Offset int64 // of the batch's message
	Batch  int
	Row    int64 // the first of the batch
	Rows   []LostRows
}

// Missing makes the findings about rows that never reached the file, in the
// order of rows: the gaps that a clock shows, with their causes, and what the
// recorder noted that no clock shows, as of streams of events. offset is where
// the message of a batch begins.
func Missing(gaps []pace.Gap, noted []NotedLoss, offset func(batch int) int64) []Finding {
	byBatch := map[int]int{}
	shown := make([][]bool, len(noted))
	for i := range noted {
		byBatch[noted[i].Batch] = i
		shown[i] = make([]bool, len(noted[i].Rows))
	}
	var list []Finding
	for i := range gaps {
		g := Gap{Gap: gaps[i]}
		for _, batch := range []int{g.Batch, g.Batch + 1} { // of a group of rows that was not full, with the next
			k, ok := byBatch[batch]
			if !ok {
				continue
			}
			if g.Cause == "" {
				g.Explain(noted[k].Rows)
			}
			covered := false
			for n, l := range noted[k].Rows {
				if g.ClockBefore < l.LastClock && l.FirstClock < g.ClockAfter {
					shown[k][n], covered = true, true
				}
			}
			if covered {
				break
			}
		}
		list = append(list, g.Finding(offset(g.Batch)))
	}
	for k := range noted {
		n := &noted[k]
		for i := range n.Rows {
			if !shown[k][i] {
				list = append(list, n.Rows[i].Finding(n.Offset, n.Batch, n.Row))
			}
		}
	}
	sort.SliceStable(list, func(i, k int) bool { return list[i].BeforeRow < list[k].BeforeRow })
	return list
}

// missing makes the findings of gaps, and of what the recorder noted in the
// batches [first, last]. It reads headers that are not there, of our own files
// only; one that cannot be read says nothing.
func (r *Reader) missing(gaps []pace.Gap, first, last int) []Finding {
	var noted []NotedLoss
	ours := slices.ContainsFunc(r.schema.Metadata, func(e arrowipc.KeyValue) bool { return e.Key == "oniscope.version" })
	for i := max(0, first); ours && i <= min(last, len(r.batches)-1); i++ {
		if (r.walked != nil || r.said) && i-first < maxExplained {
			_, _ = r.header(i) // the walk keeps none, and an index has none
		}
		lost := r.odd.lost[i]
		if lost == nil {
			continue
		}
		if row, _, err := r.BatchRange(i); err == nil {
			noted = append(noted, NotedLoss{r.offset(i), i, row, lost})
		}
	}
	return Missing(gaps, noted, r.offset)
}

// Missing finds the rows of the excerpt that never reached the file, in order:
// gaps inside it that its clocks show, and what the recorder noted. It reads
// HubClock and Clock of its rows. What damage took is Lost's to say.
func (x *Excerpt) Missing(ctx context.Context) ([]Finding, error) {
	times, err := x.Follow(ctx)
	if err != nil {
		return nil, err
	}
	list := []Finding{}
	for _, rows := range x.ranges {
		if rows.Len() == 0 {
			continue
		}
		first, err := x.r.BatchAt(rows.Start)
		if err != nil {
			return nil, err
		}
		last, err := x.r.BatchAt(rows.End - 1)
		if err != nil {
			return nil, err
		}
		var inside []pace.Gap
		for i := range times.Gaps {
			if g := &times.Gaps[i]; g.Row > rows.Start && g.Row < rows.End {
				inside = append(inside, g.Gap)
			}
		}
		for _, f := range x.r.missing(inside, first, last) {
			if f.BeforeRow > rows.Start && f.BeforeRow < rows.End {
				list = append(list, f)
			}
		}
	}
	return list, nil
}
