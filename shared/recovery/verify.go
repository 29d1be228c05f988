package recovery

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// How Verify works. It walks as Recover does and judges with the same checker,
// so that the two cannot disagree about what is intact; a verifier looks over
// the checker's shoulder at the bytes that it reads anyway, and adds what is no
// matter for a recovery: padding, clocks, channels, and what the file's end
// should be.

// VerifyOptions say what is known besides the file, and let a caller follow and
// end a long verification.
type VerifyOptions struct {
	// AcqClockHz is the rate of Clock, for files that do not state it; 0:
	// unknown.
	AcqClockHz uint64
	// Open says that the file is being written: its missing end is no
	// damage.
	Open bool

	// Progress is called with how many bytes of the file have been examined.
	Progress func(done, total int64)
	// Watcher sees what is checked.
	recording.Watcher

	// Rows is called once, before the first finding, with how many rows are in
	// batches that are intact, of a file that could be examined.
	Rows func(kept int64)
}

// Verify reads a whole file and yields everything that is wrong with it, not
// only the first: framing, footer against messages, buffers, checksums,
// padding, run ends, indices, rows that the clock misses, and channels that
// are constant or clipped.
//
// Findings come in file order once all bytes were read, those about channels
// last. Of their severities, an error means damage or lost rows, a warning that
// something looks wrong and cannot be proved; a file without either is as its
// writer meant it. An info says what may be worth a look.
//
// It yields an error, with a zero Finding, as the last if there is no schema to
// go by (ErrEmpty, ErrNotArrow, ErrNoSchema, ErrBigEndian, wrapped), or if
// reading failed or ctx ended it. Memory is bounded by the largest column of one
// batch, and grows by some hundred bytes a batch.
func Verify(ctx context.Context, r io.ReaderAt, size int64, o *VerifyOptions) iter.Seq2[recording.Finding, error] {
	return func(yield func(recording.Finding, error) bool) {
		v := &verifier{}
		if o != nil {
			v.o = *o
		}
		rc := newRecoverer(ctx, r, size, &Options{Progress: v.o.Progress, Watcher: v.o.Watcher})
		v.rc = rc
		rc.verifier = v
		err := rc.examine()
		var reason *body.NotIntactError
		switch {
		case err == nil:
			v.finish()
		case errors.As(err, &reason):
			rc.finishReport()
			err = reason.Err
		}
		if v.o.Rows != nil {
			v.o.Rows(rc.report.RowsRecovered)
		}
		for _, f := range rc.report.Findings {
			if !yield(f, nil) {
				return
			}
		}
		if err != nil {
			yield(recording.Finding{}, err)
		}
	}
}

// A verifier looks at what a recoverer's checker decodes.
type verifier struct {
	rc *recoverer
	o  VerifyOptions

	stream   stream.Stream
	channels []channel

	own []recording.Finding
}

func (v *verifier) start(s *arrowipc.Schema) {
	v.stream = stream.FromMetadata(body.StreamKeyValues(s.Metadata))
	v.stream.Columns = make([]stream.Column, len(s.Fields))
	for i := range s.Fields {
		body.Describe(&v.stream.Columns[i], &s.Fields[i])
	}
	if v.stream.AcqClockHz == 0 {
		v.stream.AcqClockHz = v.o.AcqClockHz
	}
	v.stream.FillIn()
	v.channels = channelsOf(&v.stream)
}

// A looked is what a verifier sees of a batch besides what its checker says.
type looked struct {
	hubTicks []uint64
	channels []channelPart        // by column
	buf      []byte               // values that are not null
	lost     []recording.LostRows // before the batch, as its metadata say
}

// column looks at the values of a column, as a checker gives them, and at their ends, if
// somebody knows them. Several goroutines may call it, each with a batch of its own.
func (v *verifier) column(l *looked, m *messages.Message, column int, node arrowipc.FieldNode, data, valid []byte, ends recording.Extremes) {
	if m.Header != arrowipc.RecordBatchHeader {
		return
	}
	if node.NullCount == 0 || len(valid) == 0 {
		valid = nil
	}
	c := &v.channels[column]
	if !c.judged {
		return
	}
	if l.channels == nil {
		l.channels = make([]channelPart, len(v.channels))
	}
	part := c.look(data, valid, ends, &l.buf)
	l.channels[column].join(&part)
}

// intact takes what an intact batch showed.
func (v *verifier) intact(l *looked) {
	for i := range l.channels {
		v.channels[i].add(&l.channels[i])
	}
}

// finish adds what is known at the end.
func (v *verifier) finish() {
	rc := v.rc
	v.own = append(v.own, rc.clocks.gaps(float64(v.stream.AcqClockHz), float64(v.stream.HubClockHz))...)
	if v.o.Open && rc.Footer == nil {
		v.forgiveEnd()
	}
	rc.finishReport()
	rc.report.Findings = append(rc.report.Findings, v.own...)
	inFileOrder(rc.report.Findings)
	rc.report.Findings = append(rc.report.Findings, v.channelFindings()...)
}

// forgiveEnd blames no file that is being written for its missing end.
func (v *verifier) forgiveEnd() {
	for i := range v.rc.list {
		if e := &v.rc.list[i].Verdict; e.AtEnd {
			*e = messages.NewNote(messages.Info, e.At, e.Length, "the file is being written: "+e.Reason, "")
			e.AtEnd, e.Harmless = true, true
		}
	}
}
