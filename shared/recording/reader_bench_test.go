//go:build !js

package recording

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/oniscope/oniscope/shared/stream"
)

const (
	benchBatches = 3
	benchRows    = 30000
)

// benchFile has 384 columns of noise and two clocks, in 3 batches.
var benchFile = map[Codec]func() []byte{
	None: sync.OnceValue(func() []byte { return writeBenchFile(None) }),
	Zstd: sync.OnceValue(func() []byte { return writeBenchFile(Zstd) }),
}

func writeBenchFile(codec Codec) []byte {
	s := neuropixels()
	s.Columns = append([]stream.Column{}, s.Columns[384:]...)
	columns := neural(s, benchRows)
	f := &memFile{}
	w, err := NewWriter(f, s, WriterOptions{Codec: codec})
	if err != nil {
		panic(err)
	}
	for range benchBatches {
		if err := w.WriteBatch(benchRows, columns); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return f.data
}

// BenchmarkReadColumn opens a file and sums one of its 386 columns.
func BenchmarkReadColumn(b *testing.B) {
	for _, codec := range []Codec{None, Zstd} {
		b.Run(fmt.Sprintf("columns=386/codec=%v", codec), func(b *testing.B) {
			data := benchFile[codec]()
			b.SetBytes(benchBatches * benchRows * 2)
			b.ReportAllocs()
			var sum int64
			for b.Loop() {
				r, err := NewReader(bytes.NewReader(data), int64(len(data)))
				if err != nil {
					b.Fatal(err)
				}
				column, err := r.Column("SpikeData117")
				if err != nil {
					b.Fatal(err)
				}
				for batch, err := range r.Slice(0, benchBatches*benchRows, []int{column}) {
					if err != nil {
						b.Fatal(err)
					}
					for _, x := range Values[uint16](&batch.Columns[0]) {
						sum += int64(x)
					}
				}
			}
			if sum == 0 {
				b.Fatal("nothing was read")
			}
		})
	}
}

// BenchmarkReadColumnArrowGo does the same with arrow-go, which reads all
// columns.
func BenchmarkReadColumnArrowGo(b *testing.B) {
	for _, codec := range []Codec{None, Zstd} {
		b.Run(fmt.Sprintf("columns=386/codec=%v", codec), func(b *testing.B) {
			data := benchFile[codec]()
			b.SetBytes(benchBatches * benchRows * 2)
			b.ReportAllocs()
			var sum int64
			for b.Loop() {
				r, err := ipc.NewFileReader(bytes.NewReader(data))
				if err != nil {
					b.Fatal(err)
				}
				column := r.Schema().FieldIndices("SpikeData117")[0]
				for i := range r.NumRecords() {
					rec, err := r.RecordBatchAt(i)
					if err != nil {
						b.Fatal(err)
					}
					for _, x := range rec.Column(column).(*array.Uint16).Uint16Values() {
						sum += int64(x)
					}
					rec.Release()
				}
				if err := r.Close(); err != nil {
					b.Fatal(err)
				}
			}
			if sum == 0 {
				b.Fatal("nothing was read")
			}
		})
	}
}
