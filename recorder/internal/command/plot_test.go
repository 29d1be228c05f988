package command

import (
	"encoding/binary"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/fronts"
	"github.com/oniscope/oniscope/recorder/internal/plot"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// plotRows, at a microsecond each, in batches of plotBatch: one spike, and a
// gap of 50 ms.
const (
	plotRows, plotBatch = 400_000, 30_000
	spikeRow, gapRow    = 123_456, 300_000
	gapTicks            = 50_000
)

func spikeRecording(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "spike.arrow")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := &stream.Stream{Name: "electrode", AcqClockHz: 1_000_000, Columns: []stream.Column{
		{Name: "Voltage", Type: stream.Int16, Unit: "V", Scale: 0.5, Offset: 10},
		{Name: "Clock", Type: stream.Uint64},
	}}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for start := 0; start < plotRows; start += plotBatch {
		var values, clock []byte
		rows := min(plotBatch, plotRows-start)
		for row := start; row < start+rows; row++ {
			value, tick := int16(10+row%2), uint64(row) // 0 or 0.5 V
			if row == spikeRow {
				value = 210 // 100 V
			}
			if row >= gapRow {
				tick += gapTicks
			}
			values, clock = binary.LittleEndian.AppendUint16(values, uint16(value)), binary.LittleEndian.AppendUint64(clock, tick)
		}
		if _, err := w.WriteBatch(rows, []recording.Vector{{Data: values}, {Data: clock}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPlotDrawsOneRowOfHundredThousandsAndNoneInTheGap(t *testing.T) {
	in := spikeRecording(t)
	out := filepath.Join(t.TempDir(), "spike.png")
	if code, _, said := try("plot", in, "-o", out); code != exitDone {
		t.Fatal(code, said)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	// The plot lies between 72 pixels at the left and 20 at the right.
	const first, columns = 72, 1200 - 72 - 20
	column := func(row int) int {
		tick := float64(row)
		if row >= gapRow {
			tick += gapTicks
		}
		return first + int(tick/(plotRows+gapTicks)*columns)
	}
	green := func(x, y int) bool {
		c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
		return int(c.G)-int(c.R) > 40
	}
	height := func(x int) (ink int) {
		for y := range img.Bounds().Dy() {
			if green(x, y) {
				ink++
			}
		}
		return ink
	}
	// From 0 to 100 V the spike is nearly as high as the panel of 130 pixels.
	if got := height(column(spikeRow)); got < 115 {
		t.Errorf("the spike is %d pixels high", got)
	}
	for _, row := range []int{1000, spikeRow - 5000, spikeRow + 5000, plotRows - 1000} {
		if got := height(column(row)); got < 1 || got > 6 {
			t.Errorf("at row %d there are %d pixels of ink", row, got)
		}
	}
	for x := column(gapRow-1) + 2; x < column(gapRow)-1; x++ {
		if got := height(x); got != 0 {
			t.Fatalf("in the gap, at %d, there are %d pixels of ink", x, got)
		}
	}
}

func TestPlotEnvelopesArePhysicalAndExact(t *testing.T) {
	in, err := (&app{quiet: true}).openInput(t.Context(), spikeRecording(t), &clockFlags{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	f := &plotFlags{out: "x.png", width: 400, scale: 1}
	flags := (&app{}).plotCommand().Flags()
	f.changed = flags.Changed
	x, err := f.resolve(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	figure, _, err := plot.Draw(t.Context(), x, f.options(in))
	if err != nil {
		t.Fatal(err)
	}
	if figure.From != 0 || math.Abs(figure.To-0.450001) > 1e-5 || figure.XLabel != "time (s)" {
		t.Errorf("from %g to %g %s", figure.From, figure.To, figure.XLabel)
	}
	if len(figure.Gaps) != 1 || math.Abs(figure.Gaps[0].To-0.35) > 1e-9 {
		t.Errorf("gaps %v, want one to 0.35 s", figure.Gaps)
	}
	if len(figure.Panels) != 1 || figure.Panels[0].Unit != "V" {
		t.Fatalf("panels %+v", figure.Panels)
	}
	spikes := 0
	e := figure.Panels[0].Traces[0].Envelope
	for b := 0; b < len(e); b += 2 {
		if e[b] != e[b] {
			continue
		}
		if e[b] != 0 || e[b+1] != 0.5 && e[b+1] != 100 {
			t.Fatalf("bin %d from %g to %g V", b/2, e[b], e[b+1])
		}
		if e[b+1] == 100 {
			spikes++
		}
	}
	if spikes != 1 {
		t.Errorf("%d bins reach 100 V, want 1", spikes)
	}
}

func TestTheAxisIsThatOfTheSecondsAskedFor(t *testing.T) {
	in, err := (&app{quiet: true}).openInput(t.Context(), spikeRecording(t), &clockFlags{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	f := &plotFlags{out: "x.png", width: 400, scale: 1}
	flags := (&app{}).plotCommand().Flags()
	f.changed = func(name string) bool { return name == "from" || name == "to" || flags.Changed(name) }
	f.from, f.to = "0.3", "0.4" // from the gap on, which ends at 0.35 s
	x, err := f.resolve(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	figure, _, err := plot.Draw(t.Context(), x, f.options(in))
	if err != nil {
		t.Fatal(err)
	}
	if figure.From != 0.3 || figure.To != 0.4 {
		t.Errorf("from %g to %g s", figure.From, figure.To)
	}
	e := figure.Panels[0].Traces[0].Envelope
	half := len(e) / 4 * 2
	for b := 0; b < half-2; b += 2 {
		if e[b] == e[b] {
			t.Fatalf("bin %d of %d is not empty, in the gap", b/2, len(e)/2)
		}
	}
	if e[half+2] != e[half+2] {
		t.Error("the bin after the gap is empty")
	}
}

// Segments are one after the other, with the clock of each, and every row is drawn
// once, whatever becomes of the clock.
func TestPlotDrawsSegmentsOneAfterTheOther(t *testing.T) {
	list, err := fronts.Situations("../../../testdata/field")
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for i := range list {
		s := &list[i]
		if s.Segments == nil || s.ClockHz == 0 {
			continue
		}
		tried++
		path := filepath.Join(t.TempDir(), s.Name)
		if err := os.WriteFile(path, s.Data, 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := (&app{quiet: true}).openInput(t.Context(), path, &clockFlags{clockHz: s.ClockHz})
		if err != nil {
			t.Fatal(err)
		}
		f := &plotFlags{out: "x.png", width: 492, scale: 1} // 400 bins
		f.changed = (&app{}).plotCommand().Flags().Changed
		x, err := f.resolve(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		figure, _, err := plot.Draw(t.Context(), x, f.options(in))
		in.Close()
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Segments) > 1 && len(figure.Stretches) != len(s.Segments) {
			t.Fatalf("%s: stretches %v", s.Name, figure.Stretches)
		}
		hz := float64(s.ClockHz)
		for k, got := range figure.Stretches {
			if want := s.Segments[k]; got.First != float64(want.ClockFirst)/hz || got.Last != float64(want.ClockLast)/hz {
				t.Errorf("%s: stretch %d is %v, want %v", s.Name, k, got, want)
			}
		}
		lost := int64(0)
		if s.LostRows != nil {
			lost = *s.LostRows
		}
		still := false            // ticks that stand still leave empty what comes after them
		for i := range s.Verify { // and what is elsewhere its own place
			var moved int64
			still = still || strings.Contains(s.Verify[i].Reason, "same Clock")
			if n, _ := fmt.Sscanf(s.Verify[i].Reason, "%d rows belong", &moved); n == 1 && strings.Contains(s.Verify[i].Reason, "belong") {
				lost += moved
			}
		}
		if long := float64(*s.Rows+lost) / *s.RateHz; s.Segments[0].RateHz == nil && math.Abs(figure.To-figure.From-long) > 1e-3*long {
			t.Errorf("%s: %g s are drawn, want %g", s.Name, figure.To-figure.From, long)
		}
		e, last := figure.Panels[0].Traces[0].Envelope, float32(-1)
		for b := 0; b < len(e); b += 2 {
			if (lost > 0 || still) && e[b] != e[b] {
				continue // the gap
			}
			if *s.Rows < 1300 && (e[b] != e[b] || e[b] < last) { // the value rises with the row
				t.Fatalf("%s: bin %d of %d is %g to %g, after %g", s.Name, b/2, len(e)/2, e[b], e[b+1], last)
			}
			last = e[b+1]
		}
		if *s.Rows < 1300 && last != float32(*s.Rows-1)*31 {
			t.Errorf("%s: the last value is %g", s.Name, last)
		}
	}
	if tried < 8 {
		t.Errorf("%d situations", tried)
	}
}
