package recording

import "github.com/oniscope/oniscope/shared/stream"

// A Watcher sees what is decoded anyway: of a file that is verified, recovered or copied.
// The zero value sees nothing.
type Watcher struct {
	// Look is called with the values of each column of numbers of whole bytes of each
	// batch, which is at byte offset of the file. They are valid during the call. Several
	// goroutines may call it, each with a batch of its own. A column that is too large to be
	// in memory is left out where it is verified. It may give the ends of the values, so that
	// they are not looked for again.
	Look func(offset int64, v *Vector) Extremes
	// Intact is called for each batch of which all that was decoded is intact, after its
	// columns, in order.
	Intact func(offset int64)
}

// Extremes are the least and the greatest of some values; the zero value is not to know
// them.
type Extremes struct {
	Least, Most float64
	Known       bool
}

// Sees reports whether columns of a type are passed to Look.
func (w *Watcher) Sees(t stream.Type) bool {
	return w.Look != nil && t.Numeric() && t.Width() > 0 && t != stream.Bool
}

// See passes a column to Look, if it is one of those.
func (w *Watcher) See(offset int64, v *Vector) {
	if w.Sees(v.Type) {
		w.Look(offset, v)
	}
}

// Pass calls Intact.
func (w *Watcher) Pass(offset int64) {
	if w.Intact != nil {
		w.Intact(offset)
	}
}

// Watch has w see the whole batches that copies and exports of the Reader's excerpts
// decode from now on; of a batch of which they take some rows it sees nothing.
func (r *Reader) Watch(w Watcher) { r.watcher = w }

// watch shows the columns of a part of a batch, if it is all of it.
func (r *Reader) watch(cut *rowCut, columns []Vector) {
	if r.watcher.Look == nil || cut.from > 0 || cut.to < r.batches[cut.batch].rows() {
		return
	}
	at := r.offset(cut.batch)
	for i := range columns {
		r.watcher.See(at, &columns[i])
	}
	r.watcher.Pass(at)
}
