package rig

import (
	"fmt"
	"slices"
	"strings"
)

// The drivers. There is no default: simulated data must be asked for.
const (
	DriverSim   = "sim"   // simulated data
	DriverRiffa = "riffa" // the PCIe host, through liboni
	DriverTest  = "test"  // liboni without hardware: counters, as fast as they are read
)

// Drivers are all that a rig file can name.
var Drivers = []string{DriverSim, DriverRiffa, DriverTest}

// CheckDriver refuses a driver that is not one of Drivers. from says where one
// would be named, for the message.
func CheckDriver(driver, from string) error {
	switch {
	case driver == "":
		return fmt.Errorf("no driver: say --driver riffa for hardware, --driver sim for simulated data, or driver: in %s", from)
	case !slices.Contains(Drivers, driver):
		return fmt.Errorf("driver %q is not known; possible: %s", driver, strings.Join(Drivers, ", "))
	}
	return nil
}

// The paces and signals of a simulator.
const (
	PaceRealTime = "real-time"
	PaceMax      = "max"

	SignalNeural  = "neural"
	SignalPattern = "pattern"
)

// A choice is a value that is one of some words.
type choice struct {
	key       string
	value     *string
	otherwise string // where the file says nothing
	possible  []string
}

func (r *Rig) choices() []choice {
	return []choice{
		{"driver", &r.Driver, "", Drivers},
		{"signal", &r.Signal, SignalNeural, []string{SignalNeural, SignalPattern}},
		{"pace", &r.Pace, PaceRealTime, []string{PaceRealTime, PaceMax}},
	}
}

// check makes the value the word that it is, however its letters are written.
func (c choice) check() error {
	for _, word := range c.possible {
		if strings.EqualFold(*c.value, word) {
			*c.value = word
			return nil
		}
	}
	return fmt.Errorf("%s %q is not known%s; possible: %s", c.key, *c.value, meant(*c.value, c.possible), strings.Join(c.possible, ", "))
}
