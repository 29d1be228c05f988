package recovery_test

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oniscope/oniscope/internal/fronts"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
	"github.com/oniscope/oniscope/shared/stream"
)

// Reader, verification and recovery say of every file of the field what its
// twin says.
func TestFilesOfTheField(t *testing.T) {
	list, err := fronts.Situations("../../testdata/field")
	if err != nil || len(list) == 0 {
		t.Fatalf("%d situations, %v", len(list), err)
	}
	ctx := context.Background()
	for i := range list {
		s := &list[i]
		t.Run(s.Name, func(t *testing.T) {
			file, size := bytes.NewReader(s.Data), int64(len(s.Data))
			r, err := recording.NewReader(file, size)
			if s.Error != "" {
				if err == nil || !strings.Contains(err.Error(), s.Error) {
					t.Errorf("opening it: %v, want %q", err, s.Error)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			hz := s.ClockHz
			if s.CSV != nil {
				start, err := stream.ParseStartTime(s.CSV.Data)
				if err != nil {
					t.Fatal(err)
				}
				hz = start.AcqClockHz
			}
			r.SetClock(hz, time.Time{})
			about := r.Stream()
			if s.Columns != nil && !slices.Equal(about.Names(), s.Columns) {
				t.Errorf("columns are %q", about.Names())
			}
			info, err := r.Info(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if s.State != "" && info.State != s.State || s.Format != "" && info.Format.String() != s.Format ||
				s.Rows != nil && info.Rows != *s.Rows || s.Batches != nil && info.Batches != *s.Batches || s.RateHz != nil && math.Abs(info.RateHz-*s.RateHz) > 1e-6 {
				t.Errorf("%s, %s format, %d rows in %d batches, %v Hz", info.State, info.Format, info.Rows, info.Batches, info.RateHz)
			}
			if wrong := s.DifferSegments(info.Segments); wrong != "" {
				t.Error(wrong)
			}
			for _, want := range s.Times {
				ticks, err := r.TimeOf(want.From, want.To)
				if err != nil {
					t.Fatal(err)
				}
				x, err := r.Select(ctx, recording.Selection{Time: ticks})
				if err != nil || x.Len() != want.Rows {
					t.Errorf("seconds %s to %s: %v, want %d rows", want.From, want.To, err, want.Rows)
				}
			}
			if s.Info != nil {
				if wrong := fronts.Differ(s.Info, info.Findings); wrong != "" {
					t.Error("info: " + wrong)
				}
			}
			found, err := verifyAll(t, s.Data, recovery.VerifyOptions{AcqClockHz: hz})
			if err != nil {
				t.Fatal(err)
			}
			var wrong []recording.Finding
			lost := int64(0)
			for _, f := range found {
				lost += max(0, f.LostRows)
				if f.Severity > recording.SeverityInfo {
					wrong = append(wrong, f)
				}
			}
			if s.Verify != nil {
				if wrong := fronts.Differ(s.Verify, wrong); wrong != "" {
					t.Error("verify: " + wrong)
				}
			}
			if s.LostRows != nil && lost != *s.LostRows {
				t.Errorf("%d rows lost, want %d", lost, *s.LostRows)
			}
			if s.Outcome == "" {
				return
			}
			plan, err := recovery.Examine(ctx, file, size, &recovery.Options{Stream: info.Format == recording.StreamFormat})
			if err != nil {
				t.Fatal(err)
			}
			if string(plan.Report.Outcome) != s.Outcome || s.Kept != nil && plan.Report.RowsRecovered != *s.Kept {
				t.Errorf("recovery is %s, of %d rows: %+v", plan.Report.Outcome, plan.Report.RowsRecovered, plan.Report.Findings)
			}
		})
	}
}
