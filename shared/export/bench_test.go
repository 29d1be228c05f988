//go:build unix

package export

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
)

// benchFile is ten seconds of a probe of 384 channels, on disk: 235 MB.
func benchFile(b *testing.B, seconds int) (f *os.File, size int64) {
	b.Helper()
	rows := make([]int, seconds)
	for i := range rows {
		rows[i] = 30000
	}
	path := filepath.Join(b.TempDir(), "probe.arrow")
	if err := os.WriteFile(path, record(b, probe(384), recording.WriterOptions{}, rows...).Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	return f, info.Size()
}

func benchmark(b *testing.B, seconds int, export func(w io.Writer, r *recording.Reader, s Selection) error) {
	f, size := benchFile(b, seconds)
	for _, to := range []string{"discard", "file"} {
		b.Run("to="+to, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			before := cpuTime(b)
			for b.Loop() {
				r, err := recording.NewReader(f, size)
				if err != nil {
					b.Fatal(err)
				}
				w := io.Writer(io.Discard)
				if to == "file" {
					out, err := os.Create(filepath.Join(b.TempDir(), "out"))
					if err != nil {
						b.Fatal(err)
					}
					defer out.Close()
					w = out
				}
				if err := export(w, r, all(b, r)); err != nil {
					b.Fatal(err)
				}
				if out, ok := w.(*os.File); ok {
					os.Remove(out.Name())
				}
			}
			b.ReportMetric(float64(size)*float64(b.N)/1e6/(cpuTime(b)-before).Seconds(), "MB/cpu-s")
		})
	}
}

// cpuTime is what this process has used of the processors: on a machine that
// does other things besides, the only time that can be compared.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkBin: 384 of 386 columns as flat binary.
func BenchmarkBin(b *testing.B) {
	benchmark(b, 10, func(w io.Writer, r *recording.Reader, s Selection) error {
		_, _, err := Bin(ctx, w, of(r, s), nil)
		return err
	})
}

func BenchmarkNPY(b *testing.B) {
	benchmark(b, 10, func(w io.Writer, r *recording.Reader, s Selection) error {
		_, err := NPY(ctx, w, of(r, s), nil)
		return err
	})
}

func BenchmarkParquet(b *testing.B) {
	benchmark(b, 3, func(w io.Writer, r *recording.Reader, s Selection) error {
		_, err := Parquet(ctx, w, of(r, s), nil, recording.Zstd)
		return err
	})
}

func BenchmarkCSV(b *testing.B) {
	benchmark(b, 1, func(w io.Writer, r *recording.Reader, s Selection) error {
		_, err := CSV(ctx, w, of(r, s), nil)
		return err
	})
}
