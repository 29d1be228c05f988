package run

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/oniscope/oniscope/hardware/headstage"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
)

// Whether a rig is fit to record, judged by a short run of it: everything that a
// night would find out later.

// A Verdict is what a check says.
type Verdict string

// The verdicts. A rig with a failure is not fit; a warning is something that a
// person should know before a long recording.
const (
	Fit     Verdict = "ok"
	Warning Verdict = "warning"
	Failure Verdict = "failure"
)

// A Check is one thing that was looked at.
type Check struct {
	What    string  `json:"what"`
	Verdict Verdict `json:"verdict"`
	Text    string  `json:"text"`
}

// A Trial is a short run and what was seen of it.
type Trial struct {
	Summary *store.Summary
	Buffer  time.Duration // that was asked for

	HighestLagS   float64 // of snapshots; 0 where the source has no pace
	HighestQueueS float64
	DiskBytesPerS float64 // what the disk takes, to the platter; 0: not known
	BytesPerS     float64 // what the run wrote
}

// See takes a snapshot of the run.
func (t *Trial) See(s *Snapshot) {
	if s.State != stateRecording || s.ElapsedS < settled.Seconds() {
		return
	}
	t.HighestLagS, t.HighestQueueS = max(t.HighestLagS, s.LagS), max(t.HighestQueueS, s.WaitS)
}

// settled is how long a run takes to get going.
const settled = 1500 * time.Millisecond

// Marks of a trial.
const (
	lagWarning, lagFailure   = 1.0, 5.0 // s
	queueWarning             = 5.0      // s
	diskWarning, diskFailure = 2.0, 1.2 // times what the rig needs
	roomWarning              = time.Hour
)

// Checks judges a trial. Nothing is left out that is well: a person reads what
// was looked at.
func (t *Trial) Checks() []Check {
	var list []Check
	add := func(what string, verdict Verdict, format string, args ...any) {
		list = append(list, Check{what, verdict, fmt.Sprintf(format, args...)})
	}
	s := t.Summary
	for i := range s.Streams {
		f := &s.Streams[i]
		switch {
		case f.Name == recording.GapStreamName:
		case f.State != store.StateComplete:
			text := f.Error
			if len(f.Missing) > 0 {
				text = f.Missing[0].Text
			}
			add(f.Name, Failure, "%d of %d rows: %s", f.Rows, f.ExpectedRows, text)
		case f.RateHz == 0:
			add(f.Name, Fit, "%d rows; they come with events", f.Rows)
		default:
			add(f.Name, Fit, "%d of %d rows at %s Hz", f.Rows, f.ExpectedRows, number(f.RateHz))
		}
	}
	for _, d := range s.Devices {
		if voltage, lock := factOf(&d, headstage.FactPortVoltage), factOf(&d, headstage.FactLockVoltage); voltage != "" {
			text := "runs at " + tenths(voltage)
			if lock != "" && lock != "0" {
				text = "locks at " + tenths(lock) + ", " + text
			}
			add(d.Name, Fit, "%s", text)
		}
	}
	if s.EndReason != "duration" {
		add("run", Failure, "ended early, after %s: %s", Clock(s.ElapsedS), s.EndReason)
	}
	for _, text := range s.Errors {
		add("run", Failure, "%s", text)
	}
	for _, e := range s.Events {
		add("run", Warning, "at %s: %s", Clock(e.AtS), e.Text)
	}
	if s.Found > 0 {
		add("clocks", Failure, "%d frames have a Clock or a size that cannot be", s.Found)
	}
	t.resources(add)
	return list
}

// factOf is what the hardware said of a device, or of the first of its probes.
func factOf(d *store.DeviceSummary, name string) string {
	for _, key := range slices.Sorted(maps.Keys(d.Facts)) {
		if key == name || strings.HasSuffix(key, "/"+name) {
			return fmt.Sprint(d.Facts[key])
		}
	}
	return ""
}

// resources judges machine and disk.
func (t *Trial) resources(add func(what string, verdict Verdict, format string, args ...any)) {
	s := t.Summary
	plan, _ := s.Plan.(*Plan)
	if plan == nil {
		plan = &Plan{FreeS: -1}
	}
	if plan.FIFOS > 0 {
		verdict := Fit
		switch {
		case s.HighestFIFO >= 100*fifoWarning:
			verdict = Failure
		case s.HighestFIFO >= 100*fifoNote:
			verdict = Warning
		}
		add("controller's buffer", verdict, "at most %.0f %% full; it lasts %.0f s", s.HighestFIFO, plan.FIFOS)
	}
	lag := Fit
	switch {
	case t.HighestLagS >= lagFailure:
		lag = Failure
	case t.HighestLagS >= lagWarning:
		lag = Warning
	}
	add("machine", lag, "at most %.1f s behind the rig; end other programs if that grows", t.HighestLagS)
	if plan.BufferBytes > 0 {
		verdict := Fit
		if plan.BufferS < 0.9*t.Buffer.Seconds() {
			verdict = Warning
		}
		add("memory", verdict, "%s hold %.0f s of a disk that stops", Megabytes(plan.BufferBytes), plan.BufferS)
	}
	queue := Fit
	if t.HighestQueueS >= queueWarning {
		queue = Warning
	}
	add("disk queue", queue, "at most %.1f s waited for the disk", t.HighestQueueS)
	if t.DiskBytesPerS > 0 && t.BytesPerS > 0 {
		times := t.DiskBytesPerS / t.BytesPerS
		verdict := Fit
		switch {
		case times < diskFailure:
			verdict = Failure
		case times < diskWarning:
			verdict = Warning
		}
		add("disk speed", verdict, "%s/s to the platter, %.1f times the %s/s of this rig", Megabytes(int64(t.DiskBytesPerS)), times, Megabytes(int64(t.BytesPerS)))
	}
	if plan.FreeBytes > 0 && t.BytesPerS > 0 {
		verdict, lasts := Fit, float64(plan.FreeBytes)/t.BytesPerS
		if lasts < roomWarning.Seconds() {
			verdict = Warning
		}
		add("disk room", verdict, "%s: %s of this rig", Megabytes(plan.FreeBytes), Lasts(lasts))
	}
}

// IsFit reports whether none of some checks failed.
func IsFit(checks []Check) bool {
	for _, c := range checks {
		if c.Verdict == Failure {
			return false
		}
	}
	return true
}
