package command

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/export"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// beats is a recording of testdata.Beats of n rows, a second each, from second
// from on.
func beats(t *testing.T, from, n int) string {
	t.Helper()
	return write(t, "file.arrow", testdata.Beats(t, stream.Stream{Name: "beat", StartUTC: "2026-11-21T12:59:50Z"}, testdata.Seconds(from, n)))
}

func TestInterruptedExportLeavesNothing(t *testing.T) {
	in, err := (&app{quiet: true}).openInput(t.Context(), beats(t, 0, 7300), &clockFlags{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	stopped := errors.New("stopped")
	for _, format := range []string{"csv", "npy", "bin", "parquet", "arrow"} {
		for calls := range 40 {
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
			err = f.exportFile(testdata.EndsAfter(calls, stopped), in, x, o, &exportReport{})
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
