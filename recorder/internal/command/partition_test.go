package command

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/oniscope/oniscope/shared/export"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// slow records one column beside Clock, whose ticks are milliseconds, in
// batches of 100 rows; the clocks are given.
func slow(t *testing.T, name, startUTC string, startClock uint64, clocks []uint64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.arrow")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := &stream.Stream{Name: name, AcqClockHz: 1000, StartUTC: startUTC, StartClock: startClock,
		Columns: []stream.Column{{Name: "Value", Type: stream.Uint16, ByteWidth: 2}, {Name: "Clock", Type: stream.Uint64, ByteWidth: 8}}}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for len(clocks) > 0 {
		n := min(100, len(clocks))
		values, ticks := make([]byte, 2*n), make([]byte, 8*n)
		for i, c := range clocks[:n] {
			binary.LittleEndian.PutUint64(ticks[8*i:], c)
		}
		if _, err := w.WriteBatch(n, []recording.Vector{{Data: values}, {Data: ticks}}); err != nil {
			t.Fatal(err)
		}
		clocks = clocks[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// seconds are clocks of one row a second.
func seconds(from, n int) []uint64 {
	clocks := make([]uint64, n)
	for i := range clocks {
		clocks[i] = uint64(1000 * (from + i))
	}
	return clocks
}

// dataSet returns the Clock of all rows below a folder, by partition.
func dataSet(t *testing.T, dir string) map[string][]uint64 {
	t.Helper()
	rows := map[string][]uint64{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
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
	// The clock stood at 7 s when the recording began; the second one follows in
	// the same hour.
	first := slow(t, "beat", began.Format(time.RFC3339Nano), 7000, seconds(7, 7300))
	second := slow(t, "beat", began.Add(2*time.Hour).Format(time.RFC3339Nano), 0, seconds(0, 5))
	for _, path := range []string{first, second} {
		if code, _, stderr := try("export", path, "-o", set, "--partition", "stream,hour"); code != exitDone {
			t.Fatal(stderr)
		}
	}
	rows := dataSet(t, set)
	for part, want := range map[string]int{
		"stream=beat/hour=2026-11-21T12": 10, "stream=beat/hour=2026-11-21T13": 3600,
		"stream=beat/hour=2026-11-21T14": 3600 + 5, "stream=beat/hour=2026-11-21T15": 90,
	} {
		if len(rows[part]) != want {
			t.Errorf("%s: %d rows, want %d", part, len(rows[part]), want)
		}
	}
	if len(rows) != 4 {
		t.Errorf("%d partitions", len(rows))
	}
	w := wall{began, 7000, 1000}
	if got := rows["stream=beat/hour=2026-11-21T13"]; w.time(got[0]).Format(hourLayout) != "2026-11-21T13" || got[0] != 17000 || got[3599] != 3616000 {
		t.Errorf("hour 13 goes from tick %d to %d", got[0], got[3599])
	}
}

// A Clock that jumps back or wildly forward ends neither the export nor a row.
func TestPartitionEndsWhateverTheClockSays(t *testing.T) {
	clocks := seconds(0, 300)
	clocks = append(clocks, seconds(100000, 100)...)
	clocks = append(clocks, seconds(50, 150)...)
	for i := range 50 {
		clocks = append(clocks, uint64(1)<<63+uint64(i))
	}
	set := filepath.Join(t.TempDir(), "set")
	code, _, stderr := try("export", slow(t, "beat", "2026-11-21T12:00:00Z", 0, clocks), "-o", set, "--partition", "hour")
	if code != exitDone {
		t.Fatal(stderr)
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

// A stoppingContext ends when it has been asked so many times.
type stoppingContext struct {
	context.Context
	left int
	err  error
}

func (c *stoppingContext) Err() error {
	if c.left--; c.left < 0 {
		return c.err
	}
	return nil
}

func TestInterruptedExportLeavesNothing(t *testing.T) {
	in, err := (&app{quiet: true}).openInput(t.Context(), slow(t, "beat", "2026-11-21T12:59:50Z", 0, seconds(0, 7300)), &clockFlags{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.close()
	stopped := errors.New("stopped")
	for _, format := range []string{"csv", "npy", "bin", "parquet", "arrow", "set"} {
		for calls := range 40 { // somewhere in each file of the set
			dir := t.TempDir()
			f := &exportFlags{out: filepath.Join(dir, "out."+format), format: format, compression: "none"}
			x, err := in.reader.Select(t.Context(), recording.Selection{})
			if err == nil && format == "bin" {
				x, err = x.With([]int{0})
			}
			if err != nil {
				t.Fatal(err)
			}
			o := export.Options{Progress: func(_, _ int64) {}}
			run := f.exportFile
			if format == "set" {
				f.format, f.partition, run = "parquet", "stream,hour", f.exportParts
			}
			err = run(&stoppingContext{t.Context(), calls, stopped}, in, x, o, &exportReport{})
			if format == "arrow" && err == nil {
				break // asked every few megabytes only
			}
			if !errors.Is(err, stopped) {
				t.Fatalf("%s, stopped at call %d: %v", format, calls, err)
			}
			if names, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(names) > 0 {
				t.Fatalf("%s, stopped at call %d: left behind %v", format, calls, names)
			}
			if names, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(names) > 0 {
				t.Fatalf("%s, stopped at call %d: left behind %v", format, calls, names)
			}
		}
	}
}

func TestStreamNameOfAFileWithoutOne(t *testing.T) {
	for _, c := range [][2]string{
		{"a/NeuropixelsV1_0.arrow", "NeuropixelsV1"}, {"memory_2026-11-21T04_17_44.arrow", "memory"}, {"m_2026-11-21T04_17_44_2.arrow", "m"},
		{"new_Heartbeat.arrow", "new_Heartbeat"}, {"_0.arrow", "_0"}, {stdinName, "stdin"},
	} {
		data := read(t, bonsai+"new_Heartbeat.arrow")
		r, err := recording.NewReader(strings.NewReader(string(data)), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if got := streamName(&input{path: c[0], reader: r}); got != c[1] {
			t.Errorf("%s: %s, want %s", c[0], got, c[1])
		}
	}
}
