//go:build !js

package recording_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

// sum is what is done with the values, so that all are read. Four at a time,
// it takes little of what is measured.
func sum(values []uint16) uint64 {
	var a, b, c, d uint64
	for ; len(values) >= 4; values = values[4:] {
		a, b, c, d = a+uint64(values[0]), b+uint64(values[1]), c+uint64(values[2]), d+uint64(values[3])
	}
	for _, x := range values {
		a += uint64(x)
	}
	return a + b + c + d
}

// BenchmarkReadColumn opens a file and sums one of its 386 columns, with us and
// with arrow-go, which reads all columns; source=memory copies no plain values.
func BenchmarkReadColumn(b *testing.B) {
	for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
		for _, c := range []struct {
			name string
			sum  func(data []byte) (uint64, error)
		}{
			{"reader=oniscope/source=file", func(data []byte) (uint64, error) { return sumColumn(bytes.NewReader(data), len(data)) }},
			{"reader=oniscope/source=memory", func(data []byte) (uint64, error) { return sumColumn(recording.Bytes(data), len(data)) }},
			{"reader=arrow-go/source=file", func(data []byte) (uint64, error) { return sumColumnArrowGo(ipc.NewFileReader(bytes.NewReader(data))) }},
			{"reader=arrow-go/source=memory", func(data []byte) (uint64, error) { return sumColumnArrowGo(ipc.NewMappedFileReader(data)) }},
		} {
			b.Run(fmt.Sprintf("columns=386/codec=%v/%s", codec, c.name), func(b *testing.B) {
				data := testdata.BenchFile(codec)
				b.SetBytes(testdata.BenchBatches * testdata.BenchRows * 2)
				b.ReportAllocs()
				for b.Loop() {
					if n, err := c.sum(data); err != nil || n == 0 {
						b.Fatal(n, err)
					}
				}
			})
		}
	}
}

func sumColumn(source io.ReaderAt, size int) (n uint64, err error) {
	r, err := recording.NewReader(source, int64(size))
	if err != nil {
		return 0, err
	}
	column, err := r.Column("SpikeData117")
	if err != nil {
		return 0, err
	}
	for batch, err := range r.Slice(0, testdata.BenchBatches*testdata.BenchRows, []int{column}) {
		if err != nil {
			return 0, err
		}
		n += sum(recording.Values[uint16](&batch.Columns[0]))
	}
	return n, nil
}

func sumColumnArrowGo(r *ipc.FileReader, err error) (n uint64, _ error) {
	if err != nil {
		return 0, err
	}
	column := r.Schema().FieldIndices("SpikeData117")[0]
	for i := range r.NumRecords() {
		rec, err := r.RecordBatchAt(i)
		if err != nil {
			return 0, err
		}
		n += sum(rec.Column(column).(*array.Uint16).Uint16Values())
		rec.Release()
	}
	return n, r.Close()
}
