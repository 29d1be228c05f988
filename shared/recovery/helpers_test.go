package recovery

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A memFile is a File in memory that counts writes and fails on request.
type memFile struct {
	data     []byte
	writes   []int // bytes of each write that was asked for
	failAt   int   // the write that fails, from 1; 0: none
	partial  int   // bytes that it lets through
	failWith error // nil: a short write without an error
	truncate error
	cuts     []int64
}

func (f *memFile) Write(p []byte) (int, error) {
	f.writes = append(f.writes, len(p))
	if len(f.writes) == f.failAt {
		f.data = append(f.data, p[:f.partial]...)
		return f.partial, f.failWith
	}
	f.data = append(f.data, p...)
	return len(p), nil
}

func (f *memFile) Truncate(size int64) error {
	f.cuts = append(f.cuts, size)
	if f.truncate == nil {
		f.data = f.data[:size]
	}
	return f.truncate
}

// everyType has a column of each storage type, with and without nulls, plain
// and run-end encoded.
func everyType() *stream.Stream {
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

func memoryWidth(c *stream.Column) int {
	if w := c.Type.Width(); w != 0 {
		return w
	}
	return c.ByteWidth
}

// randomBatch fills columns of s for rows rows; Clock rises by 10 a row from
// start. Run-end encoded columns hold runs of 1 to 12 equal rows.
func randomBatch(r *rand.Rand, s *stream.Stream, start int64, rows int) []recording.Vector {
	columns := make([]recording.Vector, len(s.Columns))
	for i := range s.Columns {
		c := &s.Columns[i]
		width := memoryWidth(c)
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

// writeRandom writes batches of the given sizes and returns the file and what
// went in.
func writeRandom(t testing.TB, s *stream.Stream, codec recording.Codec, seed uint64, batches ...int) (*memFile, [][]recording.Vector) {
	t.Helper()
	f := &memFile{}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{Codec: codec})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 1))
	var all [][]recording.Vector
	var start int64
	for _, rows := range batches {
		columns := randomBatch(r, s, start, rows)
		if _, err := w.WriteBatch(rows, columns); err != nil {
			t.Fatal(err)
		}
		start += int64(rows)
		all = append(all, columns)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w.Size() != int64(len(f.data)) || w.Rows() != start || w.Batches() != len(batches) {
		t.Fatalf("size %d of %d, %d rows of %d, %d batches of %d", w.Size(), len(f.data), w.Rows(), start, w.Batches(), len(batches))
	}
	return f, all
}

var everyCodec = map[string]recording.Codec{"none": recording.None, "zstd": recording.Zstd, "lz4": recording.LZ4}

func footerOf(t testing.TB, file []byte) *arrowipc.Footer {
	t.Helper()
	n := int(binary.LittleEndian.Uint32(file[len(file)-10:]))
	footer, err := arrowipc.ParseFooter(file[len(file)-10-n : len(file)-10])
	if err != nil {
		t.Fatal(err)
	}
	return footer
}

func messageAt(t testing.TB, file []byte, block arrowipc.Block) *arrowipc.Message {
	t.Helper()
	m, err := arrowipc.ParseMessage(file[block.Offset+8 : block.Offset+int64(block.MetaLength)])
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// neuropixels is a table of 770 columns, as the fullest device delivers.
func neuropixels() *stream.Stream {
	s := &stream.Stream{Name: "probe", RowsPerBatch: 30024}
	for i := range 384 {
		s.Columns = append(s.Columns, stream.Column{Name: fmt.Sprintf("LfpData%d", i), Type: stream.Uint16, Stride: 12})
	}
	for i := range 384 {
		s.Columns = append(s.Columns, stream.Column{Name: fmt.Sprintf("SpikeData%d", i), Type: stream.Uint16})
	}
	return &stream.Stream{Name: s.Name, RowsPerBatch: s.RowsPerBatch, Columns: append(s.Columns, stream.Column{Name: "HubClock", Type: stream.Uint64}, stream.Column{Name: "Clock", Type: stream.Uint64})}
}

// neural is 10-bit noise around the middle; LFP values repeat 12 times.
func neural(s *stream.Stream, rows int) []recording.Vector {
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

// written is what a WriteBatch failed with.
func written(_ recording.Block, err error) error { return err }

func le16(values ...uint16) (p []byte) {
	for _, v := range values {
		p = binary.LittleEndian.AppendUint16(p, v)
	}
	return p
}

func le64(values ...uint64) (p []byte) {
	for _, v := range values {
		p = binary.LittleEndian.AppendUint64(p, v)
	}
	return p
}

// A bonsaiFile is one row of the table of files.
type bonsaiFile struct {
	name    string
	rows    int64 // intact
	batches string
	codec   string
	killed  bool
}

// bonsaiFiles is the table of the README; batches are the intact ones.
var bonsaiFiles = []bonsaiFile{
	{"new_AnalogInput_S16", 2500, "2 x 1000 + 500", "none", false},
	{"new_AnalogInput_Volts", 1500, "1000 + 500", "none", false},
	{"new_Bno055", 1234, "12 x 100 + 34", "none", false},
	{"new_DigitalInput", 2345, "2 x 1000 + 345", "none", false},
	{"new_HarpSync", 63, "12 x 5 + 3", "none", false},
	{"new_Heartbeat", 1230, "24 x 50 + 30", "none", false},
	{"new_Heartbeat_killbeforeend", 150, "3 x 50", "none", true},
	{"new_MemoryMonitor", 3000, "60 x 50", "none", false},
	{"new_MemoryMonitor_zstd", 3000, "60 x 50", "zstd", false},
	{"new_NeuropixelsV1", 384, "3 x 120 + 24", "none", false},
	{"new_NeuropixelsV1_idle", 216, "120 + 72 + 24", "none", false},
	{"new_NeuropixelsV1_killed", 120, "120", "none", true},
	{"new_NeuropixelsV1_zstd", 384, "3 x 120 + 24", "zstd", false},
	{"new_NeuropixelsV1_zstd_killed", 120, "120", "zstd", true},
	{"new_NeuropixelsV2e", 300, "2 x 120 + 60", "none", false},
	{"new_NeuropixelsV2eBeta", 300, "2 x 120 + 60", "none", false},
	{"new_Nric1384", 168, "2 x 72 + 24", "none", false},
	{"new_PortStatus", 7, "7 x 1", "none", false},
	{"new_Rhd2164", 1350, "2 x 600 + 150", "none", false},
	{"new_Rhd2164_zstd", 1350, "2 x 600 + 150", "zstd", false},
	{"new_Rhs2116", 1350, "2 x 600 + 150", "none", false},
	{"new_Rhs2116Pair", 900, "2 x 360 + 180", "none", false},
	{"new_Rhs2116Trigger", 40, "4 x 10", "none", false},
	{"new_TS4231V1", 2345, "2 x 1000 + 345", "none", false},
	{"new_TS4231V1Position", 420, "300 + 120", "none", false},
	{"old_AnalogInput_S16", 2500, "2 x 1000 + 500", "none", false},
	{"old_AnalogInput_S16_noise_zstd", 2500, "2 x 1000 + 500", "zstd", false},
	{"old_AnalogInput_Volts", 1500, "1000 + 500", "none", false},
	{"old_Bno055", 1234, "12 x 100 + 34", "none", false},
	{"old_DigitalInput", 2345, "2 x 1000 + 345", "none", false},
	{"old_HarpSync", 63, "12 x 5 + 3", "none", false},
	{"old_Heartbeat", 1230, "24 x 50 + 30", "none", false},
	{"old_Heartbeat_killbeforeend", 150, "3 x 50", "none", true},
	{"old_MemoryMonitor", 18000, "360 x 50", "none", false},
	{"old_MemoryMonitor_killed", 2900, "58 x 50", "none", true},
	{"old_MemoryMonitor_zstd", 3000, "60 x 50", "zstd", false},
	{"old_NeuropixelsV1", 384, "3 x 120 + 24", "none", false},
	{"old_NeuropixelsV1_idle", 216, "120 + 72 + 24", "none", false},
	{"old_NeuropixelsV1_killed", 120, "120", "none", true},
	{"old_NeuropixelsV1_zstd", 384, "3 x 120 + 24", "zstd", false},
	{"old_NeuropixelsV1_zstd_killed", 120, "120", "zstd", true},
	{"old_NeuropixelsV2e", 300, "2 x 120 + 60", "none", false},
	{"old_NeuropixelsV2eBeta", 300, "2 x 120 + 60", "none", false},
	{"old_Nric1384", 168, "2 x 72 + 24", "none", false},
	{"old_PortStatus", 7, "7 x 1", "none", false},
	{"old_Rhd2164", 1350, "2 x 600 + 150", "none", false},
	{"old_Rhd2164_zstd", 1350, "2 x 600 + 150", "zstd", false},
	{"old_Rhs2116", 1350, "2 x 600 + 150", "none", false},
	{"old_Rhs2116Pair", 900, "2 x 360 + 180", "none", false},
	{"old_Rhs2116Trigger", 40, "4 x 10", "none", false},
	{"old_TS4231V1", 2345, "2 x 1000 + 345", "none", false},
	{"old_TS4231V1Position", 420, "300 + 120", "none", false},
}

func (f *bonsaiFile) layout() string { return f.name[:3] }

func (f *bonsaiFile) class() string { return strings.Split(f.name, "_")[1] }

// rowsPerBatch spells out "2 x 1000 + 500".
func (f *bonsaiFile) rowsPerBatch() (rows []int64) {
	for _, part := range strings.Split(f.batches, " + ") {
		var times, n int64 = 1, 0
		if _, err := fmt.Sscanf(part, "%d x %d", &times, &n); err != nil {
			times = 1
			if _, err := fmt.Sscanf(part, "%d", &n); err != nil {
				panic(err)
			}
		}
		for range times {
			rows = append(rows, n)
		}
	}
	return rows
}

// bonsaiColumn is one column of a schema, and its value by row; ok false is a
// null.
type bonsaiColumn struct {
	name  string
	typ   stream.Type
	ree   bool
	value func(row int64) (value float64, ok bool)
}

// columns is the schema of the file, in order.
func (f *bonsaiFile) columns() (list []bonsaiColumn) {
	add := func(name string, typ stream.Type, value func(row int64) float64) {
		list = append(list, bonsaiColumn{name, typ, false, func(row int64) (float64, bool) { return value(row), true }})
	}
	channels := func(member string, n int64, typ stream.Type, value func(ch, row int64) float64) {
		ch := "Ch"
		if f.layout() == "new" {
			ch = ""
		}
		for i := range n {
			add(fmt.Sprintf("%s%s%d", member, ch, i), typ, func(row int64) float64 { return value(i, row) })
		}
	}
	clocks := func(clockStep, hubStep int64) {
		add("HubClock", stream.Uint64, func(row int64) float64 { return float64(hubStep*row + 17) })
		add("Clock", stream.Uint64, func(row int64) float64 { return float64(clockStep*row + 1000) })
	}
	amplifier := func(base, mod int64) func(ch, row int64) float64 {
		return func(ch, row int64) float64 { return float64(base + (ch*7+row*3)%mod) }
	}
	axes := func(member, names string, value func(i, row int64) float64) {
		for _, axis := range names {
			i := int64(strings.IndexRune("XYZ", axis))
			if member == "Quaternion" {
				i = int64(strings.IndexRune("WXYZ", axis))
			}
			add(fmt.Sprintf("%s_%c", member, axis), stream.Float32, func(row int64) float64 { return value(i, row) })
		}
	}
	switch class := f.class(); class {
	case "NeuropixelsV1", "Nric1384":
		channels("LfpData", 384, stream.Uint16, func(ch, row int64) float64 { return float64((ch*5 + row/12*11 + 512) % 1024) })
		for i := range list {
			value := list[i].value
			list[i].ree = f.layout() == "new"
			if !list[i].ree {
				list[i].value = func(row int64) (float64, bool) { v, _ := value(row); return v, row%12 == 0 }
			}
		}
		channels("SpikeData", 384, stream.Uint16, amplifier(0, 1024))
		add("FrameCount", stream.Int32, func(row int64) float64 {
			if class == "Nric1384" {
				return float64(13 * row % 1048576)
			}
			return float64((13*24*(row/24) + row%24) % 1048576)
		})
		clocks(8333, 1400)
	case "NeuropixelsV2e":
		channels("AmplifierData", 384, stream.Uint16, amplifier(0, 4096))
		clocks(8333, 1400)
	case "NeuropixelsV2eBeta":
		add("FrameCount", stream.Int32, func(row int64) float64 { return float64(16*30*(row/30) + row%30) })
		channels("AmplifierData", 384, stream.Uint16, amplifier(0, 16384))
		clocks(8333, 1400)
	case "Rhd2164":
		channels("AuxData", 3, stream.Uint16, func(ch, row int64) float64 { return float64((ch*5 + row) % 4096) })
		channels("AmplifierData", 64, stream.Uint16, amplifier(32256, 1024))
		clocks(8333, 1400)
	case "Rhs2116", "Rhs2116Pair":
		n := int64(16)
		if class == "Rhs2116Pair" {
			n = 32
			add("RecoveryMask", stream.Uint32, func(row int64) float64 { return float64(uint32(row * 65537)) })
		} else {
			add("RecoveryMask", stream.Uint16, func(row int64) float64 { return float64(row * 257 % 65536) })
		}
		channels("DCData", n, stream.Uint16, func(ch, row int64) float64 { return float64(512 - (ch+row)%32) })
		channels("AmplifierData", n, stream.Uint16, amplifier(32256, 1024))
		clocks(8280, 1400)
	case "AnalogInput":
		clocks(2500, 2500)
		s16 := amplifier(-512, 1024)
		switch {
		case strings.Contains(f.name, "Volts"):
			channels("AnalogData", 12, stream.Float32, func(ch, row int64) float64 { return s16(ch, row) * 0.00030517578125 })
		case strings.Contains(f.name, "noise"):
			channels("AnalogData", 12, stream.Int16, func(ch, row int64) float64 {
				if ch%2 == 1 {
					return s16(ch, row)
				}
				x := uint32(ch)*0x9E3779B1 + uint32(row)*0x85EBCA77
				x ^= x >> 15
				x *= 0x2C1B3C6D
				x ^= x >> 12
				x *= 0x297A2D39
				x ^= x >> 15
				return float64(int16(x))
			})
		default:
			channels("AnalogData", 12, stream.Int16, s16)
		}
	case "Heartbeat":
		clocks(25000000, 25000000)
	case "DigitalInput":
		add("Buttons", stream.Uint16, func(row int64) float64 { return float64(5 * row % 64) })
		add("DigitalInputs", stream.Uint8, func(row int64) float64 { return float64(row % 256) })
		clocks(250000, 250000)
	case "HarpSync":
		add("HarpTime", stream.Uint32, func(row int64) float64 { return float64(3000001 + row) })
		clocks(250000000, 250000000)
	case "PortStatus":
		add("StatusCode", stream.Uint16, func(row int64) float64 { return []float64{3, 0, 0x103, 1}[row%4] })
		clocks(500000000, 500000000)
	case "MemoryMonitor":
		usage := func(row int64) int64 {
			tri := row % 3000
			if tri >= 1500 {
				tri = 3000 - tri
			}
			return 1000 + 60000*tri + 5000*row + 1111*(row%7)
		}
		add("BytesUsed", stream.Uint32, func(row int64) float64 { return float64(4 * usage(row)) })
		add("PercentUsed", stream.Float64, func(row int64) float64 { return 100.0 * float64(usage(row)) / 268435456 })
		clocks(25000000, 25000000)
	case "Bno055":
		clocks(2500000, 420000)
		add("Calibration", stream.Uint8, func(row int64) float64 { return float64(row % 256) })
		add("Temperature", stream.Int32, func(row int64) float64 { return float64(20 + row%20) })
		hundredth := float32(0.01)
		axes("Gravity", "XYZ", func(i, row int64) float64 { return float64(hundredth * float32((i*300+row)%981)) })
		axes("Acceleration", "XYZ", func(i, row int64) float64 { return float64(hundredth * float32((i*100+row*2)%2000-1000)) })
		axes("Quaternion", "XYZW", func(i, row int64) float64 { return float64((i*4096+row*16)%16384) / 16384 })
		add("EulerAngle_Yaw", stream.Float32, func(row int64) float64 { return float64(3*row%5760) / 16 })
		add("EulerAngle_Pitch", stream.Float32, func(row int64) float64 { return float64(row%1440-720) / 16 })
		add("EulerAngle_Roll", stream.Float32, func(row int64) float64 { return float64(2*row%2880-1440) / 16 })
	case "TS4231V1":
		add("EnvelopeType", stream.Int16, func(row int64) float64 { return float64(row%10 - 1) })
		million, tick := 1e6, 2e-8 // variables: constants would be multiplied exactly
		add("EnvelopeWidth", stream.Float64, func(row int64) float64 { return million * tick * float64(1000+10*(row%50)) })
		add("SensorIndex", stream.Int32, func(row int64) float64 { return float64(row % 3) })
		clocks(250000, 50000)
	case "TS4231V1Position":
		axes("Position", "XYZ", func(i, row int64) float64 { return []float64{0.5 * float64(row), -0.25 * float64(row), 1}[i] })
		add("SensorIndex", stream.Int32, func(row int64) float64 { return float64(row % 2) })
		clocks(4166667, 833333)
	case "Rhs2116Trigger":
		add("Origin", stream.Uint8, func(row int64) float64 { return float64(int(1) << (row % 3)) })
		add("Status", stream.Uint8, func(row int64) float64 { return float64(row % 3) })
		add("Delay", stream.Float64, func(row int64) float64 { return 1e6 * float64(31*row%1048576) / 30193.2367151 })
		clocks(125000000, 25000000)
	}
	return list
}

// sameFloat compares exactly; NaN, which stands for null, equals itself.
func sameFloat(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

const foreign = "../../testdata/foreign/"

func readForeign(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(foreign + name)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func openBytes(tb testing.TB, data []byte) *recording.Reader {
	tb.Helper()
	r, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func indexAll(tb testing.TB, r *recording.Reader) int64 {
	tb.Helper()
	if err := r.Index(context.Background(), nil); err != nil {
		tb.Fatal(err)
	}
	rows, exact := r.Rows()
	if !exact {
		tb.Fatal("the index is done and the rows are not exact")
	}
	return rows
}

func checkValues(t *testing.T, b *recording.Batch, want []bonsaiColumn) {
	t.Helper()
	for k := range b.Columns {
		v := &b.Columns[k]
		w := &want[v.Column]
		if v.Len != b.Rows || len(v.Data) != v.Len*v.Width || (v.RunEnds != nil) != w.ree {
			t.Fatalf("column %s: %d values in %d bytes, run ends %v", w.name, v.Len, len(v.Data), v.RunEnds)
		}
		for i := range v.Len {
			value, ok := w.value(b.Start + int64(i))
			if !ok {
				value = math.NaN()
			}
			if got := v.Float64(i); !sameFloat(got, value) {
				t.Fatalf("column %s, row %d: %v, want %v", w.name, b.Start+int64(i), got, value)
			}
		}
		if w.ree {
			for n, end := range v.RunEnds {
				if int(end) != min(12*(n+1), v.Len) {
					t.Fatalf("column %s: run ends %v", w.name, v.RunEnds)
				}
			}
		}
	}
}

// sameBatch compares all but where the batches lie.
func sameBatch(a, b *recording.Batch) bool {
	if a.Rows != b.Rows || len(a.Columns) != len(b.Columns) {
		return false
	}
	for k := range a.Columns {
		if !sameVector(&a.Columns[k], &b.Columns[k]) {
			return false
		}
	}
	return true
}

// sameVector compares type, nulls and the values that are not null.
func sameVector(a, b *recording.Vector) bool {
	if a.Type != b.Type || a.Width != b.Width || a.Len != b.Len || len(a.Data) != len(b.Data) {
		return false
	}
	for i := range a.Len {
		null := a.Valid != nil && a.Valid[i] == 0
		if null != (b.Valid != nil && b.Valid[i] == 0) {
			return false
		}
		if !null && !bytes.Equal(a.Data[i*a.Width:(i+1)*a.Width], b.Data[i*a.Width:(i+1)*a.Width]) {
			return false
		}
	}
	return true
}

// A yielding context asks a function.
type yielding struct {
	context.Context
	yield func() error
}

func (y yielding) Err() error { return y.yield() }

func infoOf(r *recording.Reader) (recording.Info, error) { return r.Info(context.Background()) }

// A twin says what any reader must report of the file beside it. Others wrote
// both: see testdata/README.md.
type twin struct {
	Error       string            `json:"error"` // if not empty: it cannot be read, and this stands in the reason
	Format      string            `json:"format"`
	Compression string            `json:"compression"`
	BatchRows   []int64           `json:"batch_rows"`
	Metadata    map[string]string `json:"metadata"`
	Columns     []twinColumn      `json:"columns"`
}

type twinColumn struct {
	Name     string            `json:"name"`
	Type     string            `json:"type"`
	Nullable bool              `json:"nullable"`
	Metadata map[string]string `json:"metadata"`
	Values   []*string         `json:"values"` // of all rows; nil: null
}

func (t *twin) rows() (n int64) {
	for _, rows := range t.BatchRows {
		n += rows
	}
	return n
}

// A twinFile is a file with its twin.
type twinFile struct {
	name string // "pyarrow/types"
	data []byte
	want twin
}

// twinFiles are all files that have a twin.
func twinFiles(tb testing.TB) []twinFile {
	tb.Helper()
	paths, err := filepath.Glob(foreign + "*/*.json")
	if err != nil {
		tb.Fatal(err)
	}
	list := make([]twinFile, len(paths))
	for i, path := range paths {
		name := strings.TrimSuffix(path, ".json")
		text, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		list[i].name = strings.TrimPrefix(filepath.ToSlash(name), foreign)
		if err := json.Unmarshal(text, &list[i].want); err != nil {
			tb.Fatalf("%s: %v", path, err)
		}
		if list[i].data, err = os.ReadFile(name + ".arrow"); err != nil {
			tb.Fatal(err)
		}
	}
	return list
}

// eachTwin calls check for every file that can be read.
func eachTwin(t *testing.T, check func(t *testing.T, f *twinFile)) {
	for _, f := range twinFiles(t) {
		if f.want.Error == "" {
			t.Run(f.name, func(t *testing.T) { check(t, &f) })
		}
	}
}

// checkTwinSchema compares columns and metadata.
func checkTwinSchema(t *testing.T, r *recording.Reader, want *twin) {
	t.Helper()
	info, err := infoOf(r)
	if err != nil {
		t.Fatal(err)
	}
	if !sameMetadata(info.Metadata, want.Metadata) {
		t.Errorf("metadata %v, want %v", info.Metadata, want.Metadata)
	}
	if len(info.Columns) != len(want.Columns) {
		t.Fatalf("%d columns, want %d", len(info.Columns), len(want.Columns))
	}
	for i, c := range want.Columns {
		if got := info.Columns[i]; got.Name != c.Name || got.Type != c.Type || got.Nullable != c.Nullable {
			t.Errorf("column %d is %q, %s, nullable %v; want %q, %s, %v", i, got.Name, got.Type, got.Nullable, c.Name, c.Type, c.Nullable)
		}
		if unit := c.Metadata["unit"]; unit != "" && unit != info.Columns[i].Unit {
			t.Errorf("column %q has the unit %q, want %q", c.Name, info.Columns[i].Unit, unit)
		}
	}
}

// sameMetadata takes none and an empty map for the same.
func sameMetadata(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || v != w {
			return false
		}
	}
	return true
}

// checkTwinValues holds every value of a reader against the twin's, null for
// null.
func checkTwinValues(t *testing.T, r *recording.Reader, want *twin) {
	t.Helper()
	row := 0
	for i, rows := range want.BatchRows {
		b, err := r.ReadBatch(i, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Columns) != len(want.Columns) || int64(b.Rows) != rows || b.Start != int64(row) {
			t.Fatalf("batch %d has %d columns and %d rows from %d", i, len(b.Columns), b.Rows, b.Start)
		}
		for k := range b.Columns {
			c := &want.Columns[b.Columns[k].Column]
			for n := range b.Rows {
				text, valid := b.Columns[k].Text(n)
				if w := c.Values[row+n]; valid != (w != nil) || valid && !equalTexts(c.Type, text, *w) {
					t.Errorf("column %q (%s), row %d is %s, want %s", c.Name, c.Type, row+n, shown(text, valid), shownTwin(w))
				}
			}
		}
		row += b.Rows
	}
}

// equalTexts compares as texts, but floats as numbers: how an exponent is laid
// out is nobody's business.
func equalTexts(typ, a, b string) bool {
	if a == b {
		return true
	}
	bits := map[string]int{"float16": 32, "float32": 32, "float64": 64, "run_end_encoded<int32, float32>": 32, "dictionary<int32, float64>": 64}[typ]
	if bits == 0 {
		return false
	}
	x, errX := strconv.ParseFloat(a, bits)
	y, errY := strconv.ParseFloat(b, bits)
	return errX == nil && errY == nil && sameFloat(x, y)
}

func shown(text string, valid bool) string {
	if !valid {
		return "null"
	}
	return strconv.Quote(text)
}

func shownTwin(w *string) string {
	if w == nil {
		return "null"
	}
	return shown(*w, true)
}

// slowFile writes one signal of a value in stride rows, value k at row
// stride*k, in the given layout, beside a fast column and both clocks.
func slowFile(t testing.TB, layout string, stride int, values []uint16, batches []int) []byte {
	t.Helper()
	slow := stream.Column{Name: "LfpData0", Type: stream.Uint16}
	switch layout {
	case "repeat":
		slow.Stride = stride
	case "ree", "merged":
		slow.RunEnd, slow.Stride = true, stride
	case "ree without metadata", "merged without metadata":
		slow.RunEnd = true
	case "nulls":
		slow.Nullable = true
	}
	s := &stream.Stream{Name: "slow", AcqClockHz: 1000, Columns: []stream.Column{slow, {Name: "SpikeData0", Type: stream.Uint16}, {Name: "HubClock", Type: stream.Uint64}, {Name: "Clock", Type: stream.Uint64}}}
	f := &memFile{}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	row := 0
	for _, rows := range batches {
		var slowV, fast, hub, clock recording.Vector
		for i := range rows {
			at := row + i
			x := values[at/stride]
			if layout == "nulls" {
				valid := byte(0)
				if at%stride == 0 {
					valid = 1
				} else {
					x = 0
				}
				slowV.Valid = append(slowV.Valid, valid)
			}
			slowV.Data = append(slowV.Data, le16(x)...)
			fast.Data = append(fast.Data, le16(uint16(at*7919))...)
			hub.Data = append(hub.Data, le64(uint64(1400*at+17))...)
			clock.Data = append(clock.Data, le64(uint64(8333*at+1000))...)
			if strings.HasPrefix(layout, "ree") && ((at+1)%stride == 0 || i == rows-1) {
				slowV.RunEnds = append(slowV.RunEnds, int32(i+1))
			}
		}
		if _, err := w.WriteBatch(rows, []recording.Vector{slowV, fast, hub, clock}); err != nil {
			t.Fatal(err)
		}
		row += rows
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f.data
}

// A countingReader counts the bytes that are read of it.
type countingReader struct {
	data []byte
	n    int64
}

func (r *countingReader) ReadAt(p []byte, off int64) (int, error) {
	n := copy(p, r.data[min(off, int64(len(r.data))):])
	r.n += int64(n)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// placesOf returns where the batches of a file are, as a reader numbers them.
func placesOf(t testing.TB, file []byte) []arrowipc.Block {
	t.Helper()
	places, err := placesIn(file)
	if err != nil {
		t.Fatal(err)
	}
	return places
}

func placesIn(file []byte) (places []arrowipc.Block, err error) {
	src := &messages.Source{Size: int64(len(file)), ReadAt: func(p []byte, off int64) error { copy(p, file[off:]); return nil }}
	e, err := messages.FindEnds(src, &messages.Options{})
	if err != nil {
		return nil, err
	}
	l, err := messages.Walk(src, e)
	if err != nil {
		return nil, err
	}
	for i := range l.Verdicts {
		switch v := &l.Verdicts[i]; {
		case v.Kind == messages.Batch:
			places = append(places, v.Block)
		case v.Kind == messages.Loss && l.Footer != nil:
			for range v.Batches {
				places = append(places, arrowipc.Block{Offset: v.At})
			}
		}
	}
	return places, nil
}

// copyAll copies a recording whole.
func copyAll(r *recording.Reader, to recording.File, codec recording.Codec, format recording.Format) (recording.CopyReport, error) {
	x, err := r.Select(context.Background(), recording.Selection{})
	if err != nil {
		return recording.CopyReport{}, err
	}
	return recording.Copy(context.Background(), to, x, &recording.CopyOptions{Codec: codec, Format: format})
}
