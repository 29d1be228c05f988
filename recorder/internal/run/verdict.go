package run

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/oniscope/oniscope/recorder/internal/acquire"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
)

// What a run is worth: for each stream what it has of what it should have, and
// why something is missing.

// judged is the summary of a run that is over.
func (rec *Run) judged(a *acquire.Acquisition) store.Summary {
	s, st := rec.collect(a, store.StateComplete), a.Status()
	end := st.LastClock
	if st.EndClock > 0 && (rec.failed == nil || errors.Is(rec.failed, acquire.ErrNoAnswer)) {
		end = st.EndClock
	}
	endS := rec.duration(end).Seconds()
	flows, expects := false, false // some stream has rows, or should have
	for i := range s.Streams {
		f := &s.Streams[i]
		if f.Name == recording.GapStreamName {
			f.State = stateOf(f)
			continue
		}
		flows = flows || f.Rows > 0
		expects = expects || f.RateHz*endS >= 2
		f.ExpectedRows = int64(math.Round(endS * f.RateHz))
		f.Missing = rec.missing(f, st.Lost, end)
		f.State = stateOf(f)
		if f.State != store.StateComplete {
			s.State = store.StateIncomplete
		}
	}
	for _, d := range s.Devices { // what no stream shows
		if d.Dropped+d.Lost+d.Bad > 0 {
			s.State = store.StateIncomplete
		}
	}
	switch {
	case errors.Is(rec.failed, acquire.ErrOverflow), errors.Is(rec.failed, acquire.ErrNoAnswer) && flows:
		s.State = store.StateIncomplete
	case rec.failed != nil || !flows && expects:
		s.State = store.StateFailed
	}
	if rec.alone = !rec.outlived(&st); rec.alone {
		s.State = store.StateFailed
	}
	return s
}

// stateOf is the state of a stream that is over.
func stateOf(f *store.StreamSummary) string {
	bad := func(p store.PartSummary) bool { return p.State == store.StateFailed }
	switch {
	case f.Error != "" || slices.ContainsFunc(f.Parts, bad):
		return store.StateFailed
	case f.LostRows > 0 || len(f.Missing) > 0:
		return store.StateIncomplete
	}
	return store.StateComplete
}

// maxMissing bounds the places that a summary lists of a stream; the stream gaps
// has all.
const maxMissing = 100

// missing lists what a stream lacks.
func (rec *Run) missing(f *store.StreamSummary, lost []recording.GapRecord, end uint64) (list []store.Missing) {
	for _, g := range lost {
		if g.Device != f.Name || len(list) == maxMissing {
			continue
		}
		m := store.Missing{Rows: g.Rows, FromS: rec.duration(g.FirstClock).Seconds(), Cause: string(g.Cause)}
		if f.RateHz > 0 && g.Rows > 0 {
			m.Seconds = float64(g.Rows) / f.RateHz
		} else if g.LastClock > g.FirstClock {
			m.Seconds = rec.duration(g.LastClock - g.FirstClock).Seconds()
		}
		at := Clock(m.FromS)
		switch {
		case g.Cause == recording.CauseLink && g.LastClock+1 >= end && errors.Is(rec.failed, acquire.ErrNoAnswer):
			m.Cause, m.Text = "silent", fmt.Sprintf("the controller sent nothing from %s on: check its cable and power", at)
		case g.Cause == recording.CauseLink && g.LastClock+1 >= end && f.Rows == 0:
			m.Cause, m.Text = "silent", "never sent anything: check cable and headstage"
		case g.Cause == recording.CauseLink && g.LastClock+1 >= end:
			m.Cause, m.Text = "silent", fmt.Sprintf("silent from %s on: check cable and headstage", at)
		default:
			m.Text = fmt.Sprintf("%s lost at %s: %s", rowsAndSeconds(m.Rows, m.Seconds), at, causeText[g.Cause])
		}
		list = append(list, m)
	}
	for _, p := range f.Parts {
		if p.LostRows > 0 {
			list = append(list, store.Missing{Rows: p.LostRows, Cause: "file", Text: recording.PlainText(errors.New(p.Error))})
		}
	}
	if short := f.ExpectedRows - f.Rows - f.LostRows; float64(short) > math.Max(0.01*float64(f.ExpectedRows), f.RateHz/4+2) {
		list = append(list, store.Missing{Rows: short, Seconds: float64(short) / f.RateHz, Cause: "short",
			Text: fmt.Sprintf("%d rows fewer than its rate of %s Hz gives: its clock or its settings are not what the rig file says", short, number(f.RateHz))})
	}
	return list
}

// causeText says to people why rows are missing, and what to do.
var causeText = map[recording.Cause]string{
	recording.CauseLink:  "they never came from the device; check cable and headstage",
	recording.CauseFIFO:  "the disk stopped, or disk or machine were too slow, until memory and the controller's buffer were full; a faster disk, fewer other programs, or a larger --buffer",
	recording.CauseQueue: "they could not be decoded",
	recording.CauseDisk:  "no file took them; the disk was full or failed",
}

func rowsAndSeconds(rows int64, seconds float64) string {
	text := fmt.Sprintf("%d rows", rows)
	if rows < 0 {
		text = "rows"
	}
	if seconds > 0 {
		text += fmt.Sprintf(" (%.3f s)", seconds)
	}
	return text
}

// Judge returns nil if all went well, a *LossError if the run ended in order
// but something is missing or wrong, any other error if it failed.
func (rec *Run) Judge() error {
	s := &rec.summary
	switch {
	case rec.alone:
		return fmt.Errorf("nothing was recorded from %s on%s", Clock(rec.duration(s.LastClock).Seconds()), firstError(s))
	case errors.Is(rec.failed, acquire.ErrOverflow):
		return &LossError{fmt.Errorf("the controller's buffer was full, so it ended acquisition at %s; what it had is recorded", Clock(rec.duration(s.LastClock).Seconds()))}
	case errors.Is(rec.failed, acquire.ErrNoAnswer) && s.State == store.StateIncomplete:
		return &LossError{fmt.Errorf("%w; what it had sent until %s is recorded", rec.failed, Clock(rec.duration(s.LastClock).Seconds()))}
	case rec.failed != nil:
		return rec.failed
	case s.State == store.StateFailed:
		return errors.New("no device sent anything" + firstError(s))
	}
	var bad []string
	for i := range s.Streams {
		if s.Streams[i].State != store.StateComplete {
			bad = append(bad, s.Streams[i].Name)
		}
	}
	switch {
	case len(bad) > 0:
		return &LossError{fmt.Errorf("recorded, but not whole: %s", strings.Join(bad, ", "))}
	case s.State == store.StateIncomplete:
		return &LossError{errors.New("recorded, but frames were lost")}
	case s.Found > 0:
		return &LossError{fmt.Errorf("recorded; %d frames have a Clock or a size that cannot be", s.Found)}
	case len(s.Errors) > 0:
		return &LossError{fmt.Errorf("recorded, but: %s", s.Errors[0])}
	}
	return nil
}

func firstError(s *store.Summary) string {
	if len(s.Errors) > 0 {
		return "; " + s.Errors[0]
	}
	return ""
}
