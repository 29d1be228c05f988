package headstage

import (
	"fmt"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/serdes"
)

// Neuropixels 2.0e: two probes, A and B, whose frames alternate on the DS90UB9x
// device of the port. Source: onix-devices 6.8.

const headstageIDV2e = 8

// setupV2e of the DS90UB9x device: two streams of 16 frames of 9 words on 4 lines of 12 bits.
var setupV2e = []serdes.Setting{
	{Register: serdes.Enable, Value: 0}, {Register: serdes.TriggerSkip, Value: 0}, {Register: serdes.Trigger, Value: 0}, {Register: serdes.SyncBits, Value: 0},
	{Register: serdes.DataGate, Value: 0}, {Register: serdes.Mark, Value: 0}, {Register: serdes.ReadSize, Value: 0x0010_0009},
	{Register: serdes.MagicMask, Value: 0xC000_003F}, {Register: serdes.Magic, Value: 0x2E}, {Register: serdes.MagicWait, Value: 0},
	{Register: serdes.DataMode, Value: 0x2000_02B5}, {Register: serdes.DataLines0, Value: 0xFFFF_F8A6}, {Register: serdes.DataLines1, Value: 0xFFFF_F97B},
}

var flexV2e = flexLayout{serial: 0x00, version: 0x10, revision: 0x11, flexPart: 0x20, probePart: 0x40}

// Outputs of the serialiser. Of the first, bit 3 is the analog supply of the
// probes and bit 7 lets them out of reset; the second selects one or none.
const (
	gpio01V2e = 0x11 // shut down
	noneV2e   = 0x11
	supplyV2e = 1 << 3
	resetV2e  = 1 << 7
)

var selectV2e = [2]uint8{0x19, 0x99}

// Registers of the probe. Source: onix-devices 6.8 step 5.
const (
	opModeV2      = 0x00
	recordingV2   = 0x40
	powerDownV2   = 0x80
	firstSyncV2   = 0x15 // SUPERSYNC11; the others follow downwards
	lengthLowV2   = 0x1D
	lengthHighV2  = 0x1C
	softResetV2   = 0x1F
	shiftStatusV2 = 0x09
)

// superSync is SUPERSYNC11 to 0.
var superSync = [12]uint8{0x18, 0x61, 0x86, 0x18, 0x61, 0x86, 0x18, 0x61, 0x86, 0x18, 0x61, 0xB9}

// neuropixelsV2e brings the headstage on a port up.
func (b *bringUp) neuropixelsV2e(port int) error {
	if !b.inspect {
		if err := serdes.NewLink(b, uint8(port+1)).Setup(setupV2e); err != nil {
			return err
		}
	}
	link, err := b.reach(port, chipProbeV2, gpio01V2e, noneV2e)
	if err != nil {
		return err
	}
	if err := b.wait(settle); err != nil {
		return err
	}
	if err := b.change(link, serdes.GPIO01, 0, supplyV2e); err != nil {
		return err
	}
	if err := b.wait(settle); err != nil {
		return err
	}
	if err := link.SetI2CRate(rateI2C); err != nil {
		return err
	}
	if err := b.board(link, port, headstageIDV2e); err != nil {
		return err
	}
	if err := b.pulse(link, serdes.GPIO01, resetV2e); err != nil {
		return err
	}
	probes := 0
	for i, own := range probesOf[device.HeadstageNeuropixelsV2e] {
		there, err := b.slotV2e(link, port, i, keyProbe(port, own))
		if err != nil {
			return fmt.Errorf("probe %s: %w", portLetter(i), err)
		}
		if there {
			probes++
		}
	}
	if probes == 0 {
		return fmt.Errorf("%w: neither probe A nor B answers: check that the probes' cables are seated in the headstage", ErrProbe)
	}
	return nil
}

// slotV2e selects the probe in slot 0 (A) or 1 (B), sets it, and selects none
// again, so that no traffic disturbs the probes while they record.
func (b *bringUp) slotV2e(link serdes.Link, port, slot int, key string) (there bool, err error) {
	want := b.rig.probe(key, defaultProbe(device.HeadstageNeuropixelsV2e))
	if err := b.output(link, serdes.GPIO23, selectV2e[slot]); err != nil {
		return false, err
	}
	if err := b.wait(settle); err != nil {
		return false, err
	}
	f, there, err := readFlex(link, flexV2e)
	switch {
	case err != nil:
		return false, fmt.Errorf("%w: its cable stops answering: check that the probe is seated (%w)", ErrProbe, err)
	case !there && want.Enable && want.Named:
		return false, fmt.Errorf("%w: it does not answer: check that its cable is seated in the headstage, or say %s: {enable: false}", ErrProbe, key)
	case !there:
		if want.Enable {
			b.report.Absent = append(b.report.Absent, key)
			b.warn("%s: no probe is plugged in", key)
		}
	default:
		if err := b.probeV2e(link, port, key, want, f); err != nil {
			return false, err
		}
	}
	if err := b.output(link, serdes.GPIO23, noneV2e); err != nil {
		return false, err
	}
	return there, b.wait(settle)
}

// probeV2e sets the probe that is selected, or powers it down if it is not wanted.
func (b *bringUp) probeV2e(link serdes.Link, port int, key string, want Device, f flex) error {
	b.noteFlex(key, f)
	set := *want.Settings.(*device.NeuropixelsV2Settings)
	b.report.Settings[key] = &set
	probe := link.Chip(chipProbeV2)
	switch {
	case b.inspect:
		return nil
	case !want.Enable:
		if err := probe.Write(opModeV2, powerDownV2); err != nil {
			return fmt.Errorf("%w: %w", ErrProbe, err)
		}
		return nil
	}
	if err := b.enableLink(port); err != nil {
		return err
	}
	gains, file, err := b.rig.gainsV2(f.serial)
	if err != nil {
		return err
	}
	setup, err := set.Setup()
	if err != nil {
		return err
	}
	chains, err := setup.Chains()
	if err != nil {
		return err
	}
	shift := shifter{chip: probe, lengthLow: lengthLowV2, lengthHigh: lengthHighV2, soft: softResetV2, status: shiftStatusV2}
	for _, c := range chains {
		good, status, err := shift.writeTwice(c)
		switch {
		case err != nil:
			return fmt.Errorf("%w: %w", ErrProbe, err)
		case !good && c.Base:
			return badStatus(c, status)
		case !good:
			b.warn("%s: shank %d may be damaged: its shift register has status 0x%02x after it was written", key, c.Shank+1, status)
		}
	}
	for i, v := range superSync {
		if err := probe.Write(uint8(firstSyncV2-i), v); err != nil {
			return fmt.Errorf("%w: %w", ErrProbe, err)
		}
	}
	if err := probe.Write(opModeV2, recordingV2); err != nil {
		return fmt.Errorf("%w: %w", ErrProbe, err)
	}
	set.GainCorrection = gains.AP
	b.fact(key, FactGainCalibration, file)
	b.noteElectrodes(key, set.Model(), setup.Electrodes, f)
	return nil
}
