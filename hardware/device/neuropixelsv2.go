package device

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/oniscope/oniscope/hardware/device/neuropixels"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

// NeuropixelsV2Settings are what a 2.0 probe is set to, and its calibration.
type NeuropixelsV2Settings struct {
	Shanks    int    `yaml:"shanks"`    // of the probe: 4 or 1; 0 means 4
	Shank     int    `yaml:"shank"`     // whose electrodes are recorded, and whose tip is the reference: 1 to 4; 0 means 1
	Bank      string `yaml:"bank"`      // of electrodes: A, B, C or D; "" means A
	Reference string `yaml:"reference"` // external, tip or ground; "" means external
	Invert    bool   `yaml:"invert"`    // turn the polarity; the original does by default
	Probe     string `yaml:"probe"`     // probe-interface file that says which electrodes are connected, instead of Bank; "" none

	ProbeFile      []byte  `yaml:"-"` // what is in the file Probe
	GainCorrection float64 `yaml:"-"` // from the probe's file; 0 means 1
}

func newV2Settings() Settings {
	return &NeuropixelsV2Settings{Shanks: 4, Shank: 1, Bank: "A", Reference: neuropixels.External, Invert: true}
}

var (
	v2References = []string{neuropixels.External, neuropixels.Tip, neuropixels.Ground}
	v2Banks      = neuropixels.V2Four.Banks()
)

// Check wants what a 2.0 probe has.
func (s *NeuropixelsV2Settings) Check() error {
	shanks := cmp.Or(s.Shanks, 4)
	switch {
	case shanks != 1 && shanks != 4:
		return fmt.Errorf("shanks %d: want 1 or 4", s.Shanks)
	case s.Shank < 0 || s.Shank > shanks:
		return fmt.Errorf("shank %d: the probe has %d, counted from 1", s.Shank, shanks)
	case s.Bank != "" && !slices.Contains(v2Banks, s.Bank):
		return fmt.Errorf("bank %q is not known; possible: %s", s.Bank, strings.Join(v2Banks, ", "))
	case s.Reference != "" && !slices.Contains(v2References, s.Reference):
		return fmt.Errorf("reference %q is not known; possible: %s", s.Reference, strings.Join(v2References, ", "))
	case s.GainCorrection != 0 && !(s.GainCorrection > 0 && s.GainCorrection < maxCorrection): // as for 1.0 probes
		return fmt.Errorf("gain correction %v: want more than 0 and less than %d", s.GainCorrection, maxCorrection)
	}
	return nil
}

// v2Values maps codes to values. Source: onix-devices 3.19, 3.20, 3.00.
type v2Values struct {
	gain   float64
	invert bool
	codes  int
	table  []uint16
}

func newV2Values(codes int, s *NeuropixelsV2Settings) *v2Values {
	v := &v2Values{gain: cmp.Or(s.GainCorrection, 1), invert: s.Invert, codes: codes, table: make([]uint16, codes)}
	for code := range v.table {
		v.table[code] = v.exact(uint16(code))
	}
	return v
}

// exact computes the value of a code.
func (v *v2Values) exact(code uint16) uint16 {
	return neuropixels.Corrected(int(code), v.codes, v.gain, v.invert)
}

// neuropixelsV2Decoder makes one row of each super-frame.
type neuropixelsV2Decoder struct {
	core
	layout  *v2Layout
	values  *v2Values
	streams []stream.Stream
	counter frameCounter
	first   int // column of channel 0
}

// v2Kind is the probe of an index on a headstage.
func v2Kind(l *v2Layout, headstage, key, title string, index uint8) Kind {
	return Kind{
		IDs: []uint32{IDPassthrough}, Place: Headstage, Headstages: []string{headstage}, Indices: []uint8{index},
		Key: key, Title: title, Samples: l.bytes, Settings: newV2Settings,
		decoder: func(k *Kind, dev oni.Device, cfg Config) (Decoder, error) { return newV2(l, k, dev, cfg) },
	}
}

func newV2(l *v2Layout, k *Kind, dev oni.Device, cfg Config) (Decoder, error) {
	set := cfg.Settings.(*NeuropixelsV2Settings)
	d := &neuropixelsV2Decoder{
		core:   core{loss: newLossDetector(cfg, v2RateHz), onGap: cfg.OnGap},
		layout: l, values: newV2Values(l.codes, set), counter: frameCounter{frames: v2Frames},
	}
	s := k.newStream(dev, cfg)
	s.RowsPerBatch = v2RowsPerBatch
	if l.counterAt > 0 {
		s.Columns = append(s.Columns, column("FrameCount", stream.Int32, v2RateHz))
	}
	d.first = len(s.Columns)
	for ch := range v2Channels {
		c := column("AmplifierData"+strconv.Itoa(ch), stream.Uint16, v2RateHz)
		c.Unit, c.Scale, c.Offset = "uV", l.scaleUV, float64(l.codes/2)
		s.Columns = append(s.Columns, c)
	}
	s.Columns = append(s.Columns, clockColumn("HubClock", cfg.Hub.ClockHz, v2RateHz), clockColumn("Clock", cfg.AcqClockHz, v2RateHz))
	d.streams = []stream.Stream{s}
	return d, nil
}

func (d *neuropixelsV2Decoder) Streams() []stream.Stream { return d.streams }

func (d *neuropixelsV2Decoder) Decode(f *oni.Frame, out []*Batch) error {
	l := d.layout
	if len(f.Data) < l.bytes {
		return d.refuse(shortSample(d.streams[0].Name, len(f.Data), l.bytes))
	}
	sample, hub := f.Data[:l.bytes], binary.LittleEndian.Uint64(f.Data)
	b := out[0]
	if l.counterAt > 0 {
		count := v2Counter(sample[l.counterAt:])
		d.counted(&d.counter, count, v2CountersAdvance(l, sample), hub, f.Clock)
		d.stats.Rows++
		b.Columns[0] = binary.LittleEndian.AppendUint32(b.Columns[0], count)
	} else {
		d.row(hub, f.Clock)
	}
	columns, table := b.Columns[d.first:d.first+v2Channels], d.values.table
	for ch, off := range l.offset {
		code := binary.LittleEndian.Uint16(sample[off:])
		var value uint16
		if int(code) < len(table) {
			value = table[code]
		} else {
			value = d.values.exact(code)
		}
		columns[ch] = append(columns[ch], byte(value), byte(value>>8))
	}
	clocks := b.Columns[d.first+v2Channels:]
	clocks[0] = append(clocks[0], sample[:8]...) // the hub clock as it is
	clocks[1] = binary.LittleEndian.AppendUint64(clocks[1], f.Clock)
	b.Rows++
	return nil
}

// v2Counter is the counter of a probe frame of the beta. Words that are no
// counter's can make it larger than 20 bits.
func v2Counter(words []byte) uint32 {
	return uint32(binary.LittleEndian.Uint16(words))<<14 | uint32(binary.LittleEndian.Uint16(words[2:]))
}

// v2CountersAdvance reports whether each of the 16 counters is one up.
func v2CountersAdvance(l *v2Layout, sample []byte) bool {
	first := v2Counter(sample[l.counterAt:])
	for i := 1; i < v2Frames; i++ {
		if (v2Counter(sample[l.counterAt+i*l.frame:])-first-uint32(i))&counterMask != 0 {
			return false
		}
	}
	return true
}
