package store

// note brings what others see up to date.
func (w *Writer) note() {
	p := w.part
	if p == nil {
		return
	}
	p.note()
	w.keep(p)
}

// keep stores the summary of a part, and the sums.
func (w *Writer) keep(p *part) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.parts); n > 0 && w.parts[n-1].id == p.id {
		w.parts[n-1] = p.PartSummary
	} else {
		w.parts = append(w.parts, p.PartSummary)
	}
	w.sum()
}

// forget takes a part away that holds nothing.
func (w *Writer) forget(p *part) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.parts); n > 0 && w.parts[n-1].id == p.id {
		w.parts = w.parts[:n-1]
	}
	w.sum()
}

func (w *Writer) sum() {
	var rows, batches, bytes, good, taken int64
	for i := range w.parts {
		p := &w.parts[i]
		rows, batches, bytes, good, taken = rows+p.Rows, batches+int64(p.Batches), bytes+p.Bytes, good+p.GoodBytes, taken+p.LostRows
	}
	w.rows.Store(rows)
	w.batches.Store(batches)
	w.bytes.Store(bytes)
	w.durable.Store(good)
	w.taken.Store(taken)
}

// Progress is what is in the files of a stream.
type Progress struct {
	Rows    int64
	Batches int
	Bytes   int64
	Durable int64 // bytes that were forced to the platter
}

// Progress returns what is in the files, counted in whole batches.
func (w *Writer) Progress() Progress {
	return Progress{w.rows.Load() - w.taken.Load(), int(w.batches.Load()), w.bytes.Load(), w.durable.Load()}
}

// Parts returns the files of the stream so far.
func (w *Writer) Parts() []PartSummary {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]PartSummary(nil), w.parts...)
}

// File returns the name of the file that the last batch went to, or, before the
// first, that it will go to.
func (w *Writer) File() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.parts); n > 0 {
		return w.parts[n-1].File
	}
	return ""
}

// Stream returns what the stream is called.
func (w *Writer) Stream() string { return w.stream.Name }
