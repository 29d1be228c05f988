package messages

import (
	"fmt"
	"slices"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// pair finds the block of each message, by verdict: that which is as it is,
// else the one at the same place, else the nearest of the same lengths, in the
// order of the file. A block where a loss begins has no message, unless the loss has
// no room for it: then bytes came before it.
func (l *Layout) pair(blocks []arrowipc.Block, kept []int, at, listed map[arrowipc.Block]bool) map[int]arrowipc.Block {
	partner := map[int]arrowipc.Block{}
	places := map[int64]int{} // of the messages that the footer does not list as they are
	for _, i := range kept {
		if b := l.Verdicts[i].Block(); listed[b] {
			partner[i] = b
		} else {
			places[b.Offset] = i
		}
	}
	lost := map[int64]int64{} // bytes
	for i := range l.Verdicts {
		if v := &l.Verdicts[i]; v.Kind == Loss && v.At >= l.FooterBase {
			lost[v.At] = v.Length
		}
	}
	var free []arrowipc.Block
	for _, b := range blocks {
		if n, ok := lost[b.Offset]; at[b] || ok && 2*n >= int64(b.MetaLength)+b.BodyLength {
			continue
		}
		if i, ok := places[b.Offset]; ok {
			partner[i] = b
			continue
		}
		free = append(free, b)
	}
	l.pairMoved(free, kept, partner)
	return partner
}

// maxShifts is how many distances are tried at which all batches of a stretch
// may have moved.
const maxShifts = 64

// pairMoved finds the blocks of messages that have moved. Damage in one place
// moves all that follows by as many bytes, so the distance between the last
// message and the last block is tried first, then that of the first message to
// the nearest block.
func (l *Layout) pairMoved(free []arrowipc.Block, kept []int, partner map[int]arrowipc.Block) {
	places := map[int64]int{} // of messages without a block
	var open []int
	for _, i := range kept {
		if _, ok := partner[i]; !ok {
			places[l.Verdicts[i].At], open = i, append(open, i)
		}
	}
	alike := func(i int, b arrowipc.Block) bool {
		v := &l.Verdicts[i]
		return v.MetaLength == b.MetaLength && v.BodyLength == b.BodyLength
	}
	try := func(shift int64) {
		free = slices.DeleteFunc(free, func(b arrowipc.Block) bool {
			i, ok := places[b.Offset-shift]
			if ok = ok && alike(i, b); ok {
				partner[i] = b
				delete(places, b.Offset-shift)
			}
			return ok
		})
		open = slices.DeleteFunc(open, func(i int) bool { _, ok := partner[i]; return ok })
	}
	if n, m := len(open), len(free); n > 0 && m > 0 && alike(open[n-1], free[m-1]) {
		try(free[m-1].Offset - l.Verdicts[open[n-1]].At)
	}
	for range maxShifts {
		best := -1
		for k, b := range free {
			if len(open) > 0 && alike(open[0], b) && (best < 0 || distance(b, &l.Verdicts[open[0]]) < distance(free[best], &l.Verdicts[open[0]])) {
				best = k
			}
		}
		if best < 0 {
			if len(open) == 0 {
				return
			}
			open = open[1:] // of a length that no block has
			continue
		}
		try(free[best].Offset - l.Verdicts[open[0]].At)
	}
}

func distance(a arrowipc.Block, v *Verdict) int64 { return max(a.Offset-v.At, v.At-a.Offset) }

// sayMoved reports blocks that are as many bytes away from their messages.
func (l *Layout) sayMoved(moved []fact) {
	for len(moved) > 0 {
		n := 1
		for n < len(moved) && moved[n].shift == moved[0].shift {
			n++
		}
		shift, way := moved[0].shift, "far"
		if shift < 0 {
			shift, way = -shift, "early"
		}
		what := "this batch"
		if n > 1 {
			what = Grouped(int64(n)) + " batches"
		}
		v := l.note(Warning, moved[0].at, moved[0].length, fmt.Sprintf("the footer lists %s %s bytes too %s", what, Grouped(shift), way), "the new footer lists it where it is")
		v.Count, v.Last = n, moved[n-1].at
		moved = moved[n:]
	}
}
