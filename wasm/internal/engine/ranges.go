package main

import (
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

// A piece is one read, and the buffers that its bytes go to.
type piece struct {
	from, to int64
	targets  []target
}

type target struct {
	at  int64 // in the file
	buf []byte
}

// pieces plans how to read ranges: neighbours together, long ones in parts.
func pieces(offsets []int64, bufs [][]byte) []piece {
	targets := make([]target, 0, len(offsets))
	for i, at := range offsets {
		for buf := bufs[i]; len(buf) > 0; {
			n := min(len(buf), cutBytes)
			targets = append(targets, target{at, buf[:n]})
			buf, at = buf[n:], at+int64(n)
		}
	}
	slices.SortFunc(targets, func(a, b target) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	})
	var plan []piece
	for _, t := range targets {
		end := t.at + int64(len(t.buf))
		if n := len(plan); n > 0 {
			p := &plan[n-1]
			if t.at-p.to <= joinBytes && max(end, p.to)-p.from <= cutBytes {
				p.to = max(p.to, end)
				p.targets = append(p.targets, t)
				continue
			}
		}
		plan = append(plan, piece{t.at, end, []target{t}})
	}
	return plan
}
