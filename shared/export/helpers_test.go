package export

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A memFile is a file in memory: a recording.File and an io.WriterAt.
type memFile struct{ bytes.Buffer }

func (f *memFile) Truncate(size int64) error {
	f.Buffer.Truncate(int(size))
	return nil
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	return copy(f.Bytes()[off:], p), nil
}

// probe describes a stream with two clocks and so many electrodes.
func probe(channels int) *stream.Stream {
	s := &stream.Stream{Name: "probe", Device: "Test probe", AcqClockHz: 250_000_000, StartUTC: "2026-11-21T12:59:59Z", StartClock: 1000,
		Extra: []stream.KeyValue{{Key: "lab", Value: "µ 7"}}}
	for c := range channels {
		s.Columns = append(s.Columns, stream.Column{Name: fmt.Sprintf("SpikeDataCh%d", c), Type: stream.Uint16, ByteWidth: 2, Unit: "uV", Scale: 2.34375, Offset: 512, RateHz: 30000})
	}
	s.Columns = append(s.Columns, stream.Column{Name: "HubClock", Type: stream.Uint64, ByteWidth: 8}, stream.Column{Name: "Clock", Type: stream.Uint64, ByteWidth: 8, Unit: "s", Scale: 4e-9})
	return s
}

// fill makes rows of s: noise around 512 of 5 bits, and clocks.
func fill(r *rand.Rand, s *stream.Stream, start, rows int) []recording.Vector {
	columns := make([]recording.Vector, len(s.Columns))
	for i := range s.Columns {
		t := s.Columns[i].Type
		v := recording.Vector{Column: i, Type: t, Len: rows, Data: make([]byte, rows*t.Width())}
		for row := range rows {
			if t.Width() == 2 {
				binary.LittleEndian.PutUint16(v.Data[2*row:], uint16(int(math.Round(512+8*r.NormFloat64()))))
			} else {
				binary.LittleEndian.PutUint64(v.Data[8*row:], uint64(start+row)*8333+1000)
			}
		}
		columns[i] = v
	}
	return columns
}

// record writes batches of so many rows.
func record(t testing.TB, s *stream.Stream, o recording.WriterOptions, rows ...int) *bytes.Buffer {
	t.Helper()
	f, r := &memFile{}, rand.New(rand.NewPCG(1, 2))
	w, err := recording.NewWriter(f, s, o)
	if err != nil {
		t.Fatal(err)
	}
	start := 0
	for _, n := range rows {
		if _, err := w.WriteBatch(n, fill(r, s, start, n)); err != nil {
			t.Fatal(err)
		}
		start += n
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &f.Buffer
}

func open(t testing.TB, data []byte) *recording.Reader {
	t.Helper()
	r, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// all selects every row and column.
func all(t testing.TB, r *recording.Reader) Selection {
	t.Helper()
	if err := r.Index(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	rows, _ := r.Rows()
	return Selection{End: rows}
}

// allElectrodes are those of all columns.
func allElectrodes(s stream.Stream) []int {
	columns := make([]int, len(s.Columns))
	for i := range columns {
		columns[i] = i
	}
	return electrodes(s, columns)
}
