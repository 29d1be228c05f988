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
