package run

import (
	"strings"
	"testing"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/store"
)

// TestATrialIsJudged: what is well is said too, and each thing that a night would
// find out is a warning or a failure of its own.
func TestATrialIsJudged(t *testing.T) {
	well := func() *Trial {
		return &Trial{
			Buffer: 40 * time.Second, HighestLagS: 0.1, HighestQueueS: 1, DiskBytesPerS: 500e6, BytesPerS: 50e6,
			Summary: &store.Summary{
				EndReason: "duration", HighestFIFO: 1, Plan: &Plan{BufferS: 40, BufferBytes: 2e9, FIFOS: 50, FreeBytes: 1e12},
				Streams: []store.StreamSummary{
					{Name: "probe", State: store.StateComplete, RateHz: 30000, Rows: 900_000, ExpectedRows: 900_000},
					{Name: "digital-io", State: store.StateComplete, Rows: 3},
				},
			},
		}
	}
	for name, c := range map[string]struct {
		spoil func(*Trial)
		what  string
		want  Verdict
		text  string
	}{
		"all is well":                     {func(*Trial) {}, "probe", Fit, "900000 of 900000 rows at 30000 Hz"},
		"events have no rate":             {func(*Trial) {}, "digital-io", Fit, "3 rows"},
		"a disk with room for five hours": {func(*Trial) {}, "disk room", Fit, "5 h 33 min"},
		"voltages are said": {func(t *Trial) {
			t.Summary.Devices = []store.DeviceSummary{{Name: "port-a-probe", Facts: map[string]any{"probe-a/lock_voltage_dv": "37", "probe-a/port_voltage_dv": "47"}}}
		}, "port-a-probe", Fit, "locks at 3.7 V, runs at 4.7 V"},
		"a stream that comes short": {func(t *Trial) {
			t.Summary.Streams[0].State = store.StateIncomplete
			t.Summary.Streams[0].Rows, t.Summary.Streams[0].Missing = 5, []store.Missing{{Text: "silent from 0.1 s on"}}
		}, "probe", Failure, "5 of 900000 rows: silent from 0.1 s on"},
		"a stream whose file failed": {func(t *Trial) {
			t.Summary.Streams[0].State, t.Summary.Streams[0].Error = store.StateFailed, "the disk is broken"
		}, "probe", Failure, "the disk is broken"},
		"a lost link":                {func(t *Trial) { t.Summary.Errors = []string{"port A lost its link"} }, "run", Failure, "port A"},
		"an alarm":                   {func(t *Trial) { t.Summary.Events = []store.RunEvent{{AtS: 3, Text: "silent"}} }, "run", Warning, "at 3.0 s: silent"},
		"a run that was interrupted": {func(t *Trial) { t.Summary.EndReason = "interrupt" }, "run", Failure, "ended early"},
		"garbled clocks":             {func(t *Trial) { t.Summary.Found = 2 }, "clocks", Failure, "2 frames"},
		"a buffer that fills a bit":  {func(t *Trial) { t.Summary.HighestFIFO = 12 }, "controller's buffer", Warning, "12 %"},
		"a buffer that fills":        {func(t *Trial) { t.Summary.HighestFIFO = 60 }, "controller's buffer", Failure, "60 %"},
		"a slow machine":             {func(t *Trial) { t.HighestLagS = 2 }, "machine", Warning, "2.0 s behind"},
		"a machine that is too slow": {func(t *Trial) { t.HighestLagS = 9 }, "machine", Failure, "9.0 s behind"},
		"little memory":              {func(t *Trial) { t.Summary.Plan.(*Plan).BufferS = 11 }, "memory", Warning, "hold 11 s"},
		"a disk that stutters":       {func(t *Trial) { t.HighestQueueS = 7 }, "disk queue", Warning, "7.0 s waited"},
		"a disk without reserve":     {func(t *Trial) { t.DiskBytesPerS = 80e6 }, "disk speed", Warning, "1.6 times"},
		"a disk that is too slow":    {func(t *Trial) { t.DiskBytesPerS = 40e6 }, "disk speed", Failure, "0.8 times"},
		"a disk that is nearly full": {func(t *Trial) { t.Summary.Plan.(*Plan).FreeBytes = 1e10 }, "disk room", Warning, "3 min"},
	} {
		trial := well()
		c.spoil(trial)
		checks, found := trial.Checks(), false
		for _, check := range checks {
			if check.What == c.what && check.Verdict == c.want && strings.Contains(check.Text, c.text) {
				found = true
			} else if check.Verdict != Fit && check.What != c.what {
				t.Errorf("%s: %+v", name, check)
			}
		}
		if !found || IsFit(checks) != (c.want != Failure) {
			t.Errorf("%s: %+v", name, checks)
		}
	}
}

// TestATrialLooksAtTheRunOnly: not at its first moment, nor at its end.
func TestATrialLooksAtTheRunOnly(t *testing.T) {
	var trial Trial
	trial.See(&Snapshot{State: stateRecording, ElapsedS: 0.5, LagS: 9, WaitS: 9})
	trial.See(&Snapshot{State: stateCompleting, ElapsedS: 9, LagS: 9, WaitS: 9})
	trial.See(&Snapshot{State: stateRecording, ElapsedS: 3, LagS: 2, WaitS: 1})
	trial.See(&Snapshot{State: stateRecording, ElapsedS: 4, LagS: 1, WaitS: 3})
	if trial.HighestLagS != 2 || trial.HighestQueueS != 3 {
		t.Errorf("%+v", trial)
	}
}
