package recovery

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/internal/pace"
	"github.com/oniscope/oniscope/shared/internal/parallel"
	"github.com/oniscope/oniscope/shared/recording"
)

// How bodies are checked. The walk has said where every batch lies, so batches
// are decoded on all cores, some megabytes of them at a time, and what they
// showed is folded in the order of the file.

// hashes says whether bytes are hashed as they are read: a program writes the
// output and compares it with them; a page's output is made of the input itself.
const hashes = runtime.GOOS != "js"

// A stretch is some verdicts in a row on batches that are decoded together.
type stretch struct {
	first, end int // verdicts, half open: those on batches are meant
	batches    int
	from, to   int64
}

// maxStretch is how many batches are decoded together at most: what they show is kept until
// it is folded.
const maxStretch = 1 << 12

// stretches groups the batches of the walk: the cost of a window is shared by
// small ones.
func (rc *recoverer) stretches() (list []stretch) {
	last := -1
	for i := range rc.Verdicts {
		if rc.Verdicts[i].Kind == messages.Batch {
			last = i
		}
	}
	for i := range rc.Verdicts {
		v := &rc.Verdicts[i]
		if v.Kind != messages.Batch || rc.o.HeadersOnly && i != last {
			continue
		}
		if n := len(list) - 1; n >= 0 && list[n].to == v.At && list[n].to-list[n].from+v.Length <= body.WindowBytes && list[n].batches < maxStretch {
			list[n].end, list[n].batches, list[n].to = i+1, list[n].batches+1, v.At+v.Length
			continue
		}
		list = append(list, stretch{i, i + 1, 1, v.At, v.At + v.Length})
	}
	return list
}

// eachBatch calls do with the index of each verdict of a stretch that is on a batch, and its
// number among them.
func (rc *recoverer) eachBatch(s *stretch, do func(n, i int) error) error {
	n := 0
	for i := s.first; i < s.end; i++ {
		if rc.Verdicts[i].Kind != messages.Batch {
			continue
		}
		if err := do(n, i); err != nil {
			return err
		}
		n++
	}
	return nil
}

// A judgement is what the bodies of a stretch showed.
type judgement struct {
	checked []body.Checked
	looked  []looked
	bad     []*body.NotIntactError // why not intact; nil: it is
	pieces  []body.Piece
}

// newChecker makes a checker of this file.
func (rc *recoverer) newChecker() *body.Checker {
	c := &body.Checker{Window: body.Window{File: rc.r, Size: rc.size, Work: rc.countWork(), Scattered: rc.o.HeadersOnly}}
	c.InPieces()
	if rc.words != nil {
		c.Words = rc.dictionarySize
	}
	return c
}

// judge decodes the batches of a stretch.
func (rc *recoverer) judge(c *body.Checker, s *stretch, sample bool) (j judgement, err error) {
	c.Sample = sample || !rc.o.HeadersOnly
	c.Begin(s.from, s.to, hashes && !rc.o.HeadersOnly && rc.verifier == nil)
	j.checked, j.looked, j.bad = make([]body.Checked, 0, s.batches), make([]looked, 0, s.batches), make([]*body.NotIntactError, 0, s.batches)
	err = rc.eachBatch(s, func(_, i int) error {
		m, err := rc.messageOf(c, &rc.Verdicts[i])
		if err != nil {
			return err
		}
		var seen looked
		if rc.verifier != nil {
			if m.Header == arrowipc.RecordBatchHeader {
				for _, e := range m.Metadata {
					if e.Key == recording.GapKey {
						seen.lost = recording.ParseLost(e.Value)
					}
				}
			}
		}
		if rc.verifier != nil || rc.o.Look != nil || rc.clocks.track != nil && rc.clocks.hub >= 0 {
			c.Look = func(m *messages.Message, column int, node arrowipc.FieldNode, data, valid []byte, runEnds []int64) {
				ends := rc.show(m, column, node, data, valid, runEnds)
				if rc.verifier != nil {
					rc.verifier.column(&seen, m, column, node, data, valid, ends)
				}
				rc.clocks.look(&seen, m, column, node, data, runEnds)
			}
		}
		checked, err := c.Check(rc.schema, m)
		var bad *body.NotIntactError
		if err != nil && !errors.As(err, &bad) {
			return err
		}
		j.checked, j.looked, j.bad = append(j.checked, checked), append(j.looked, seen), append(j.bad, bad)
		return nil
	})
	if err != nil {
		return j, err
	}
	j.pieces, err = c.Finish()
	return j, err
}

// show passes a column of a batch to whoever watches, and returns the ends of its values,
// if that knows them.
func (rc *recoverer) show(m *messages.Message, column int, node arrowipc.FieldNode, data, valid []byte, runEnds []int64) (ends recording.Extremes) {
	_, t := body.LayoutOf(&rc.schema.Fields[column])
	if m.Header != arrowipc.RecordBatchHeader || !rc.o.Sees(t) || runEnds == nil && int64(len(data)) != node.Length*int64(t.Width()) {
		return ends
	}
	if node.NullCount == 0 || len(valid) == 0 {
		valid = nil
	}
	v := recording.NewVector(column, t, int(m.Batch.Length), data, valid, runEnds)
	return rc.o.Look(m.At, &v)
}

// messageOf reads the header of a message that the walk found.
func (rc *recoverer) messageOf(c *body.Checker, v *messages.Verdict) (*messages.Message, error) {
	m, err := c.Message(v.At)
	if err == nil && m == nil {
		err = fmt.Errorf("recording: the message at byte %d is gone: the file is being changed", v.At)
	}
	return m, err
}

// checkBatches goes over the verdicts of the walk and decodes the batches.
func (rc *recoverer) checkBatches() error {
	list := rc.stretches()
	rc.list = make([]entry, 0, len(rc.Verdicts)+len(rc.noted))
	rc.clocks.start(rc)
	checkers := make([]*body.Checker, parallel.Workers())
	for i := range checkers {
		checkers[i] = rc.newChecker()
	}
	next, batch := 0, 0 // of the verdicts, and of the batches among them
	dictionary := 0
	// others folds the verdicts before one that was decoded.
	others := func(to int) error {
		for ; next < to; next++ {
			e := entry{Verdict: rc.Verdicts[next]}
			switch e.Kind {
			case messages.Dictionary:
				rc.foldDictionary(&e.Verdict, dictionary)
				dictionary++
				rc.noteRedefinition(&e.Verdict, rc.anew[next])
				e.again = rc.anew[next] == again && e.Kind == messages.Dictionary && !rc.o.Stream
			case messages.Batch: // not decoded
				rc.report.RowsRecovered += e.Rows
				batch++
			case messages.Loss:
				if done, err := rc.foldLoss(&e); err != nil {
					return err
				} else if done {
					continue
				}
				if rc.Footer != nil {
					batch += e.Batches
				}
				rc.clocks.broken = true
			}
			rc.list = append(rc.list, e)
		}
		return nil
	}
	sampled := pace.SampleBatches * 4 // stretches whose ticks may be wanted
	err := parallel.Ordered(len(list), func(worker, k int) (judgement, error) {
		return rc.judge(checkers[worker], &list[k], k < sampled)
	}, func(k int, j judgement) error {
		err := rc.eachBatch(&list[k], func(n, i int) error {
			if err := others(i); err != nil {
				return err
			}
			followed := i+1 < len(rc.Verdicts) && rc.Verdicts[i+1].Kind == messages.Loss
			if err := rc.foldBatch(&rc.Verdicts[i], batch, &j.checked[n], &j.looked[n], j.bad[n], followed); err != nil {
				return err
			}
			batch++
			next++
			return rc.reached(rc.Verdicts[i].At + rc.Verdicts[i].Length)
		})
		rc.pieces = append(rc.pieces, j.pieces...)
		return err
	})
	if err == nil {
		err = others(len(rc.Verdicts))
	}
	if err == nil && rc.o.HeadersOnly {
		err = rc.checkEarlier()
	}
	if err == nil {
		rc.suspectZeros()
	}
	return err
}

// foldBatch takes over a batch, or leaves it out if it is not intact.
func (rc *recoverer) foldBatch(v *messages.Verdict, batch int, c *body.Checked, seen *looked, bad *body.NotIntactError, followed bool) error {
	e := entry{Verdict: *v, checked: true, clock: c.Clock}
	e.mended = rc.mend(len(rc.list), c.Fixes)
	if bad != nil {
		e.Verdict = rc.notIntact(v, bad)
		rc.clocks.broken = true
		rc.list = append(rc.list, e)
		return nil
	}
	ticks, _, _ := pace.Valid(c.ClockTicks, c.ClockValid)
	rc.steps.Add(ticks)
	rc.zeros.batch = batch
	rc.suspect(len(rc.list), v, c, followed)
	if err := rc.clocks.add(rc, v, batch, rc.report.RowsRecovered, c, seen); err != nil {
		return err
	}
	rc.o.Pass(v.At)
	if rc.verifier != nil {
		rc.verifier.intact(seen)
	}
	rc.report.RowsRecovered += e.Rows // so far, for the clocks
	if e.clock.OK {
		rc.last = e.clock
	}
	rc.list = append(rc.list, e)
	return nil
}

// mend keeps the bytes that the output has otherwise in an entry, by its index, and reports
// whether there are any.
func (rc *recoverer) mend(entry int, fixes []body.Fix) bool {
	if len(fixes) == 0 {
		return false
	}
	if rc.fixes == nil {
		rc.fixes = map[int][]body.Fix{}
	}
	rc.fixes[entry] = fixes
	return true
}

// notIntact is the verdict on a batch whose body is damaged.
func (rc *recoverer) notIntact(v *messages.Verdict, bad *body.NotIntactError) messages.Verdict {
	loss := messages.NewLoss(v.At, v.Length, v.Rows, bad.Error())
	loss.MetaLength, loss.BodyLength, loss.Codec, loss.Doubted = v.MetaLength, v.BodyLength, v.Codec, v.Doubted
	loss.Batches, loss.AtEnd = 1, rc.o.HeadersOnly
	return loss
}
