package sim_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/sim"
	"github.com/oniscope/oniscope/shared/stream"
)

// formulas are those of a stream's columns in the signal Pattern, by member.
type formulas map[string]func(r, c int64) int64

// The formulas of testdata/samples/README.md, written down a second time.
func fastFormula(codes int64) func(r, c int64) int64 {
	return func(r, c int64) int64 { return (3*r + 37*c + 5*(r/1024)) % codes }
}

func slowFormula(codes int64) func(r, c int64) int64 {
	return func(r, c int64) int64 { k := r / 12; return (5*k + 11*c + 7*(k/1024) + 512) % codes }
}

// with adds the clocks of a device that is sampled at S(r), stamped L later, on a
// hub of that rate.
func (f formulas) with(sampled func(r int64) int64, latency, hubHz int64) formulas {
	f["HubClock"] = func(r, _ int64) int64 { // exact: the product has 66 bits
		s := sampled(r)
		return 10000000000 + s/sim.ClockHz*hubHz + s%sim.ClockHz*hubHz/sim.ClockHz
	}
	f["Clock"] = func(r, _ int64) int64 { return sampled(r) + latency + 5*r%16 }
	return f
}

func thirtyKHz(r int64) int64 { return r * 25000 / 3 }

// inverted is what the decoder makes of a code of a 2.0 probe.
func inverted(codes int64) func(r, c int64) int64 {
	return func(r, c int64) int64 { return codes - fastFormula(codes)(r, c) }
}

func counterOf(step int64) func(r, c int64) int64 {
	return func(r, _ int64) int64 { return step * r % 1048576 }
}

// codeOf is value c of a sample of the orientation sensor.
func codeOf(c int64, scale float32) func(r, _ int64) int64 {
	return func(r, _ int64) int64 {
		code := (7*r+311*c+5*(r/4096))%65536 - 32768
		return int64(math.Float32bits(float32(code) * scale))
	}
}

func orientation(address int64, hubHz int64) formulas {
	f := formulas{
		"Temperature": func(r, _ int64) int64 { return r % 256 },
		"Calibration": func(r, _ int64) int64 { return r / 256 % 256 },
	}
	for i, name := range []string{
		"EulerAngle_Yaw", "EulerAngle_Pitch", "EulerAngle_Roll", "Quaternion_W", "Quaternion_X", "Quaternion_Y", "Quaternion_Z",
		"Acceleration_X", "Acceleration_Y", "Acceleration_Z", "Gravity_X", "Gravity_Y", "Gravity_Z",
	} {
		scale := float32(0.01)
		switch {
		case i < 3:
			scale = 1.0 / 16
		case i < 7:
			scale = 1.0 / 16384
		}
		f[name] = codeOf(int64(i), scale)
	}
	return f.with(func(r int64) int64 { return r * 2500000 }, 200+20*address, hubHz)
}

func pulses(address, hubHz int64) formulas {
	return formulas{
		"SensorIndex":   func(r, _ int64) int64 { return r % 24 },
		"EnvelopeType":  func(r, _ int64) int64 { return r%10 - 1 },
		"EnvelopeWidth": func(r, _ int64) int64 { return int64(math.Float64bits(float64(1000+7*r%9000) * 1e6 / float64(hubHz))) },
	}.with(func(r int64) int64 { return r * 625000 }, 200+20*address, hubHz)
}

func v1Formulas() formulas {
	return formulas{"LfpData": slowFormula(1024), "SpikeData": fastFormula(1024), "FrameCount": counterOf(13)}
}

func intan2116(address int64) formulas {
	f := formulas{"AmplifierData": fastFormula(65536), "DCData": slowFormula(1024), "RecoveryMask": func(r, _ int64) int64 { return r % 65536 }}
	return f.with(func(r int64) int64 { return r * 8280 }, 200+20*address, 50e6)
}

// Every headstage plays all of its devices; the pattern follows the formulas.
func TestEveryHeadstagePlaysItsPattern(t *testing.T) {
	const a, b, ticks = 0x100, 0x200, sim.ClockHz / 2
	played := map[string]bool{}
	for _, c := range []struct {
		ports [2]string
		want  map[string]formulas
	}{
		{[2]string{device.HeadstageNeuropixelsV2e, device.HeadstageNeuropixelsV2eBeta}, map[string]formulas{
			"port-a-neuropixels-2.0e-probe-a":      formulas{"AmplifierData": inverted(4096)}.with(thirtyKHz, 100, 250e6),
			"port-a-neuropixels-2.0e-probe-b":      formulas{"AmplifierData": inverted(4096)}.with(thirtyKHz, 107, 250e6),
			"port-b-neuropixels-2.0e-beta-probe-a": formulas{"AmplifierData": inverted(16384), "FrameCount": counterOf(16)}.with(thirtyKHz, 120, 250e6),
			"port-b-neuropixels-2.0e-beta-probe-b": formulas{"AmplifierData": inverted(16384), "FrameCount": counterOf(16)}.with(thirtyKHz, 127, 250e6),
		}},
		{[2]string{device.HeadstageHS64, device.HeadstageRhs2116}, map[string]formulas{
			"port-a-rhd2164":   formulas{"AmplifierData": fastFormula(65536), "AuxData": slowFormula(65536)}.with(thirtyKHz, 200+20*a, 42e6),
			"port-a-bno055":    orientation(a+1, 42e6),
			"port-a-ts4231":    pulses(a+2, 42e6),
			"port-b-rhs2116-a": intan2116(b),
			"port-b-rhs2116-b": intan2116(b + 1),
			"port-b-rhs2116-trigger": formulas{
				"Origin": func(_, _ int64) int64 { return 1 },
				"Status": func(_, _ int64) int64 { return 1 },
				"Delay":  func(r, _ int64) int64 { return int64(math.Float64bits(1e6 * float64(r%1048576) / 30193.2367151)) },
			}.with(func(r int64) int64 { return 62500000 + r*500000000 }, 200+20*(b+2), 50e6),
		}},
		{[2]string{device.HeadstageNeuropixelsV1f, device.HeadstageNric1384}, map[string]formulas{
			"port-a-neuropixels-1.0f-probe-a": v1Formulas().with(thirtyKHz, 200+20*a, 42e6),
			"port-a-neuropixels-1.0f-probe-b": v1Formulas().with(thirtyKHz, 200+20*(a+1), 42e6),
			"port-a-bno055":                   orientation(a+2, 42e6),
			"port-a-ts4231":                   pulses(a+3, 42e6),
			"port-b-nric1384":                 v1Formulas().with(thirtyKHz, 200+20*b, 42e6),
			"port-b-bno055":                   orientation(b+1, 42e6),
		}},
	} {
		got := take(t, start(t, sim.Config{Ports: c.ports}), ticks, nil)
		for name := range got {
			if strings.HasPrefix(name, "port-") && !strings.HasSuffix(name, "-status") && c.want[name] == nil {
				t.Errorf("%v: a stream %s", c.ports, name)
			}
		}
		for name, want := range c.want {
			d := got[name]
			if d == nil {
				t.Errorf("%v: no stream %s", c.ports, name)
				continue
			}
			played[name[len("port-a-"):]] = true
			rows := 0
			for want["Clock"](int64(rows), 0) < ticks {
				rows++
			}
			if want["LfpData"] != nil {
				rows = rows / 12 * 12
			}
			if d.out.Rows != rows {
				t.Errorf("%s: %d rows, want %d", name, d.out.Rows, rows)
			}
			if s := d.dec.Stats(); s.Lost+s.Faults+s.BadFrames != 0 {
				t.Errorf("%s: stats %+v", name, s)
			}
			want.check(t, name, d)
		}
	}
	for _, k := range device.Kinds() {
		if k.Headstages != nil && k.Key != "neuropixels-1.0e" && !played[k.Key] {
			t.Errorf("nothing plays %s here", k.Key)
		}
	}
}

// check compares every value with its formula.
func (f formulas) check(t *testing.T, name string, d *taken) {
	t.Helper()
	cols := d.stream.Columns
	for i := range cols {
		formula, channel := f[cols[i].Name], 0
		if formula == nil {
			_, _, channel = stream.Label(cols[i].Name)
			formula = f[strings.TrimRight(cols[i].Name, "0123456789")]
		}
		if formula == nil {
			t.Errorf("%s: no formula for %s", name, cols[i].Name)
			continue
		}
		for r := range d.out.Rows {
			if got, want := number(&cols[i], d.out.Columns[i], r), formula(int64(r), int64(channel)); got != want {
				t.Fatalf("%s %s row %d is %d, want %d", name, cols[i].Name, r, got, want)
			}
		}
	}
}

// In the signal Neural spikes go down and are of tens to hundreds of microvolts
// on every amplifier, and the noise of the sum of both bands is that of tissue.
func TestEveryAmplifierSeesTissue(t *testing.T) {
	for _, ports := range [][2]string{
		{device.HeadstageNeuropixelsV2e, device.HeadstageNeuropixelsV2eBeta},
		{device.HeadstageHS64, device.HeadstageRhs2116},
		{device.HeadstageNeuropixelsV1f, device.HeadstageNric1384},
	} {
		for name, d := range take(t, start(t, sim.Config{Seed: 3, Signal: sim.Neural, Ports: ports}), sim.ClockHz/2, nil) {
			member := "AmplifierData"
			if d.stream.Column("SpikeData0") >= 0 {
				member = "SpikeData"
			} else if d.stream.Column("AmplifierData0") < 0 {
				continue
			}
			quietest, loudest, deepest, highest, wide := math.Inf(1), 0.0, 0.0, 0.0, 0.0
			for i := range d.stream.Columns {
				c := &d.stream.Columns[i]
				_, _, ch := stream.Label(c.Name)
				if !strings.HasPrefix(c.Name, member) || len(d.stream.Columns) > 300 && ch%3 > 0 || strings.Contains(name, "1.0f") && ch == 191 {
					continue
				}
				v := physical(t, d, c.Name)
				_, deviation := meanAndDeviation(v)
				wide = math.Max(wide, deviation)
				fast := make([]float64, 0, len(v)) // without the LFP
				for r := 12; r+12 < len(v); r++ {
					fast = append(fast, v[r]-(v[r-12]+v[r+12])/2)
				}
				noise := noiseOf(fast)
				quietest, loudest = math.Min(quietest, noise), math.Max(loudest, noise)
				for _, x := range fast {
					deepest, highest = math.Min(deepest, x), math.Max(highest, x)
				}
			}
			if quietest < 4 || loudest > 25 {
				t.Errorf("%s: noise of channels %.1f to %.1f uV", name, quietest, loudest)
			}
			if deepest > -100 || deepest < -900 || highest > -deepest {
				t.Errorf("%s: from %.0f to %.0f uV", name, deepest, highest)
			}
			if member == "AmplifierData" && (wide < 60 || wide > 600) {
				t.Errorf("%s: the LFP is missing, or too large: deviation %.0f uV", name, wide)
			}
		}
	}
}

// The orientation is a turn, gravity is that of the turned head, and the pulses
// are the rounds of two base stations.
func TestAHeadstageKnowsWhereItIs(t *testing.T) {
	got := take(t, start(t, sim.Config{Signal: sim.Neural, Ports: [2]string{device.HeadstageHS64}}), 20*sim.ClockHz, func(c *device.Config) {
		c.AcqClockHz = sim.ClockHz
	})
	value := func(d *taken, name string, r int) float64 {
		c, data := d.column(t, name)
		return float64(math.Float32frombits(uint32(number(c, data, r))))
	}
	head := got["port-a-bno055"]
	lowest, highest := math.Inf(1), math.Inf(-1)
	for r := range head.out.Rows {
		norm, gravity := 0.0, 0.0
		for _, name := range []string{"Quaternion_W", "Quaternion_X", "Quaternion_Y", "Quaternion_Z"} {
			norm += math.Pow(value(head, name, r), 2)
		}
		for _, name := range []string{"Gravity_X", "Gravity_Y", "Gravity_Z"} {
			gravity += math.Pow(value(head, name, r), 2)
		}
		if math.Abs(norm-1) > 1e-3 || math.Abs(math.Sqrt(gravity)-9.81) > 0.02 {
			t.Fatalf("row %d: quaternion of length %.4f, gravity %.2f m/s^2", r, math.Sqrt(norm), math.Sqrt(gravity))
		}
		pitch := value(head, "EulerAngle_Pitch", r)
		lowest, highest = math.Min(lowest, pitch), math.Max(highest, pitch)
	}
	if highest-lowest < 15 || highest-lowest > 165 {
		t.Errorf("the head nods from %.0f to %.0f degrees", lowest, highest)
	}
	light := got["port-a-ts4231"]
	kind, kinds := light.column(t, "EnvelopeType")
	clock, clocks := light.column(t, "HubClock")
	for r := 0; r+12 <= light.out.Rows; r += 12 {
		for i, want := range []int64{0, 4, 8, 1, 5, 8, 4, 0, 8, 5, 1, 8} {
			if got := number(kind, kinds, r+i); got != want {
				t.Fatalf("pulse %d is of type %d, want %d", r+i, got, want)
			}
		}
		if span := number(clock, clocks, r+11) - number(clock, clocks, r); span > 42e6*2/60 {
			t.Fatalf("the round of pulse %d takes %d ticks", r, span)
		}
	}
	if light.out.Rows < 7000 {
		t.Errorf("%d pulses", light.out.Rows)
	}
}

// A probe-interface file decides which channels are neighbours.
func TestSpikesFollowTheElectrodes(t *testing.T) {
	set := &device.NeuropixelsV2Settings{Shanks: 4, Shank: 3, Bank: "B", Reference: "external", Invert: true}
	cfg := sim.Config{Signal: sim.Neural, Seed: 5, Ports: [2]string{device.HeadstageNeuropixelsV2e}, Settings: map[string]device.Settings{"port-a/neuropixels-2.0e-probe-a": set}}
	d := take(t, start(t, cfg), sim.ClockHz, nil)["port-a-neuropixels-2.0e-probe-a"]
	electrodes, err := set.Electrodes()
	if err != nil {
		t.Fatal(err)
	}
	channelOf := map[int]int{}
	for ch, e := range electrodes {
		channelOf[e] = ch
	}
	fast := func(ch int) []float64 {
		v := physical(t, d, "AmplifierData"+strconv.Itoa(ch))
		for r := len(v) - 1; r >= 24; r-- {
			v[r] -= v[r-24]
		}
		return v[24:]
	}
	// At the deepest trough of a channel, the next electrodes of the shank show it too.
	seen, strong := 0, 0
	for ch, e := range electrodes {
		v := fast(ch)
		at := 0
		for r := range v {
			if v[r] < v[at] {
				at = r
			}
		}
		next, ok := channelOf[e+2] // the same column, 15 um up
		if v[at] > -150 || !ok {
			continue
		}
		strong++
		if fast(next)[at] < 0.3*v[at] {
			seen++
		}
	}
	if strong < 20 || float64(seen) < 0.85*float64(strong) {
		t.Errorf("of %d strong spikes %d are seen by the next electrode", strong, seen)
	}
}

// A dropped sample of one of two probes is a gap of that probe.
func TestADropIsSeenByTheRightProbe(t *testing.T) {
	cfg := sim.Config{Ports: [2]string{device.HeadstageNeuropixelsV2e}, Faults: []sim.Fault{{Kind: sim.Drop, At: sim.ClockHz / 10, Address: 8, Count: 5}}}
	var gaps []device.Gap
	take(t, start(t, cfg), sim.ClockHz/5, func(c *device.Config) {
		if c.Headstage != "" {
			c.OnGap = func(g device.Gap) { gaps = append(gaps, g) }
		}
	})
	if len(gaps) != 2 || gaps[0].Lost+gaps[1].Lost != 5 || gaps[0].Stream == gaps[1].Stream {
		t.Errorf("gaps %+v", gaps)
	}
}
