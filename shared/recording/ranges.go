package recording

import (
	"cmp"
	"slices"
)

// A RangeRead is one read, of the bytes [From, To) of a file, and which ranges
// it serves.
type RangeRead struct {
	From, To int64
	Parts    []RangePart
}

// A RangePart is a range, or a part of it: Length bytes of the file from At on,
// which come after Skip bytes of the range.
type RangePart struct {
	Index            int // of the range
	At, Length, Skip int64
}

// A ReadRule says how ranges are read together. The zero value reads together
// what overlaps or adjoins.
type ReadRule struct {
	Gap   int64 // bytes between two ranges that may be read besides
	Share int64 // one in so many of all wanted bytes may be; 0: no limit. The smallest gaps come first
	Most  int64 // bytes of one read; longer ranges are cut; 0: no limit
}

// PlanReads plans how n ranges of a file are read: neighbours together, in the
// order of the file. at gives where a range begins and how long it is, in bytes;
// empty ones take no read.
func PlanReads(n int, at func(i int) (offset, length int64), rule ReadRule) []RangeRead {
	parts := make([]RangePart, 0, n)
	var wanted int64
	for i := range n {
		offset, length := at(i)
		wanted += length
		for skip := int64(0); skip < length; {
			size := length - skip
			if rule.Most > 0 {
				size = min(size, rule.Most)
			}
			parts = append(parts, RangePart{Index: i, At: offset + skip, Length: size, Skip: skip})
			skip += size
		}
	}
	slices.SortStableFunc(parts, func(a, b RangePart) int { return cmp.Compare(a.At, b.At) })
	apart := rule.apart(parts, wanted)
	var plan []RangeRead
	for i, p := range parts {
		end := p.At + p.Length
		if n := len(plan); n > 0 && !apart[i] {
			read := &plan[n-1]
			if to := max(end, read.To); rule.Most == 0 || to-read.From <= rule.Most {
				read.To, read.Parts = to, append(read.Parts, p)
				continue
			}
		}
		plan = append(plan, RangeRead{p.At, end, []RangePart{p}})
	}
	return plan
}

// One buffer of a read is at most so large, where it can be cut between two ranges
// that lie this close: with padding of Arrow between them.
const (
	bufferBytes = 512 << 10
	paddingMost = 64
)

// inSmallBuffers cuts reads for a source that joins them again: memory of many sizes,
// used again and again, is soon in pieces, and large buffers then find no place.
func inSmallBuffers(plan []RangeRead) (cut []RangeRead) {
	for _, read := range plan {
		begun := false
		for _, p := range read.Parts {
			end := p.At + p.Length
			if begun {
				last := &cut[len(cut)-1]
				if gap := p.At - last.To; gap < 0 || gap > paddingMost || end-last.From <= bufferBytes {
					last.To, last.Parts = max(last.To, end), append(last.Parts, p)
					continue
				}
			}
			cut = append(cut, RangeRead{p.At, end, []RangePart{p}})
			begun = true
		}
	}
	return cut
}

// apart says which parts, sorted, are not read together with what is before
// them.
func (rule ReadRule) apart(parts []RangePart, wanted int64) []bool {
	type gap struct {
		before int // the part after it
		n      int64
	}
	apart := make([]bool, len(parts))
	gaps := make([]gap, 0, len(parts))
	end := int64(0)
	for i, p := range parts {
		if n := p.At - end; i > 0 && n > 0 {
			if apart[i] = n > rule.Gap; !apart[i] {
				gaps = append(gaps, gap{i, n})
			}
		}
		end = max(end, p.At+p.Length)
	}
	if rule.Share == 0 {
		return apart
	}
	slices.SortStableFunc(gaps, func(a, b gap) int { return cmp.Compare(a.n, b.n) })
	allowance := wanted / rule.Share
	for _, g := range gaps {
		if apart[g.before] = g.n > allowance; !apart[g.before] {
			allowance -= g.n
		}
	}
	return apart
}
