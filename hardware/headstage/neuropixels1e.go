package headstage

import (
	"fmt"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/device/neuropixels"
	"github.com/oniscope/oniscope/hardware/serdes"
)

// Neuropixels 1.0e: one probe, whose data come from the DS90UB9x device of the
// port. Source: onix-devices 6.6.

const headstageIDV1e = 6

// setupV1e of the DS90UB9x device: 13 frames of 5 words on 8 lines of 10 bits.
var setupV1e = []serdes.Setting{
	{Register: serdes.Enable, Value: 0}, {Register: serdes.TriggerSkip, Value: 0}, {Register: serdes.Trigger, Value: 0}, {Register: serdes.SyncBits, Value: 0},
	{Register: serdes.DataGate, Value: 0x0113_0001}, {Register: serdes.Mark, Value: 0}, {Register: serdes.ReadSize, Value: 0x000D_0005},
	{Register: serdes.MagicMask, Value: 0xC000_03FF}, {Register: serdes.Magic, Value: 0x330}, {Register: serdes.MagicWait, Value: 0},
	{Register: serdes.DataMode, Value: 0x391}, {Register: serdes.DataLines0, Value: 0x3245_106B}, {Register: serdes.DataLines1, Value: 0xFFFF_FFFF},
}

var flexV1e = flexLayout{serial: 0, version: 10, revision: 11, flexPart: 20, probePart: 40}

// Outputs of the serialiser. Bit 3 of the first lets the probe out of reset.
const (
	gpio01V1e = 0x11
	gpio23V1e = 0x91
	resetV1e  = 1 << 3
)

// Registers of the probe and their values. Source: onix-devices 6.6 steps 7 to 9.
const (
	opModeV1    = 0x00
	recModeV1   = 0x01
	calModeV1   = 0x02
	testV1      = 0x03 // the first of five
	syncV1      = 0x09
	recordingV1 = 0x40 // OP_MODE
	running     = 0xC0 // REC_MOD
)

// neuropixelsV1e brings the headstage on a port up.
func (b *bringUp) neuropixelsV1e(port int) error {
	key := keyProbe(port, device.HeadstageNeuropixelsV1e)
	want := b.rig.probe(key, defaultProbe(device.HeadstageNeuropixelsV1e))
	set := *want.Settings.(*device.NeuropixelsV1eSettings)
	if !b.inspect {
		if err := serdes.NewLink(b, uint8(port+1)).Setup(setupV1e); err != nil {
			return err
		}
	}
	link, err := b.reach(port, chipProbeV1, gpio01V1e, gpio23V1e)
	if err != nil {
		return err
	}
	if err := link.SetI2CRate(rateI2C); err != nil {
		return err
	}
	if err := b.board(link, port, headstageIDV1e); err != nil {
		return err
	}
	if err := b.pulse(link, serdes.GPIO01, resetV1e); err != nil {
		return err
	}
	b.report.Settings[key] = &set
	if !want.Enable && !b.inspect {
		return nil
	}
	if !b.inspect {
		if err := b.enableLink(port); err != nil {
			return err
		}
	}
	f, there, err := readFlex(link, flexV1e)
	if err != nil {
		return fmt.Errorf("%w: its cable stops answering: check that the probe is seated (%w)", ErrProbe, err)
	}
	if !there {
		return fmt.Errorf("%w: no probe answers: check that the probe's cable is seated in the headstage", ErrProbe)
	}
	b.noteFlex(key, f)
	if b.inspect {
		return nil
	}
	return b.probeV1e(link, key, &set, f)
}

// probeV1e sets the probe.
func (b *bringUp) probeV1e(link serdes.Link, key string, set *device.NeuropixelsV1eSettings, f flex) error {
	adcs, adcFile, err := b.rig.adcs(f.serial)
	if err != nil {
		return err
	}
	setup, err := set.Setup(adcs)
	if err != nil {
		return err
	}
	gains, gainFile, err := b.rig.gainsV1(f.serial, setup.GainAP, setup.GainLFP)
	if err != nil {
		return err
	}
	chains, err := setup.Chains()
	if err != nil {
		return err
	}
	probe := link.Chip(chipProbeV1)
	start := [][2]uint8{{calModeV1, 0}}
	for i := range uint8(5) {
		start = append(start, [2]uint8{testV1 + i, 0})
	}
	start = append(start, [2]uint8{syncV1, 0}, [2]uint8{recModeV1, running}, [2]uint8{opModeV1, recordingV1})
	for _, w := range start {
		if err := probe.Write(w[0], w[1]); err != nil {
			return fmt.Errorf("%w: %w", ErrProbe, err)
		}
	}
	shift := shifter{chip: probe, lengthLow: 0x10, lengthHigh: 0x0F, soft: 0x11, status: 0x08}
	for _, c := range chains {
		if !c.Base { // the status of the shank's is never good: a fault of the chip
			if err := shift.write(c); err != nil {
				return fmt.Errorf("%w: %w", ErrProbe, err)
			}
			continue
		}
		good, status, err := shift.writeTwice(c)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrProbe, err)
		}
		if !good {
			return badStatus(c, status)
		}
	}
	// The soft resets disturbed them.
	for _, w := range [][2]uint8{{opModeV1, recordingV1}, {recModeV1, running}} {
		if err := probe.Write(w[0], w[1]); err != nil {
			return fmt.Errorf("%w: %w", ErrProbe, err)
		}
	}
	set.APCorrection, set.LFPCorrection, set.ADC = gains.AP, gains.LFP, nil
	for _, a := range adcs.ADCs {
		set.ADC = append(set.ADC, device.ADCOffset{Threshold: uint16(a.Threshold), Offset: uint16(a.Offset)})
	}
	b.fact(key, FactADCCalibration, adcFile)
	b.fact(key, FactGainCalibration, gainFile)
	b.noteElectrodes(key, neuropixels.V1, setup.Electrodes, f)
	return nil
}

// enableLink lets the DS90UB9x device of a port send, from the next reset on.
func (b *bringUp) enableLink(port int) error {
	return b.keep("data of port "+portLetter(port), serdes.Address(uint8(port+1)), uint32(serdes.Enable), 1)
}
