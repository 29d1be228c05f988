//go:build linux && (amd64 || arm64)

package liboni

import (
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
	f := newFake(b)
	c := f.open(b, DriverTest)
	if err := c.SetBlockSizes(8192, 2048); err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	handle, err := open(f.path)
	if err != nil {
		b.Fatal(err)
	}
	version, err := symbol(handle, "oni_version")
	if err != nil {
		b.Fatal(err)
	}
	numbers := new([3]int32)
	args := []uintptr{uintptr(unsafe.Pointer(&numbers[0])), uintptr(unsafe.Pointer(&numbers[1])), uintptr(unsafe.Pointer(&numbers[2]))}
	var frame oni.Frame
	var bare, whole time.Duration
	const turn = 256 // by turns, so that both see the same disturbances
	b.ReportAllocs()
	for n := 0; n < b.N; n += turn {
		t0 := time.Now()
		for range turn {
			purego.SyscallN(version, args...)
		}
		t1 := time.Now()
		for range turn {
			if err := c.ReadInto(&frame); err != nil {
				b.Fatal(err)
			}
		}
		bare += t1.Sub(t0)
		whole += time.Since(t1)
	}
	turns := float64((b.N + turn - 1) / turn * turn)
	b.ReportMetric(float64(bare)/turns, "bare-ns/op")
	b.ReportMetric(float64(whole)/turns, "frame-ns/op")
	b.ReportMetric(float64(whole)/float64(bare), "ratio")
}
