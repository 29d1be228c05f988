package testdata

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A BonsaiFile is one row of the table of files.
type BonsaiFile struct {
	Name    string
	Rows    int64 // intact
	batches string
	Codec   string
	Killed  bool
}

// BonsaiFiles is the table of the README; batches are the intact ones.
var BonsaiFiles = []BonsaiFile{
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

// Layout is new or old: of which version of the writer.
func (f *BonsaiFile) Layout() string { return f.Name[:3] }

// Class is the device whose data it has.
func (f *BonsaiFile) Class() string { return strings.Split(f.Name, "_")[1] }

// RowsPerBatch spells out "2 x 1000 + 500".
func (f *BonsaiFile) RowsPerBatch() (rows []int64) {
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

// BonsaiColumn is one column of a schema, and its value by row; ok false is a
// null.
type BonsaiColumn struct {
	Name   string
	Type   stream.Type
	RunEnd bool
	Value  func(row int64) (value float64, ok bool)
}

// Columns is the schema of the file, in order.
func (f *BonsaiFile) Columns() (list []BonsaiColumn) {
	add := func(name string, typ stream.Type, value func(row int64) float64) {
		list = append(list, BonsaiColumn{name, typ, false, func(row int64) (float64, bool) { return value(row), true }})
	}
	channels := func(member string, n int64, typ stream.Type, value func(ch, row int64) float64) {
		ch := "Ch"
		if f.Layout() == "new" {
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
	switch class := f.Class(); class {
	case "NeuropixelsV1", "Nric1384":
		channels("LfpData", 384, stream.Uint16, func(ch, row int64) float64 { return float64((ch*5 + row/12*11 + 512) % 1024) })
		for i := range list {
			value := list[i].Value
			list[i].RunEnd = f.Layout() == "new"
			if !list[i].RunEnd {
				list[i].Value = func(row int64) (float64, bool) { v, _ := value(row); return v, row%12 == 0 }
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
		case strings.Contains(f.Name, "Volts"):
			channels("AnalogData", 12, stream.Float32, func(ch, row int64) float64 { return s16(ch, row) * 0.00030517578125 })
		case strings.Contains(f.Name, "noise"):
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

// CheckValues compares every value of a batch with its formula.
func CheckValues(t *testing.T, b *recording.Batch, want []BonsaiColumn) {
	t.Helper()
	for k := range b.Columns {
		v := &b.Columns[k]
		w := &want[v.Column]
		if v.Len != b.Rows || len(v.Data) != v.Len*v.Width || (v.RunEnds != nil) != w.RunEnd {
			t.Fatalf("column %s: %d values in %d bytes, run ends %v", w.Name, v.Len, len(v.Data), v.RunEnds)
		}
		for i := range v.Len {
			value, ok := w.Value(b.Start + int64(i))
			if !ok {
				value = math.NaN()
			}
			if got := v.Float64(i); !SameFloat(got, value) {
				t.Fatalf("column %s, row %d: %v, want %v", w.Name, b.Start+int64(i), got, value)
			}
		}
		if w.RunEnd {
			for n, end := range v.RunEnds {
				if int(end) != min(12*(n+1), v.Len) {
					t.Fatalf("column %s: run ends %v", w.Name, v.RunEnds)
				}
			}
		}
	}
}
