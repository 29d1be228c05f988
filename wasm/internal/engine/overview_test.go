package engine

import (
	"bytes"
	"context"
	"math"
	"testing"

	"github.com/oniscope/oniscope/shared/decimate"
	"github.com/oniscope/oniscope/shared/recording"
)

// binOf is what a bin of the test recording promises, row by row.
func binOf(v decimate.Bins, b, column int) (values []float64) {
	for row := range testRows() {
		if tick := float64(testTick(row)); tick >= v.From && tick < v.To && v.Bin(tick) == b {
			values = append(values, testValue(column, row))
		}
	}
	return values
}

// rmsAbout gives NaN of no values.
func rmsAbout(centre float64, values []float64) float64 {
	sum := 0.0
	for _, x := range values {
		sum += (x - centre) * (x - centre)
	}
	return math.Sqrt(sum / float64(len(values)))
}

func meanOfAll(values []float64) float64 {
	sum := 0.0
	for _, x := range values {
		sum += x
	}
	return sum / float64(len(values))
}

func close32(got float32, want float64) bool {
	return math.Abs(float64(got)-want) <= 1e-5*math.Max(1, math.Abs(want)) || got != got && want != want
}

func TestEveryBinHasItsMeanAndDeviation(t *testing.T) {
	v := decimate.Bins{From: float64(testTick(0)) - 1e5, To: float64(testTick(testRows()-1)) + 1, N: 60}
	columns := []int{1, 3, 4, 5}
	for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
		e, _ := openTest(t, testRecording(t, codec))
		env, err := e.Envelope(context.Background(), envelopeArgs(v.From, v.To, v.N, "exact", columns...), nil)
		if err != nil {
			t.Fatal(err)
		}
		for c, column := range columns {
			for b := range v.N {
				values := binOf(v, b, column)
				mean := meanOfAll(values)
				if i := c*v.N + b; !close32(env.Mean[i], mean) || !close32(env.SD[i], rmsAbout(mean, values)) {
					t.Errorf("column %d bin %d: mean %v sd %v, want %v %v", column, b, env.Mean[i], env.SD[i], mean, rmsAbout(mean, values))
				}
			}
		}
	}
}

func TestTheOverviewIsTheWholeRun(t *testing.T) {
	e, info := openTest(t, testRecording(t, recording.None))
	v := decimate.Bins{From: info.Clock.First, To: info.Clock.Last + 1, N: 90}
	one, err := e.Overview(context.Background(), OverviewArgs{Stream: "np_0", Columns: []int{1}, Bins: v.N}, nil)
	if err != nil || one.Quality != "exact" || one.From != v.From || one.To != v.To || one.Done != v.N {
		t.Fatalf("%+v, %v", one, err)
	}
	if at, ok := sameFloats(one.Data, reference(v, []int{1})); !ok {
		t.Errorf("extremes differ at %d", at)
	}
	columns := []int{0, 1, 2}
	all, err := e.Overview(context.Background(), OverviewArgs{Stream: "np_0", Columns: columns, Bins: v.N}, nil)
	if err != nil || all.Data != nil {
		t.Fatalf("%+v, %v", all, err)
	}
	var centres []float64
	for _, c := range columns {
		var values []float64
		for row := range testRows() {
			values = append(values, testValue(c, row))
		}
		centres = append(centres, meanOfAll(values))
	}
	for b := range v.N {
		var squares []float64
		for i, c := range columns {
			rms := rmsAbout(centres[i], binOf(v, b, c))
			squares = append(squares, rms*rms)
		}
		if want := math.Sqrt(meanOfAll(squares)); !close32(all.RMS[b], want) {
			t.Errorf("bin %d: RMS %v, want %v", b, all.RMS[b], want)
		}
	}
}

func TestAnOverviewIsThereAtOnceAndGrows(t *testing.T) {
	data := largeRecording(t, 500, 200)
	e := &Engine{}
	if _, err := e.Open(context.Background(), OpenArgs{"np_0", "np_0.arrow"}, bytes.NewReader(data), int64(len(data)), nil); err != nil {
		t.Fatal(err)
	}
	done := -1
	var seen []*Overview
	all, err := e.Overview(context.Background(), OverviewArgs{Stream: "np_0", Columns: []int{0}, Bins: 300}, func(o *Overview) { seen = append(seen, o) })
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range seen {
		if o.Quality != "coarse" || o.Done <= done || o.Done >= 300 || len(o.RMS) != 300 {
			t.Fatalf("%s, %d bins done after %d", o.Quality, o.Done, done)
		}
		done = o.Done
		for b := range done {
			if o.Data[2*b] != all.Data[2*b] || o.SD[b] != all.SD[b] {
				t.Fatalf("bin %d of %d exact bins changes later", b, done)
			}
		}
	}
	// Of a file that grows the exact answer is not begun.
	coarse, err := e.Overview(context.Background(), OverviewArgs{Stream: "np_0", Columns: []int{1}, Bins: 300, Quality: "coarse"}, func(*Overview) { t.Error("more came") })
	if err != nil || coarse.Quality != "coarse" || coarse.Done != 0 || len(coarse.Data) != 600 {
		t.Errorf("%+v, %v", coarse, err)
	}
	if len(seen) < 3 || seen[0].Done != 0 {
		t.Errorf("%d answers before the last", len(seen))
	}
}
