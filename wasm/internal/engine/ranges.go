package engine

import (
	"io"

	"github.com/oniscope/oniscope/shared/recording"
)

// Reads of one call are joined if they lie this close and cut if they are
// longer than this, and this many are under way at a time: a Blob gives
// 285 MB/s to one reader and 500-790 to several, and a small read takes half a
// millisecond whatever its size (arrow-facts 9).
const (
	joinBytes = 32 << 10
	cutBytes  = 2 << 20
	inFlight  = 8
)

// joined is how ranges of a Blob are read together.
var joined = recording.ReadRule{Gap: joinBytes, Most: cutBytes}

// ReadRanges fills bufs[i] from offsets[i] on of a file of size bytes. It calls
// read for each read that this takes, with the buffers that its parts go to,
// several at a time, each in a goroutine; a panic in it is passed to report and
// returned as an error. All reads have ended when it returns. Ranges beyond the
// end are io.ErrUnexpectedEOF.
func ReadRanges(size int64, offsets []int64, bufs [][]byte, report func(text string), read func(r recording.RangeRead, to [][]byte) error) error {
	for i, off := range offsets {
		if off < 0 || off > size || int64(len(bufs[i])) > size-off {
			return io.ErrUnexpectedEOF
		}
	}
	plan := recording.PlanReads(len(bufs), func(i int) (int64, int64) { return offsets[i], int64(len(bufs[i])) }, joined)
	errs := make(chan error, len(plan)) // one for each, so that none blocks
	next, open := 0, 0
	start := func() {
		r := plan[next]
		next, open = next+1, open+1
		to := make([][]byte, len(r.Parts))
		for i, p := range r.Parts {
			to[i] = bufs[p.Index][p.Skip : p.Skip+p.Length]
		}
		go func() { errs <- Guard("read", report, func() error { return read(r, to) }) }()
	}
	for next < len(plan) && open < inFlight {
		start()
	}
	var failed error
	for open > 0 {
		err := <-errs
		open--
		if err != nil && failed == nil {
			failed = err
		}
		if failed == nil && next < len(plan) {
			start()
		}
	}
	return failed
}
