package sim

import "github.com/oniscope/oniscope/hardware/device"

// The registers of the devices of host and breakout board, as data: which there
// are, what may be done with them, what they hold after power-up, when a value
// that is written works, and what a RESET does to it. A register that is not here
// is not acknowledged.
//
// Source: onix-devices 2.4, 2.8, 2.9, 2.10, 3.1 to 3.7.

// An access is what may be done with a register; anything else is not
// acknowledged.
type access uint8

const (
	read  access = 1
	write access = 2
	both         = read | write
)

// An effect is when a value that was written works.
type effect uint8

const (
	atOnce  effect = iota
	atReset        // latched by the next RESET; until then what it was stays
)

// A row is a register, or some that follow each other.
type row struct {
	first, last uint32 // last 0: first alone
	access      access
	powerUp     uint32
	effect      effect
	cleared     bool   // a RESET makes it 0; all others keep what was written
	least       uint32 // smaller values are not acknowledged
}

// A memory monitor falls back to defaultDivider, 1 kHz, from a divider below
// smallestDivider. Source: onix-devices 3.4, 3.1.
const (
	smallestDivider = ClockHz / 10_000_000
	defaultDivider  = ClockHz / 1000
)

// unspecified is what ENABLE holds after power-up, which the reference leaves to
// the implementation: 1 catches who does not write it.
const unspecified = 1

// hostRegisters are those of the devices of hub 0, by device ID.
var hostRegisters = map[uint32][]row{
	device.IDPersistentHeartbeat: {
		{first: regEnable, access: read, powerUp: 1},
		{first: regClockDiv, access: both, powerUp: defaultDivider, least: smallestDivider},
		{first: regClockHz, access: read, powerUp: ClockHz},
		{first: 3, access: read, powerUp: 10}, // MIN_HB_HZ
	},
	device.IDPortController: {
		{first: regEnable, access: both, powerUp: unspecified, effect: atReset},
		{first: portGPO, access: both, cleared: true},
		{first: portPower, access: both, powerUp: 1},
		{first: portVoltage, access: both}, // the saved value
		{first: portSave, access: write},
		{first: portState, access: read},
		{first: portOptions, access: both},
		{first: portFlags, access: both},
	},
	device.IDOutputClock: {
		{first: regEnable, access: read},
		{first: 1, access: both},                      // EN
		{first: 2, last: 3, access: both, powerUp: 1}, // H, L
		{first: 4, access: both, effect: atReset},     // DELAY
		{first: 5, access: both, powerUp: 1},          // GATEWRUN
		{first: 6, access: read, powerUp: ClockHz},    // BASEFREQ
	},
	device.IDAnalogIO: {
		{first: regEnable, access: both, powerUp: unspecified, effect: atReset},
		{first: 1, access: both}, // CHDIR
		{first: regInputRange, last: regInputRange + 11, access: both, effect: atReset},
	},
	device.IDDigitalIO: {
		{first: regEnable, access: both, powerUp: unspecified, effect: atReset},
		{first: 1, access: both, powerUp: 3},                  // LEDMODE
		{first: 2, access: both, powerUp: 3, effect: atReset}, // LEDLVL
		{first: 3, last: 4, access: both, effect: atReset},    // reserved
		{first: 5, access: read, powerUp: ClockHz},            // BASE_FREQ_HZ
		{first: 6, last: 7, access: both, effect: atReset},    // DEAD_TICKS, SAMPLE_PERIOD
	},
	device.IDPassthrough: {
		{first: regEnableRaw, access: both, effect: atReset},
		{first: linkReadSize, access: both, powerUp: 1280, effect: atReset},
		{first: linkReadSize + 1, last: linkLast, access: both, effect: atReset},
		{first: linkPinsDir, last: linkPins, access: both},
		{first: linkStatus, last: linkTimeHigh, access: read},
	},
	device.IDMemoryMonitor: {
		{first: regEnable, access: both, powerUp: unspecified, effect: atReset},
		{first: regClockDiv, access: both, powerUp: defaultDivider},
		{first: regClockHz, access: read, powerUp: ClockHz},
		{first: regTotalMem, last: regMemUsage, access: read}, // of the controller's buffer
	},
	device.IDLoadTester: { // it sends nothing here
		{first: regEnable, access: both, powerUp: unspecified, effect: atReset},
		{first: regClockDiv, access: both, powerUp: ClockHz, effect: atReset},
		{first: regClockHz, access: read, powerUp: ClockHz},
		{first: regWordsToHost, last: 5, access: both, effect: atReset},
	},
	device.IDHarpSyncInput: {
		{first: regEnable, access: both, powerUp: unspecified, effect: atReset},
		{first: 1, access: both}, // SOURCE
	},
}

// enableRow is ENABLE of a device of a headstage: the others need chips that the
// simulator does not have.
func enableRow(id uint32) row {
	return row{first: enableRegister(id), access: both, effect: atReset}
}

// rowOf is the row of a register, nil for none.
func rowOf(rows []row, number uint32) *row {
	for i := range rows {
		if r := &rows[i]; number >= r.first && number <= max(r.first, r.last) {
			return r
		}
	}
	return nil
}

// each calls do for every register of some rows.
func each(rows []row, do func(number uint32, r *row)) {
	for i := range rows {
		for number := rows[i].first; number <= max(rows[i].first, rows[i].last); number++ {
			do(number, &rows[i])
		}
	}
}
