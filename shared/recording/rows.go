package recording

import (
	"context"

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
	var pieces []*piece
	var which []int
	for from := 0; from < len(r.batches); from += peekBatches {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		pieces, which = pieces[:0], which[:0]
		for i := from; i < min(len(r.batches), from+peekBatches); i++ {
			b := &r.batches[i]
			switch {
			case b.checked || b.err != nil:
				rows += b.rows
			case like == nil || b.metaLength != like.metaLength || !r.inside(b):
				whole = append(whole, i)
			default:
				pieces, which = append(pieces, &piece{off: b.offset, n: min(peekBytes, int64(b.metaLength))}), append(which, i)
			}
		}
		if err := r.fetchAhead(pieces); err != nil {
			return 0, err
		}
		for k, i := range which {
			if err := r.readScratch(pieces[k]); err != nil {
				return 0, err
			}
			b := &r.batches[i]
			n, body, ok := arrowipc.PeekRows(pieces[k].data, int64(b.metaLength))
			if !ok || n != like.rows || body != b.bodyLength {
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
			total += max(0, int64(r.batches[whole[n]].metaLength))
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
			rows += r.batches[i].rows
		}
		whole = whole[n:]
	}
	return rows, nil
}

// likelyBatch returns a batch whose header is valid and that others may be like,
// or nil.
func (r *Reader) likelyBatch() *batchState {
	for i := range r.batches {
		if r.batches[i].checked {
			return &r.batches[i]
		}
	}
	return nil
}

// inside reports whether the file has room for what the footer says of b.
func (r *Reader) inside(b *batchState) bool {
	return b.offset >= arrowipc.HeaderLength && b.metaLength >= 8 && b.metaLength <= messages.MaxMetadataBytes &&
		b.bodyLength >= 0 && b.bodyLength <= r.end && b.offset <= r.end-int64(b.metaLength)-b.bodyLength
}
