package engine

import (
	"io"

	"github.com/oniscope/oniscope/shared/recording"
)

// Reads of one call are joined if they lie this close and cut if they are longer
// than this; so many are under way at a time, of so many bytes together. A Blob
// gives 400 MB/s to one reader of 2 MB, 1 GB/s to four of 8 MB, and a small read
// takes half a millisecond whatever its size.
const (
	joinBytes     = 32 << 10
	cutBytes      = 8 << 20
	inFlight      = 16
	bytesInFlight = 32 << 20
)

// requestBytes is how many bytes a request takes as long as, from a server near by; of
// a view of a third of a second the rows of two channels of a probe lie 40 kB apart,
// and 384 requests took a second. So the first second of 24 channels in batches of 13 000
// rows costs 1.46 times what is shown, where the server gives one range in an answer:
// 0.8 MB more, which take 64 ms at 100 Mbit/s; 30 requests more would take 80 ms.
const requestBytes = 128 << 10

// Short reads of one call are made as one where the source can, so many of them and of so
// many bytes together: of 2 140 that lie far apart in a Blob each takes 0.8 ms, of which
// half is for the answer. A few are better made side by side.
const (
	gatherReads = 64
	gatherBytes = 4 << 20
	gatherings  = 4 // at least, before more go into one
)

// A Rule says how ranges of a file are read together.
type Rule struct {
	recording.ReadRule
	Gathers bool // the source can make several reads as one
}

// Joined is how ranges of a file are read together, Apart how those of which no more is to
// be read than they are, Requested those of a server that gives one range at a time.
var (
	Joined    = Rule{recording.ReadRule{Gap: joinBytes, Most: cutBytes}, true}
	Apart     = Rule{recording.ReadRule{Most: cutBytes}, true}
	Requested = Rule{recording.ReadRule{Gap: requestBytes, Most: cutBytes}, false}
)

// A Gathering is reads that are made as one, which gives their bytes one after another;
// mostly it is a single read.
type Gathering struct {
	Reads []recording.RangeRead
	Parts []GatheredPart // of all reads, in order
	Bytes int64
}

// A GatheredPart is a part of a read, with its place among the bytes of all.
type GatheredPart struct {
	*recording.RangePart
	Place int64
}

// add appends a read.
func (g *Gathering) add(r *recording.RangeRead) {
	for i := range r.Parts {
		g.Parts = append(g.Parts, GatheredPart{&r.Parts[i], g.Bytes + r.Parts[i].At - r.From})
	}
	g.Reads, g.Bytes = append(g.Reads, *r), g.Bytes+r.To-r.From
}

// plan says how n ranges of a file are read, as recording.PlanReads does.
func (r Rule) plan(n int, at func(i int) (offset, length int64)) (list []Gathering) {
	reads, most := recording.PlanReads(n, at, r.ReadRule), 1
	if r.Gathers {
		most = min(gatherReads, max(1, len(reads)/gatherings))
	}
	for ; len(reads) > 0; reads = reads[1:] {
		last := len(list) - 1
		if last < 0 || len(list[last].Reads) == most || list[last].Bytes+reads[0].To-reads[0].From > gatherBytes {
			list, last = append(list, Gathering{}), last+1
		}
		list[last].add(&reads[0])
	}
	return list
}

// ReadRanges fills bufs[i] from offsets[i] on of a file of size bytes. It calls
// read for each gathering that this takes, with the buffers that its parts go to,
// several at a time, each in a goroutine; a panic in it is passed to report and
// returned as an error. All reads have ended when it returns. Ranges beyond the
// end are io.ErrUnexpectedEOF.
func ReadRanges(size int64, offsets []int64, bufs [][]byte, rule Rule, report func(text string), read func(g *Gathering, to [][]byte) error) error {
	for i, off := range offsets {
		if off < 0 || off > size || int64(len(bufs[i])) > size-off {
			return io.ErrUnexpectedEOF
		}
	}
	plan := rule.plan(len(bufs), func(i int) (int64, int64) { return offsets[i], int64(len(bufs[i])) })
	return sideBySide(plan, report, func(g *Gathering) error {
		to := make([][]byte, len(g.Parts))
		for i, p := range g.Parts {
			to[i] = bufs[p.Index][p.Skip : p.Skip+p.Length]
		}
		return read(g, to)
	})
}

// sideBySide makes the reads of a plan, several at a time, each in a goroutine, as
// ReadRanges says.
func sideBySide(plan []Gathering, report func(text string), read func(g *Gathering) error) error {
	type ended struct {
		err   error
		bytes int64
	}
	errs := make(chan ended, len(plan)) // one for each, so that none blocks
	next, open, bytes := 0, 0, int64(0)
	start := func() {
		g := &plan[next]
		size := g.Bytes
		next, open, bytes = next+1, open+1, bytes+size
		go func() { errs <- ended{Guard("read", report, func() error { return read(g) }), size} }()
	}
	var failed error
	for {
		for failed == nil && next < len(plan) && (open == 0 || open < inFlight && bytes+plan[next].Bytes <= bytesInFlight) {
			start()
		}
		if open == 0 {
			return failed
		}
		e := <-errs
		open, bytes = open-1, bytes-e.bytes
		if failed == nil {
			failed = e.err
		}
	}
}
