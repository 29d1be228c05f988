//go:build linux && (amd64 || arm64)

package liboni

import (
	"errors"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"

	"github.com/oniscope/oniscope/hardware/oni"
)

// BenchmarkReadInto measures reading, copying and destroying a frame, and in
// the same run one bare call of the library: "ratio" is the first in units of
// the second; onix-devices 1.12.
func BenchmarkReadInto(b *testing.B) {
	m := newMeasure(b)
	b.ReportAllocs()
	var bare, whole time.Duration
	for n := 0; n < b.N; n += turn {
		t0, t1 := m.turn(b)
		bare, whole = bare+t0, whole+t1
	}
	calls := float64((b.N + turn - 1) / turn * turn)
	b.ReportMetric(float64(bare)/calls, "bare-ns/op")
	b.ReportMetric(float64(whole)/calls, "frame-ns/op")
	b.ReportMetric(float64(whole)/float64(bare), "ratio")
}

// mostCalls is what a frame may cost, in bare calls.
const mostCalls = 3.5

func TestAFrameCostsLittleMoreThanItsCalls(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector slows Go down, and C not")
	}
	m := newMeasure(t)
	ratios := make([]float64, 101)
	for i := range ratios {
		bare, whole := m.turn(t)
		ratios[i] = float64(whole) / float64(bare)
	}
	slices.Sort(ratios)
	if median := ratios[len(ratios)/2]; median > mostCalls {
		t.Errorf("reading, copying and destroying a frame costs %.1f bare calls, want at most %.1f", median, mostCalls)
	}
}

// turn is how many calls are measured at a time: by turns, so that both see the
// same disturbances.
const turn = 256

// A measure is a board without hardware, and a function of its library that does
// next to nothing.
type measure struct {
	c     *Controller
	bare  uintptr
	args  []uintptr
	frame oni.Frame
}

func newMeasure(t testing.TB) *measure {
	f := newFake(t)
	m := &measure{c: f.open(t, DriverTest)}
	if err := errors.Join(m.c.SetBlockSizes(8192, 2048), m.c.Start()); err != nil {
		t.Fatal(err)
	}
	handle, err := open(f.path)
	if err != nil {
		t.Fatal(err)
	}
	if m.bare, err = symbol(handle, "oni_version"); err != nil {
		t.Fatal(err)
	}
	numbers := new([3]int32)
	m.args = []uintptr{uintptr(unsafe.Pointer(&numbers[0])), uintptr(unsafe.Pointer(&numbers[1])), uintptr(unsafe.Pointer(&numbers[2]))}
	return m
}

// turn returns how long bare calls took, and frames.
func (m *measure) turn(t testing.TB) (bare, whole time.Duration) {
	t0 := time.Now()
	for range turn {
		purego.SyscallN(m.bare, m.args...)
	}
	t1 := time.Now()
	for range turn {
		if err := m.c.ReadInto(&m.frame); err != nil {
			t.Fatal(err)
		}
	}
	return t1.Sub(t0), time.Since(t1)
}
