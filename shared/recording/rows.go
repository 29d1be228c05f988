package recording

import (
	"context"
	"slices"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

const (
	// peekBytes of a batch header are read for its number of rows, which every
	// known writer puts before the lists of nodes and buffers: Arrow C++, Go, C#,
	// Rust and we within the first 200 bytes. What is not there is read whole.
	peekBytes = 256
	// peekBatches is how many are read side by side.
	peekBatches = 1024
)

// CountRows returns the number of rows without reading all of the headers,
// which are tens of kilobytes each where there are hundreds of columns.
//
// It believes a header that begins as a batch of the first batch's size does,
// and reads every other whole. So it differs from what Rows says after the
// Index only where a header is damaged after its beginning. The error is
// that of ctx or the source's.
func (r *Reader) CountRows(ctx context.Context) (int64, error) {
	var whole []int // headers that must be read
	var rows int64
	like := r.likelyBatch()
	var places []piece
	var which []int
	for from := 0; from < len(r.batches); from += peekBatches {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		places, which = places[:0], which[:0]
		for i := from; i < min(len(r.batches), from+peekBatches); i++ {
			b := r.blockOf(i)
			switch {
			case r.batches[i].checked || r.odd.failed[i] != nil:
				rows += r.batches[i].rows()
			case like < 0 || b.MetaLength != r.blockOf(like).MetaLength || !r.inside(&b):
				whole = append(whole, i)
			default:
				places, which = append(places, piece{off: b.Offset, n: min(peekBytes, int64(b.MetaLength))}), append(which, i)
			}
		}
		if err := r.fetchAhead(places, nil); err != nil {
			return 0, err
		}
		for k, i := range which {
			if err := r.readScratch(places[k:]); err != nil {
				return 0, err
			}
			b := r.blockOf(i)
			n, body, ok := arrowipc.PeekRows(places[k].data, int64(b.MetaLength))
			if !ok || n != r.batches[like].rows() || body != b.BodyLength {
				whole = append(whole, i)
				continue
			}
			rows += n
		}
	}
	for len(whole) > 0 {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n, total := 0, int64(0)
		for ; n < len(whole) && (n == 0 || total <= maxStepBytes); n++ {
			total += max(0, int64(r.blockOf(whole[n]).MetaLength))
		}
		if err := r.loadHeaders(whole[:n]); err != nil {
			return 0, err
		}
		if r.contradicted && r.walked == nil {
			if err := r.walk(); err != nil {
				return 0, err
			}
			rows, _ := r.Rows()
			return rows, nil
		}
		for _, i := range whole[:n] {
			rows += r.batches[i].rows()
		}
		whole = whole[n:]
	}
	return rows, nil
}

// likelyBatch returns a batch whose header is valid and that others may be like,
// or -1.
func (r *Reader) likelyBatch() int {
	return slices.IndexFunc(r.batches, func(b batchState) bool { return b.checked })
}

// inside reports whether the file has room for what the footer says of b.
func (r *Reader) inside(b *arrowipc.Block) bool {
	return b.Offset >= arrowipc.HeaderLength && b.MetaLength >= 8 && b.MetaLength <= messages.MaxMetadataBytes &&
		b.BodyLength >= 0 && b.BodyLength <= r.end && b.Offset <= r.end-int64(b.MetaLength)-b.BodyLength
}
