package headstage

import (
	"errors"
	"fmt"
	"math"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/serdes"
)

// The devices of the host and its breakout board. Source: onix-devices 6.2, 3.1 to 3.7.

const regEnable = 0 // of all devices of the host but the DS90UB9x; latched by a reset

// Registers of Heartbeat and MemoryMonitor.
const (
	regClockDiv  = 1
	regClockHz   = 2
	regMinBeatHz = 3 // PersistentHeartbeat
	regTotalMem  = 3 // MemoryMonitor, 32-bit words
	fastestHz    = 10_000_000
)

// Registers of the others.
const (
	regDirections   = 1 // AnalogIO; bit i: channel i is an output
	regInputRange   = 2 // AnalogIO, of channel 0
	regDeadTicks    = 6 // DigitalIO
	regSamplePeriod = 7 // DigitalIO; 0: a frame when something changes
	regHarpSource   = 1 // HarpSyncInput; 0: the jack of the breakout board
	regClockOut     = 1 // OutputClock; bit 0: output on
	analogInputs    = 12
)

// codeOfRange is an input range of AnalogIO, in volts, as its register has it.
// Source: onix-devices 3.3.
var codeOfRange = map[float64]uint32{10: 0, 2.5: 1, 5: 2}

// leastVersion of the gateware of a device. Source: onix-devices 2.1.
var leastVersion = map[uint32]uint32{
	device.IDHeartbeat: 1, device.IDPersistentHeartbeat: 1, device.IDAnalogIO: 2, device.IDDigitalIO: 2, device.IDOutputClock: 1,
	device.IDHarpSyncInput: 2, device.IDMemoryMonitor: 2, device.IDLoadTester: 2,
}

// setups set one device of the host. Devices without one are left alone: what
// is not known is not written.
var setups = map[uint32]func(*bringUp, hostDevice) error{
	device.IDHeartbeat:           (*bringUp).heartbeat,
	device.IDPersistentHeartbeat: (*bringUp).persistentHeartbeat,
	device.IDAnalogIO:            (*bringUp).analogIO,
	device.IDDigitalIO:           (*bringUp).digitalIO,
	device.IDMemoryMonitor:       (*bringUp).memoryMonitor,
	device.IDHarpSyncInput:       (*bringUp).harpSync,
	device.IDOutputClock:         (*bringUp).outputClock,
	device.IDLoadTester:          (*bringUp).off,
	device.IDPortController:      (*bringUp).portStatus,
	device.IDPassthrough:         (*bringUp).unusedLink,
}

// A hostDevice is a device of hub 0 and how it is to be set.
type hostDevice struct {
	at   oni.Address
	dev  oni.Device
	key  string // in the rig file; "" if it has none
	want Device
}

func (d hostDevice) name() string {
	if d.key != "" {
		return d.key
	}
	return fmt.Sprintf("device %d", d.dev.ID)
}

// breakoutOrder is that of onix-devices 6.2: heartbeats first, what is not
// wanted last.
var breakoutOrder = []uint32{
	device.IDPersistentHeartbeat, device.IDHeartbeat, device.IDAnalogIO, device.IDDigitalIO, device.IDMemoryMonitor,
	device.IDHarpSyncInput, device.IDOutputClock, device.IDLoadTester, device.IDPortController, device.IDPassthrough,
}

// breakout sets all devices of the host.
func (b *bringUp) breakout() error {
	beats := false
	for _, id := range breakoutOrder {
		for _, dev := range b.c.Table() {
			if dev.ID != id || dev.Address.Hub() != 0 {
				continue
			}
			d := hostDevice{at: dev.Address, dev: dev}
			if k := device.KindOf(dev, ""); k != nil && k.KeyAt(dev.Address) != "" {
				d.key = k.KeyAt(dev.Address)
				d.want = b.device(k, d.key)
				if err := k.Check(d.want.Settings); err != nil {
					return fmt.Errorf("headstage: %s: %w", d.key, err)
				}
				b.report.Settings[d.key] = d.want.Settings
			}
			err := setups[id](b, d)
			if d.want.Enable && dev.Version < leastVersion[id] && err == nil {
				err = fmt.Errorf("version %d in the gateware, want %d or later: update the gateware of the host, or say enable: false", dev.Version, leastVersion[id])
			}
			if err != nil {
				return fmt.Errorf("headstage: %s at %v: %w", d.name(), dev.Address, err)
			}
			beats = beats || id == device.IDHeartbeat || id == device.IDPersistentHeartbeat
		}
	}
	if !beats {
		b.warn("the host has no heartbeat: when no device sends, a recording cannot be ended in good order")
	}
	return nil
}

// enable switches the frames of a device on or off. A device that refuses to be
// off is no fault: its frames are left out.
func (b *bringUp) enable(d hostDevice, register uint32, on bool) error {
	if on {
		return b.keep(d.name(), d.at, register, 1)
	}
	err := b.keep(d.name(), d.at, register, 0)
	if errors.Is(err, oni.ErrNACK) {
		b.warn("%s at %v cannot be switched off; its frames are left out", d.name(), d.at)
		return nil
	}
	return err
}

// divider returns what the clock of a device is to be divided by for a rate.
func (b *bringUp) divider(d hostDevice, rateHz float64) (uint32, error) {
	clockHz, err := b.ReadRegister(d.at, regClockHz)
	if err != nil {
		return 0, err
	}
	divider := math.Floor(float64(clockHz) / rateHz)
	if least := math.Ceil(float64(clockHz) / fastestHz); clockHz == 0 || !(divider >= max(least, 1) && divider <= math.MaxUint32) {
		return 0, fmt.Errorf("%v Hz cannot be made of a clock of %d Hz", rateHz, clockHz)
	}
	return uint32(divider), nil
}

// heartbeat is always on, since it bounds the time that a read can block: if its
// frames are not wanted, they are left out.
func (b *bringUp) heartbeat(d hostDevice) error {
	if err := b.enable(d, regEnable, true); err != nil {
		return err
	}
	return b.beat(d)
}

// persistentHeartbeat cannot be switched off, and its ENABLE not be written.
func (b *bringUp) persistentHeartbeat(d hostDevice) error {
	least, err := b.ReadRegister(d.at, regMinBeatHz)
	if err != nil {
		return err
	}
	if rate := d.want.Settings.(*device.RateSettings).RateHz; rate < float64(least) {
		return fmt.Errorf("%v Hz: want %d Hz at least", rate, least)
	}
	return b.beat(d)
}

func (b *bringUp) beat(d hostDevice) error {
	divider, err := b.divider(d, d.want.Settings.(*device.RateSettings).RateHz)
	if err != nil {
		return err
	}
	return b.write(d.at, regClockDiv, divider)
}

func (b *bringUp) analogIO(d hostDevice) error {
	if err := b.enable(d, regEnable, d.want.Enable); err != nil || !d.want.Enable {
		return err
	}
	set := d.want.Settings.(*device.AnalogIOSettings)
	for ch := range analogInputs {
		if err := b.keep(d.key, d.at, regInputRange+uint32(ch), codeOfRange[set.RangeV(ch)]); err != nil {
			return err
		}
	}
	return b.keep(d.key, d.at, regDirections, 0) // inputs all
}

func (b *bringUp) digitalIO(d hostDevice) error {
	if err := b.enable(d, regEnable, d.want.Enable); err != nil || !d.want.Enable {
		return err
	}
	for _, register := range []uint32{regDeadTicks, regSamplePeriod} {
		if err := b.keep(d.key, d.at, register, 0); err != nil {
			return err
		}
	}
	return nil
}

func (b *bringUp) memoryMonitor(d hostDevice) error {
	if err := b.enable(d, regEnable, d.want.Enable); err != nil || !d.want.Enable {
		return err
	}
	set := *d.want.Settings.(*device.MemoryMonitorSettings)
	divider, err := b.divider(d, set.RateHz)
	if err != nil {
		return err
	}
	if err := b.keep(d.key, d.at, regClockDiv, divider); err != nil {
		return err
	}
	if set.TotalWords, err = b.ReadRegister(d.at, regTotalMem); err != nil {
		return err
	}
	b.report.Settings[d.key] = &set
	return nil
}

func (b *bringUp) harpSync(d hostDevice) error {
	if d.want.Enable {
		if err := b.write(d.at, regHarpSource, 0); err != nil {
			return err
		}
	}
	return b.enable(d, regEnable, d.want.Enable)
}

// outputClock keeps the output low.
func (b *bringUp) outputClock(d hostDevice) error { return b.keep(d.name(), d.at, regClockOut, 0) }

// off switches a device off that is not supported.
func (b *bringUp) off(d hostDevice) error { return b.enable(d, regEnable, false) }

// portStatus switches the status frames of a port without a headstage; with one
// they are on since its link was made.
func (b *bringUp) portStatus(d hostDevice) error {
	if b.used(d.at) {
		return nil
	}
	return b.enable(d, regEnable, d.want.Enable)
}

// unusedLink keeps the data of a port quiet on which no passthrough headstage is.
func (b *bringUp) unusedLink(d hostDevice) error {
	if port := int(d.at.Port()) - 1; port >= 0 && port < len(b.rig.Ports) && Passthrough(b.rig.Ports[port].Headstage) {
		return nil
	}
	return b.enable(d, uint32(serdes.Enable), false)
}

// used reports whether the port of an address has a headstage.
func (b *bringUp) used(a oni.Address) bool {
	port := int(a.Port()) - 1
	return port >= 0 && port < len(b.rig.Ports) && b.rig.Ports[port].Headstage != ""
}
