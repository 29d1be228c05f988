package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/decimate"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

var updateVectors = flag.Bool("update", false, "write testdata/kernel/sums.json anew")

const vectorsPath = "../../../testdata/kernel/sums.json"

// A kernelVector is values made from a seed, as web/test/kernel.test.js makes them,
// and what decimate.Sum makes of them: minimum, maximum, and the bits of mean and
// squares.
type kernelVector struct {
	Type  string     `json:"type"`
	Seed  uint32     `json:"seed"`
	Rows  int        `json:"rows"`
	Level int        `json:"level"`
	Bins  [][]string `json:"bins"`
}

// values are the bytes of a vector.
func (v *kernelVector) values() (data []byte) {
	x := v.Seed
	for range v.Rows {
		x = x*1664525 + 1013904223
		switch v.Type {
		case "uint16", "int16":
			data = binary.LittleEndian.AppendUint16(data, uint16(x>>16))
		case "int32":
			data = binary.LittleEndian.AppendUint32(data, x)
		case "float32":
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(int32(x))/1000))
		}
	}
	return data
}

func typeNamed(name string) stream.Type {
	for t := range kernelKinds {
		if fmt.Sprint(t) == name {
			return t
		}
	}
	return stream.Other
}

func sumsOf(data []byte, t stream.Type, level int) []decimate.Bin {
	v := recording.Vector{Type: t, Len: len(data) / t.Width(), Data: data}
	bins := make([]decimate.Bin, binsIn(v.Len, level))
	recording.Sum(bins, &v, levelEdges(v.Len, level))
	return bins
}

func TestTheVectorsOfTheKernelAreWhatGoSums(t *testing.T) {
	var vectors []*kernelVector
	for i, size := range []struct{ rows, level int }{{1, 4}, {7, 4}, {16, 4}, {1000, 4}, {1003, 5}, {5003, 10}, {300_000, 18}} {
		for _, name := range []string{"uint16", "int16", "int32", "float32"} {
			v := &kernelVector{Type: name, Seed: uint32(77 + i), Rows: size.rows, Level: size.level}
			for _, b := range sumsOf(v.values(), typeNamed(name), size.level) {
				bits := func(x float64) string { return fmt.Sprintf("%016x", math.Float64bits(x)) }
				v.Bins = append(v.Bins, []string{fmt.Sprint(b.Min), fmt.Sprint(b.Max), bits(b.Mean), bits(b.Squares)})
			}
			vectors = append(vectors, v)
		}
	}
	var lines []string
	for _, v := range vectors {
		line, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	text := "[\n" + strings.Join(lines, ",\n") + "\n]\n"
	if *updateVectors {
		if err := os.WriteFile(vectorsPath, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(vectorsPath)
	if err != nil || string(kept) != text {
		t.Errorf("%s is not what Go sums (run this test with -update), %v", vectorsPath, err)
	}
}

// plainKernel does in Go what the kernel does, in its layout.
func plainKernel(data []byte, c KernelCall) (valid bool, out []byte) {
	put := func(x float64) { out = binary.LittleEndian.AppendUint64(out, math.Float64bits(x)) }
	width := 2
	if c.Kind.BinBytes() == wideBytes {
		width = 4
	}
	for from := 0; from < c.Rows; from += 1 << c.Level {
		part := data[int(c.At)+from*width : int(c.At)+min(c.Rows, from+1<<c.Level)*width]
		var values []float64
		for ; len(part) > 0; part = part[width:] {
			switch c.Kind {
			case Uint16Kernel:
				values = append(values, float64(binary.LittleEndian.Uint16(part)))
			case Int16Kernel:
				values = append(values, float64(int16(binary.LittleEndian.Uint16(part))))
			case Int32Kernel:
				values = append(values, float64(int32(binary.LittleEndian.Uint32(part))))
			default:
				values = append(values, float64(math.Float32frombits(binary.LittleEndian.Uint32(part))))
			}
		}
		if width == 2 {
			var sum, squares int64
			for _, x := range values {
				sum, squares = sum+int64(x), squares+int64(x)*int64(x)
			}
			for _, x := range []int64{int64(slices.Min(values)), int64(slices.Max(values)), sum, squares} {
				out = binary.LittleEndian.AppendUint64(out, uint64(x))
			}
			continue
		}
		var sums [8]float64
		for i, x := range values {
			d := x - values[0]
			sums[i%4], sums[4+i%4] = sums[i%4]+d, sums[4+i%4]+float64(d*d)
		}
		for _, x := range append([]float64{slices.Min(values), slices.Max(values), values[0]}, sums[:]...) {
			put(x)
		}
	}
	valid = true
	for i := range c.Rows {
		valid = valid && (c.Validity < 0 || data[int(c.Validity)+i/8]>>(i%8)&1 == 1)
	}
	return valid, out
}

// plainSums is an Engine's Sums for native tests; read counts the bytes.
func plainSums(read *int64) func(source io.ReaderAt, jobs []SumJob) error {
	return func(source io.ReaderAt, jobs []SumJob) error {
		return SumRanges(jobs, Joined, nil, func(g *Gathering, calls []KernelCall, put func(results []byte)) error {
			var data []byte
			for _, r := range g.Reads {
				part := make([]byte, r.To-r.From)
				if _, err := source.ReadAt(part, r.From); err != nil {
					return err
				}
				data = append(data, part...)
			}
			*read += g.Bytes
			for len(calls) > 0 {
				n, size := ResultsOf(calls)
				results := make([]byte, flagBytes(n), size)
				for i, c := range calls[:n] {
					ok, out := plainKernel(data, c)
					if results = append(results, out...); ok {
						results[i] = 1
					}
				}
				if put(results); len(results) != size {
					return fmt.Errorf("%d bytes of results, not %d", len(results), size)
				}
				clear(results) // nobody keeps them
				calls = calls[n:]
			}
			return nil
		})
	}
}

func TestSumsOfLongColumnsAreMadeInParts(t *testing.T) {
	rows := 3*maxKernelBytes/2/2 + 5
	for _, level := range []int{4, 12, 20} {
		data := (&kernelVector{Type: "int16", Seed: 5, Rows: rows}).values()
		file := append(make([]byte, 333), data...)
		job := SumJob{Place: recording.Place{Offset: 333, Rows: int64(rows), Type: stream.Int16, Plain: true}, Level: level, Bins: make([]tileBin, binsIn(rows, level))}
		jobs, read := []SumJob{job}, int64(0)
		if !canSum(&job.Place, level) {
			t.Fatalf("level %d cannot be summed", level)
		}
		if err := plainSums(&read)(bytes.NewReader(file), jobs); err != nil || jobs[0].Failed || read != int64(len(data)) {
			t.Fatalf("level %d: %v, %v, %d bytes read", level, err, jobs[0].Failed, read)
		}
		if want := packed(sumsOf(data, stream.Int16, level)); !slices.Equal(job.Bins, want) {
			t.Errorf("level %d differs", level)
		}
	}
}

func TestAValidityBitThatIsZeroIsNotSummed(t *testing.T) {
	values := (&kernelVector{Type: "uint16", Seed: 9, Rows: 100}).values()
	for _, zero := range []int{-1, 0, 63, 99} {
		file := bytes.Repeat([]byte{0xff}, 16)
		if zero >= 0 {
			file[zero/8] &^= 1 << (zero % 8)
		}
		file = append(append([]byte("xxxxxxxx"), file...), values...)
		jobs := []SumJob{{Place: recording.Place{Offset: 24, Validity: 8, Rows: 100, Type: stream.Uint16, Plain: true}, Level: 4, Bins: make([]tileBin, 7)}}
		read := int64(0)
		if err := plainSums(&read)(bytes.NewReader(file), jobs); err != nil || jobs[0].Failed != (zero >= 0) {
			t.Errorf("bit %d: failed %v, %v", zero, jobs[0].Failed, err)
		}
		if zero < 0 && !slices.Equal(jobs[0].Bins, packed(sumsOf(values, stream.Uint16, 4))) {
			t.Error("the bins differ")
		}
	}
}

// What the kernel sums and what Go sums are the same picture, on files of others too.
func TestViewsAreTheSameWithTheKernelAndWithout(t *testing.T) {
	onTiles(t)
	for name, data := range kernelFiles(t) {
		plain, with := &Engine{}, &Engine{}
		read := int64(0)
		with.Sums = plainSums(&read)
		here := 0
		with.SumHere = func(kind KernelKind, data []byte, rows, level int, results []byte) {
			_, out := plainKernel(data, KernelCall{kind, 0, rows, level, -1})
			if here++; copy(results, out) < len(out) {
				t.Errorf("%s: %d bytes for results of %d", name, len(results), len(out))
			}
		}
		_, info := openCounting(t, data, plain)
		openCounting(t, data, with)
		var columns []int
		for i, c := range info.Columns {
			if c.Plottable && (i < 8 || i%19 == 0) { // of all signals
				columns = append(columns, i)
			}
		}
		args := envelopeArgs(info.Clock.First, info.Clock.Last+1, 1, "exact", columns...)
		want, err := plain.Envelope(context.Background(), args, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := with.Envelope(context.Background(), args, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range columns {
			if got, want := &got.bin(i, 0)[0], &want.bin(i, 0)[0]; !sameBin(got, want) {
				t.Errorf("%s: bin of column %d is %+v, want %+v", name, columns[i], got, want)
			}
		}
		if (read == 0) != strings.Contains(name, "zstd") {
			t.Errorf("%s: the kernel read %d bytes", name, read)
		}
		if here == 0 && strings.Contains(name, "zstd") {
			t.Errorf("%s: the kernel summed nothing of what was decoded", name)
		}
	}
}

func sameBin(a, b *decimate.Bin) bool {
	same := func(x, y float64) bool { return x == y || x != x && y != y }
	return a.Count == b.Count && (a.Count == 0 || a.Min == b.Min && a.Max == b.Max && same(a.Mean, b.Mean) && same(a.Squares, b.Squares))
}

// kernelFiles are recordings of several writers, plain and compressed, with nulls
// and with NaN.
func kernelFiles(t *testing.T) map[string][]byte {
	t.Helper()
	s := &stream.Stream{Columns: []stream.Column{
		{Name: "a", Type: stream.Float32, ArrowType: "float32", ByteWidth: 4},
		{Name: "b", Type: stream.Int32, ArrowType: "int32", ByteWidth: 4},
		{Name: "c", Type: stream.Int16, ArrowType: "int16", ByteWidth: 2},
	}}
	file := &testdata.Memory{}
	w, err := recording.NewWriter(file, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for b := range 4 {
		rows := 500 - 3*b
		var columns []recording.Vector
		for _, name := range []string{"float32", "int32", "int16"} {
			columns = append(columns, recording.Vector{Data: (&kernelVector{Type: name, Seed: uint32(b), Rows: rows}).values()})
		}
		if b == 2 {
			binary.LittleEndian.PutUint32(columns[0].Data[444:], math.Float32bits(float32(math.NaN())))
		}
		if _, err := w.WriteBatch(rows, columns); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"types":       file.Data,
		"own":         testRecording(t, recording.None),
		"own zstd":    testRecording(t, recording.Zstd),
		"old Bonsai":  testdata.Foreign(t, "bonsai/old_NeuropixelsV1.arrow"),
		"new Bonsai":  testdata.Foreign(t, "bonsai/new_NeuropixelsV1.arrow"),
		"zstd Bonsai": testdata.Foreign(t, "bonsai/new_NeuropixelsV1_zstd.arrow"),
	}
}
