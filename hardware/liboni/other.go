//go:build !((linux || darwin || windows) && (amd64 || arm64))

package liboni

import (
	"fmt"
	"runtime"

	"github.com/oniscope/oniscope/hardware/oni"
)

// A Controller does not exist on this system.
type Controller struct{ oni.Controller }

// Open fails: liboni can be loaded on Linux, macOS and Windows on 64-bit
// machines (amd64, arm64) only.
func Open(c Config) (*Controller, error) {
	if err := checkDriver(c.Driver); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("liboni: hardware cannot be driven on %s/%s, only on linux, darwin and windows with amd64 or arm64", runtime.GOOS, runtime.GOARCH)
}

// Info is empty.
func (*Controller) Info() Info { return Info{} }

// DeviceName is empty.
func (*Controller) DeviceName(uint32) string { return "" }
