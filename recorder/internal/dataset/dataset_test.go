package dataset

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/recorder/internal/files"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// beats opens a recording of testdata.Beats, all of it selected.
func beats(t *testing.T, startUTC string, startClock uint64, clocks []uint64) (*files.Input, *recording.Excerpt) {
	t.Helper()
	return beatsOf(t, stream.Stream{Name: "beat", StartUTC: startUTC, StartClock: startClock}, clocks)
}

func beatsOf(t *testing.T, about stream.Stream, clocks []uint64) (*files.Input, *recording.Excerpt) {
	t.Helper()
	data := testdata.Beats(t, about, clocks)
	path := filepath.Join(t.TempDir(), "file.arrow")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	in, err := files.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	x, err := testdata.Open(t, data).Select(t.Context(), recording.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	return in, x
}

// dataSet returns the Clock of all rows below a folder, by partition.
func dataSet(t *testing.T, dir string) map[string][]uint64 {
	t.Helper()
	rows := map[string][]uint64{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == Manifest {
			return err
		}
		f, err := file.OpenParquetFile(path, false)
		if err != nil {
			return err
		}
		defer f.Close()
		r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
		if err != nil {
			return err
		}
		table, err := r.ReadTable(context.Background())
		if err != nil {
			return err
		}
		part, _ := filepath.Rel(dir, filepath.Dir(path))
		for _, chunk := range table.Column(1).Data().Chunks() {
			rows[part] = append(rows[part], chunk.(*array.Uint64).Uint64Values()...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestPartitionByHourHoldsEachRowOnceInItsHour(t *testing.T) {
	set := filepath.Join(t.TempDir(), "set")
	began := time.Date(2026, 11, 21, 12, 59, 50, 250e6, time.UTC)
	// The clock was at 7 s when the recording began; the second one follows in
	// the same hour.
	for _, r := range []struct {
		began  time.Time
		clock  uint64
		clocks []uint64
	}{{began, 7000, testdata.Seconds(7, 7300)}, {began.Add(2 * time.Hour), 0, testdata.Seconds(0, 5)}} {
		in, x := beats(t, r.began.Format(time.RFC3339Nano), r.clock, r.clocks)
		if _, err := Write(t.Context(), in, x, &Options{Dir: set, Keys: []string{keyStream, keyHour}, Codec: recording.Zstd}); err != nil {
			t.Fatal(err)
		}
	}
	rows := dataSet(t, set)
	for part, want := range map[string]int{
		"beat/hour=2026-11-21T12": 10, "beat/hour=2026-11-21T13": 3600,
		"beat/hour=2026-11-21T14": 3600 + 5, "beat/hour=2026-11-21T15": 90,
	} {
		if len(rows[part]) != want {
			t.Errorf("%s: %d rows, want %d", part, len(rows[part]), want)
		}
	}
	if len(rows) != 4 {
		t.Errorf("%d partitions", len(rows))
	}
	w := wall{began, 7000, 1000}
	if got := rows["beat/hour=2026-11-21T13"]; w.time(got[0]).Format(hourLayout) != "2026-11-21T13" || got[0] != 17000 || got[3599] != 3616000 {
		t.Errorf("hour 13 goes from tick %d to %d", got[0], got[3599])
	}
}

// A row is in the hour that the Clock of its segment says; rows whose ticks cannot be
// right stay with those before them.
func TestTheHourFollowsTheSegment(t *testing.T) {
	clocks := slices.Concat(testdata.Seconds(0, 3700), testdata.Seconds(5, 3650), testdata.Seconds(0, 50))
	for _, row := range []int{500, 3900} { // at the border of a batch: garbled, and zero
		clocks[row] = uint64(1e12) * uint64(row%1000/500)
	}
	set := filepath.Join(t.TempDir(), "set")
	in, x := beats(t, "2026-11-21T12:00:00Z", 0, clocks)
	if _, err := Write(t.Context(), in, x, &Options{Dir: set, Keys: []string{keyHour}}); err != nil {
		t.Fatal(err)
	}
	rows := dataSet(t, set)
	if len(rows) != 2 || len(rows["hour=2026-11-21T12"]) != 3600+3595+50 || len(rows["hour=2026-11-21T13"]) != 100+55 {
		for hour, list := range rows {
			t.Errorf("%s: %d rows", hour, len(list))
		}
	}
}

// A Clock that jumps back or wildly forward ends neither the export nor a row.
func TestPartitionEndsWhateverTheClockSays(t *testing.T) {
	clocks := testdata.Seconds(0, 300)
	clocks = append(clocks, testdata.Seconds(100000, 100)...)
	clocks = append(clocks, testdata.Seconds(50, 150)...)
	for i := range 50 {
		clocks = append(clocks, uint64(1)<<63+uint64(i))
	}
	set := filepath.Join(t.TempDir(), "set")
	in, x := beats(t, "2026-11-21T12:00:00Z", 0, clocks)
	if _, err := Write(t.Context(), in, x, &Options{Dir: set, Keys: []string{keyHour}}); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, rows := range dataSet(t, set) {
		total += len(rows)
	}
	if total != len(clocks) {
		t.Errorf("%d rows of %d", total, len(clocks))
	}
}

func TestWallTimeAndTicksAreInverse(t *testing.T) {
	w := wall{time.Date(2026, 11, 21, 12, 0, 0, 123456789, time.UTC), 5, 250_000_000}
	for _, ticks := range []uint64{0, 5, 6, 250_000_005, 1<<53 + 1} {
		at := w.time(ticks)
		if got, err := w.ticks(at); err != nil || got != ticks {
			t.Errorf("%d ticks are %v, which is %d ticks: %v", ticks, at, got, err)
		}
	}
	if _, err := w.ticks(w.began.Add(-time.Hour)); err == nil {
		t.Error("a time before the clock began has ticks")
	}
}

func TestInterruptedExportLeavesNothing(t *testing.T) {
	in, x := beats(t, "2026-11-21T12:59:50Z", 0, testdata.Seconds(0, 7300))
	stopped := errors.New("stopped")
	for calls := range 40 { // somewhere in each file of the set
		dir := t.TempDir()
		_, err := Write(testdata.EndsAfter(calls, stopped), in, x, &Options{Dir: filepath.Join(dir, "set"), Keys: []string{keyStream, keyHour}})
		if !errors.Is(err, stopped) {
			t.Fatalf("stopped at call %d: %v", calls, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Fatalf("stopped at call %d: left behind %v", calls, left)
		}
	}
}

// Progress never goes back, and ends at all rows.
func TestProgressRisesToTheEnd(t *testing.T) {
	in, x := beats(t, "2026-11-21T12:59:50Z", 0, testdata.Seconds(0, 7300))
	var last int64
	o := &Options{Dir: filepath.Join(t.TempDir(), "set"), Keys: []string{keyHour}}
	o.Progress = func(done, total int64) {
		if done < last || done > total || total != 7300 {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last = done
	}
	if _, err := Write(t.Context(), in, x, o); err != nil {
		t.Fatal(err)
	}
	if last != 7300 {
		t.Errorf("progress ends at %d", last)
	}
}

func TestStreamNameOfAFileWithoutOne(t *testing.T) {
	r := testdata.Open(t, testdata.Beats(t, stream.Stream{}, testdata.Seconds(0, 3)))
	for _, c := range [][2]string{
		{"a/NeuropixelsV1_0.arrow", "NeuropixelsV1"}, {"memory_2026-11-21T04_17_44.arrow", "memory"}, {"m_2026-11-21T04_17_44_2.arrow", "m"},
		{"new_Heartbeat.arrow", "new_Heartbeat"}, {"_0.arrow", "_0"}, {files.Stdin, "stdin"},
	} {
		if got := streamName(c[0], r); got != c[1] {
			t.Errorf("%s: %s, want %s", c[0], got, c[1])
		}
	}
}

// A stream whose name is as long as that of a file can be has a data set too.
func TestLongNamesHaveADataSet(t *testing.T) {
	in, x := beatsOf(t, stream.Stream{Name: strings.Repeat("n", 249), StartUTC: "2026-11-21T12:59:50Z"}, testdata.Seconds(0, 20))
	set := filepath.Join(t.TempDir(), "set")
	if _, err := Write(t.Context(), in, x, &Options{Dir: set, Keys: []string{keyHour}, Codec: recording.Zstd}); err != nil {
		t.Fatal(err)
	}
	if list, err := filepath.Glob(filepath.Join(set, "hour=*", "*.parquet")); err != nil || len(list) != 2 {
		t.Errorf("%v, %q", err, list)
	}
}

// Recordings with other columns do not get into a data set, and each stream has
// one of its own: a reader takes the columns of one file for those of all.
func TestEachStreamIsADataSetOfItsOwn(t *testing.T) {
	set := filepath.Join(t.TempDir(), "set")
	in, x := beats(t, "2026-11-21T12:59:50Z", 0, testdata.Seconds(0, 20))
	o := &Options{Dir: set, Keys: []string{keyStream, keyHour}, Codec: recording.Zstd}
	if _, err := Write(t.Context(), in, x, o); err != nil {
		t.Fatal(err)
	}
	fewer, err := x.With([]int{1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Write(t.Context(), in, fewer, o); err == nil || !strings.Contains(err.Error(), "the data set beat has a column ") {
		t.Errorf("a recording with fewer columns: %v", err)
	}
	if _, err := Write(t.Context(), in, fewer, &Options{Dir: set, Keys: []string{keyHour}}); err != nil {
		t.Errorf("another data set in the same folder: %v", err)
	}
	m, err := readManifest(set)
	if err != nil || len(m.DataSets) != 2 || m.DataSets[0].Path != "." || m.DataSets[1].Path != "beat" {
		t.Fatalf("%+v, %v", m, err)
	}
	d := m.DataSets[1]
	if d.Stream != "beat" || len(d.Keys) != 1 || d.Keys[0] != keyHour || len(d.Columns) != 2 || len(d.Recordings) != 1 {
		t.Errorf("%+v", d)
	}
	if r := d.Recordings[0]; r.Rows != 20 || len(r.Files) != 2 || r.StartUTC != "2026-11-21T12:59:50Z" || r.AcqClockHz != 1000 {
		t.Errorf("%+v", r)
	}
	for _, file := range d.Recordings[0].Files {
		if _, err := os.Stat(filepath.Join(set, file)); err != nil {
			t.Error(err)
		}
	}
}
