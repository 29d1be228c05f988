//go:build !js

package engine

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/fronts"
	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

// Whatever becomes of a clock, the page sees every row once, in order: segments one
// after the other, with the Clock of each, and places that rows, table and slices know.
func TestPlacesRiseWhateverTheClockDoes(t *testing.T) {
	list, err := fronts.Situations("../../../testdata/field")
	if err != nil {
		t.Fatal(err)
	}
	ctx, tried := context.Background(), 0
	for i := range list {
		s := &list[i]
		if s.Segments == nil || s.ClockHz == 0 {
			continue
		}
		tried++
		e := &Engine{}
		info, err := e.Open(ctx, OpenArgs{"s", s.Name}, bytes.NewReader(s.Data), int64(len(s.Data)), nil)
		if err == nil {
			_, err = e.SetClock(ClockArgs{Stream: "s", Hz: float64(s.ClockHz)})
		}
		if err == nil {
			info, err = e.Index(ctx, "s", nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		if want := *s.RateHz; math.Abs(info.Groups[0].RateHz-want) > 1e-6 || math.Abs(float64(s.ClockHz)/info.Clock.Period-want) > 1e-6 {
			t.Errorf("%s: %v rows a second, every %v ticks", s.Name, info.Groups[0].RateHz, info.Clock.Period)
		}
		if len(info.Axis) > 0 || len(s.Segments) > 1 {
			checkAxis(t, s, info)
		}
		rows, gaps, moved := *s.Rows, 0, 0
		for i := range s.Verify {
			switch reason := s.Verify[i].Reason; {
			case strings.HasPrefix(reason, "gap"):
				gaps++
			case strings.Contains(reason, "belong"), strings.Contains(reason, "same Clock"): // their place is empty
				moved++
			}
		}
		env, err := e.Envelope(ctx, EnvelopeArgs{Stream: "s", Columns: []int{0}, From: &info.Clock.First, To: ptr(info.Clock.Last + 1), Bins: int(2 * rows), Quality: "exact"}, nil)
		values := slices.DeleteFunc(slices.Clone(env.Data), func(v float32) bool { return v != v }) // where a line breaks off
		if err != nil || env.Kind != "samples" || len(values) != int(rows) || len(env.X)-len(values) != gaps+moved || !slices.IsSorted(env.X) {
			t.Fatalf("%s: %v, a %s of %d rows, %d of them with values", s.Name, err, env.Kind, len(env.X), len(values))
		}
		for row, v := range values {
			if v != float32(row*31%65536) {
				t.Fatalf("%s: row %d is drawn as %g", s.Name, row, v)
			}
		}
		coarse, err := e.Envelope(ctx, EnvelopeArgs{Stream: "s", Columns: []int{0}, From: &info.Clock.First, To: ptr(info.Clock.Last + 1), Bins: 300, Quality: "exact"}, nil)
		if err != nil || coarse.RowsUsed != rows {
			t.Fatalf("%s: %v, %d rows in bins", s.Name, err, coarse.RowsUsed)
		}
		for b := range 300 {
			if coarse.Data[2*b] != coarse.Data[2*b] && gaps+moved == 0 {
				t.Fatalf("%s: bin %d is empty", s.Name, b)
			}
		}
		if kinds(info, "gap") != gaps {
			t.Errorf("%s: %+v, want %d gaps", s.Name, info.Coverage, gaps)
		}
		for _, span := range info.Coverage {
			if span.Kind != "data" && span.Kind != "gap" {
				t.Errorf("%s: %+v", s.Name, span)
			}
		}
		last := s.Segments[len(s.Segments)-1]
		for _, row := range []int64{s.Segments[0].Start, s.Segments[0].End - 1, last.Start, last.End - 1} {
			table, err := e.Table(ctx, TableArgs{Stream: "s", Columns: []int{0}, Start: row, End: row + 1})
			if err != nil {
				t.Fatal(err)
			}
			place := *table.Ticks[0]
			if got, err := e.RowAt(ctx, RowArgs{"s", place}); err != nil || got != row {
				t.Errorf("%s: at the place of row %d is row %d, %v", s.Name, row, got, err)
			}
			file := &testdata.Memory{}
			report, err := e.Slice(ctx, SliceArgs{Stream: "s", Ticks: &[2]float64{place, info.Clock.Last + 1}, Format: "csv"}, file, nil, nil)
			if err != nil || report.Start != row || report.End != rows {
				t.Errorf("%s: from the place of row %d on a slice has rows %+v, %v", s.Name, row, report, err)
			}
		}
	}
	if tried < 8 {
		t.Errorf("%d situations", tried)
	}
}

func ptr[T any](v T) *T { return &v }

// checkAxis holds the axis against the segments of the twin.
func checkAxis(t *testing.T, s *fronts.Situation, info *StreamInfo) {
	if len(info.Axis) != len(s.Segments) {
		t.Fatalf("%s: axis %+v", s.Name, info.Axis)
	}
	for k, got := range info.Axis {
		want := s.Segments[k]
		if got.Start != want.Start || got.End != want.End || got.First != strconv.FormatUint(want.ClockFirst, 10) || got.Last != strconv.FormatUint(want.ClockLast, 10) ||
			got.To-got.From != float64(want.ClockLast-want.ClockFirst) || got.To > recording.ExactTicks {
			t.Errorf("%s: stretch %d is %+v, want %+v", s.Name, k, got, want)
		}
		if k > 0 && got.From <= info.Axis[k-1].To {
			t.Errorf("%s: stretch %d begins at %g, after the end at %g", s.Name, k, got.From, info.Axis[k-1].To)
		}
	}
}

// Streams of one run whose ticks are above 2^53 are counted from the same origin, also
// those that began a little earlier.
func TestStreamsOfLargeTicksHaveOneOrigin(t *testing.T) {
	e := &Engine{}
	const first = 1_774_745_998_123_456_789
	a, b := e.originOf(first), e.originOf(first-1_000_000_000)
	if a != b || a == 0 || first-a >= recording.ExactTicks {
		t.Errorf("origins %d and %d", a, b)
	}
	if e.originOf(1000) != 0 {
		t.Error("small ticks are moved")
	}
}
