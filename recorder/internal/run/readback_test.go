package run

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/oniscope/oniscope/hardware/sim"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

// verifies checks that all files are complete, and how many findings verify has.
func (s *scene) verifies(findings int) {
	s.t.Helper()
	n := 0
	for _, path := range s.files("") {
		for _, f := range verify(s.t, path) {
			if f.Severity != recording.SeverityInfo {
				n++
				if findings == 0 {
					s.t.Errorf("%s: %s", filepath.Base(path), f.Reason)
				}
			}
		}
	}
	if n < findings {
		s.t.Errorf("verify has %d findings, want %d at least", n, findings)
	}
}

func (s *scene) files(stream string) []string {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, stream+"*.arrow"))
	if err != nil {
		s.t.Fatal(err)
	}
	return files
}

func verify(t *testing.T, path string) (list []recording.Finding) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for f, err := range recovery.Verify(t.Context(), bytes.NewReader(data), int64(len(data)), nil) {
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		list = append(list, f)
	}
	return list
}

// column returns a column of 64 bits of all parts of a stream.
func (s *scene) column(stream, name string) (values []uint64) {
	s.t.Helper()
	for _, path := range s.files(stream) {
		f, err := os.Open(path)
		if err != nil {
			s.t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			s.t.Fatal(err)
		}
		r, err := recording.NewReader(f, info.Size())
		if err != nil {
			s.t.Fatalf("%s: %v", path, err)
		}
		all, err := r.Info(s.t.Context())
		if err != nil || all.State != recording.Complete {
			s.t.Fatalf("%s: %v, %v", path, all.State, err)
		}
		column := r.Stream().Column(name)
		for i := range all.Batches {
			b, err := r.ReadBatch(i, []int{column})
			if err != nil {
				s.t.Fatal(err)
			}
			values = append(values, recording.Values[uint64](&b.Columns[0])...)
		}
		f.Close()
	}
	return values
}

// rows is how many rows a stream has.
func (s *scene) rows(stream string) int { return len(s.column(stream, "Clock")) }

// leftOf looks at a file that was being written. What is whole of it by another
// way than recovery, batch after batch, is what recovery keeps; torn is what
// comes after it.
func leftOf(t *testing.T, path string) (left whole, torn int64, ok bool) {
	t.Helper()
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return whole{}, 0, false
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	left = wholeBatches(f, info.Size())
	plan, err := recovery.Examine(t.Context(), f, info.Size(), nil)
	if err != nil {
		if left.rows > 0 {
			t.Errorf("%s: %v, though %d rows are there", filepath.Base(path), err, left.rows)
		}
		return left, 0, true
	}
	if plan.Report.RowsRecovered != left.rows {
		t.Errorf("%s: %d rows recovered, %d are there", filepath.Base(path), plan.Report.RowsRecovered, left.rows)
	}
	return left, plan.Report.BytesSkipped, true
}

type whole struct {
	rows int64
	last uint64 // Clock
}

func wholeBatches(f io.ReaderAt, size int64) (w whole) {
	r, err := recording.NewReader(f, size)
	if err != nil {
		return w
	}
	clock := r.Stream().Column("Clock")
	for i := range r.NumBatches() {
		b, err := r.ReadBatch(i, []int{clock})
		if err != nil {
			break
		}
		if ticks := recording.Values[uint64](&b.Columns[0]); len(ticks) > 0 {
			w.rows, w.last = w.rows+int64(len(ticks)), ticks[len(ticks)-1]
		}
	}
	return w
}

// summary of a stream.
func (s *scene) stream(name string) store.StreamSummary {
	s.t.Helper()
	for _, f := range s.rec.Summary().Streams {
		if f.Name == name {
			return f
		}
	}
	s.t.Fatalf("no stream %s", name)
	return store.StreamSummary{}
}

// A gap is a record of the stream of gaps.
type gap struct {
	device, cause string
	first, last   uint64
	rows          int64
}

// gaps are the records of the run's stream of gaps, of one device.
func (s *scene) gaps(device string) (list []gap) {
	s.t.Helper()
	for _, path := range s.files(recording.GapStreamName) {
		data, err := os.ReadFile(path)
		if err != nil {
			s.t.Fatal(err)
		}
		r, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			s.t.Fatal(err)
		}
		info, err := r.Info(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		for i := range info.Batches {
			b, err := r.ReadBatch(i, []int{0, 1, 2, 3, 4})
			if err != nil {
				s.t.Fatal(err)
			}
			first, last := recording.Values[uint64](&b.Columns[1]), recording.Values[uint64](&b.Columns[2])
			rows := recording.Values[int64](&b.Columns[3])
			for k := range rows {
				name, _ := b.Columns[0].Text(k)
				cause, _ := b.Columns[4].Text(k)
				if name == device {
					list = append(list, gap{name, cause, first[k], last[k], rows[k]})
				}
			}
		}
	}
	return list
}

// oneGap checks that a stream has one gap, with a cause, and that rows and gap
// together are what was sent: none twice, none missing without a word. sent is
// the number of rows, -1: as many as the clock says.
func (s *scene) oneGap(stream, cause string, periodTicks float64) gap {
	s.t.Helper()
	list := s.gaps(stream)
	if len(list) != 1 || list[0].cause != cause {
		s.t.Fatalf("%s: gaps %+v, want one of cause %s\n%s", stream, list, cause, s.words.String())
	}
	g := list[0]
	clocks := s.column(stream, "Clock")
	for i := 1; i < len(clocks); i++ {
		step := float64(clocks[i]-clocks[i-1]) / periodTicks
		switch {
		case step < 1.5 && clocks[i] > clocks[i-1]:
		case clocks[i-1] < g.first && clocks[i] > g.last:
			if want := int64(step+0.5) - 1; want != g.rows {
				s.t.Errorf("%s: the gap before row %d has room for %d rows, and %d are recorded as lost", stream, i, want, g.rows)
			}
		default:
			s.t.Fatalf("%s: a gap before row %d, from %d to %d, that is not recorded: %+v", stream, i, clocks[i-1], clocks[i], g)
		}
	}
	return g
}

// noGaps checks that a stream has every row of so many seconds.
func (s *scene) noGaps(stream string, rateHz, seconds float64) {
	s.t.Helper()
	if list := s.gaps(stream); len(list) > 0 {
		s.t.Errorf("%s: gaps %+v", stream, list)
	}
	if got, want := s.rows(stream), int(rateHz*seconds+0.5); got < want-1 || got > want+1 {
		s.t.Errorf("%s: %d rows, want %d\n%s", stream, got, want, s.words.String())
	}
	clocks := s.column(stream, "Clock")
	for i := 1; i < len(clocks); i++ {
		if step := float64(clocks[i]-clocks[i-1]) * rateHz / sim.ClockHz; step < 0.5 || step > 1.5 {
			s.t.Fatalf("%s: a step of %.2f rows before row %d", stream, step, i)
		}
	}
}

// clockOf replaces the hub clock in a sample.
func withHubClock(data []byte, hub uint64) []byte {
	out := bytes.Clone(data)
	binary.LittleEndian.PutUint64(out, hub)
	return out
}
