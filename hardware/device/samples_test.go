package device_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

const samplesDir = "../../testdata/samples"

// vector is one JSON file of testdata/samples: what the original decodes from
// the frames of Bin.
type vector struct {
	Device      string   `json:"device"`
	ID          uint32   `json:"id"`
	PayloadSize uint32   `json:"payload_size"`
	Bin         string   `json:"bin"`
	Registers   []string `json:"register_bytes_hex"` // of a sensor that is polled
	Select      struct {
		Stream int `json:"stream_index"`
	} `json:"select"`
	Calibration struct {
		Gain       float64  `json:"gain_correction"`
		HubHz      uint64   `json:"hub_clock_hz"`
		APGain     float64  `json:"ap_gain_correction"`
		LFPGain    float64  `json:"lfp_gain_correction"`
		Invert     bool     `json:"invert_polarity"`
		Thresholds []uint16 `json:"adc_thresholds"`
		Offsets    []uint16 `json:"adc_offsets"`
		DataType   string   `json:"data_type"`
		Ranges     []int    `json:"input_range_register"`
		TotalWords uint32   `json:"total_mem_words"`
	} `json:"calibration"`
	Rows          int                        `json:"rows"`
	ColumnOrder   []string                   `json:"column_order"`
	Types         map[string]string          `json:"types"`
	Columns       map[string]json.RawMessage `json:"columns"`
	FrameCountAll []int64                    `json:"frame_count_all"`

	channels map[string][][]any // parsed columns of several channels
}

// hubHz are the hub clocks of headstages with devices of their own.
var hubHz = map[string]uint64{"Rhd2164": 42e6, "Bno055": 42e6, "TS4231V1": 42e6, "Rhs2116": 50e6, "Rhs2116Trigger": 50e6, "NeuropixelsV1f": 42e6, "Nric1384": 42e6}

// headstages are those at a passthrough device.
var headstages = map[string]string{
	"NeuropixelsV1e": device.HeadstageNeuropixelsV1e, "NeuropixelsV2e": device.HeadstageNeuropixelsV2e, "NeuropixelsV2eBeta": device.HeadstageNeuropixelsV2eBeta,
}

func (v *vector) config(t testing.TB) device.Config {
	t.Helper()
	cfg := device.Config{AcqClockHz: 250e6, Hub: oni.Hub{ClockHz: hubHz[v.Device]}, Headstage: headstages[v.Device]}
	if cfg.Hub.ClockHz == 0 {
		cfg.Hub.ClockHz = 250e6
	}
	kinds := device.KindsOf(oni.Device{ID: v.ID}, cfg.Headstage)
	cfg.Settings = kinds[0].Settings()
	if len(kinds) > 1 {
		set := kinds[v.Select.Stream].Settings().(*device.NeuropixelsV2Settings)
		set.GainCorrection, set.Invert = v.Calibration.Gain, v.Calibration.Invert
		cfg.Parts = map[string]device.Part{kinds[v.Select.Stream].Key: {Settings: set}}
	}
	switch set := cfg.Settings.(type) {
	case *device.TS4231Settings:
		set.BonsaiWidth = true
	case *device.MemoryMonitorSettings:
		set.TotalWords = v.Calibration.TotalWords
	case *device.AnalogIOSettings:
		set.Volts = v.Calibration.DataType == "Volts"
		for i, r := range v.Calibration.Ranges {
			set.RangesV[i] = []float64{10, 2.5, 5}[r] // register values, onix-devices 3.3
		}
	case *device.NeuropixelsV1eSettings:
		set.APCorrection, set.LFPCorrection, set.Invert = v.Calibration.APGain, v.Calibration.LFPGain, v.Calibration.Invert
		for i := range v.Calibration.Thresholds {
			set.ADC = append(set.ADC, device.ADCOffset{Threshold: v.Calibration.Thresholds[i], Offset: v.Calibration.Offsets[i]})
		}
	}
	return cfg
}

func readVector(t testing.TB, path string) *vector {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	v := new(vector)
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return v
}

// readFrames reads a .bin file of testdata/samples: Clock u64, address u32,
// size u32, sample, back to back.
func readFrames(t testing.TB, path string) []oni.Frame {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var frames []oni.Frame
	for len(data) > 0 {
		size := int(binary.LittleEndian.Uint32(data[12:]))
		frames = append(frames, oni.Frame{
			Clock:   binary.LittleEndian.Uint64(data),
			Address: oni.Address(binary.LittleEndian.Uint32(data[8:])),
			Data:    data[16 : 16+size],
		})
		data = data[16+size:]
	}
	return frames
}

// vectorPaths lists the vectors; every device ID that is decoded has one.
func vectorPaths(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob(samplesDir + "/*/*.json")
	if err != nil {
		t.Fatal(err)
	}
	covered := map[uint32]bool{}
	for _, path := range paths {
		covered[readVector(t, path).ID] = true
	}
	for _, k := range device.Kinds() {
		for _, id := range k.IDs {
			if !covered[id] {
				t.Errorf("%s: no vector in %s has device ID %d", k.Key, samplesDir, id)
			}
		}
	}
	return paths
}

// text returns value i of a column as the vectors write it: integers in
// decimal, floats with the fewest digits that read back.
func text(c *stream.Column, data []byte, i int) string {
	le := binary.LittleEndian
	switch c.Type {
	case stream.Uint8:
		return strconv.Itoa(int(data[i]))
	case stream.Int16:
		return strconv.Itoa(int(int16(le.Uint16(data[2*i:]))))
	case stream.Uint16:
		return strconv.Itoa(int(le.Uint16(data[2*i:])))
	case stream.Int32:
		return strconv.Itoa(int(int32(le.Uint32(data[4*i:]))))
	case stream.Uint32:
		return strconv.FormatUint(uint64(le.Uint32(data[4*i:])), 10)
	case stream.Uint64:
		return strconv.FormatUint(le.Uint64(data[8*i:]), 10)
	case stream.Float32:
		return strconv.FormatFloat(float64(math.Float32frombits(le.Uint32(data[4*i:]))), 'g', -1, 32)
	case stream.Float64:
		return strconv.FormatFloat(math.Float64frombits(le.Uint64(data[8*i:])), 'g', -1, 64)
	}
	return fmt.Sprintf("type %v", c.Type)
}

// canonical writes a number of a vector as text does.
func canonical(t testing.TB, c *stream.Column, number any) string {
	s := strings.Trim(fmt.Sprint(number), `"`)
	bits := 0
	switch c.Type {
	case stream.Float32:
		bits = 32
	case stream.Float64:
		bits = 64
	default:
		return s
	}
	x, err := strconv.ParseFloat(s, bits)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatFloat(x, 'g', -1, bits)
}

// wanted returns the values that a vector has for a column, one per row.
func (v *vector) wanted(t testing.TB, c *stream.Column) []any {
	t.Helper()
	if c.Name == "FrameCount" && v.FrameCountAll != nil { // ours: the counter of each super-frame's first frame
		var all []any
		for r := range v.Rows {
			all = append(all, v.FrameCountAll[len(v.FrameCountAll)/v.Rows*r])
		}
		return all
	}
	decode := func(raw json.RawMessage, to any) {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(to); err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
	}
	if raw, ok := v.Columns[c.Name]; ok {
		var values []any
		decode(raw, &values)
		return values
	}
	_, _, channel := stream.Label(c.Name)
	stem := strings.TrimRight(c.Name, "0123456789")
	raw, ok := v.Columns[stem]
	if !ok || channel < 0 {
		t.Fatalf("the vector has no column %s", c.Name)
	}
	channels := v.channels[stem]
	if channels == nil {
		decode(raw, &channels)
		if v.channels == nil {
			v.channels = map[string][][]any{}
		}
		v.channels[stem] = channels
	}
	if len(channels[channel])*12 == v.Rows {
		var repeated []any
		for r := range v.Rows {
			repeated = append(repeated, channels[channel][r/12])
		}
		return repeated
	}
	return channels[channel]
}

func TestDecodersGiveWhatTheOriginalGives(t *testing.T) {
	for _, path := range vectorPaths(t) {
		v := readVector(t, path)
		if v.Bin == "" {
			continue // no frames: polled
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			frames := readFrames(t, filepath.Join(filepath.Dir(path), v.Bin))
			dec, err := device.New(oni.Device{Address: frames[0].Address, ID: v.ID, ReadSize: v.PayloadSize}, v.config(t))
			if err != nil {
				t.Fatal(err)
			}
			out := device.NewBatches(dec)
			for i := range frames {
				if err := dec.Decode(&frames[i], out); err != nil {
					t.Fatal(err)
				}
			}
			rows := 0 // of all streams
			for _, b := range out {
				rows += b.Rows
			}
			number := v.Select.Stream % len(out)
			own := out[number]
			if own.Rows != v.Rows || dec.Stats().Rows != uint64(rows) {
				t.Fatalf("%d rows, counted %d, want %d", own.Rows, dec.Stats().Rows, v.Rows)
			}
			if s := dec.Stats(); s.Lost != 0 || s.Faults != 0 || s.BadFrames != 0 || s.Frames != uint64(len(frames)) {
				t.Errorf("stats %+v", s)
			}
			cols := dec.Streams()[number].Columns
			checkOrder(t, v, cols)
			for i := range cols {
				c := &cols[i]
				if got := len(own.Columns[i]); got != v.Rows*c.ByteWidth {
					t.Fatalf("%s: %d bytes, want %d", c.Name, got, v.Rows*c.ByteWidth)
				}
				for r, want := range v.wanted(t, c) {
					if got, want := text(c, own.Columns[i], r), canonical(t, c, want); got != want {
						t.Fatalf("%s row %d is %s, want %s", c.Name, r, got, want)
					}
				}
			}
		})
	}
}

// checkOrder compares names and types with the vector's column_order, whose
// entries are names or ranges of channels ("LfpData0..383").
func checkOrder(t *testing.T, v *vector, cols []stream.Column) {
	t.Helper()
	var names, types []string
	for _, entry := range v.ColumnOrder {
		first, last, isRange := strings.Cut(entry, "..")
		if !isRange {
			names, types = append(names, entry), append(types, v.Types[entry])
			continue
		}
		stem := strings.TrimRight(first, "0123456789")
		n, err := strconv.Atoi(last)
		if err != nil {
			t.Fatal(err)
		}
		for ch := range n + 1 {
			names, types = append(names, stem+strconv.Itoa(ch)), append(types, v.Types[stem])
		}
	}
	if len(cols) != len(names) {
		t.Fatalf("%d columns, want %d", len(cols), len(names))
	}
	for i, c := range cols {
		if c.Name != names[i] || c.Type.String() != types[i] || c.ArrowType != types[i] || c.Nullable {
			t.Errorf("column %d is %s %v nullable %v, want %s %s", i, c.Name, c.Type, c.Nullable, names[i], types[i])
		}
	}
}

// A frame costs no allocation once a batch has its buffers.
func TestDecodingDoesNotAllocate(t *testing.T) {
	for _, path := range vectorPaths(t) {
		v := readVector(t, path)
		if v.Bin == "" {
			continue
		}
		frames := readFrames(t, filepath.Join(filepath.Dir(path), v.Bin))
		dev := oni.Device{Address: frames[0].Address, ID: v.ID, ReadSize: v.PayloadSize}
		raw := dev
		raw.ID = 99
		for name, dec := range map[string]device.Decoder{filepath.Base(path): mustNew(t, dev, v.config(t)), "raw": mustNew(t, raw, device.Config{})} {
			out := device.NewBatches(dec)
			once := func() {
				for _, b := range out {
					b.Reset()
				}
				for i := range frames {
					if err := dec.Decode(&frames[i], out); err != nil {
						t.Fatal(err)
					}
				}
			}
			once()
			if n := testing.AllocsPerRun(20, once); n != 0 {
				t.Errorf("%s: %v allocations in %d frames", name, n, len(frames))
			}
		}
	}
}
