package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/decimate"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

func envelopeArgs(from, to float64, bins int, quality string, columns ...int) EnvelopeArgs {
	return EnvelopeArgs{Stream: "np_0", Columns: columns, From: &from, To: &to, Bins: bins, Quality: quality}
}

func testValue(column, row int) float64 {
	switch column {
	case 0, 1, 2:
		return float64(testAP(column, row))
	case 3, 4, 5:
		return float64(testLFP(column-3, row))
	case 6:
		return float64(row / 7 % 2)
	}
	return float64(testTick(row))
}

// reference is what an exact envelope promises, row by row.
func reference(v decimate.Bins, columns []int) []float32 {
	out := make([]float32, len(columns)*v.N*2)
	for i := range out {
		out[i] = float32(math.NaN())
	}
	for row := range testRows() {
		if tick := float64(testTick(row)); tick >= v.From && tick < v.To {
			for c, column := range columns {
				at, x := (c*v.N+v.Bin(tick))*2, float32(testValue(column, row))
				if !(out[at] <= x) {
					out[at] = x
				}
				if !(out[at+1] >= x) {
					out[at+1] = x
				}
			}
		}
	}
	return out
}

func sameFloats(a, b []float32) (int, bool) {
	if len(a) != len(b) {
		return -1, false
	}
	for i := range a {
		if a[i] != b[i] && (a[i] == a[i] || b[i] == b[i]) {
			return i, false
		}
	}
	return 0, true
}

func TestExactEnvelopeEqualsTheReference(t *testing.T) {
	first, last := float64(testTick(0)), float64(testTick(testRows()-1))
	for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
		e, _ := openTest(t, testRecording(t, codec))
		for _, v := range []decimate.Bins{
			{From: first, To: last + 1, N: 100},
			{From: first - 5e6, To: last + 5e6, N: 77},
			{From: float64(testTick(650)), To: float64(testTick(900)), N: 40},
			{From: float64(testTick(1100)), To: float64(testTick(1300)), N: 33},
			{From: float64(testTick(10)) + 0.5, To: float64(testTick(50)) + 0.25, N: 7},
			{From: last + 10, To: last + 1e6, N: 5},
			{From: first - 1e6, To: first - 10, N: 5},
		} {
			columns := []int{2, 0, 3, 4, 5, 6}
			env, err := e.Envelope(context.Background(), envelopeArgs(v.From, v.To, v.N, "exact", columns...), nil)
			if err != nil {
				t.Fatal(err)
			}
			if env.Kind == "samples" { // nothing there: no rows at all
				if env.Rows != 0 {
					t.Errorf("%v %+v: samples of %d rows", codec, v, env.Rows)
				}
				continue
			}
			if at, ok := sameFloats(env.Data, reference(v, columns)); !ok || env.Quality != "exact" {
				t.Errorf("%v %+v: differs at %d", codec, v, at)
			}
			if env.Rows != env.RowsUsed {
				t.Errorf("%v %+v: %d rows, %d used", codec, v, env.Rows, env.RowsUsed)
			}
		}
	}
}

func TestWhatIsSmallIsExactAtOnce(t *testing.T) {
	e, info := openTest(t, testRecording(t, recording.None))
	env, err := e.Envelope(context.Background(), envelopeArgs(info.Clock.First, info.Clock.Last+1, 100, "coarse", 0), nil)
	if err != nil || env.Quality != "exact" || env.RowsUsed != int64(testRows()) {
		t.Errorf("got %+v, %v", env, err)
	}
}

func TestSamplesAreTheRowsOfTheViewAndOneBeyond(t *testing.T) {
	e, _ := openTest(t, testRecording(t, recording.None))
	from, to := float64(testTick(295))+1, float64(testTick(310)) // over the border of two batches
	env, err := e.Envelope(context.Background(), envelopeArgs(from, to, 800, "exact", 1, 4), nil)
	if err != nil || env.Kind != "samples" {
		t.Fatalf("got %+v, %v", env, err)
	}
	if len(env.X) != 16 || env.Rows != 14 { // rows 295 to 310; 296 to 309 are inside
		t.Fatalf("%d samples of %d rows", len(env.X), env.Rows)
	}
	for i := range env.X {
		row := 295 + i
		if env.X[i] != float64(testTick(row))-from {
			t.Errorf("sample %d at %v, want row %d", i, env.X[i], row)
		}
		if got := env.Data[i]; got != float32(testAP(1, row)) {
			t.Errorf("row %d: AP %v, want %v", row, got, testAP(1, row))
		}
		if got := env.Data[len(env.X)+i]; got != float32(testLFP(1, row)) { // nulls hold their value
			t.Errorf("row %d: LFP %v, want %v", row, got, testLFP(1, row))
		}
	}
}

func TestSlowSignalsAreDrawnAtTheirOwnValuesHoweverStored(t *testing.T) {
	e, _ := openTest(t, testRecording(t, recording.Zstd))
	for _, column := range []int{3, 4, 5} {
		env, err := e.Envelope(context.Background(), envelopeArgs(float64(testTick(100)), float64(testTick(400)), 50, "exact", column), nil)
		if err != nil || env.Kind != "samples" {
			t.Fatalf("column %d: got %+v, %v", column, env, err)
		}
		if len(env.X) != 27 { // rows 96, 108 to 396, 408
			t.Fatalf("column %d: %d samples", column, len(env.X))
		}
		for i, x := range env.X {
			row := 96 + testStride*i
			if x != float64(testTick(row))-env.From || env.Data[i] != float32(testLFP(column-3, row)) {
				t.Errorf("column %d: sample %d is %v at %v, want row %d", column, i, env.Data[i], x, row)
			}
		}
	}
}

func TestGapsBreakTheLine(t *testing.T) {
	e, _ := openTest(t, testRecording(t, recording.None))
	for name, row := range map[string]int{"between batches": testGapRow, "inside a batch": testGapIn} {
		env, err := e.Envelope(context.Background(), envelopeArgs(float64(testTick(row-3)), float64(testTick(row+2)), 500, "exact", 0), nil)
		if err != nil {
			t.Fatal(err)
		}
		breaks := 0
		for i, y := range env.Data {
			if y != y {
				breaks++
				if x := env.X[i] + env.From; x <= float64(testTick(row-1)) || x >= float64(testTick(row)) {
					t.Errorf("%s: the break is at %v", name, x)
				}
			}
		}
		if breaks != 1 {
			t.Errorf("%s: %d breaks in %v", name, breaks, env.Data)
		}
	}
}

// largeRecording has so many batches that a coarse answer cannot read all.
func largeRecording(t testing.TB, batches, rows int) []byte {
	t.Helper()
	s := testStream()
	s.Columns = append(s.Columns[:1], s.Columns[7])
	file := &testdata.Memory{}
	w, err := recording.NewWriter(file, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for b := range batches {
		all := testBatch(0, rows)
		clock := make([]byte, 0, 8*rows)
		for i := range rows {
			clock = appendUint64(clock, uint64(b*rows+i)*10)
		}
		if _, err := w.WriteBatch(rows, []recording.Vector{all[0], {Data: clock}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Data
}

func TestCoarseReadsABoundedPartAndFillsThePicture(t *testing.T) {
	data := largeRecording(t, 500, 200)
	counting := &countingSource{ReaderAt: bytes.NewReader(data)}
	e := &Engine{}
	info, err := e.Open(context.Background(), OpenArgs{"np_0", "np_0.arrow"}, counting, int64(len(data)), nil)
	if err != nil {
		t.Fatal(err)
	}
	counting.bytes = 0
	args := envelopeArgs(info.Clock.First, info.Clock.Last+1, 600, "coarse", 0)
	env, err := e.Envelope(context.Background(), args, nil)
	if err != nil || env.Quality != "coarse" || env.Kind != "envelope" {
		t.Fatalf("got %+v, %v", env, err)
	}
	if env.RowsUsed != coarseBatches*200 || math.Abs(float64(env.Rows)-100_000) > 500 {
		t.Errorf("%d of %d rows used", env.RowsUsed, env.Rows)
	}
	if counting.bytes > int64(len(data))/8 {
		t.Errorf("%d bytes read of %d", counting.bytes, len(data))
	}
	for i, y := range env.Data {
		if y != y {
			t.Fatalf("bin %d of %d is blank", i/2, env.Bins)
		}
	}

	var seen []*Envelope
	args.Quality = "exact"
	exact, err := e.Envelope(context.Background(), args, func(p *Envelope) { seen = append(seen, p) })
	if err != nil || exact.Quality != "exact" || exact.RowsUsed != 100_000 {
		t.Fatalf("got %+v, %v", exact, err)
	}
	if len(seen) == 0 {
		t.Fatal("no progress")
	}
	for _, p := range seen {
		if p.Quality != "coarse" || p.Kind != "envelope" || len(p.Data) != len(exact.Data) {
			t.Fatalf("progress of another shape: %s %s %d", p.Quality, p.Kind, len(p.Data))
		}
		for i, y := range p.Data {
			if y != y {
				t.Fatalf("progress: bin %d is blank", i/2)
			}
		}
	}
}

func TestRequestsAreChecked(t *testing.T) {
	e, _ := openTest(t, testRecording(t, recording.None))
	nan, inf := math.NaN(), math.Inf(1)
	missing := envelopeArgs(0, 1, 10, "exact", 0)
	missing.From = nil
	for name, a := range map[string]EnvelopeArgs{
		"from missing":         missing,
		"from NaN":             envelopeArgs(nan, 1, 10, "exact", 0),
		"endless":              envelopeArgs(0, inf, 10, "exact", 0),
		"from after to":        envelopeArgs(2, 1, 10, "exact", 0),
		"no bins":              envelopeArgs(0, 1, 0, "exact", 0),
		"too many bins":        envelopeArgs(0, 1, maxBins+1, "exact", 0),
		"no such column":       envelopeArgs(0, 1, 10, "exact", 8),
		"negative column":      envelopeArgs(0, 1, 10, "exact", -1),
		"no such quality":      envelopeArgs(0, 1, 10, "fine", 0),
		"more columns than it": envelopeArgs(0, 1, 10, "exact", make([]int, maxColumns+1)...),
	} {
		var wrong *ArgumentError
		if _, err := e.Envelope(context.Background(), a, nil); !errors.As(err, &wrong) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestCancelEndsARequest(t *testing.T) {
	data := largeRecording(t, 1500, 100)
	e := &Engine{}
	info, err := e.Open(context.Background(), OpenArgs{"np_0", "np_0.arrow"}, bytes.NewReader(data), int64(len(data)), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	steps := 0
	e.Yield = func() {
		if steps++; steps == 3 {
			cancel()
		}
	}
	_, err = e.Envelope(ctx, envelopeArgs(info.Clock.First, info.Clock.Last, 300, "exact", 0), nil)
	if !errors.Is(err, context.Canceled) || steps > 4 {
		t.Errorf("got %v after %d steps", err, steps)
	}
	if reply := ReplyFromError(err); reply.Name != "AbortError" {
		t.Errorf("named %s", reply.Name)
	}
}

func TestAFileThatCannotBeReadIsNotADamagedOne(t *testing.T) {
	data := testRecording(t, recording.None)
	source := &failingSource{ReaderAt: bytes.NewReader(data)}
	e := &Engine{}
	info, err := e.Open(context.Background(), OpenArgs{"np_0", "np_0.arrow"}, source, int64(len(data)), nil)
	if err != nil {
		t.Fatal(err)
	}
	source.fail = &SourceError{Name: "NotReadableError", Message: "changed"}
	_, err = e.Envelope(context.Background(), envelopeArgs(info.Clock.First, info.Clock.Last, 100, "exact", 0), nil)
	if reply := ReplyFromError(err); reply.Name != "NotReadableError" || reply.Next == "" {
		t.Errorf("got %+v", reply)
	}
	source.fail = nil
	if _, err = e.Envelope(context.Background(), envelopeArgs(info.Clock.First, info.Clock.Last, 100, "exact", 0), nil); err != nil {
		t.Errorf("after the failure: %v", err)
	}
}

func TestADamagedBatchIsBlankAndListed(t *testing.T) {
	data := testRecording(t, recording.Zstd)
	// Spoil the body of the third batch: its columns no longer decode.
	at := bytes.Index(data, []byte{0x28, 0xB5, 0x2F, 0xFD})
	for range 2 * 10 { // frames of the two batches before: 8 columns, a validity, run ends
		next := bytes.Index(data[at+4:], []byte{0x28, 0xB5, 0x2F, 0xFD})
		at += 4 + next
	}
	for i := range 40 {
		data[at+8+i] ^= 0x5A
	}
	e, info := openTest(t, data)
	env, err := e.Envelope(context.Background(), envelopeArgs(info.Clock.First, info.Clock.Last+1, 60, "exact", 0, 1, 2), nil)
	if err != nil {
		t.Fatal(err)
	}
	if env.RowsUsed >= int64(testRows()) || env.RowsUsed < 900 {
		t.Errorf("%d rows used", env.RowsUsed)
	}
	if info, err = e.Info("np_0"); err != nil || info.State != "damaged" || len(info.Findings) == 0 {
		t.Errorf("state %s, findings %v, %v", info.State, info.Findings, err)
	}
	damaged := 0
	for _, c := range info.Coverage {
		if c.Kind == "damaged" {
			damaged++
		}
	}
	if damaged != 1 {
		t.Errorf("coverage %+v", info.Coverage)
	}
}

// Of very many columns those that are there are reported before the others, coarse and
// exact, whole: what is there of the others from before stays on the screen.
func TestVeryManyColumnsAreReportedAsTheyCome(t *testing.T) {
	const columns, rows = 150, 30_000 // of each batch more than a step
	about := &stream.Stream{AcqClockHz: 1000}
	var batch []recording.Vector
	for c := range columns {
		about.Columns = append(about.Columns, stream.Column{Name: fmt.Sprintf("AmplifierData%d", c), Type: stream.Uint16, ByteWidth: 2})
		batch = append(batch, recording.Vector{Data: bytes.Repeat([]byte{byte(c), 1}, rows)})
	}
	about.Columns = append(about.Columns, stream.Column{Name: "Clock", Type: stream.Uint64, ByteWidth: 8})
	file := &testdata.Memory{}
	w, err := recording.NewWriter(file, about, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		var clock []byte
		for row := range rows {
			clock = appendUint64(clock, uint64(n*rows+row))
		}
		if _, err := w.WriteBatch(rows, append(batch[:columns:columns], recording.Vector{Data: clock})); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		quality string
		to      float64
	}{{"coarse", 3 * rows}, {"exact", rows}} {
		e, _ := openTest(t, file.Data)
		q := make([]int, columns)
		for i := range q {
			q[i] = columns - 1 - i
		}
		var told []int
		check := func(env *Envelope) {
			for i, column := range env.Columns {
				if want := float32(256 + column); column != q[i] || env.Data[2*i*env.Bins] != want || env.Data[2*(i+1)*env.Bins-1] != want {
					t.Fatalf("%s: column %d of %d is %d, with %g", c.quality, i, len(env.Columns), column, env.Data[2*i*env.Bins])
				}
			}
		}
		env, err := e.Envelope(context.Background(), envelopeArgs(0, c.to, 20, c.quality, q...), func(env *Envelope) {
			told = append(told, len(env.Columns))
			check(env)
		})
		if err != nil {
			t.Fatal(err)
		}
		if check(env); len(env.Columns) != columns || len(told) != 1 || told[0] < 50 || told[0] >= columns {
			t.Errorf("%s: %d columns, of which %v were reported before", c.quality, len(env.Columns), told)
		}
	}
}
