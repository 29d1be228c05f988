package recovery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/internal/pace"
	"github.com/oniscope/oniscope/shared/internal/vectors"
	"github.com/oniscope/oniscope/shared/recording"
)

// How Examine works. The walk says where messages lie; every batch that it
// found is decoded, and kept if it is intact. What the walk and the decoding
// say is one list of verdicts, from which the report and the plan are made.

// Options say what a report calls its files, and let a caller follow
// and end a long recovery.
type Options struct {
	Name   string // of the input
	Output string // of the output

	// SchemaFrom is another file of the same stream: its schema is taken if
	// this one has none that can be read, neither in front nor in a footer.
	SchemaFrom *recording.Reader
	// HeadersOnly believes bodies that lie inside the file, without reading
	// them: only the last batch, which a crash hurts, is decoded. The cost is
	// that of the headers.
	HeadersOnly bool
	// Salvage names the columns of which rows are wanted of a last batch that
	// the end of the file cuts: names, globs, or "all".
	Salvage []string
	// Stream makes the output an Arrow stream: only that can hold a dictionary
	// that is replaced in the middle.
	Stream bool

	// Progress is called with how many bytes of the input have been examined.
	Progress func(done, total int64)
	// Watcher sees what is decoded.
	recording.Watcher
}

// Examine reads every byte of a file and plans a whole one from what is
// intact in it.
//
// It returns a *Error if nothing is, and the error itself if reading or
// ctx ended it. r is never written to. Memory is bounded by the largest
// column of one batch.
//
// Source: spec "Words with exact meaning"; FORMAT.md says what counts as
// intact.
func Examine(ctx context.Context, r io.ReaderAt, size int64, o *Options) (*Plan, error) {
	rc := newRecoverer(ctx, r, size, o)
	if err := rc.examine(); err != nil {
		return nil, rc.failed(err)
	}
	return rc.plan()
}

func newRecoverer(ctx context.Context, r io.ReaderAt, size int64, o *Options) *recoverer {
	rc := &recoverer{ctx: ctx, r: r, size: size}
	if o != nil {
		rc.o = *o
	}
	rc.report = Report{Input: rc.o.Name, Output: rc.o.Output, Findings: []recording.Finding{}}
	rc.checker = rc.newChecker()
	rc.checker.Scattered = true
	return rc
}

// A recoverer is one run of Recover or Verify.
type recoverer struct {
	r    io.ReaderAt
	size int64
	o    Options
	ctx  context.Context

	*messages.Layout
	schema *arrowipc.Schema // that is believed

	list     []entry            // verdicts of the walk, after the bodies were looked at
	fixes    map[int][]body.Fix // of entries, by index
	suspects []suspect
	zeros    zeroFinder
	words    *messages.Dictionaries
	sizes    []int64  // values of each message of words, -1 if it is not intact
	reasons  []string // why not
	anew     map[int]redefinition
	noted    [3]int // notes about redefinitions in the list, from 1
	steps    pace.Sample
	last     body.ClockSpan // of the last batch kept that has one
	clocks   clocks         // what the clocks of the batches kept say

	salvage  *salvage // nil: none
	report   Report
	checker  *body.Checker // of what is decoded one by one
	verifier *verifier     // sees all that is checked; nil: nobody asks

	pieces []body.Piece // of the bytes that were decoded, in the order of the file

	mu sync.Mutex // guards at, and the calls of Progress and of ctx
	at int64      // how far it is
}

// An entry is a verdict with what its body showed.
type entry struct {
	messages.Verdict
	clock   body.ClockSpan
	checked bool // its body was decoded
	again   bool // a dictionary message that a file does without
	mended  bool // the output has bytes of it otherwise: see recoverer.fixes
}

// A suspect is a batch that is kept though something of it looks wrong, or is
// mended.
type suspect struct {
	entry   int   // in the list
	row     int64 // of the batch
	finding recording.Finding
	cause   string // findings of one cause are one
	mended  bool   // the output has it right
	zeros   bool   // all columns are 0 in some rows
}

// examine judges every byte.
func (rc *recoverer) examine() error {
	var o messages.Options
	if rc.o.SchemaFrom != nil {
		o = vectors.Schema(rc.o.SchemaFrom)
	}
	o.Intact = func(s *arrowipc.Schema, m *messages.Message) (bool, error) { return body.IntactBy(rc.r, rc.size, s, m) }
	src := (&messages.Source{Size: rc.size, ReadAt: rc.checker.Fill, Step: func(at int64) error {
		return rc.reached(at / 8) // headers come first, bodies take the time
	}}).Near()
	ends, err := messages.FindEnds(src, &o)
	if err != nil {
		for _, known := range []error{messages.ErrEmpty, messages.ErrNotArrow, messages.ErrNoSchema, messages.ErrSchemaLost, messages.ErrBigEndian} {
			if errors.Is(err, known) {
				return &body.NotIntactError{Err: err}
			}
		}
		return err
	}
	if rc.Layout, err = messages.Walk(src, ends); err != nil {
		return err
	}
	rc.schema = rc.Layout.Schema
	if rc.verifier != nil {
		rc.verifier.start(rc.schema)
	}
	if len(rc.o.Salvage) > 0 {
		if _, err := rc.wantedColumns(); err != nil {
			return err
		}
	}
	if err := rc.checkDictionaries(); err != nil {
		return err
	}
	return rc.checkBatches()
}

// checkDictionaries decodes the dictionaries and says how many values each has.
func (rc *recoverer) checkDictionaries() error {
	rc.words = messages.DictionariesOf(rc.Layout)
	rc.checker.Words = rc.dictionarySize
	rc.sizes, rc.reasons = make([]int64, len(rc.words.List)), make([]string, len(rc.words.List))
	n := 0
	for i := range rc.Verdicts {
		if v := &rc.Verdicts[i]; v.Kind == messages.Dictionary {
			rc.sizes[n] = v.Rows
			n++
		}
	}
	n = 0
	for i := range rc.Verdicts {
		if v := &rc.Verdicts[i]; v.Kind == messages.Dictionary {
			if err := rc.checkDictionary(v, n); err != nil {
				return err
			}
			n++
		}
	}
	var err error
	rc.anew, err = rc.redefinitions()
	return err
}

// checkDictionary decodes dictionary n.
func (rc *recoverer) checkDictionary(v *messages.Verdict, n int) error {
	if rc.o.HeadersOnly {
		return nil
	}
	m, err := rc.messageOf(rc.checker, v)
	if err != nil {
		return err
	}
	_, err = rc.checker.Check(rc.schema, m)
	var bad *body.NotIntactError
	if errors.As(err, &bad) {
		rc.sizes[n], rc.reasons[n] = -1, bad.Error()
		return nil
	}
	return err
}

// dictionarySize is how many values a dictionary has for the batch at an
// offset; 0 values if there is none, -1 if it cannot be had.
func (rc *recoverer) dictionarySize(id, at int64) (int64, bool, error) {
	chain, _, err := rc.words.Chain(id, at)
	if err != nil {
		return 0, false, err
	}
	total := int64(0)
	for _, i := range chain {
		if rc.sizes[i] < 0 {
			return 0, false, fmt.Errorf("dictionary %d is damaged", id)
		}
		total += rc.sizes[i]
	}
	return total, len(chain) > 0, nil
}

// foldDictionary leaves out what is not intact or continues nothing.
func (rc *recoverer) foldDictionary(v *messages.Verdict, n int) {
	lost := func(reason string) {
		*v = messages.NewLoss(v.At, v.Length, -1, reason)
	}
	if rc.sizes[n] < 0 {
		lost(rc.reasons[n])
		return
	}
	if v.Delta {
		if _, _, err := rc.words.Chain(v.DictionaryID, v.At+1); err != nil {
			lost("values of a dictionary whose beginning is missing")
		}
	}
}

// foldLoss keeps what a salvage wants of a torn batch: then it is a batch, and
// the loss follows it.
func (rc *recoverer) foldLoss(e *entry) (done bool, err error) {
	if e.Torn == nil || len(rc.o.Salvage) == 0 {
		return false, nil
	}
	kept, lost, said, err := rc.trySalvage(e.Torn)
	if err != nil {
		return false, err
	}
	if kept == nil {
		e.Verdict = e.Own()
		e.Reason += said
		return false, nil
	}
	rc.list = append(rc.list, *kept, entry{Verdict: *lost})
	return true, nil
}

func (rc *recoverer) failed(err error) error {
	var reason *body.NotIntactError
	if !errors.As(err, &reason) {
		return err // reading failed, or the caller ended it
	}
	rc.finishReport()
	rc.report.Outcome = Failed
	return &Error{Report: rc.report, Err: reason.Err}
}

// reached reports that the bytes before at were examined, and asks whether to go
// on.
func (rc *recoverer) reached(at int64) error {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	rc.at = max(rc.at, min(at, rc.size))
	if rc.o.Progress != nil {
		rc.o.Progress(rc.at, rc.size)
	}
	return rc.ctx.Err()
}

// countWork returns a function that counts bytes of work and asks every few
// megabytes whether to go on.
func (rc *recoverer) countWork() func(n int64) error {
	worked := int64(0)
	return func(n int64) error {
		if worked += n; worked < body.WindowBytes {
			return nil
		}
		worked = 0
		return rc.reached(0)
	}
}
