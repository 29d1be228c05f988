// Package liboni drives real controllers through the C library liboni, which
// it loads at run time: no C compiler is needed, and a binary without the
// library on its machine works but for hardware.
//
// It is the only package that touches C. Calls go through purego's SyscallN
// with argument slices that are made once, so that a frame costs no allocation.
//
// liboni has asserts that end the whole process. So every call is checked
// against a state kept here before C sees it; what cannot be prevented is a
// malformed frame on the wire, and therefore nothing that makes a recording
// readable may depend on code that runs after the reader.
//
// Threads. liboni allows three groups of calls side by side, each from one
// thread at a time: reading frames; writing frames; registers and options. The
// reader is the caller's one goroutine; each of the others has a mutex here.
//
// Source: onix-devices 1 (liboni 4.6.0).
package liboni

import (
	"fmt"
	"strings"

	"github.com/oniscope/oniscope/hardware/oni"
)

// Config says which controller Open opens.
type Config struct {
	// Driver is the name of liboni's driver library: "riffa" for the PCIe
	// host, "test" for the one without hardware.
	Driver string

	// Library is the file of liboni. "": the file that the environment
	// variable ONISCOPE_LIBONI names, else one next to the program, else the
	// system's.
	Library string

	// Host counts the boards of a driver, from 0; a negative number is the
	// driver's choice.
	Host int
}

// Info says what drives a controller. Texts are empty and numbers 0 where the
// library does not say.
type Info struct {
	Driver        string // as it was asked for: "riffa"
	DriverVersion string // "1.1.0"
	Library       string // the file
	Version       string // of liboni: "4.6.0"
}

// DriverTest is the driver without hardware that comes with liboni. Its
// contexts can be started only once, so each Start but the first makes a new one;
// onix-devices 1.10.
const DriverTest = "test"

// Names in a device table. Source: onix-devices 1.10, 3.4.
const (
	idTest0         = 10
	idMemoryMonitor = 28

	regEnable   = 0
	regTotalMem = 3 // MemoryMonitor, 32-bit words
	regMemUsage = 4
)

// checkDriver refuses what would be a path in the name of a file that C opens.
func checkDriver(name string) error {
	valid := name != "" && len(name) <= 32 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
	if !valid {
		return fmt.Errorf("liboni: driver %q: want a name like riffa or test: lower case letters and digits", name)
	}
	return nil
}

// versionText is major.minor, as hub managers pack it: onix-devices 2.4.
func versionText(v uint32) string { return fmt.Sprintf("%d.%d", v>>8&0xFF, v&0xFF) }

var _ oni.Controller = (*Controller)(nil)
