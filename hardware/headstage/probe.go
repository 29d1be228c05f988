package headstage

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/device/neuropixels"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/serdes"
)

// What the headstages with Neuropixels probes have in common.

// I2C addresses at the other end of the link. Source: onix-devices 6.6, 6.8.
const (
	chipFlex      = 0x50 // EEPROM of the probe's cable
	chipInertial  = 0x28
	chipProbeV1   = 0x70
	chipProbeV2   = 0x10
	rateI2C       = 400_000
	statusShifted = 0x80 // of a shift register that was written twice alike
)

// keyProbe is the key of a probe in a rig file.
func keyProbe(port int, own string) string { return "port-" + portName(port) + "/" + own }

// ErrProbe says that a probe is not there, or not the one that is meant.
var ErrProbe = errors.New("no probe that can be used")

// probe returns how a probe is to be set; defaults count where the rig says
// nothing of it.
func (rig Rig) probe(key string, defaults device.Settings) Device {
	d := Device{Enable: true}
	if rig.Device != nil {
		d = rig.Device(device.KindForKey(key), key)
	}
	if d.Settings == nil {
		d.Settings = defaults
	}
	return d
}

// checkProbes says what is wrong with the probes of a rig without touching
// hardware.
func (rig Rig) checkProbes() error {
	for i, p := range rig.Ports {
		for _, own := range probesOf[p.Headstage] {
			key := keyProbe(i, own)
			d := rig.probe(key, defaultProbe(p.Headstage))
			set, ok := d.Settings.(interface {
				device.Settings
				Electrodes() (neuropixels.Selection, error)
			})
			if !ok {
				return fmt.Errorf("headstage: %s: settings are %T", key, d.Settings)
			}
			if err := set.Check(); err != nil {
				return fmt.Errorf("headstage: %s: %w", key, err)
			}
			if !d.Enable {
				continue
			}
			if _, err := set.Electrodes(); err != nil {
				return fmt.Errorf("headstage: %s: %w", key, err)
			}
			if rig.Calibration == nil {
				return fmt.Errorf("headstage: %s: its calibration files are needed: say in the rig file where they are, as in calibration: FOLDER (the probe's vendor supplies them with its serial number)", key)
			}
			if err := rig.checkFolder(); err != nil {
				return fmt.Errorf("headstage: %s: %w", key, err)
			}
		}
	}
	return nil
}

// probesOf are the own keys of the probes on a headstage.
var probesOf = map[string][]string{
	device.HeadstageNeuropixelsV1e: {device.HeadstageNeuropixelsV1e},
	device.HeadstageNeuropixelsV2e: {device.HeadstageNeuropixelsV2e + "-probe-a", device.HeadstageNeuropixelsV2e + "-probe-b"},
}

func defaultProbe(headstage string) device.Settings {
	return device.KindForKey("port-a/" + probesOf[headstage][0]).Settings()
}

// reach opens the way to the chips of a headstage and registers what closes it.
// gpio01 and gpio23 are the safe state of the serialiser's outputs: probes in
// reset, supplies off.
func (b *bringUp) reach(port int, probe, gpio01, gpio23 uint8) (serdes.Link, error) {
	link := serdes.NewLink(b, uint8(port+1))
	b.undo("headstage of port "+portLetter(port)+" off", func() error { return shutDown(b.c, port, gpio01, gpio23) })
	if err := link.Initialize(serdes.Raw12HighFrequency, b.wait); err != nil {
		return link, err
	}
	// Order of the slots: onix-devices 6.6 step 3, 6.8 step 3.
	if err := link.Alias(serdes.EEPROMAddress, probe, chipFlex, chipInertial); err != nil {
		return link, err
	}
	if err := b.output(link, serdes.GPIO01, gpio01); err != nil {
		return link, err
	}
	return link, b.output(link, serdes.GPIO23, gpio23)
}

// shutDown brings the outputs of a headstage into their safe state. Without a
// link there is nothing to reach: the headstage has no supply any more, or its
// cable is pulled; and if it does not answer, its voltage goes next.
func shutDown(c oni.Controller, port int, gpio01, gpio23 uint8) error {
	state, err := c.ReadRegister(portController(port), regLinkState)
	if err != nil || state&1 == 0 {
		return err
	}
	serializer := serdes.NewLink(c, uint8(port+1)).Chip(serdes.Serializer)
	err = errors.Join(serializer.Write(serdes.GPIO01, gpio01), serializer.Write(serdes.GPIO23, gpio23))
	if errors.Is(err, oni.ErrNACK) {
		return nil
	}
	return err
}

// output sets outputs of the serialiser and looks whether they are set: they
// are resets and supplies of the probes.
func (b *bringUp) output(link serdes.Link, register, value uint8) error {
	serializer := link.Chip(serdes.Serializer)
	if err := serializer.Write(register, value); err != nil {
		return fmt.Errorf("serialiser: %w", err)
	}
	return b.check(link, register, value)
}

// change sets and clears outputs of the serialiser.
func (b *bringUp) change(link serdes.Link, register, clear, set uint8) error {
	serializer := link.Chip(serdes.Serializer)
	before, err := serializer.Read(register)
	if err != nil {
		return fmt.Errorf("serialiser: %w", err)
	}
	return b.output(link, register, before&^clear|set)
}

func (b *bringUp) check(link serdes.Link, register, value uint8) error {
	got, err := link.Chip(serdes.Serializer).Read(register)
	if err != nil {
		return fmt.Errorf("serialiser: %w", err)
	}
	if got != value {
		return fmt.Errorf("serialiser: register 0x%02x is 0x%02x after 0x%02x was written: the link is not reliable; check plugs and cable, and try more voltage", register, got, value)
	}
	return nil
}

// pulse takes bits of the serialiser's outputs low and high again.
func (b *bringUp) pulse(link serdes.Link, register, mask uint8) error {
	if err := b.change(link, register, mask, 0); err != nil {
		return err
	}
	return b.change(link, register, 0, mask)
}

// board reads the headstage's EEPROM and refuses another headstage than the one
// that the rig names, since its voltage was made for that one.
func (b *bringUp) board(link serdes.Link, port int, id uint32) error {
	board, err := link.ReadBoard()
	switch {
	case errors.Is(err, oni.ErrNACK):
		return fmt.Errorf("the EEPROM of the headstage does not answer: check that the headstage is the one that the rig file names, and its plugs (%w)", err)
	case err != nil:
		return err
	case board.ID != id:
		return fmt.Errorf("the headstage says that it is %s (ID %d, %q), and not the one that the rig file names (ID %d); correct ports: {%s: {headstage: ...}}", cmp.Or(device.HubName(board.ID), "of a kind that is not known"), board.ID, board.Name, id, portName(port))
	case !board.AtLeast(1, 0):
		return fmt.Errorf("the headstage is of revision %s, want 1.0 or later", board.Revision())
	}
	b.portFact(port, FactHeadstageID, strconv.Itoa(int(board.ID)))
	b.portFact(port, FactHeadstageRevision, board.Revision())
	b.portFact(port, FactHeadstageName, board.Name)
	return nil
}

// A flexLayout is where the EEPROM of a probe's cable has what it says. It has
// register addresses of 8 bits. Source: onix-devices 6.6, 6.8.
type flexLayout struct {
	serial, version, revision, flexPart, probePart uint8
}

// A flex is what the EEPROM of a probe's cable says.
type flex struct {
	serial              uint64
	version             string
	flexPart, probePart string
}

const partBytes = 20

// readFlex reads the EEPROM of a probe's cable. there is false, without an error,
// if it does not answer at all: no probe is plugged in.
func readFlex(link serdes.Link, at flexLayout) (f flex, there bool, err error) {
	chip := link.Chip(chipFlex)
	for i := range 8 {
		v, err := chip.Read(at.serial + uint8(i))
		if errors.Is(err, oni.ErrNACK) && i == 0 {
			return flex{}, false, nil
		}
		if err != nil {
			return flex{}, false, err
		}
		f.serial |= uint64(v) << (8 * i)
	}
	version, err := chip.Read(at.version)
	if err != nil {
		return flex{}, false, err
	}
	revision, err := chip.Read(at.revision)
	if err != nil {
		return flex{}, false, err
	}
	f.version = fmt.Sprintf("%d.%d", version, revision)
	for _, part := range []struct {
		first uint8
		text  *string
	}{{at.flexPart, &f.flexPart}, {at.probePart, &f.probePart}} {
		bytes := make([]byte, 0, partBytes)
		for i := range uint8(partBytes) {
			v, err := chip.Read(part.first + i)
			if err != nil {
				return flex{}, false, err
			}
			if v == 0 {
				break
			}
			bytes = append(bytes, v)
		}
		*part.text = serdes.Text(bytes)
	}
	return f, true, nil
}

// note puts what a cable says into the facts of its probe.
func (b *bringUp) noteFlex(key string, f flex) {
	b.fact(key, FactProbeSerial, strconv.FormatUint(f.serial, 10))
	b.fact(key, FactProbePart, f.probePart)
	b.fact(key, FactFlexPart, f.flexPart)
	b.fact(key, FactFlexRevision, f.version)
}

// noteElectrodes keeps which electrodes were connected.
func (b *bringUp) noteElectrodes(key string, m neuropixels.Model, s neuropixels.Selection, f flex) {
	about := map[string]string{"serial_number": strconv.FormatUint(f.serial, 10)}
	if f.probePart != "" {
		about["model_name"] = f.probePart
	}
	b.report.Probes[key] = ProbeMap{m, s, about}
}

// A shifter writes the shift registers of a probe. Source: onix-devices 6.6 step
// 8, 6.8 step 5.
type shifter struct {
	chip                                serdes.Chip
	lengthLow, lengthHigh, soft, status uint8 // registers
}

// write writes a shift register once.
func (s shifter) write(c neuropixels.Chain) error {
	n := len(c.Bytes)
	if err := s.chip.Write(s.lengthLow, uint8(n%256)); err != nil {
		return err
	}
	if err := s.chip.Write(s.lengthHigh, uint8(n/256)); err != nil {
		return err
	}
	for _, v := range c.Bytes {
		if err := s.chip.Write(c.Register, v); err != nil {
			return err
		}
	}
	return nil
}

// writeTwice writes a shift register twice, each time after a soft reset: the
// second time the probe compares. good is whether it found the same.
func (s shifter) writeTwice(c neuropixels.Chain) (good bool, status uint8, err error) {
	for range 2 {
		for _, v := range []uint8{0xFF, 0x00} {
			if err := s.chip.Write(s.soft, v); err != nil {
				return false, 0, err
			}
		}
		if err := s.write(c); err != nil {
			return false, 0, err
		}
	}
	status, err = s.chip.Read(s.status)
	return status == statusShifted, status, err
}

// badStatus is the error of a shift register that did not take its bytes.
func badStatus(c neuropixels.Chain, status uint8) error {
	return fmt.Errorf("%w: its shift register 0x%02x has status 0x%02x after it was written, want 0x%02x: check that the probe is seated, try more voltage, try another probe", ErrProbe, c.Register, status, statusShifted)
}

// settle is the time that supplies and the selection of a probe take.
// Source: onix-devices 6.8.
const settle = 20 * time.Millisecond
