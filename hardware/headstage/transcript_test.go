package headstage_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oniscope/oniscope/hardware/headstage"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
)

// These tests configure a cold simulator, whose model of the boards was written
// apart from this package, from the same manual.

var update = flag.Bool("update", false, "write the transcripts anew")

// A bench is a cold controller and what has to be undone.
type bench struct {
	c    oni.Controller
	undo []func() error
}

func newBench(t *testing.T, cfg sim.Config) *bench {
	t.Helper()
	cfg.Cold = true
	c, err := sim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{c: c}
}

func (b *bench) rig(cfg sim.Config) headstage.Rig {
	rig := headstage.Rig{
		Calibration: sim.Calibration(b.c), CalibrationName: "calibration",
		Sleep: func(ctx context.Context, d time.Duration) error { return sim.Sleep(ctx, b.c, d) },
	}
	for i, key := range cfg.Ports {
		rig.Ports[i].Headstage = key
	}
	return rig
}

func (b *bench) configure(ctx context.Context, rig headstage.Rig) (*headstage.Report, error) {
	return headstage.Configure(ctx, b.c, rig, func(_ string, step func() error) { b.undo = append(b.undo, step) })
}

func (b *bench) leave(t *testing.T) {
	t.Helper()
	for _, step := range slices.Backward(b.undo) {
		if err := step(); err != nil {
			t.Errorf("undo: %v", err)
		}
	}
	b.dark(t)
}

// dark wants 0 V as the last word on both ports, and that nothing was refused.
func (b *bench) dark(t *testing.T) {
	t.Helper()
	last := map[oni.Address]uint32{1: 99, 2: 99}
	for _, a := range sim.Journal(b.c) {
		if a.Kind == "write" && a.Register == 3 && (a.Address == 1 || a.Address == 2) {
			last[a.Address] = a.Value
		}
		if errors.Is(a.Err, sim.ErrRefused) {
			t.Errorf("%v", a)
		}
	}
	for port, v := range last {
		if v != 0 {
			t.Errorf("port %d is left at %d tenths of a volt", port, v)
		}
	}
}

var rigs = map[string]sim.Config{
	"breakout":         {Boards: [2]sim.Board{{SavedDV: 50}, {SavedDV: 33}}},
	"neuropixels-1.0e": {Ports: [2]string{"neuropixels-1.0e"}, Boards: [2]sim.Board{{SavedDV: 50}}},
	"neuropixels-2.0e": {Ports: [2]string{"", "neuropixels-2.0e"}, Boards: [2]sim.Board{{}, {LockDV: 45}}},
	"both-2.0e":        {Ports: [2]string{"neuropixels-2.0e", "neuropixels-2.0e"}},
	"mixed":            {Ports: [2]string{"neuropixels-1.0e", "neuropixels-2.0e"}},
}

// What is configured starts, and every probe sends at its rate.
func TestWhatIsConfiguredRecords(t *testing.T) {
	for name, cfg := range rigs {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, cfg)
			report, err := b.configure(t.Context(), b.rig(cfg))
			if err != nil {
				t.Fatal(err)
			}
			if err := report.Ready(b.c); err != nil {
				t.Fatal(err)
			}
			if err := b.c.Start(); err != nil {
				t.Fatal(err)
			}
			want, got := map[string]int{}, map[string]int{}
			for i, key := range cfg.Ports {
				switch key {
				case "neuropixels-1.0e":
					want[fmt.Sprint(8+i, " 0")] = 3000
				case "neuropixels-2.0e":
					want[fmt.Sprint(8+i, " 0")], want[fmt.Sprint(8+i, " 1")] = 3000, 3000
				}
			}
			var f oni.Frame
			for {
				if err := b.c.ReadInto(&f); err != nil {
					t.Fatal(err)
				}
				if f.Clock >= sim.ClockHz/10 {
					break
				}
				if f.Address == 8 || f.Address == 9 {
					got[fmt.Sprint(uint32(f.Address), " ", f.Data[8])]++
				}
			}
			for probe, n := range want {
				if got[probe] < n-2 || got[probe] > n {
					t.Errorf("address and probe %s: %d samples in 0.1 s, want %d", probe, got[probe], n)
				}
			}
			if len(got) != len(want) {
				t.Errorf("samples of %v, want %v", got, want)
			}
			if err := b.c.Stop(); err != nil {
				t.Fatal(err)
			}
			b.leave(t)
		})
	}
}

// The accesses of a configuration are those of the transcript: a change shows
// in review, register by register. -update writes them anew.
func TestTranscripts(t *testing.T) {
	for name, cfg := range rigs {
		b := newBench(t, cfg)
		if _, err := b.configure(t.Context(), b.rig(cfg)); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b.leave(t)
		got := transcript(sim.Journal(b.c))
		path := filepath.Join("testdata", "transcripts", name+".txt")
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: the configuration is another than in %s:\n%s", name, path, firstDifference(got, string(want)))
		}
	}
}

// transcript writes accesses as lines; bytes of one shift register as one.
func transcript(list []sim.Access) string {
	var b strings.Builder
	for i := 0; i < len(list); {
		a := list[i]
		n := 1
		for i+n < len(list) && a.Kind == "write" && list[i+n].Kind == "write" && list[i+n].Address == a.Address && list[i+n].Register == a.Register && list[i+n].Err == nil && a.Err == nil {
			n++
		}
		if n > 8 {
			fmt.Fprintf(&b, "write %v 0x%04x %d bytes\n", a.Address, a.Register, n)
		} else {
			n = 1
			fmt.Fprintln(&b, a)
		}
		i += n
	}
	return b.String()
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d: %s, want %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// A context that ends at any access ends the configuration, and the ports are
// dark.
func TestACancelAtEveryAccessLeavesThePortsDark(t *testing.T) {
	cfg := rigs["mixed"]
	whole := newBench(t, cfg)
	if _, err := whole.configure(t.Context(), whole.rig(cfg)); err != nil {
		t.Fatal(err)
	}
	n := len(sim.Journal(whole.c))
	step := 1
	if testing.Short() {
		step = 97
	}
	for at := 0; at < n; at += max(step, n/400) {
		b := newBench(t, cfg)
		ctx, cancel := context.WithCancel(t.Context())
		counted := &counting{Controller: b.c, left: at, end: cancel}
		rig := b.rig(cfg)
		_, err := headstage.Configure(ctx, counted, rig, func(_ string, step func() error) { b.undo = append(b.undo, step) })
		cancel()
		if err == nil {
			t.Fatalf("access %d of %d: no error", at, n)
		}
		b.leave(t)
	}
}

// counting ends a context after some accesses.
type counting struct {
	oni.Controller
	left int
	end  func()
}

func (c *counting) tick() {
	if c.left--; c.left < 0 {
		c.end()
	}
}

func (c *counting) ReadRegister(a oni.Address, register uint32) (uint32, error) {
	c.tick()
	return c.Controller.ReadRegister(a, register)
}

func (c *counting) WriteRegister(a oni.Address, register, value uint32) error {
	c.tick()
	return c.Controller.WriteRegister(a, register, value)
}

func (c *counting) Reset() error {
	c.tick()
	return c.Controller.Reset()
}

// Faults of boards are refused in words, with the ports dark.
func TestFaultsOfBoardsAreRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		board sim.Board
		ports [2]string
		want  string
	}{
		{"no lock", sim.Board{Faults: sim.NoLock}, [2]string{"neuropixels-2.0e"}, "no link"},
		{"more voltage than the ceiling", sim.Board{LockDV: 64}, [2]string{"neuropixels-1.0e"}, "no link"},
		{"no EEPROM", sim.Board{Faults: sim.NoEEPROM}, [2]string{"neuropixels-2.0e"}, "EEPROM"},
		{"another headstage", sim.Board{Faults: sim.OtherEEPROM}, [2]string{"neuropixels-1.0e"}, "ID 13"},
		{"no probe", sim.Board{Faults: sim.NoProbeA}, [2]string{"neuropixels-1.0e"}, "probe"},
		{"bad shift registers", sim.Board{Faults: sim.BadShift}, [2]string{"neuropixels-1.0e"}, "shift"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := sim.Config{Ports: c.ports, Boards: [2]sim.Board{c.board}}
			b := newBench(t, cfg)
			_, err := b.configure(t.Context(), b.rig(cfg))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			b.leave(t)
		})
	}
}

// A link that was lost between configuration and start is refused.
func TestALinkThatWasLostIsRefused(t *testing.T) {
	cfg := sim.Config{Ports: [2]string{"neuropixels-2.0e"}, Boards: [2]sim.Board{{Faults: sim.LinkFlags}}}
	b := newBench(t, cfg)
	report, err := b.configure(t.Context(), b.rig(cfg))
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Ready(b.c); !errors.Is(err, headstage.ErrNoLink) {
		t.Errorf("error %v, want ErrNoLink", err)
	}
	b.leave(t)
}
