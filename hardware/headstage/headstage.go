// Package headstage makes a controller ready to record: voltages, links,
// breakout board, headstages, in the order that the hardware wants, with an
// undo for everything that was done.
//
// Configure is a bring-up as steps (onix-devices 2.6):
//
//  1. both ports to 0 V, whatever they had; the firmware is one that is known
//  2. PORTFUNC of both ports, reset
//  3. for each port with a headstage: its voltage (voltage.go), its link; reset;
//     the devices that must be there are there (link.go)
//  4. registers of the breakout board (breakout.go) and of the headstages, one
//     file each; reset; what was written is read back where it can be
//  5. locks checked, LINKFLAGS cleared
//
// and Ready, right before the start, says whether the links were locked since.
//
// Nothing here stimulates: no register that does is written, but for those that
// keep a stimulator off.
//
// Nothing here reads a clock or opens a file: waits are the caller's, and so is
// the folder of calibration files.
package headstage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/device/neuropixels"
	"github.com/oniscope/oniscope/hardware/oni"
)

// A Rig is what is connected, and how it is to be set.
type Rig struct {
	Ports [2]Port // A and B

	// Device says how a device is to be set, by its key in a rig file:
	// "analog-io", "port-a/neuropixels-1.0e". nil means the defaults of all.
	Device func(k *device.Kind, key string) Device

	// Calibration holds the calibration files of probes, which are found by
	// serial number; nil: no folder was named.
	Calibration     fs.FS
	CalibrationName string // of the folder, for messages

	// Sleep waits, or returns early with an error when ctx ends. It must not
	// be nil: hardware needs its time to settle.
	Sleep func(ctx context.Context, d time.Duration) error
}

// A Port says what is plugged into a port. The zero value is a port without a
// headstage, which stays at 0 V.
type Port struct {
	Headstage string // one of Kinds
	VoltageDV int    // tenths of a volt; 0 means that it is searched for
}

// A Device says how a device is to be set.
type Device struct {
	Enable   bool            // its frames are wanted
	Named    bool            // the rig file names it: then it must be there
	Settings device.Settings // of its kind; nil means the defaults
}

// A Report is what a configuration found and did.
type Report struct {
	// Settings of devices by key, as they are now: with the calibration of
	// the probe that was found, and what registers said. Decoders need these.
	Settings map[string]device.Settings

	facts map[string]map[string]string // by key, or "port-a" for all of a port

	// Probes are the electrodes that are connected, by key.
	Probes map[string]ProbeMap

	// Absent are the keys of devices that were not asked for by name and are
	// not there: a second probe that is not plugged in.
	Absent []string

	// Warnings are for the person at the rig, a sentence each.
	Warnings []string

	links []int // ports in use
}

// Facts are what is known of a device beyond its settings, by the name of the
// metadata: "port_voltage_dv", "probe_serial". key is that of the rig file.
func (r *Report) Facts(key string) map[string]string {
	all := map[string]string{}
	if port, _, onPort := strings.Cut(key, "/"); onPort {
		maps.Copy(all, r.facts[port])
	}
	maps.Copy(all, r.facts[key])
	return all
}

// A ProbeMap is which electrodes of a probe are connected to which channels.
type ProbeMap struct {
	Model     neuropixels.Model
	Selection neuropixels.Selection
	About     map[string]string // for people: "serial_number"
}

// Full is the map as probe-interface JSON with all electrodes of the probe, as
// Bonsai reads and writes it: up to 400 KB.
func (m ProbeMap) Full() []byte { return neuropixels.FormatProbe(m.Model, m.Selection, true, m.About) }

// Connected is the map as probe-interface JSON with the electrodes that are
// connected, in the order of channels: short enough for metadata.
func (m ProbeMap) Connected() []byte {
	return neuropixels.FormatProbe(m.Model, m.Selection, false, m.About)
}

// Names of facts. Source: onix-devices 6.0, 6.1, 2.8, 5.3.
const (
	FactPortVoltage       = "port_voltage_dv"
	FactLockVoltage       = "lock_voltage_dv"
	FactHeadstageID       = "headstage_id"
	FactHeadstageRevision = "headstage_revision"
	FactHeadstageName     = "headstage_name"
	FactProbeSerial       = "probe_serial"
	FactProbePart         = "probe_part_number"
	FactFlexPart          = "flex_part_number"
	FactFlexRevision      = "flex_revision"
	FactADCCalibration    = "adc_calibration_file"
	FactGainCalibration   = "gain_calibration_file"
)

// firmwareMajor is that of the host whose registers are known.
// Source: onix-devices 2.4.
const firmwareMajor = "2"

// Check says what is wrong with a rig without touching hardware: a headstage
// that is not known or not in this version, a voltage that it does not take, a
// probe without a folder of calibration files, settings that are impossible.
func Check(rig Rig) error {
	if err := rig.checkPorts(); err != nil {
		return err
	}
	return rig.checkProbes()
}

func (rig Rig) checkPorts() error {
	for i, p := range rig.Ports {
		if p.Headstage == "" {
			if p.VoltageDV != 0 {
				return fmt.Errorf("headstage: port %s: %w", portLetter(i), (*kind)(nil).check(p.VoltageDV))
			}
			continue
		}
		k := kindOf(p.Headstage)
		if k == nil {
			return fmt.Errorf("headstage: port %s: %q is not known; possible: %s", portLetter(i), p.Headstage, strings.Join(Kinds(), ", "))
		}
		if k.bringUp == nil {
			return fmt.Errorf("headstage: port %s: %s: configuration of this headstage comes in a later version; possible now: %s", portLetter(i), k.title, strings.Join(supported(), ", "))
		}
		if err := k.check(p.VoltageDV); err != nil {
			return fmt.Errorf("port %s: %w", portLetter(i), err)
		}
	}
	return nil
}

func supported() (keys []string) {
	for _, key := range Kinds() {
		if Supported(key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// Configure makes a controller that is open and does not run ready for its block
// sizes and Start.
//
// undo is called before each thing is done, with what undoes it; the caller
// runs those steps, last first, on every way out: after the recording, or right
// away if Configure fails. They do not look at ctx, may run during a read that
// hangs, and during a Configure that has not returned: from then on it supplies
// no port any more. Run before all others, Dark is legal too.
//
// ctx is looked at before every access; Configure then returns its error. Any
// other error says what to check at the rig.
func Configure(ctx context.Context, c oni.Controller, rig Rig, undo func(what string, step func() error)) (*Report, error) {
	b := newBringUp(ctx, c, rig, undo)
	return b.run(b.checkRig, b.checkHost, b.ports, b.links, b.devices, b.confirm)
}

// Inspect supplies the ports of a rig as Configure does and reads what is
// plugged in: facts of ports and probes. It sets nothing that a recording needs;
// calibration files are not looked for. undo, ctx and errors are those of
// Configure.
func Inspect(ctx context.Context, c oni.Controller, rig Rig, undo func(what string, step func() error)) (*Report, error) {
	b := newBringUp(ctx, c, rig, undo)
	b.inspect = true
	return b.run(b.rig.checkPorts, b.checkHost, b.ports, b.links, b.headstages)
}

// run takes the stages after both ports are dark.
func (b *bringUp) run(stages ...func() error) (*Report, error) {
	b.undo("both ports to 0 V", b.power.end)
	err := Dark(b.c)
	if errors.Is(err, ErrNoPorts) && b.rig.Ports == [2]Port{} {
		err = nil // nothing there can have a voltage
	}
	for _, stage := range stages {
		if err == nil {
			err = b.ctx.Err()
		}
		if err == nil {
			err = stage()
		}
	}
	if err != nil {
		if ended := b.ctx.Err(); ended != nil && !errors.Is(err, ended) {
			err = fmt.Errorf("%w (%v)", ended, err)
		}
		return nil, err
	}
	return b.report, nil
}

func (b *bringUp) checkRig() error { return Check(b.rig) }

// checkHost refuses a host whose registers are not known.
func (b *bringUp) checkHost() error {
	host, err := b.c.Hub(0)
	if err != nil {
		return fmt.Errorf("headstage: the host does not say what it is: %w", err)
	}
	if major, _, _ := strings.Cut(host.Firmware, "."); major != firmwareMajor {
		return fmt.Errorf("headstage: the host has firmware %s (revision %s of the board): only %s.x is known; update the gateware, or use the version of this program that goes with it", host.Firmware, host.Revision, firmwareMajor)
	}
	return nil
}

// devices is the device stage: breakout board and headstages, latched by one
// reset and looked at again.
func (b *bringUp) devices() error {
	if err := b.breakout(); err != nil {
		return err
	}
	if err := b.headstages(); err != nil {
		return err
	}
	if err := b.reset(); err != nil {
		return err
	}
	return b.compare()
}

// headstages brings up what is plugged into the ports.
func (b *bringUp) headstages() error {
	for i, p := range b.rig.Ports {
		if k := kindOf(p.Headstage); k != nil {
			if err := k.bringUp(b, i); err != nil {
				return fmt.Errorf("headstage: port %s: %s: %w", portLetter(i), k.title, err)
			}
		}
	}
	return nil
}

// portName is port 0 or 1 in keys: "a". portLetter is what the board has next to its
// switch, for messages: "A".
func portName(i int) string   { return device.PortName(uint8(i + 1)) }
func portLetter(i int) string { return strings.ToUpper(portName(i)) }
