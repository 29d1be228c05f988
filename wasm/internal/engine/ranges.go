package engine

import (
	"cmp"
	"io"
	"slices"
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

// A Piece is one read of [From, To), and the buffers that its bytes go to.
type Piece struct {
	From, To int64 // bytes from the start of the file
	Targets  []Target
}

// A Target is a buffer inside a Piece.
type Target struct {
	At  int64 // bytes from the start of the file
	Buf []byte
}

// ReadPieces fills bufs[i] from offsets[i] on of a file of size bytes. It calls
// read for each piece, several at a time, each in a goroutine; a panic in it
// is passed to report and returned as an error. All reads have ended when it
// returns. Ranges beyond the end are io.ErrUnexpectedEOF.
func ReadPieces(size int64, offsets []int64, bufs [][]byte, report func(text string), read func(Piece) error) error {
	for i, off := range offsets {
		if off < 0 || off > size || int64(len(bufs[i])) > size-off {
			return io.ErrUnexpectedEOF
		}
	}
	plan := pieces(offsets, bufs)
	errs := make(chan error, len(plan)) // one for each, so that none blocks
	next, open := 0, 0
	start := func() {
		p := plan[next]
		next, open = next+1, open+1
		go func() { errs <- Guard("read", report, func() error { return read(p) }) }()
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

// pieces plans how to read ranges: neighbours together, long ones in parts.
func pieces(offsets []int64, bufs [][]byte) []Piece {
	targets := make([]Target, 0, len(offsets))
	for i, at := range offsets {
		for buf := bufs[i]; len(buf) > 0; {
			n := min(len(buf), cutBytes)
			targets = append(targets, Target{at, buf[:n]})
			buf, at = buf[n:], at+int64(n)
		}
	}
	slices.SortFunc(targets, func(a, b Target) int { return cmp.Compare(a.At, b.At) })
	var plan []Piece
	for _, t := range targets {
		end := t.At + int64(len(t.Buf))
		if n := len(plan); n > 0 {
			p := &plan[n-1]
			if t.At-p.To <= joinBytes && max(end, p.To)-p.From <= cutBytes {
				p.To = max(p.To, end)
				p.Targets = append(p.Targets, t)
				continue
			}
		}
		plan = append(plan, Piece{t.At, end, []Target{t}})
	}
	return plan
}
