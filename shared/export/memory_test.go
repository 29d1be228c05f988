//go:build !js

package export

import (
	"context"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
)

// long records a batch again and again, on disk.
func long(t *testing.T, batches, rows, channels int, codec recording.Codec) (*os.File, int64) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "long.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	s := probe(channels)
	w, err := recording.NewWriter(f, s, recording.WriterOptions{Codec: codec})
	if err != nil {
		t.Fatal(err)
	}
	columns := fill(rand.New(rand.NewPCG(13, 14)), s, 0, rows)
	for range batches {
		if _, err := w.WriteBatch(rows, columns); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f, w.Size()
}

// A sink counts what is written and keeps nothing of it.
type sink struct{ n int64 }

func (w *sink) Write(p []byte) (int, error)              { w.n += int64(len(p)); return len(p), nil }
func (w *sink) WriteAt(p []byte, off int64) (int, error) { return len(p), nil }

// An asked context calls a function when it is asked.
type asked struct {
	context.Context
	call func()
}

func (a asked) Err() error {
	a.call()
	return nil
}

// Ten times the recording takes no more memory: what is alive while an export
// goes on is a batch, and for Parquet a row group.
func TestMemoryDoesNotGrowWithTheRecording(t *testing.T) {
	formats := map[string]func(w io.Writer, r *recording.Reader, s Selection, o Options) error{
		"csv": func(w io.Writer, r *recording.Reader, s Selection, o Options) error {
			_, err := CSV(ctx, w, of(r, s), &o)
			return err
		},
		"npy": func(w io.Writer, r *recording.Reader, s Selection, o Options) error {
			_, err := NPY(ctx, w, of(r, s), &o)
			return err
		},
		"bin": func(w io.Writer, r *recording.Reader, s Selection, o Options) error {
			s.Columns = nil
			_, _, err := Bin(ctx, w, of(r, s), &o)
			return err
		},
		"parquet": func(w io.Writer, r *recording.Reader, s Selection, o Options) error {
			j, err := newJob(ctx, w, of(r, s), &o)
			if err != nil {
				return err
			}
			stored, err := parquetColumns(j)
			if err != nil {
				return err
			}
			schema := parquetSchema(j, stored)
			p, err := newPageWriter(j, schema, parquetProperties(schema, recording.Zstd, 20000))
			if err != nil {
				return err
			}
			if err := j.each(p.write); err != nil {
				return err
			}
			return p.close()
		},
		"records": func(_ io.Writer, r *recording.Reader, s Selection, o Options) error {
			for batch, err := range Records(ctx, of(r, s)) {
				if err != nil {
					return err
				}
				batch.Release()
			}
			return nil
		},
	}
	const rows, channels = 2000, 64
	for name, export := range formats {
		peak := func(batches int) uint64 {
			f, size := long(t, batches, rows, channels, recording.None)
			r, err := recording.NewReader(f, size)
			if err != nil {
				t.Fatal(err)
			}
			s := all(t, r)
			s.End = min(s.End, int64(batches*rows))
			most, calls := uint64(0), 0
			plain := ctx
			ctx = asked{plain, func() {
				if calls++; calls%9 == 0 {
					var m runtime.MemStats
					runtime.GC()
					runtime.ReadMemStats(&m)
					most = max(most, m.HeapAlloc)
				}
			}}
			defer func() { ctx = plain }()
			if err := export(&sink{}, r, s, Options{}); err != nil {
				t.Fatal(err)
			}
			if most == 0 {
				t.Fatal("nobody asked the context")
			}
			return most
		}
		few, many := peak(10), peak(100)
		if many > few+4<<20 {
			t.Errorf("%s: 10 batches took %d bytes, 100 batches %d", name, few, many)
		}
	}
}
