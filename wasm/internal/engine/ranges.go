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
// and 384 requests took a second.
const requestBytes = 128 << 10

// Joined is how ranges of a file are read together, Requested those of a file at a URL,
// Apart how those of which no more is to be read than they are.
var (
	Joined    = recording.ReadRule{Gap: joinBytes, Most: cutBytes}
	Requested = recording.ReadRule{Gap: requestBytes, Most: cutBytes}
	Apart     = recording.ReadRule{Most: cutBytes}
)

// ReadRanges fills bufs[i] from offsets[i] on of a file of size bytes. It calls
// read for each read that this takes, with the buffers that its parts go to,
// several at a time, each in a goroutine; a panic in it is passed to report and
// returned as an error. All reads have ended when it returns. Ranges beyond the
// end are io.ErrUnexpectedEOF.
func ReadRanges(size int64, offsets []int64, bufs [][]byte, rule recording.ReadRule, report func(text string), read func(r recording.RangeRead, to [][]byte) error) error {
	for i, off := range offsets {
		if off < 0 || off > size || int64(len(bufs[i])) > size-off {
			return io.ErrUnexpectedEOF
		}
	}
	plan := recording.PlanReads(len(bufs), func(i int) (int64, int64) { return offsets[i], int64(len(bufs[i])) }, rule)
	return sideBySide(plan, report, func(r recording.RangeRead) error {
		to := make([][]byte, len(r.Parts))
		for i, p := range r.Parts {
			to[i] = bufs[p.Index][p.Skip : p.Skip+p.Length]
		}
		return read(r, to)
	})
}

// sideBySide makes the reads of a plan, several at a time, each in a goroutine, as
// ReadRanges says.
func sideBySide(plan []recording.RangeRead, report func(text string), read func(r recording.RangeRead) error) error {
	type ended struct {
		err   error
		bytes int64
	}
	errs := make(chan ended, len(plan)) // one for each, so that none blocks
	next, open, bytes := 0, 0, int64(0)
	start := func() {
		r := plan[next]
		size := r.To - r.From
		next, open, bytes = next+1, open+1, bytes+size
		go func() { errs <- ended{Guard("read", report, func() error { return read(r) }), size} }()
	}
	var failed error
	for {
		for failed == nil && next < len(plan) && (open == 0 || open < inFlight && bytes+plan[next].To-plan[next].From <= bytesInFlight) {
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
