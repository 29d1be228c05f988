package messages

import (
	"cmp"
	"slices"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// shiftFooter makes the footer's blocks places of the file where the file has
// bytes before its beginning, and sorts out those that cannot be.
func (e *Ends) shiftFooter() {
	if e.Footer == nil {
		return
	}
	if e.FooterBase > 0 {
		for _, list := range []*[]arrowipc.Block{&e.Footer.Dictionaries, &e.Footer.Batches} {
			*list = slices.Clone(*list)
			for i, b := range *list {
				if b.Offset >= 0 && b.Offset <= e.FooterAt {
					(*list)[i].Offset += e.FooterBase
				}
			}
		}
	}
	e.outside = nil
	if list := e.Footer.Batches; len(e.Footer.Dictionaries) == 0 && slices.IsSortedFunc(list, byOffset) && !slices.ContainsFunc(list, func(b arrowipc.Block) bool { return !e.fits(b) }) {
		e.blocks = list // of most files; there may be very many
		return
	}
	e.blocks = make([]arrowipc.Block, 0, len(e.Footer.Dictionaries)+len(e.Footer.Batches))
	for _, list := range [][]arrowipc.Block{e.Footer.Dictionaries, e.Footer.Batches} {
		for _, b := range list {
			if e.fits(b) {
				e.blocks = append(e.blocks, b)
			} else {
				e.outside = append(e.outside, b)
			}
		}
	}
	slices.SortStableFunc(e.blocks, byOffset)
}

// fits reports whether a message may lie where a block of the footer says.
func (e *Ends) fits(b arrowipc.Block) bool {
	return b.Offset >= e.FooterBase+arrowipc.HeaderLength && (b.Offset-e.FooterBase)%8 == 0 && b.MetaLength >= 8 && b.BodyLength >= 0 && b.BodyLength <= e.FooterAt &&
		b.Offset <= e.FooterAt-int64(b.MetaLength)-b.BodyLength
}

// Tiled reports whether the blocks of the footer fill the file from the schema
// to the footer, each in its order, as a writer leaves them: then the footer
// can be believed until a header contradicts it.
func (e *Ends) Tiled() bool {
	if e.Footer == nil || !e.FooterMagic || e.FooterBase != e.Base || e.FooterEnd != e.size || e.Borrowed || len(e.notes) > 0 && !e.harmless() ||
		len(e.blocks) != len(e.Footer.Batches)+len(e.Footer.Dictionaries) || !slices.IsSortedFunc(e.Footer.Batches, byOffset) {
		return false
	}
	at := e.SchemaEnd
	if at == 0 {
		at = e.First
	}
	for _, b := range e.blocks {
		if b.Offset < at || b.Offset-at >= MaxPadding {
			return false
		}
		at = b.Offset + int64(b.MetaLength) + b.BodyLength
	}
	return e.FooterAt >= at && e.FooterAt-at <= endBytes && (len(e.blocks) == 0 && e.FooterAt == at || e.endsWell(e.FooterAt-at))
}

// Forget drops the blocks of the footer, which take 24 bytes each: who keeps them
// otherwise calls FindEnds again before a walk.
func (e *Ends) Forget() {
	e.Footer.Batches, e.Footer.Dictionaries, e.blocks, e.outside = nil, nil, nil, nil
	e.Forgotten = true
}

func byOffset(a, b arrowipc.Block) int { return cmp.Compare(a.Offset, b.Offset) }
