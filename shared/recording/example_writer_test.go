package recording_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A buffer in memory is enough of a file.
type buffer struct{ bytes.Buffer }

func (b *buffer) Truncate(size int64) error { b.Buffer.Truncate(int(size)); return nil }

func ExampleNewWriter() {
	s := &stream.Stream{Name: "memory-monitor", AcqClockHz: 250_000_000, Columns: []stream.Column{
		{Name: "BytesUsed", Type: stream.Uint32, Unit: "B", Scale: 1},
		{Name: "Clock", Type: stream.Uint64},
	}}
	var file buffer
	w, err := recording.NewWriter(&file, s, recording.WriterOptions{Codec: recording.Zstd})
	if err != nil {
		log.Fatal(err)
	}
	var used, clock []byte
	for row := range 10 {
		used = binary.LittleEndian.AppendUint32(used, uint32(4096*row))
		clock = binary.LittleEndian.AppendUint64(clock, uint64(25_000_000*row))
	}
	if _, err := w.WriteBatch(10, []recording.Vector{{Data: used}, {Data: clock}}); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(w.Batches(), "batch,", w.Rows(), "rows,", w.Size() == int64(file.Len()))
	// Output:
	// 1 batch, 10 rows, true
}
