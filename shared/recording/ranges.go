package recording

import (
	"cmp"
	"slices"
)

// A span is one read that serves several pieces.
type span struct {
	off, n int64
	pieces []*piece
}

// maxWaste is the part of the wanted bytes that may be read besides, 1/20: a
// projected read costs at most 1.05 times what the columns hold.
const maxWaste = 20

// mergePieces plans the reads for pieces: the smallest gaps are read over
// until the allowance is used up. Empty pieces get empty data and no read.
func mergePieces(pieces []*piece) []span {
	sorted := make([]*piece, 0, len(pieces))
	var wanted int64
	for _, p := range pieces {
		if p.n == 0 {
			p.data = []byte{}
			continue
		}
		sorted = append(sorted, p)
		wanted += p.n
	}
	if len(sorted) == 0 {
		return nil
	}
	slices.SortStableFunc(sorted, func(a, b *piece) int { return cmp.Compare(a.off, b.off) })

	type gap struct {
		before int // index in sorted of the piece behind the gap
		n      int64
	}
	gaps := make([]gap, 0, len(sorted)-1)
	end := sorted[0].off + sorted[0].n
	for i, p := range sorted[1:] {
		gaps = append(gaps, gap{i + 1, max(0, p.off-end)})
		end = max(end, p.off+p.n)
	}
	slices.SortStableFunc(gaps, func(a, b gap) int { return cmp.Compare(a.n, b.n) })
	split := make([]bool, len(sorted))
	allowance := wanted / maxWaste
	for _, g := range gaps {
		if g.n > allowance {
			split[g.before] = true
			continue
		}
		allowance -= g.n
	}

	var spans []span
	for i, p := range sorted {
		if i == 0 || split[i] {
			spans = append(spans, span{off: p.off, n: p.n})
		}
		s := &spans[len(spans)-1]
		s.n = max(s.n, p.off+p.n-s.off)
		s.pieces = append(s.pieces, p)
	}
	return spans
}
