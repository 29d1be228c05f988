package fronts

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// Clock of the recordings: 250 MHz, a row each 100 us, the first at 10 s.
const (
	ClockHz   = 250_000_000
	Period    = 25_000
	FirstTick = 10 * ClockHz
	PerBatch  = 100 // rows of a batch
	Batches   = 6
)

// A shape says how a recording differs from the plain one.
type shape struct {
	names  []string                           // of the columns of 16 bits; nil: SpikeData0, SpikeData1, LfpData0
	clock  stream.Type                        // of Clock; Other: there is none
	ticks  func(row int) uint64               // Clock of a row
	hz     uint64                             // as the file says
	rows   int                                // 0: all
	damage func(file []byte, at []int) []byte // at: where batches begin, and the end mark
}

// Files returns the recordings of the table by name. They are made anew, with
// the same bytes each time.
func Files() map[string][]byte {
	even := func(row int) uint64 { return FirstTick + Period*uint64(row) }
	plain := shape{clock: stream.Uint64, ticks: even, hz: ClockHz}
	files := map[string][]byte{}
	add := func(name string, change func(s *shape)) {
		s := plain
		change(&s)
		files[name] = s.file()
	}
	add("plain", func(*shape) {})
	add("empty", func(s *shape) { s.rows = -1 })
	add("norate", func(s *shape) { s.hz = 0 })
	add("noclock", func(s *shape) { s.clock = stream.Other })
	add("int64clock", func(s *shape) { s.clock = stream.Int64 })
	add("floatclock", func(s *shape) { s.clock = stream.Float64 })
	add("doubled", func(s *shape) { s.names = []string{"xx", "xx", "a*", "ab"} })
	add("gaps", func(s *shape) {
		s.ticks = func(row int) uint64 {
			if row >= 250 { // inside batch 2
				row += 40
			}
			if row >= 440 { // between batches 3 and 4
				row += 1000
			}
			return even(row)
		}
	})
	add("restart", func(s *shape) {
		s.ticks = func(row int) uint64 { return even(row % 300) } // a border of batches
	})
	add("hole", func(s *shape) { s.damage = zeroed(2) })
	add("hole-cut", func(s *shape) {
		s.damage = func(file []byte, at []int) []byte { return cutEnd(zeroed(2)(file, at), at) }
	})
	add("removed-cut", func(s *shape) {
		s.damage = func(file []byte, at []int) []byte {
			return append(bytes.Clone(file[:at[2]+200]), cutEnd(file, at)[at[3]:]...)
		}
	})
	add("cut", func(s *shape) {
		s.damage = func(file []byte, at []int) []byte { return file[:at[4]+300] }
	})
	return files
}

func (s *shape) file() []byte {
	names := s.names
	if names == nil {
		names = []string{"SpikeData0", "SpikeData1", "LfpData0"}
	}
	about := &stream.Stream{Name: "probe", Device: "Neuropixels 1.0e", AcqClockHz: s.hz, StartUTC: "2026-11-21T09:30:00Z"}
	for i, name := range names {
		c := stream.Column{Name: name, Type: stream.Uint16, ByteWidth: 2}
		if name == "LfpData0" {
			c.Stride = 4
		}
		if name == "xx" {
			c.Name = fmt.Sprintf("x%d", i) // the writer wants names that differ
		}
		about.Columns = append(about.Columns, c)
	}
	if s.clock != stream.Other {
		about.Columns = append(about.Columns, stream.Column{Name: "Clock", Type: s.clock, ByteWidth: 8})
	}
	file := &testdata.Memory{}
	w, err := recording.NewWriter(file, about, recording.WriterOptions{})
	must(err)
	var at []int
	rows := Batches * PerBatch
	if s.rows < 0 {
		rows = 0
	}
	for start := 0; start < rows; start += PerBatch {
		columns := make([]recording.Vector, len(about.Columns))
		for row := start; row < start+PerBatch; row++ {
			for i := range names {
				columns[i].Data = binary.LittleEndian.AppendUint16(columns[i].Data, Value(i, row, about.Columns[i].Stride))
			}
			if s.clock == stream.Float64 {
				k := len(names)
				columns[k].Data = binary.LittleEndian.AppendUint64(columns[k].Data, math.Float64bits(float64(s.ticks(row))))
			} else if s.clock != stream.Other {
				k := len(names)
				columns[k].Data = binary.LittleEndian.AppendUint64(columns[k].Data, s.ticks(row))
			}
		}
		at = append(at, len(file.Data))
		_, err := w.WriteBatch(PerBatch, columns)
		must(err)
	}
	at = append(at, len(file.Data))
	must(w.Close())
	data := file.Data
	for i, name := range names {
		if name == "xx" {
			data = bytes.ReplaceAll(data, fmt.Appendf(nil, "x%d\x00", i), []byte("xx\x00"))
		}
	}
	if s.damage != nil {
		data = s.damage(data, at)
	}
	return data
}

// Value is that of column i in a row.
func Value(i, row, stride int) uint16 {
	if stride > 1 {
		return uint16(i*97 + row/stride*41 + 1)
	}
	return uint16(i*311 + row*7 + 1)
}

// zeroed damages a batch from its first byte to its last.
func zeroed(batch int) func(file []byte, at []int) []byte {
	return func(file []byte, at []int) []byte {
		file = bytes.Clone(file)
		clear(file[at[batch]:at[batch+1]])
		return file
	}
}

// cutEnd takes the end mark and the footer away.
func cutEnd(file []byte, at []int) []byte { return file[:at[len(at)-1]] }

func must(err error) {
	if err != nil {
		panic(err)
	}
}
