package messages

import (
	"fmt"
	"slices"
	"sort"
	"strconv"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// How the footer is compared with what is there. Blocks that point at a message
// as it is settle themselves. What is left of the footer and what is left of
// the messages is paired in file order: a message of the same lengths has moved,
// one at the same place has another length. Blocks that find no partner are
// batches that are lost; they are counted in the stretch that lies where they
// should be.

// account compares footer and messages. It changes the verdicts before anyone
// has seen them.
func (l *Layout) account() {
	if l.Footer == nil {
		l.doubtWords()
		l.sameSizes()
		return
	}
	if l.asListed() {
		l.Listed = len(l.Joints) == 0
		l.order()
		l.doubtWords()
		l.sayVersion()
		return
	}
	blocks, twice := l.distinct()
	at := map[arrowipc.Block]bool{}
	var kept []int // verdicts of messages
	for i := range l.Verdicts {
		if v := &l.Verdicts[i]; (v.Kind == Batch || v.Kind == Dictionary) && v.At >= l.FooterBase {
			kept, at[v.Block()] = append(kept, i), true
		}
	}
	listed := map[arrowipc.Block]bool{}
	for _, b := range blocks {
		listed[b] = true
	}
	l.Listed = twice == 0 && len(l.outside) == 0 && len(l.Joints) == 0
	var moved, other []fact
	partner := l.pair(blocks, kept, at, listed)
	for _, i := range kept {
		v := &l.Verdicts[i]
		b, ok := partner[i]
		switch {
		case ok && b == v.Block():
		case ok && b.MetaLength == v.MetaLength && b.BodyLength == v.BodyLength:
			moved = append(moved, fact{v.At, v.Length, b.Offset - v.At})
		default:
			other = append(other, fact{v.At, v.Length, 0})
		}
	}
	l.sayMoved(moved)
	l.say(other, "the footer does not list %s, or not as it is", "this batch", "batches", "the new footer lists it")
	l.count(blocks, kept, partner)
	l.sayTwice(twice)
	l.order()
	l.doubtWords()
	l.sayVersion()
	if len(moved)+len(other) > 0 {
		l.Listed = false
	}
	l.sameSizes()
}

// asListed reports whether the messages are those of the footer, in its order, as they are,
// and nothing is lost: as a writer leaves a file.
func (l *Layout) asListed() bool {
	blocks := l.blocks
	if len(l.outside) > 0 {
		return false
	}
	for i := range l.Verdicts {
		switch v := &l.Verdicts[i]; {
		case v.At < l.FooterBase || v.Kind == Note:
		case v.Kind == Loss || len(blocks) == 0 || blocks[0] != v.Block():
			return false
		default:
			blocks = blocks[1:]
		}
	}
	return len(blocks) == 0
}

// sayVersion notes that footer and messages are of different versions.
func (l *Layout) sayVersion() {
	if l.Footer.Version != l.Version && l.Footer.Version != arrowipc.NoVersion {
		// C++ writes V5 in the footer of files that it is asked to write as V4.
		v := l.noteFooter(Info, fmt.Sprintf("metadata version V%d in the footer, V%d in the messages", l.Footer.Version+1, l.Version+1), "")
		v.Harmless = true
	}
}

// A fact is one of several of the same cause.
type fact struct{ at, length, shift int64 }

// note appends a note, which the caller may change until the next.
func (l *Layout) note(s Severity, at, length int64, reason, remedy string) *Verdict {
	l.Verdicts = append(l.Verdicts, NewNote(s, at, length, reason, remedy))
	return &l.Verdicts[len(l.Verdicts)-1]
}

// noteFooter appends a note about the footer.
func (l *Layout) noteFooter(s Severity, reason, remedy string) *Verdict {
	return l.note(s, l.FooterAt, l.FooterEnd-l.FooterAt, reason, remedy)
}

// distinct returns the blocks of the footer, in file order, each once, and how
// many it lists again.
func (l *Layout) distinct() (blocks []arrowipc.Block, twice int) {
	all := append(slices.Clone(l.blocks), l.outside...)
	sort.SliceStable(all, func(i, k int) bool { return all[i].Offset < all[k].Offset })
	blocks = slices.Compact(slices.Clone(all))
	return blocks, len(all) - len(blocks)
}

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

// say reports facts of one cause as one.
func (l *Layout) say(facts []fact, format, one, many, remedy string) {
	if len(facts) == 0 {
		return
	}
	what := one
	if len(facts) > 1 {
		what = Grouped(int64(len(facts))) + " " + many
	}
	v := l.note(Warning, facts[0].at, 0, fmt.Sprintf(format, what), remedy)
	v.Count, v.Last = len(facts), facts[len(facts)-1].at
}

// count gives each loss the number of batches that the footer lists in it. Blocks that
// lie in no loss are facts of their own.
func (l *Layout) count(blocks []arrowipc.Block, kept []int, partner map[int]arrowipc.Block) {
	byBlock := map[arrowipc.Block]int{} // the verdict of each block that has one
	for i, b := range partner {
		byBlock[b] = i
	}
	dictionaries := map[arrowipc.Block]bool{}
	for _, b := range l.Footer.Dictionaries {
		dictionaries[b] = true
	}
	var losses []int
	for i := range l.Verdicts {
		if l.Verdicts[i].Kind == Loss && l.Verdicts[i].At >= l.FooterBase {
			losses = append(losses, i)
		}
	}
	extra := map[int]int{}
	var nowhere []fact
	from := int64(-1) // where the message of the block before begins
	for n, b := range blocks {
		if i, ok := byBlock[b]; ok {
			from = l.Verdicts[i].At
			continue
		}
		to := l.Ends.FooterAt + 1 // where the next one that is there begins
		for _, c := range blocks[n+1:] {
			if i, ok := byBlock[c]; ok {
				to = l.Verdicts[i].At
				break
			}
		}
		k := l.lossFor(losses, b, from, to)
		if k < 0 {
			l.Listed = false
			if !dictionaries[b] {
				nowhere = append(nowhere, fact{b.Offset, b.BodyLength, 0})
			}
			continue
		}
		if dictionaries[b] {
			if v := &l.Verdicts[k]; v.At == b.Offset && v.Length == int64(b.MetaLength)+b.BodyLength {
				v.Rows, v.Reason = 0, "a dictionary: "+v.Reason
			}
			continue
		}
		extra[k]++
		l.Verdicts[k].Body = b.BodyLength
	}
	unlisted := 0
	for _, i := range kept {
		if _, ok := partner[i]; !ok && l.Verdicts[i].Kind == Batch {
			unlisted++
		}
	}
	for k, n := range extra {
		v := &l.Verdicts[k]
		v.Batches = max(v.Batches, n)
	}
	if n := len(nowhere) - unlisted; n > 0 { // more are listed than are there
		what := "a batch"
		if n > 1 {
			what = Grouped(int64(n)) + " batches"
		}
		v := NewLoss(l.FooterAt, 0, -1, "the footer lists "+what+" of which nothing is found")
		v.Batches, v.Count, v.Body = n, n, nowhere[0].length
		l.Verdicts = append(l.Verdicts, v)
		nowhere = nowhere[:len(nowhere)-n]
	}
	if n := len(nowhere); n > 0 {
		what := fmt.Sprintf("a batch at byte %d where there is none", nowhere[0].at)
		if len(l.outside) > 0 && nowhere[0].at == l.outside[0].Offset {
			what = fmt.Sprintf("a batch at byte %d, outside the batches", nowhere[0].at)
		}
		if n > 1 {
			what = fmt.Sprintf("%s batches where there are none, the first at byte %d", Grouped(int64(n)), nowhere[0].at)
		}
		l.noteFooter(Warning, "the footer lists "+what, "the new footer does not").Count = n
	}
}

// lossFor returns the loss in which a block of the footer should be: the one
// that covers it, else the first between the messages before and after it.
func (l *Layout) lossFor(losses []int, b arrowipc.Block, from, to int64) int {
	between := -1
	for _, k := range losses {
		v := &l.Verdicts[k]
		if v.At < from || v.At >= to && to >= 0 {
			continue
		}
		if v.At <= b.Offset && b.Offset < v.At+v.Length {
			return k
		}
		if between < 0 {
			between = k
		}
	}
	return between
}

func (l *Layout) sayTwice(twice int) {
	if twice == 0 {
		return
	}
	what := "a batch"
	if twice > 1 {
		what = Grouped(int64(twice)) + " batches"
	}
	l.noteFooter(Warning, "the footer lists "+what+" twice", "the new footer lists it once").Count = twice
}

func (l *Layout) order() {
	last := int64(-1)
	sorted := true
	for _, b := range l.Footer.Batches {
		if l.fits(b) {
			sorted, last = sorted && b.Offset >= last, b.Offset
		}
	}
	if sorted {
		return
	}
	l.Listed = false
	l.noteFooter(Warning, "the footer lists the batches in another order than that of the file: readers disagree about the order of rows", "the new footer lists them in the order of the file")
}

// sameSizes counts the batches of a loss of which nothing else speaks, where
// all messages are plain batches of one length and the loss has room for a
// whole number of them.
func (l *Layout) sameSizes() {
	length := int64(0)
	for i := range l.Verdicts {
		v := &l.Verdicts[i]
		if v.Kind == Dictionary || v.Kind == Batch && (v.Codec != arrowipc.Uncompressed || length > 0 && v.Length != length) {
			return
		}
		if v.Kind == Batch {
			length = v.Length
		}
	}
	if length == 0 {
		return
	}
	for i := range l.Verdicts {
		if v := &l.Verdicts[i]; v.Kind == Loss && v.Batches == 0 && v.Blind && v.Length%length == 0 {
			v.Batches = int(v.Length / length)
		}
	}
}

// Grouped writes a number with its digits in groups of three.
func Grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// doubtWords notes that a dictionary of a stream may have been replaced in
// bytes that are lost.
func (l *Layout) doubtWords() {
	if !l.Stream {
		return
	}
	words, lost := false, int64(-1)
	for i := range l.Verdicts {
		switch v := &l.Verdicts[i]; {
		case v.Kind == Dictionary && lost < 0:
			words = true
		case v.Kind == Loss && v.Blind && words && lost < 0:
			lost = v.At
		case v.Kind == Batch && lost >= 0:
			l.note(Warning, lost, 0, "suspect: a dictionary may have been replaced in the bytes that are lost, so that words after them may be others", "").Suspect = true
			return
		}
	}
}
