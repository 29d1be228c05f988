//go:build !js

package export_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/oniscope/oniscope/shared/export"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

// verifiedGaps are the findings of verification about rows that never reached
// the file.
func verifiedGaps(t *testing.T, data []byte, hz uint64) (list []recording.Finding) {
	t.Helper()
	for f, err := range recovery.Verify(context.Background(), bytes.NewReader(data), int64(len(data)), &recovery.VerifyOptions{AcqClockHz: hz}) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(f.Reason, "gap: ") {
			list = append(list, f)
		}
	}
	return list
}

// Every export says which rows are missing, as verification finds them, and the
// flat one lists them next to it.
func TestExportsKnowTheGapsThatVerificationFinds(t *testing.T) {
	data, err := os.ReadFile("../../testdata/field/one-in-five-lost.arrow")
	if err != nil {
		t.Fatal(err)
	}
	const hz = 250_000_000
	want := verifiedGaps(t, data, hz)
	if len(want) < 100 {
		t.Fatalf("%d gaps are found by verification", len(want))
	}
	r, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	r.SetClock(hz, time.Time{})
	ctx := context.Background()
	all := func() *recording.Excerpt {
		x, err := r.Select(ctx, recording.Selection{})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	layout, report, err := export.Bin(ctx, &bytes.Buffer{}, all(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(layout.Lost) != len(want) {
		t.Fatalf("%d places in the layout, %d gaps", len(layout.Lost), len(want))
	}
	lost := int64(0)
	for i, g := range layout.Lost {
		f := &want[i]
		lost += g.LostRows
		if g.BeforeRow != f.BeforeRow || g.LostRows != f.LostRows || g.ClockBefore != f.ClockBefore || g.ClockAfter != f.ClockAfter || g.Reason != f.Reason {
			t.Fatalf("place %d is %+v, verification has %+v", i, g, f)
		}
	}
	if lost != 885 {
		t.Errorf("%d rows lost, want 885", lost)
	}
	reports := map[string]export.Report{"bin": report}
	for name, write := range map[string]func() (export.Report, error){
		"csv":     func() (export.Report, error) { return export.CSV(ctx, &bytes.Buffer{}, all(), nil) },
		"npy":     func() (export.Report, error) { return export.NPY(ctx, &bytes.Buffer{}, all(), nil) },
		"parquet": func() (export.Report, error) { return export.Parquet(ctx, &bytes.Buffer{}, all(), nil, recording.Zstd) },
	} {
		if reports[name], err = write(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	info, err := r.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	reports["info"] = export.Report{Gaps: info.Findings}
	for name, report := range reports {
		if len(report.Gaps) != len(want) {
			t.Errorf("%s: %d gaps, want %d", name, len(report.Gaps), len(want))
			continue
		}
		for i := range want {
			if report.Gaps[i] != want[i] {
				t.Errorf("%s: gap %d is %+v, want %+v", name, i, report.Gaps[i], want[i])
				break
			}
		}
	}
	// Of some rows those between them count.
	x, err := r.Select(ctx, recording.Selection{Rows: &recording.Range{Start: want[40].BeforeRow, End: want[60].BeforeRow}})
	if err != nil {
		t.Fatal(err)
	}
	layout, _, err = export.Bin(ctx, &bytes.Buffer{}, x, nil)
	if err != nil || len(layout.Lost) == 0 || len(layout.Lost) > 19 {
		t.Errorf("%d places between 20 gaps, %v", len(layout.Lost), err)
	}
	for _, g := range layout.Lost {
		if g.BeforeRow <= 0 || g.BeforeRow >= x.Len() {
			t.Errorf("a place outside the rows: %+v", g)
		}
	}
}
