//go:build linux && (amd64 || arm64)

package liboni

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/hardware/oni"
)

// resident is the process's memory in bytes.
func resident(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("no /proc/self/statm")
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

func TestAMillionFramesKeepNoMemory(t *testing.T) {
	c := newFake(t).open(t, DriverTest)
	if err := errors.Join(c.SetBlockSizes(65536, 2048), c.Start()); err != nil {
		t.Fatal(err)
	}
	var frame oni.Frame
	first := int64(0)
	for i := range 1_000_000 {
		if i == 100_000 {
			first = resident(t)
		}
		if err := c.ReadInto(&frame); err != nil {
			t.Fatal(err)
		}
	}
	if grown := resident(t) - first; grown > 4<<20 {
		t.Errorf("%d bytes more after a million frames than after the first 100 000", grown)
	}
}

func TestAFrameCostsNoAllocation(t *testing.T) {
	c := newFake(t).open(t, DriverTest)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var frame oni.Frame
	if n := testing.AllocsPerRun(10_000, func() {
		if err := c.ReadInto(&frame); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
