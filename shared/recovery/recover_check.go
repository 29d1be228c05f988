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
	verdicts []int // indices
	from, to int64
}

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
		if n := len(list); n > 0 && list[n-1].to == v.At && list[n-1].to-list[n-1].from+v.Length <= body.WindowBytes {
			list[n-1].verdicts, list[n-1].to = append(list[n-1].verdicts, i), v.At+v.Length
			continue
		}
		list = append(list, stretch{[]int{i}, v.At, v.At + v.Length})
	}
	return list
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
	if rc.words != nil {
		c.Words = rc.dictionarySize
	}
	return c
}

// judge decodes the batches of a stretch.
func (rc *recoverer) judge(c *body.Checker, s *stretch, sample bool) (j judgement, err error) {
	c.Sample = sample || !rc.o.HeadersOnly
	c.Begin(s.from, s.to, hashes && !rc.o.HeadersOnly && rc.verifier == nil)
	for _, i := range s.verdicts {
		m, err := rc.messageOf(c, &rc.Verdicts[i])
		if err != nil {
			return j, err
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
			c.Look = func(m *messages.Message, column int, node arrowipc.FieldNode, data, valid []byte, ends []int64) {
				rc.verifier.column(&seen, m, column, node, data, valid, ends)
				rc.clocks.look(&seen, m, column, node, data, ends)
			}
		} else if rc.clocks.track != nil && rc.clocks.hub >= 0 {
			c.Look = func(m *messages.Message, column int, node arrowipc.FieldNode, data, valid []byte, ends []int64) {
				rc.clocks.look(&seen, m, column, node, data, ends)
			}
		}
		checked, err := c.Check(rc.schema, m)
		var bad *body.NotIntactError
		if err != nil && !errors.As(err, &bad) {
			return j, err
		}
		j.checked, j.looked, j.bad = append(j.checked, checked), append(j.looked, seen), append(j.bad, bad)
	}
	j.pieces, err = c.Finish()
	return j, err
}

// messageOf reads the header of a message that the walk found.
func (rc *recoverer) messageOf(c *body.Checker, v *messages.Verdict) (*messages.Message, error) {
	m, err := messages.At(&messages.Source{Size: rc.size, ReadAt: c.Fill}, v.At)
	if err == nil && m == nil {
		err = fmt.Errorf("recording: the message at byte %d is gone: the file is being changed", v.At)
	}
	return m, err
}

// checkBatches goes over the verdicts of the walk and decodes the batches.
func (rc *recoverer) checkBatches() error {
	list := rc.stretches()
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
		for n, i := range list[k].verdicts {
			if err := others(i); err != nil {
				return err
			}
			followed := i+1 < len(rc.Verdicts) && rc.Verdicts[i+1].Kind == messages.Loss
			rc.foldBatch(&rc.Verdicts[i], batch, &j.checked[n], &j.looked[n], j.bad[n], followed)
			batch++
			next++
			if err := rc.reached(rc.Verdicts[i].At + rc.Verdicts[i].Length); err != nil {
				return err
			}
		}
		rc.pieces = append(rc.pieces, j.pieces...)
		return nil
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
func (rc *recoverer) foldBatch(v *messages.Verdict, batch int, c *body.Checked, seen *looked, bad *body.NotIntactError, followed bool) {
	e := entry{Verdict: *v, checked: true, clock: c.Clock, fix: c.Fixes}
	if bad != nil {
		e.Verdict = rc.notIntact(v, bad)
		rc.clocks.broken = true
		rc.list = append(rc.list, e)
		return
	}
	ticks, _, _ := pace.Valid(c.ClockTicks, c.ClockValid)
	rc.steps.Add(ticks)
	rc.zeros.batch = batch
	rc.suspect(len(rc.list), v, c, followed)
	rc.clocks.add(v.At, batch, rc.report.RowsRecovered, c, seen)
	if rc.verifier != nil {
		rc.verifier.intact(v.At, seen)
	}
	rc.report.RowsRecovered += e.Rows // so far, for the clocks
	if e.clock.OK {
		rc.last = e.clock
	}
	rc.list = append(rc.list, e)
}

// notIntact is the verdict on a batch whose body is damaged.
func (rc *recoverer) notIntact(v *messages.Verdict, bad *body.NotIntactError) messages.Verdict {
	return messages.Verdict{Kind: messages.Loss, At: v.At, Length: v.Length, Block: v.Block, Codec: v.Codec, Rows: v.Rows, Batches: 1, Severity: messages.Error,
		Reason: bad.Error(), Count: 1, Last: v.At, AtEnd: rc.o.HeadersOnly, Doubted: v.Doubted}
}
