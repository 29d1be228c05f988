package store

import "time"

// maxBadSyncs is how many files after each other may fail to reach the platter
// before a stream stays with the last one: changing files does not help then.
const maxBadSyncs = 3

// syncIfDue forces the part to the platter, beside the writing, if the interval
// is over and something was written. If that fails, the stream goes on in another
// file.
func (w *Writer) syncIfDue(now time.Time) {
	p := w.part
	if p == nil {
		return
	}
	every := w.run.o.Sync
	pending := p.forced != nil
	over, err := p.settle(every == SyncBatch)
	switch {
	case !over:
		return
	case err != nil:
		w.unsynced(p, err)
		return
	case pending:
		w.badSyncs = 0
		w.note()
	}
	first := p.GoodRows == 0 && p.Rows > 0 && w.badSyncs == 0 // whoever looks sees within seconds that the disk takes it
	if !p.dirty || every == SyncNever || every != SyncBatch && !first && now.Sub(p.synced) < every {
		return
	}
	p.force()
	if every == SyncBatch {
		w.syncIfDue(now) // waits for it
	}
}

// unsynced is what follows a sync that failed.
func (w *Writer) unsynced(p *part, err error) {
	p.synced = time.Now()
	failure := w.syncFailed(p, err)
	if w.badSyncs++; w.badSyncs > maxBadSyncs {
		return
	}
	// What is not on the platter may be lost although it can be read now, so
	// the file gets no footer that says it is whole.
	p.h.Close()
	w.part = nil
	w.keep(p)
	w.cause, w.again, w.need = failure, time.Time{}, 0
}

// syncFailed notes that a part is known good only up to its last sync.
func (w *Writer) syncFailed(p *part, err error) error {
	row := p.FirstRow + p.GoodRows
	e := w.tell(SyncFailed, p.File, row, err, "forcing it to the disk failed (%v): its rows from %d on may be damaged, those before are good; oniscope verify says which; check the disk", plain(err), row)
	p.State, p.Error = StateFailed, e.Error()
	return e
}
