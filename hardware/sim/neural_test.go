package sim_test

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/sim"
)

const probeName = "port-a-neuropixels-1.0e"

// physical returns a column in its unit.
func physical(t testing.TB, d *taken, name string) []float64 {
	t.Helper()
	c, data := d.column(t, name)
	v := make([]float64, d.out.Rows)
	for r := range v {
		v[r] = c.Scale * (float64(number(c, data, r)) - c.Offset)
	}
	return v
}

func ap(t testing.TB, d *taken, ch int) []float64 {
	return physical(t, d, "SpikeData"+strconv.Itoa(ch))
}

func lfp(t testing.TB, d *taken, ch int) []float64 {
	all := physical(t, d, "LfpData"+strconv.Itoa(ch))
	v := make([]float64, 0, len(all)/12)
	for r := 0; r < len(all); r += 12 {
		v = append(v, all[r])
	}
	return v
}

func meanAndDeviation(v []float64) (mean, deviation float64) {
	for _, x := range v {
		mean += x
	}
	mean /= float64(len(v))
	for _, x := range v {
		deviation += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(deviation / float64(len(v)))
}

// noiseOf is the deviation that spikes do not move: from the median of |x|.
func noiseOf(v []float64) float64 {
	abs := make([]float64, len(v))
	for i, x := range v {
		abs[i] = math.Abs(x)
	}
	slices.Sort(abs)
	return abs[len(abs)/2] / 0.6745
}

func correlation(a, b []float64) float64 {
	ma, sa := meanAndDeviation(a)
	mb, sb := meanAndDeviation(b)
	sum := 0.0
	for i := range a {
		sum += (a[i] - ma) * (b[i] - mb)
	}
	return sum / float64(len(a)) / sa / sb
}

func TestNeuralSignalLooksLikeTissue(t *testing.T) {
	streams := take(t, start(t, rig(sim.Neural)), 3*sim.ClockHz, nil)
	probe := streams[probeName]

	t.Run("every channel has noise of some microvolts around zero, the reference hardly any", func(t *testing.T) {
		for ch := range 384 {
			v := ap(t, probe, ch)
			mean, _ := meanAndDeviation(v)
			noise := noiseOf(v)
			if ch == 191 {
				if noise > 4 {
					t.Errorf("reference: noise %.1f uV", noise)
				}
			} else if math.Abs(mean) > 2 || noise < 4 || noise > 14 {
				t.Errorf("AP %d: mean %.1f uV, noise %.1f uV", ch, mean, noise)
			}
		}
	})

	t.Run("spikes stand out on some channels next to each other and nowhere else", func(t *testing.T) {
		troughs := make([]int, 384)
		strongest := 0
		for ch := range 384 {
			v := ap(t, probe, ch)
			for i := 1; i+1 < len(v); i++ {
				if v[i] < -80 && v[i] <= v[i-1] && v[i] < v[i+1] {
					troughs[ch]++
				}
			}
			if ch > 60 && ch < 320 && troughs[ch] > troughs[strongest] {
				strongest = ch
			}
		}
		active := 0
		for _, n := range troughs {
			if n >= 3 {
				active++
			}
		}
		if active < 40 || active > 300 || troughs[strongest] < 15 {
			t.Fatalf("%d channels with spikes, %d on channel %d", active, troughs[strongest], strongest)
		}
		// The mean around the troughs of that channel, there and elsewhere.
		at := func(ch int) (trough, late float64) {
			own, v, n := ap(t, probe, strongest), ap(t, probe, ch), 0
			for i := 100; i+100 < len(own); i++ {
				if own[i] < -80 && own[i] <= own[i-1] && own[i] < own[i+1] {
					trough, late, n = trough+v[i], late+v[i+90], n+1
				}
			}
			return trough / float64(n), late / float64(n)
		}
		trough, late := at(strongest)
		if trough > -80 || math.Abs(late) > 15 {
			t.Errorf("mean spike of %.0f uV, %.1f uV 3 ms later", trough, late)
		}
		beside := 0
		for d := -3; d <= 3; d++ {
			if trough, _ := at(strongest + d); d != 0 && trough < -15 {
				beside++
			}
		}
		if beside < 2 {
			t.Errorf("the spikes of channel %d are seen on %d of the six next to it", strongest, beside)
		}
		for _, d := range []int{-50, 50} {
			if trough, _ := at(strongest + d); math.Abs(trough) > 12 {
				t.Errorf("and on channel %d with %.1f uV", strongest+d, trough)
			}
		}
	})

	t.Run("no stretch of a second comes twice", func(t *testing.T) {
		v := ap(t, probe, 191+40)[:30000]
		_, deviation := meanAndDeviation(v)
		for i := range v { // spikes of one unit do resemble each other
			v[i] = math.Max(-3*deviation, math.Min(3*deviation, v[i]))
		}
		for lag := 60; lag < 15000; lag++ {
			sum, power := 0.0, 0.0
			for i := 0; i+lag < len(v); i += 2 {
				sum += v[i] * v[i+lag]
				power += v[i] * v[i]
			}
			if c := sum / power; c > 0.2 {
				t.Fatalf("the second resembles itself %d samples later: %.2f", lag, c)
			}
		}
	})

	t.Run("the LFP has a rhythm near 8 Hz that turns over along the probe", func(t *testing.T) {
		v := lfp(t, probe, 5)
		_, deviation := meanAndDeviation(v)
		if deviation < 80 || deviation > 800 {
			t.Errorf("deviation %.0f uV", deviation)
		}
		power := func(from, to float64) (sum float64) {
			for hz := from; hz < to; hz += 0.25 {
				var re, im float64
				for i, x := range v {
					phase := 2 * math.Pi * hz * float64(i) / 2500
					re, im = re+x*math.Cos(phase), im+x*math.Sin(phase)
				}
				sum += (re*re + im*im) / ((to - from) / 0.25)
			}
			return sum
		}
		if theta, above := power(6, 9), power(20, 30); theta < 20*above {
			t.Errorf("power near 8 Hz is only %.1f times that near 25 Hz", theta/above)
		}
		if c := correlation(v, lfp(t, probe, 9)); c < 0.9 {
			t.Errorf("neighbours correlate with %.2f", c)
		}
		if c := correlation(v, lfp(t, probe, 380)); c > -0.2 {
			t.Errorf("the ends of the probe correlate with %.2f", c)
		}
	})

	t.Run("the breakout board measures something plausible", func(t *testing.T) {
		percent, data := streams["memory-monitor"].column(t, "BytesUsed")
		for r := range streams["memory-monitor"].out.Rows {
			if used := number(percent, data, r); used <= 0 || used > 500e6 {
				t.Errorf("memory: %d bytes used", used)
			}
		}
		for ch, span := range []float64{1.2, 2, 0.1} {
			v := physical(t, streams["analog-io"], "AnalogData"+strconv.Itoa(ch))
			if got := slices.Max(v) - slices.Min(v); got < span || got > 6 {
				t.Errorf("analog %d spans %.2f V", ch, got)
			}
		}
		c, codes := streams["analog-io"].column(t, "AnalogData7")
		for r := range streams["analog-io"].out.Rows {
			if code := number(c, codes, r); code&3 != 0 || code < -500 || code > 500 {
				t.Fatalf("analog 7: code %d", code)
			}
		}
		digital := streams["digital-io"]
		c, inputs := digital.column(t, "DigitalInputs")
		b, buttons := digital.column(t, "Buttons")
		seen := int64(0)
		for r := 1; r < digital.out.Rows; r++ {
			changed := number(c, inputs, r) ^ number(c, inputs, r-1)
			if changed == 0 && number(b, buttons, r) == number(b, buttons, r-1) {
				t.Errorf("digital row %d: nothing changed", r)
			}
			seen |= changed
		}
		if seen != 0b1111 {
			t.Errorf("pins that changed: %04b", seen)
		}
	})

	t.Run("nothing is lost on the way", func(t *testing.T) {
		for name, d := range streams {
			if s := d.dec.Stats(); s.Lost+s.Faults+s.BadFrames != 0 {
				t.Errorf("%s: %+v", name, s)
			}
		}
	})
}

func TestMicrovoltsDoNotDependOnTheGain(t *testing.T) {
	noise := func(gain int) (uv float64) {
		cfg := rig(sim.Neural)
		set := &device.NeuropixelsV1eSettings{GainAP: gain}
		cfg.Settings = map[string]device.Settings{"port-a/neuropixels-1.0e": set}
		got := take(t, start(t, cfg), sim.ClockHz/5, func(c *device.Config) {
			if c.Headstage != "" {
				c.Settings = set
			}
		})
		for ch := range 100 {
			uv += noiseOf(ap(t, got[probeName], ch)) / 100
		}
		return uv
	}
	if a, b := noise(1000), noise(3000); math.Abs(a-b) > 0.1*b {
		t.Errorf("noise is %.2f uV at gain 1000 and %.2f uV at gain 3000", a, b)
	}
}
