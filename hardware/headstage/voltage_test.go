package headstage

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestCeilings: those of onix-devices 6.0, which are the highest that the search of 6.1
// can come to, but for Headstage-64.
func TestCeilings(t *testing.T) {
	want := map[string]int{
		"headstage-64": 100, "rhs2116": 64, "neuropixels-1.0e": 65, "neuropixels-1.0f": 80, "neuropixels-2.0e": 65, "neuropixels-2.0e-beta": 65,
		"neuropixels-2.0e-rhd2000": 68, "nric1384": 62, "miniscope-v4": 60, "intan-spi": 68,
	}
	for _, k := range kinds {
		if k.ceiling != want[k.key] {
			t.Errorf("%s: ceiling %d, want %d", k.key, k.ceiling, want[k.key])
		}
		delete(want, k.key)
		s := k.supply
		if s.scanDown {
			continue
		}
		highest := s.first
		for highest+s.step <= s.last {
			highest += s.step
		}
		if highest+s.offset > k.ceiling || s.first < floor {
			t.Errorf("%s: the search goes from %d to %d and adds %d, beyond %d to %d", k.key, s.first, highest, s.offset, floor, k.ceiling)
		}
	}
	if len(want) != 0 {
		t.Errorf("no headstage %v", want)
	}
}

// TestOneFunctionWritesVoltages: for every headstage and for none, every integer
// around its limits: 0 and floor to ceiling pass, nothing else reaches the port.
func TestOneFunctionWritesVoltages(t *testing.T) {
	values := []int{math.MinInt32, -100, -1, 0, 1, 5, 32, 33, 34, 110, 111, 255, 256, 1 << 16, math.MaxInt32}
	for _, k := range append([]*kind{nil}, kinds...) {
		name, least, most := "no headstage", 1, 0
		if k != nil {
			name, least, most = k.key, floor, k.ceiling
		}
		for _, dv := range append(slices.Clone(values), most-1, most, most+1) {
			b := newBoard()
			before := b.voltage(0)
			err := writeVoltage(b, portController(0), k, dv)
			allowed := dv == 0 || dv >= least && dv <= most
			switch {
			case allowed && (err != nil || b.voltage(0) != dv || len(b.journal) != 1):
				t.Errorf("%s, %d: %v, the port has %d", name, dv, err, b.voltage(0))
			case !allowed && (!errors.Is(err, ErrVoltage) || b.voltage(0) != before || len(b.journal) != 0):
				t.Errorf("%s, %d: %v, the port has %d after %d accesses", name, dv, err, b.voltage(0), len(b.journal))
			}
		}
	}
}

// TestVoltagesOfRigFiles: for every headstage what a user may write.
func TestVoltagesOfRigFiles(t *testing.T) {
	for _, k := range kinds {
		most := volts(k.ceiling)
		over := volts(k.ceiling + 1)
		for text, want := range map[string]int{
			"": 0, "auto": 0, " auto ": 0, "3.3": 33, "3.30": 33, "3.3000": 33, "4": 40, "4.0": 40, "04.0": 40, most: k.ceiling, most + "0": k.ceiling,
			// refused: -1
			"0": -1, "0.0": -1, "-0": -1, "3.2": -1, "3.29": -1, "3.35": -1, "3.300001": -1, over: -1, most + "1": -1, "11.1": -1, "-3.3": -1, "-5": -1, "+5": -1, "nan": -1, "NaN": -1, ".nan": -1,
			"Inf": -1, "-Inf": -1, ".inf": -1, "infinity": -1, "five": -1, "5V": -1, "5 V": -1, "5,5": -1, "5.": -1, ".5": -1, "5e0": -1, "0x5": -1, "5_0": -1, "5.5.5": -1, "４": -1, "AUTO": -1,
			"999999999999": -1, strings.Repeat("9", 400): -1, "4" + strings.Repeat("0", 30): -1, "4." + strings.Repeat("0", 400): 40,
		} {
			got, err := ParseVoltage(k.key, text)
			if want < 0 && (!errors.Is(err, ErrVoltage) || got != 0) || want >= 0 && (err != nil || got != want) {
				t.Errorf("%s, voltage: %.40q: got %d, %v; want %d", k.key, text, got, err, want)
			}
		}
	}
	if _, err := ParseVoltage("", "5"); !errors.Is(err, ErrVoltage) {
		t.Errorf("without a headstage: %v", err)
	}
}

func FuzzParseVoltage(f *testing.F) {
	for _, text := range []string{"auto", "3.3", "6.5", "10.1", "-1", "NaN", "1e1", "0005.50"} {
		f.Add(text, uint8(0))
	}
	f.Fuzz(func(t *testing.T, text string, kind uint8) {
		k := kinds[int(kind)%len(kinds)]
		dv, err := ParseVoltage(k.key, text)
		if err != nil {
			return
		}
		if dv != 0 && (dv < floor || dv > k.ceiling) {
			t.Errorf("%s: %q gives %d", k.key, text, dv)
		}
		if v, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil && math.Abs(v*10-float64(dv)) > 1e-6 {
			t.Errorf("%s: %q gives %d", k.key, text, dv)
		}
	})
}

// supplied runs the voltage procedure of a kind on port b of a board whose headstage
// locks at lockAt.
func supplied(t *testing.T, k *kind, lockAt, user int) (b *board, voltage, lock int, warnings []string, err error) {
	b = newBoard()
	b.ports[1] = &plugged{lockAt: lockAt, needReset: k.supply.reset}
	rig := b.rigOf(t, "", k.key)
	rig.Ports[1].VoltageDV = user
	up := newBringUp(context.Background(), b, rig, func(string, func() error) {})
	voltage, lock, err = up.supply(1, k, user)
	return b, voltage, lock, up.report.Warnings, err
}

// TestTheSearch: every headstage at every voltage at which its link may lock: the
// result follows from onix-devices 6.1 and 6.3, and no voltage on the way is above the
// ceiling or below the floor.
func TestTheSearch(t *testing.T) {
	for _, k := range kinds {
		for lockAt := 0; lockAt <= 115; lockAt++ {
			b, voltage, lock, _, err := supplied(t, k, lockAt, 0)
			words := b.words(1)
			for _, v := range words {
				if v != 0 && (v < floor || v > k.ceiling) {
					t.Fatalf("%s locks at %d: %d was written in %v", k.key, lockAt, v, words)
				}
			}
			wantVoltage, wantLock := expected(k, lockAt)
			if wantVoltage == 0 {
				if err == nil || voltage != 0 || b.voltage(1) != 0 {
					t.Errorf("%s locks at %d: got %d, %v; the port has %d after %v", k.key, lockAt, voltage, err, b.voltage(1), words)
				}
				continue
			}
			if err != nil || voltage != wantVoltage || lock != wantLock || b.voltage(1) != voltage {
				t.Errorf("%s locks at %d: got %d after a lock at %d, %v; want %d and %d; the port has %d after %v", k.key, lockAt, voltage, lock, err, wantVoltage, wantLock, b.voltage(1), words)
			}
			if len(b.words(0)) != 0 {
				t.Errorf("%s: the other port got %v", k.key, b.words(0))
			}
		}
	}
}

// expected is what the search should find, computed apart from it.
func expected(k *kind, lockAt int) (voltage, lock int) {
	s := k.supply
	switch {
	case s.noLock:
		return s.first, 0
	case lockAt == 0:
		return 0, 0
	case s.scanDown:
		lost := 31
		for v := 65; v >= 33; v -= 2 {
			if v < lockAt {
				lost = v
				break
			}
		}
		final := int(math.Floor(1.4*float64(lost)+1e-9)) + 20
		if lost == 65 || final > 100 {
			return 0, 0
		}
		return final, lost + 2
	}
	for v := s.first; v <= s.last; v += s.step {
		if v >= lockAt {
			return v + s.offset, v
		}
	}
	return 0, 0
}

// TestVoltagesThatAUserGave: written once, after 0, and kept if there is a link.
func TestVoltagesThatAUserGave(t *testing.T) {
	for _, k := range kinds {
		for _, user := range []int{floor, 50, k.ceiling} {
			for _, lockAt := range []int{0, user, user + 1} {
				b, voltage, lock, warnings, err := supplied(t, k, lockAt, user)
				works := lockAt == user || k.supply.noLock
				want := []int{0, user}
				if !works {
					want = append(want, 0)
				}
				if works != (err == nil) || lock != 0 || works && voltage != user || !slices.Equal(b.words(1), want) {
					t.Errorf("%s at %d, locks at %d: got %d (lock %d), %v, after %v, want %v", k.key, user, lockAt, voltage, lock, err, b.words(1), want)
				}
				if tooMuch := k.key == "neuropixels-2.0e-beta" && user > 50; tooMuch != (len(warnings) > 0) {
					t.Errorf("%s at %d: warnings %q", k.key, user, warnings)
				}
			}
		}
		if b, _, _, _, err := supplied(t, k, 33, k.ceiling+1); !errors.Is(err, ErrVoltage) || len(b.words(1)) != 1 || b.voltage(1) != 0 {
			t.Errorf("%s above its ceiling: %v after %v", k.key, err, b.words(1))
		}
	}
}

// TestALinkThatGoesWithTheHigherVoltage: the lock of the search is not enough.
func TestALinkThatGoesWithTheHigherVoltage(t *testing.T) {
	b := newBoard()
	b.plugV2e(0, 33)
	rig := b.rigOf(t, "neuropixels-2.0e", "")
	b.after = func(e event) {
		if e.what == "W" && e.address == 1 && e.register == 3 && e.value == 43 {
			b.ports[0].lockAt = 99
		}
	}
	var undo undoStack
	_, err := Configure(context.Background(), b, rig, undo.add)
	if !errors.Is(err, ErrNoLink) || b.voltage(0) != 0 || !strings.Contains(err.Error(), "at 4.3 V, though there was one at 3.3 V") {
		t.Errorf("got %v, the port has %d", err, b.voltage(0))
	}
}
