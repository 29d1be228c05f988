package store

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// benchRows and benchColumns are a second of a probe.
const (
	benchRows    = 30_000
	benchColumns = 384
	benchBatches = 8
)

// BenchmarkWriter writes eight seconds of a probe, plain, by turns with arrow-go:
// as it is and through a buffer of 1 MB, to tmpfs and to the disk (its page
// cache). It reports medians of the CPU time, and ours as a multiple of theirs.
// ONISCOPE_TMPFS is a folder in memory (default /dev/shm).
func BenchmarkWriter(b *testing.B) {
	tmpfs := os.Getenv("ONISCOPE_TMPFS")
	if tmpfs == "" {
		tmpfs = "/dev/shm"
	}
	for _, to := range []struct{ name, dir string }{{"tmpfs", tmpfs}, {"disk", b.TempDir()}} {
		b.Run("to="+to.name, func(b *testing.B) {
			dir, err := os.MkdirTemp(to.dir, "oniscope-bench")
			if err != nil {
				b.Skip(err)
			}
			defer os.RemoveAll(dir)
			s, vectors, record := benchBatch()
			contenders := []struct {
				name  string
				write func(f *os.File) error
				times []time.Duration
			}{
				{name: "oniscope", write: func(f *os.File) error {
					w, err := recording.NewWriter(&handle{File: diskFile{f}}, s, recording.WriterOptions{})
					for i := 0; err == nil && i < benchBatches; i++ {
						_, err = w.WriteBatch(benchRows, vectors)
					}
					if err == nil {
						err = w.Close()
					}
					return err
				}},
				{name: "arrow-go", write: func(f *os.File) error { return writeArrow(f, record) }},
				{name: "arrow-go+bufio", write: func(f *os.File) error {
					buffer := bufio.NewWriterSize(f, 1<<20)
					if err := writeArrow(buffer, record); err != nil {
						return err
					}
					return buffer.Flush()
				}},
			}
			var bytes int64
			for b.Loop() {
				for i := range contenders {
					c := &contenders[i]
					f, err := os.Create(filepath.Join(dir, "f"))
					if err != nil {
						b.Fatal(err)
					}
					before := cpuTime()
					if err := c.write(f); err != nil {
						b.Fatal(err)
					}
					c.times = append(c.times, cpuTime()-before)
					if info, err := f.Stat(); err == nil {
						bytes = info.Size()
					}
					f.Close()
					os.Remove(f.Name()) // by turns all begin on an empty disk
				}
			}
			rate := func(i int) float64 {
				slices.Sort(contenders[i].times)
				return float64(bytes) / contenders[i].times[len(contenders[i].times)/2].Seconds() / 1e9
			}
			for i := range contenders {
				b.ReportMetric(rate(i), contenders[i].name+"-GB/s")
			}
			b.ReportMetric(rate(0)/rate(1), "x-arrow-go")
			b.ReportMetric(rate(0)/rate(2), "x-bufio")
		})
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// benchBatch is the same batch in our words and in arrow-go's, of the same memory.
func benchBatch() (*stream.Stream, []recording.Vector, arrow.RecordBatch) {
	s := &stream.Stream{Name: "probe"}
	var vectors []recording.Vector
	var fields []arrow.Field
	var columns []arrow.Array
	add := func(name string, kind stream.Type, arrowType arrow.DataType, width int) {
		data := make([]byte, benchRows*width)
		for i := range data {
			data[i] = byte(i * (len(vectors) + 3))
		}
		s.Columns = append(s.Columns, stream.Column{Name: name, Type: kind, ArrowType: arrowType.Name(), ByteWidth: width})
		vectors = append(vectors, recording.Vector{Data: data})
		fields = append(fields, arrow.Field{Name: name, Type: arrowType})
		columns = append(columns, array.MakeFromData(array.NewData(arrowType, benchRows, []*memory.Buffer{nil, memory.NewBufferBytes(data)}, nil, 0, 0)))
	}
	for i := range benchColumns {
		add(fmt.Sprintf("AmplifierDataCh%d", i), stream.Uint16, arrow.PrimitiveTypes.Uint16, 2)
	}
	add("HubClock", stream.Uint64, arrow.PrimitiveTypes.Uint64, 8)
	add("Clock", stream.Uint64, arrow.PrimitiveTypes.Uint64, 8)
	return s, vectors, array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, benchRows)
}

func writeArrow(f io.Writer, record arrow.RecordBatch) error {
	w, err := ipc.NewFileWriter(f, ipc.WithSchema(record.Schema()))
	if err != nil {
		return err
	}
	for range benchBatches {
		if err := w.Write(record); err != nil {
			return err
		}
	}
	return w.Close()
}
