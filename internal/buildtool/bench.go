package buildtool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/oniscope/oniscope/web/pagetest"
)

// What BenchOpen demands of the page: a recording of 20 GB opens as fast as one
// of 1 GB, within a second, in bounded memory.
const (
	maxOpenMilliseconds = 1000
	maxOpenRatio        = 1.5
	maxEngineBytes      = 300e6
)

// benchRuns is how often each file is opened; the median counts.
const benchRuns = 10

// A benchFile is a recording of the simulated probe, sparse on the disk.
type benchFile struct {
	name  string
	bytes string // as testdata/generate/sparse takes it
}

var benchFiles = []benchFile{{"1 MB", "1MB"}, {"1 GB", "1GB"}, {"20 GB", "20GB"}}

// BenchOpen measures in Chromium how long it takes from a drop to the first
// traces computed from every sample, and the memory that the engine then uses and has read.
func BenchOpen() error {
	if err := Build(); err != nil {
		return err
	}
	if err := ensureChromium(); err != nil {
		return err
	}
	dir, err := root()
	if err != nil {
		return err
	}
	fmt.Printf("%-6s %10s %10s %10s %14s %14s\n", "file", "min ms", "median ms", "max ms", "engine bytes", "bytes read")
	medians := map[string]float64{}
	for _, f := range benchFiles {
		path := filepath.Join(dir, "out", "bench", f.bytes+".arrow")
		if _, err := os.Stat(path); err != nil {
			if err := run("go", "run", "./testdata/generate/sparse", "-size", f.bytes, "-o", path); err != nil {
				return err
			}
		}
		if medians[f.name], err = benchOne(filepath.Join(dir, "web"), f.name, path); err != nil {
			return err
		}
	}
	ratio := medians["20 GB"] / medians["1 GB"]
	fmt.Printf("20 GB : 1 GB = %.2f (at most %.1f), 20 GB in %.0f ms (at most %d)\n", ratio, maxOpenRatio, medians["20 GB"], maxOpenMilliseconds)
	if ratio > maxOpenRatio || medians["20 GB"] > maxOpenMilliseconds {
		return errors.New("opening a long recording takes too long")
	}
	return nil
}

type opening struct {
	Milliseconds float64 `json:"ms"`
	EngineBytes  int64   `json:"bytes"`
	Read         int64   `json:"read"`
}

// benchOne prints a row, and returns the median in milliseconds.
func benchOne(web, name, path string) (float64, error) {
	times, last, err := dropTimes(web, path, benchRuns)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	median := medianOf(times)
	fmt.Printf("%-6s %10.0f %10.0f %10.0f %14d %14d\n", name, times[0], median, times[len(times)-1], last.EngineBytes, last.Read)
	if last.EngineBytes > maxEngineBytes {
		return 0, fmt.Errorf("%s: the engine holds %d bytes, more than %.0f", name, last.EngineBytes, maxEngineBytes)
	}
	return median, nil
}

// dropTimes opens a file in fresh tabs, so that no run profits from another but
// through the disk cache of the system, which the first, uncounted run fills. It
// returns the milliseconds from drop to exact traces, sorted, and the last of them.
func dropTimes(web, path string, rounds int) (times []float64, last opening, err error) {
	for i := range rounds + 1 {
		err := inPage(web, pagetest.View{Width: 1600, Height: 1000}, func(p *pagetest.Page) error {
			if err := p.Drop(path); err != nil {
				return err
			}
			if err := p.WaitDrawn(0); err != nil {
				return err
			}
			return p.Eval(`(async () => {
				const {bytes, read} = await oniscope.engine();
				return {ms: stopwatch.drawn - stopwatch.dropped, bytes, read};
			})()`, &last)
		})
		if err != nil {
			return nil, last, err
		}
		if i > 0 {
			times = append(times, last.Milliseconds)
		}
	}
	slices.Sort(times)
	return times, last, nil
}
