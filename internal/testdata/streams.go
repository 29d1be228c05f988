package testdata

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// EveryType has a column of each storage type, with and without nulls, plain
// and run-end encoded.
func EveryType() *stream.Stream {
	s := &stream.Stream{Name: "test", Device: "Test Device", DeviceID: 10, DeviceAddress: 0x102, AcqClockHz: 250_000_000, HubClockHz: 50_000_000, StartUTC: "2026-11-21T12:00:00Z", Simulated: true, RowsPerBatch: 100,
		Extra: []stream.KeyValue{{Key: "lab", Value: "µ 7"}}}
	s.Columns = append(s.Columns, stream.Column{Name: "Clock", Type: stream.Uint64, Unit: "s", Scale: 4e-9})
	for t := stream.Bool; t <= stream.Float64; t++ {
		s.Columns = append(s.Columns,
			stream.Column{Name: t.String(), Type: t},
			stream.Column{Name: t.String() + "_null", Type: t, Nullable: true},
			stream.Column{Name: t.String() + "_ree", Type: t, RunEnd: true, Stride: 12},
			stream.Column{Name: t.String() + "_ree_null", Type: t, RunEnd: true, Nullable: true})
	}
	s.Columns = append(s.Columns, stream.Column{Name: "raw", Type: stream.FixedBinary, ByteWidth: 7}, stream.Column{Name: "raw_null", Type: stream.FixedBinary, ByteWidth: 3, Nullable: true})
	return s
}

// Width is that of a value in memory, bytes.
func Width(c *stream.Column) int {
	if w := c.Type.Width(); w != 0 {
		return w
	}
	return c.ByteWidth
}

// RandomBatch fills columns of s for rows rows; Clock rises by 10 a row from
// start. Run-end encoded columns have runs of 1 to 12 equal rows.
func RandomBatch(r *rand.Rand, s *stream.Stream, start int64, rows int) []recording.Vector {
	columns := make([]recording.Vector, len(s.Columns))
	for i := range s.Columns {
		c := &s.Columns[i]
		width := Width(c)
		v := recording.Vector{Column: i, Type: c.Type, Len: rows, Data: make([]byte, rows*width)}
		if c.Nullable && r.IntN(4) != 0 {
			v.Valid = make([]byte, rows)
		}
		for row := 0; row < rows; {
			run := 1
			if c.RunEnd {
				run = min(1+r.IntN(12), rows-row)
			}
			value := make([]byte, width)
			for j := range value {
				value[j] = byte(r.Uint32())
			}
			if c.Type == stream.Bool {
				value[0] &= 1
			}
			valid := byte(min(1, r.IntN(3)))
			for range run {
				if v.Valid != nil {
					v.Valid[row] = valid
				}
				if v.Valid == nil || valid != 0 {
					copy(v.Data[row*width:], value)
				}
				row++
			}
		}
		if c.Name == "Clock" {
			for row := range rows {
				binary.LittleEndian.PutUint64(v.Data[8*row:], uint64(1000+10*(start+int64(row))))
			}
		}
		columns[i] = v
	}
	return columns
}

// WriteRandom writes batches of the given sizes and returns the file and what
// went in.
func WriteRandom(t testing.TB, s *stream.Stream, codec recording.Codec, seed uint64, batches ...int) (*Memory, [][]recording.Vector) {
	t.Helper()
	f := &Memory{}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{Codec: codec})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 1))
	var all [][]recording.Vector
	var start int64
	for _, rows := range batches {
		columns := RandomBatch(r, s, start, rows)
		if _, err := w.WriteBatch(rows, columns); err != nil {
			t.Fatal(err)
		}
		start += int64(rows)
		all = append(all, columns)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w.Size() != int64(len(f.Data)) || w.Rows() != start || w.Batches() != len(batches) {
		t.Fatalf("size %d of %d, %d rows of %d, %d batches of %d", w.Size(), len(f.Data), w.Rows(), start, w.Batches(), len(batches))
	}
	return f, all
}

// EveryCodec is by the name that reports give it.
var EveryCodec = map[string]recording.Codec{"none": recording.None, "zstd": recording.Zstd, "lz4": recording.LZ4}

// Small is a stream of five columns of different layouts.
func Small() *stream.Stream {
	return &stream.Stream{Name: "small", AcqClockHz: 1000, Columns: []stream.Column{
		{Name: "A0", Type: stream.Uint16}, {Name: "A1", Type: stream.Int16, Nullable: true}, {Name: "L", Type: stream.Uint16, RunEnd: true}, {Name: "B", Type: stream.Bool}, {Name: "Clock", Type: stream.Uint64},
	}}
}

// Neuropixels is a table of 770 columns, as the fullest device delivers.
func Neuropixels() *stream.Stream {
	s := &stream.Stream{Name: "probe", RowsPerBatch: 30024}
	for i := range 384 {
		s.Columns = append(s.Columns, stream.Column{Name: fmt.Sprintf("LfpData%d", i), Type: stream.Uint16, Stride: 12})
	}
	for i := range 384 {
		s.Columns = append(s.Columns, stream.Column{Name: fmt.Sprintf("SpikeData%d", i), Type: stream.Uint16})
	}
	return &stream.Stream{Name: s.Name, RowsPerBatch: s.RowsPerBatch, Columns: append(s.Columns, stream.Column{Name: "HubClock", Type: stream.Uint64}, stream.Column{Name: "Clock", Type: stream.Uint64})}
}

// Neural is 10-bit noise around the middle; LFP values repeat 12 times.
func Neural(s *stream.Stream, rows int) []recording.Vector {
	r := rand.New(rand.NewPCG(1, 2))
	columns := make([]recording.Vector, len(s.Columns))
	for i, c := range s.Columns {
		data := make([]byte, rows*c.Type.Width())
		for row := range rows {
			switch {
			case c.Type == stream.Uint64:
				binary.LittleEndian.PutUint64(data[8*row:], uint64(8333*row))
			case c.Stride > 1 && row%c.Stride != 0:
				copy(data[2*row:2*row+2], data[2*row-2:])
			default:
				binary.LittleEndian.PutUint16(data[2*row:], uint16(512+r.NormFloat64()*8))
			}
		}
		columns[i] = recording.Vector{Data: data}
	}
	return columns
}

// BenchBatches and BenchRows are the size of a BenchFile.
const (
	BenchBatches = 3
	BenchRows    = 30000
)

// BenchFile has 384 columns of noise and two clocks, plain or with zstd.
func BenchFile(codec recording.Codec) []byte {
	if codec == recording.Zstd {
		return benchZstd()
	}
	return benchPlain()
}

var (
	benchPlain = sync.OnceValue(func() []byte { return writeBenchFile(recording.None) })
	benchZstd  = sync.OnceValue(func() []byte { return writeBenchFile(recording.Zstd) })
)

func writeBenchFile(codec recording.Codec) []byte {
	s := Neuropixels()
	s.Columns = append([]stream.Column{}, s.Columns[384:]...)
	columns := Neural(s, BenchRows)
	f := &Memory{}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{Codec: codec})
	if err != nil {
		panic(err)
	}
	for range BenchBatches {
		if _, err := w.WriteBatch(BenchRows, columns); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return f.Data
}
