package recording

import (
	"context"

	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/parallel"
	"github.com/oniscope/oniscope/shared/stream"
)

// aheadBytes bounds what is decoded while a caller works on what came before.
const aheadBytes = 32 << 20

// leastAhead is what a batch must give to be decoded ahead: less is there before
// another core, and a decoder for it, are. Changed by tests.
var leastAhead int64 = 128 << 10

// A readAhead decodes the next batches of an excerpt while the caller works on
// the one before. The Reader and its source stay with the caller's goroutine:
// headers and bytes are read there, and only what has been read is decoded
// beside it.
type readAhead struct {
	x     *Excerpt
	ctx   context.Context
	begun []*decoding // in order
	idle  []*workspace
}

// A workspace is what one decoding works with, and the next uses again.
type workspace struct {
	decoder body.Decompressor
	stored  []byte
}

// A decoding is a batch whose bytes were read.
type decoding struct {
	cut   rowCut
	read  *batchRead
	parts []columnRead
	at    *workspace
	batch Batch
	err   error
	wait  func()
}

// depth is how many batches like this part of one are decoded ahead: none where
// there is nothing to decompress, or little, or so much that one batch is worth all
// cores.
func (a *readAhead) depth(cut rowCut, step int64) int {
	x := a.x
	if x.unique != nil || cut.err != nil || cut.to-cut.from > step || codecOf(x.r.batches[cut.batch].codec) == None {
		return 0
	}
	bytes := int64(1) // compressed columns are decoded whole
	for _, c := range x.columns {
		l, typ := x.r.layout(c)
		if typ == stream.Other {
			return 0 // those share dictionaries
		}
		bytes += x.r.batches[cut.batch].rows() * int64(l.Width)
	}
	n := min(int64(parallel.Workers()), aheadBytes/bytes)
	if n < 2 || bytes < leastAhead {
		return 0
	}
	return int(n)
}

// begin reads the bytes of a part of a batch and lets them be decoded.
func (a *readAhead) begin(cut rowCut) {
	d := &decoding{cut: cut}
	a.begun = append(a.begun, d)
	if d.err = a.ctx.Err(); d.err != nil {
		return
	}
	if n := len(a.idle); n > 0 {
		d.at, a.idle = a.idle[n-1], a.idle[:n-1]
	} else {
		d.at = new(workspace)
	}
	if d.read, d.parts, d.err = a.x.r.readStoredRows(cut.batch, cut.from, cut.to, a.x.columns, &d.at.stored); d.err != nil {
		return
	}
	d.batch = Batch{Index: cut.batch, Start: cut.start + cut.from, Rows: int(cut.to - cut.from), Columns: make([]Vector, len(d.parts))}
	d.wait = parallel.Go(func() {
		for k := range d.parts {
			if d.batch.Columns[k], d.err = d.read.decode(&d.parts[k], &d.at.decoder); d.err != nil {
				return
			}
		}
	})
}

// next waits for what was begun first.
func (a *readAhead) next() (rowCut, *Batch, error) {
	d := a.begun[0]
	a.begun = a.begun[1:]
	if d.wait != nil {
		d.wait()
		a.idle = append(a.idle, d.at)
	}
	if d.err != nil {
		return d.cut, nil, a.x.r.atBuffer(d.cut.batch, d.err)
	}
	a.x.r.watch(&d.cut, d.batch.Columns)
	return d.cut, &d.batch, nil
}

// end waits for what nobody wants any more.
func (a *readAhead) end() {
	for _, d := range a.begun {
		if d.wait != nil {
			d.wait()
		}
	}
}
