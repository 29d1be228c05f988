package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A plan of a test recording: uneven batches, a gap between two of them and
// one inside one.
const (
	testPeriod = 8333
	testFirst  = 100_000
	testGapRow = 708  // first row after the gap between batches
	testGapIn  = 1180 // first row after the gap inside a batch
	testGap    = 50   // rows that are missing in each gap
	testStride = 12
	testHz     = 250_000_000
)

var testBatches = []int{300, 408, 360, 360, 120} // rows of each

func testRows() int {
	rows := 0
	for _, n := range testBatches {
		rows += n
	}
	return rows
}

func testTick(row int) uint64 {
	missing := 0
	if row >= testGapRow {
		missing += testGap
	}
	if row >= testGapIn {
		missing += testGap
	}
	return testFirst + testPeriod*uint64(row+missing)
}

func testAP(channel, row int) uint16  { return uint16((channel*311 + row*row*7) % 1021) }
func testLFP(channel, row int) uint16 { return uint16((channel*97 + row/testStride*41) % 1013) }

// testStream has 3 AP columns, then LFP stored in three ways, then an input
// port, then Clock.
func testStream() *stream.Stream {
	s := &stream.Stream{Name: "np", Device: "Neuropixels 1.0e", AcqClockHz: testHz, RowsPerBatch: 300}
	add := func(c stream.Column) { s.Columns = append(s.Columns, c) }
	for _, name := range []string{"SpikeData0", "SpikeData1", "SpikeData2"} {
		add(stream.Column{Name: name, Type: stream.Uint16, ArrowType: "uint16", ByteWidth: 2})
	}
	add(stream.Column{Name: "LfpData0", Type: stream.Uint16, ArrowType: "uint16", ByteWidth: 2, Stride: testStride})
	add(stream.Column{Name: "LfpData1", Type: stream.Uint16, ArrowType: "uint16", ByteWidth: 2, Stride: testStride, Nullable: true})
	add(stream.Column{Name: "LfpData2", Type: stream.Uint16, ArrowType: "run_end_encoded<int32, uint16>", ByteWidth: 2, Stride: testStride, RunEnd: true})
	add(stream.Column{Name: "DigitalInputs", Type: stream.Bool, ArrowType: "bool", ByteWidth: 1})
	add(stream.Column{Name: "Clock", Type: stream.Uint64, ArrowType: "uint64", ByteWidth: 8})
	return s
}

// testBatch makes the columns of rows [start, start+n).
func testBatch(start, n int) []recording.Vector {
	columns := make([]recording.Vector, 8)
	for i := range n {
		row := start + i
		for c := range 3 {
			columns[c].Data = binary.LittleEndian.AppendUint16(columns[c].Data, testAP(c, row))
			lfp := testLFP(c, row)
			if c == 1 {
				own := byte(0)
				if row%testStride == 0 {
					own = 1
				} else {
					lfp = 0
				}
				columns[4].Valid = append(columns[4].Valid, own)
			}
			columns[3+c].Data = binary.LittleEndian.AppendUint16(columns[3+c].Data, lfp)
		}
		columns[6].Data = append(columns[6].Data, byte(row/7%2))
		columns[7].Data = binary.LittleEndian.AppendUint64(columns[7].Data, testTick(row))
	}
	return columns
}

func testRecording(t testing.TB, codec recording.Codec) []byte {
	t.Helper()
	file := &testdata.Memory{}
	w, err := recording.NewWriter(file, testStream(), recording.WriterOptions{Codec: codec})
	if err != nil {
		t.Fatal(err)
	}
	row := 0
	for _, n := range testBatches {
		if _, err := w.WriteBatch(n, testBatch(row, n)); err != nil {
			t.Fatal(err)
		}
		row += n
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Data
}

func openTest(t testing.TB, data []byte) (*Engine, *StreamInfo) {
	t.Helper()
	e := &Engine{}
	info, err := e.Open(context.Background(), OpenArgs{"np_0", "np_0.arrow"}, bytes.NewReader(data), int64(len(data)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return e, info
}

// A failingSource fails with err once fail is set.
type failingSource struct {
	io.ReaderAt
	fail error
}

func (f *failingSource) ReadAt(p []byte, off int64) (int, error) {
	if f.fail != nil {
		return 0, f.fail
	}
	return f.ReaderAt.ReadAt(p, off)
}

// A countingSource counts the bytes that are read.
type countingSource struct {
	io.ReaderAt
	bytes int64
}

func (c *countingSource) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, off)
	c.bytes += int64(n)
	return n, err
}

func appendUint64(p []byte, x uint64) []byte { return binary.LittleEndian.AppendUint64(p, x) }

func asJSON(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}
