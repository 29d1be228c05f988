package messages

// A Placed says where a verdict that is no message lies among the rows.
type Placed struct {
	Batch       int   // number of the record batch; -1: none
	BeforeRow   int64 // rows that are kept before it
	LostRows    int64 // -1: unknown
	ClockBefore uint64
	ClockAfter  uint64
}

// A Span is the first and last tick of a batch.
type Span struct {
	First, Last uint64
	OK          bool
}

// Place finds the rows around every verdict that speaks, and around those of also, by their
// index; and how many a loss took: those of its header, else as many as its batches have everywhere, else as many as fit
// between the Clock on both sides and are not known to be there or lost already.
//
// numbered says that lost batches have numbers, as they do in the list of a
// footer. clock gives the ticks of the batch of a verdict; promised is the number of
// rows that a whole batch has by the file's metadata, 0 if it does not say;
// step is the median step of Clock from row to row, 0 if it is not even.
func Place(list []Verdict, numbered bool, clock func(i int) Span, promised int64, step float64, also ...int) map[int]*Placed {
	constant, body := constantRows(list, promised)
	out := map[int]*Placed{}
	for _, i := range also {
		out[i] = nil
	}
	rows, batches := int64(0), 0
	kept := false // the batch before
	for i := range list {
		v := &list[i]
		p, asked := out[i]
		if asked || v.Speaks() {
			p = &Placed{Batch: -1, BeforeRow: rows}
			out[i] = p
		}
		switch v.Kind {
		case Batch:
			if p != nil {
				p.Batch = batches
			}
			batches++
			rows += v.Rows
			kept = true
			continue
		case Loss:
			p.LostRows = v.Rows
			if v.Batches > 0 {
				kept = false
				if p.Batch = batches; numbered {
					batches += v.Batches
				}
			}
		}
		if v.Doubted {
			p.Batch = batches - 1
		}
		if v.Touched > 0 {
			p.Batch = batches - 1
			if kept { // else its rows are not there
				p.BeforeRow -= v.Touched
			}
		}
	}
	last := len(list) - 1 // the last batch, damaged or not
	for last >= 0 && !list[last].stated() {
		last--
	}
	for i := range list {
		v := &list[i]
		if v.Kind != Loss {
			continue
		}
		alike := v.Body == 0 || body == 0 || v.Body == body // a shorter batch has a shorter body
		if v.Rows < 0 && v.Batches > 0 && constant > 0 && i < last && alike {
			out[i].LostRows = constant * int64(v.Batches)
		}
	}
	for i := range list {
		v := &list[i]
		if v.Kind == Batch || v.Kind == Dictionary {
			continue
		}
		p := out[i]
		from, before := neighbour(list, i, -1, clock)
		to, after := neighbour(list, i, 1, clock)
		if before.OK {
			p.ClockBefore = before.Last
		}
		if after.OK {
			p.ClockAfter = after.First
		}
		if v.Kind == Loss && p.LostRows < 0 && step > 0 && before.OK && after.OK && after.First > before.Last {
			if n := float64(after.First-before.Last)/step - 0.5; n < 1<<53 {
				p.LostRows = max(0, int64(max(0, n))-rowsBetween(list, out, from, to))
			}
		}
	}
	return out
}

// rowsBetween is how many of the rows between two batches are known to be kept or
// lost: they are not lost once more.
func rowsBetween(list []Verdict, out map[int]*Placed, from, to int) (rows int64) {
	for k := from + 1; k < to; k++ {
		switch list[k].Kind {
		case Batch:
			rows += list[k].Rows
		case Loss:
			rows += max(0, out[k].LostRows)
		}
	}
	return rows
}

// stated reports whether the header of a batch says how many rows it has: of a
// batch that is there, and of one whose body is damaged.
func (v *Verdict) stated() bool {
	return v.Kind == Batch || v.Kind == Loss && v.Batches == 1 && v.Rows >= 0
}

// maxNeighbours bounds the search for a batch next to a damaged one whose Clock
// can be had.
const maxNeighbours = 256

// neighbour returns the next batch in a direction whose Clock can be had.
func neighbour(list []Verdict, i, way int, clock func(i int) Span) (at int, s Span) {
	for n := 0; n < maxNeighbours; {
		if i += way; i < 0 || i >= len(list) {
			break
		}
		if list[i].Kind != Batch {
			continue
		}
		n++
		if s := clock(i); s.OK {
			return i, s
		}
	}
	return i, Span{}
}

// constantRows returns the rows of every batch but the last, if they are the
// same in all: at least two, or one of as many rows as the metadata promise;
// else 0. body is the length of their bodies, 0 if these differ. A damaged batch
// counts, so that the answer is the same before its body was read and after it.
func constantRows(list []Verdict, promised int64) (rows, body int64) {
	last, known := -1, 0
	for i := range list {
		if list[i].stated() {
			last = i
		}
	}
	plain := true
	for i := range list {
		v := &list[i]
		if !v.stated() || i == last {
			continue
		}
		if known++; known == 1 {
			rows, body = v.Rows, v.BodyLength
		}
		if v.Rows != rows {
			return 0, 0
		}
		plain = plain && v.Codec < 0 && v.BodyLength == body
	}
	if known == 0 {
		return 0, 0
	}
	if !plain {
		body = 0
	}
	if known == 1 {
		body = 0 // nulls and runs make it longer or shorter
		if promised != rows {
			return 0, 0
		}
	}
	return rows, body
}
