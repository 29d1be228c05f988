package headstage

import "time"

// A kind is one kind of headstage: what its supply may be, how that is found,
// and how it is brought up.
type kind struct {
	key         string // in a rig file
	title       string
	passthrough bool // it has no hub; its data come from the DS90UB9x device of the port
	ceiling     int  // of the port's voltage, dV; onix-devices 6.0
	supply      supply

	// bringUp writes the registers of the headstage, after the link is there
	// and before the reset that latches them. nil: not in this version.
	bringUp func(*bringUp, int) error
}

// A supply says how the voltage of a port is found and when a link may be
// expected. Source: onix-devices 6.1, 6.3.
type supply struct {
	first, last, step int // of the search, dV
	offset            int // added to the voltage at which the link locked, dV
	dark              time.Duration
	settle            time.Duration
	reset             bool // the link shows only after a reset of the host
	scanDown          bool // from above until the lock is lost, as Headstage-64 needs it
	noLock            bool // no link before more was programmed

	comfort int // a user's value above it deserves a warning, dV; 0: none does
}

const milli = time.Millisecond

// floor is the least voltage of a port other than 0, dV. Source: onix-devices 2.9, 6.0.
const floor = 33

// kinds are all headstages that a port may be supplied for. The ceilings are
// the highest that the search can come to, but for Headstage-64.
// Source: onix-devices 6.0, 6.1.
var kinds = []*kind{
	{key: "neuropixels-1.0e", title: "Neuropixels 1.0e", passthrough: true, ceiling: 65, bringUp: (*bringUp).neuropixelsV1e,
		supply: supply{first: 33, last: 55, step: 2, offset: 10, dark: 200 * milli, settle: 200 * milli}},
	{key: "neuropixels-2.0e", title: "Neuropixels 2.0e", passthrough: true, ceiling: 65, bringUp: (*bringUp).neuropixelsV2e,
		supply: supply{first: 33, last: 55, step: 2, offset: 10, dark: 200 * milli, settle: 200 * milli}},
	{key: "neuropixels-2.0e-beta", title: "Neuropixels 2.0e-Beta", passthrough: true, ceiling: 65,
		supply: supply{first: 33, last: 55, step: 2, offset: 10, dark: 200 * milli, settle: 200 * milli, comfort: 50}},
	{key: "neuropixels-2.0e-rhd2000", title: "Neuropixels 2.0e with RHD2000", passthrough: true, ceiling: 68,
		supply: supply{first: 40, last: 60, step: 1, offset: 8, dark: 200 * milli, settle: 200 * milli}},
	{key: "neuropixels-1.0f", title: "Neuropixels 1.0f", ceiling: 80,
		supply: supply{first: 50, last: 70, step: 2, offset: 10, dark: 300 * milli, settle: 500 * milli}},
	{key: "headstage-64", title: "Headstage-64", ceiling: 100,
		supply: supply{dark: time.Second, settle: 200 * milli, scanDown: true}},
	{key: "rhs2116", title: "RHS2116", ceiling: 64,
		supply: supply{first: 33, last: 43, step: 2, offset: 20, dark: 500 * milli, settle: 500 * milli, reset: true}},
	{key: "nric1384", title: "Nric1384", ceiling: 62,
		supply: supply{first: 38, last: 54, step: 2, offset: 7, dark: 500 * milli, settle: 500 * milli, reset: true}},
	{key: "miniscope-v4", title: "UCLA Miniscope V4", passthrough: true, ceiling: 60,
		supply: supply{first: 55, last: 55, step: 1, dark: 400 * milli, settle: 400 * milli, noLock: true}},
	{key: "intan-spi", title: "Intan SPI adapter", passthrough: true, ceiling: 68,
		supply: supply{first: 40, last: 60, step: 1, offset: 8, dark: 200 * milli, settle: 200 * milli}},
}

func kindOf(key string) *kind {
	for _, k := range kinds {
		if k.key == key {
			return k
		}
	}
	return nil
}

// Kinds are the keys of all headstages that can be named for a port, those that
// Configure brings up first.
func Kinds() []string {
	var keys []string
	for _, wanted := range []bool{true, false} {
		for _, k := range kinds {
			if (k.bringUp != nil) == wanted {
				keys = append(keys, k.key)
			}
		}
	}
	return keys
}

// Supported reports whether Configure brings a headstage up. The others are
// known, and refused.
func Supported(key string) bool {
	k := kindOf(key)
	return k != nil && k.bringUp != nil
}

// Passthrough reports whether the data of a headstage come from the DS90UB9x
// device of its port instead of a hub of its own.
func Passthrough(key string) bool {
	k := kindOf(key)
	return k != nil && k.passthrough
}
