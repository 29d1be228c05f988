package device

import (
	"encoding/binary"
	"math"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

const (
	bno055Registers = 28 // bytes that the chip has from register 0x1A on
	bno055Bytes     = 8 + bno055Registers
	bno055RateHz    = 100
	bno055Rows      = 100 // a batch; onix-devices 4.6
)

// BNO055 is one sample of a BNO055 orientation sensor, as codes.
type BNO055 struct {
	Euler        [3]int16 // yaw, pitch, roll (heading, roll, pitch by the chip's data sheet); 1/16 degree
	Quaternion   [4]int16 // w, x, y, z; 1/2^14
	Acceleration [3]int16 // without gravity: x, y, z; cm/s^2
	Gravity      [3]int16 // x, y, z; cm/s^2
	Temperature  uint8    // degree C, unsigned as the original reads it
	Calibration  uint8    // from the lowest two bits: magnetometer, accelerometer, gyroscope, system; 0 not, 3 fully calibrated
}

// DecodeBNO055 unpacks one sample of a BNO055 and its hub clock.
//
// sample holds at least 36 bytes: hub clock (uint64, little endian, ticks), then
// what DecodeBNO055Registers reads. Further bytes are padding. It returns
// ErrSampleSize if sample is shorter, and never any other error.
//
// Source: device ID 9; onix-devices 3.13.
func DecodeBNO055(sample []byte) (s BNO055, hubClock uint64, err error) {
	if len(sample) < bno055Bytes {
		return BNO055{}, 0, shortSample("bno055", len(sample), bno055Bytes)
	}
	s, err = DecodeBNO055Registers(sample[8:])
	return s, binary.LittleEndian.Uint64(sample), err
}

// DecodeBNO055Registers unpacks the registers of the chip from 0x1A on: where a
// headstage has no device for it, they are read over I2C.
//
// registers holds at least 28 bytes, little endian: Euler angles (3 int16),
// quaternion (4 int16), acceleration and gravity (3 int16 each), temperature,
// calibration (1 byte each). It returns ErrSampleSize if they are less.
//
// Source: onix-devices 3.14.
func DecodeBNO055Registers(registers []byte) (s BNO055, err error) {
	if len(registers) < bno055Registers {
		return BNO055{}, shortSample("bno055 registers", len(registers), bno055Registers)
	}
	at := registers
	for _, group := range [][]int16{s.Euler[:], s.Quaternion[:], s.Acceleration[:], s.Gravity[:]} {
		for i := range group {
			group[i] = int16(binary.LittleEndian.Uint16(at[2*i:]))
		}
		at = at[2*len(group):]
	}
	s.Temperature, s.Calibration = at[0], at[1]
	return s, nil
}

// AppendTo appends the sample to dst.
func (s *BNO055) AppendTo(dst []byte, hubClock uint64) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, hubClock)
	for _, group := range [][]int16{s.Euler[:], s.Quaternion[:], s.Acceleration[:], s.Gravity[:]} {
		for _, v := range group {
			dst = binary.LittleEndian.AppendUint16(dst, uint16(v))
		}
	}
	return append(dst, s.Temperature, s.Calibration)
}

var bno055Kind = Kind{
	IDs: []uint32{IDBNO055}, Place: OnPort, Headstages: []string{HeadstageHS64, HeadstageNeuropixelsV1f, HeadstageNric1384}, Key: "bno055", Title: "BNO055 orientation",
	Samples: bno055Bytes, Settings: noSettings, decoder: newBNO055,
}

// bno055Columns are those of the sensor, in the order of onix-devices 4.4.
func bno055Columns(hubHz, acqHz uint64) []stream.Column {
	list := []stream.Column{clockColumn("HubClock", hubHz, bno055RateHz), clockColumn("Clock", acqHz, bno055RateHz), column("Calibration", stream.Uint8, bno055RateHz)}
	temperature := column("Temperature", stream.Int32, bno055RateHz)
	temperature.Unit, temperature.Scale = "degC", 1
	list = append(list, temperature)
	for _, c := range []struct{ name, unit string }{
		{"Gravity_X", "m/s^2"}, {"Gravity_Y", "m/s^2"}, {"Gravity_Z", "m/s^2"},
		{"Acceleration_X", "m/s^2"}, {"Acceleration_Y", "m/s^2"}, {"Acceleration_Z", "m/s^2"},
		{"Quaternion_X", ""}, {"Quaternion_Y", ""}, {"Quaternion_Z", ""}, {"Quaternion_W", ""},
		{"EulerAngle_Yaw", "deg"}, {"EulerAngle_Pitch", "deg"}, {"EulerAngle_Roll", "deg"},
	} {
		f := column(c.name, stream.Float32, bno055RateHz)
		if c.unit != "" {
			f.Unit, f.Scale = c.unit, 1
		}
		list = append(list, f)
	}
	return list
}

type bno055Decoder struct {
	core
	streams []stream.Stream
}

func newBNO055(k *Kind, dev oni.Device, cfg Config) (Decoder, error) {
	s := k.newStream(dev, cfg)
	s.RowsPerBatch = bno055Rows
	s.Columns = bno055Columns(cfg.Hub.ClockHz, cfg.AcqClockHz)
	return &bno055Decoder{core: core{loss: newLossDetector(cfg, bno055RateHz), onGap: cfg.OnGap}, streams: []stream.Stream{s}}, nil
}

func (d *bno055Decoder) Streams() []stream.Stream { return d.streams }

func (d *bno055Decoder) Decode(f *oni.Frame, out []*Batch) error {
	s, hub, err := DecodeBNO055(f.Data)
	if err != nil {
		return d.refuse(err)
	}
	d.row(hub, f.Clock)
	s.appendRow(out[0], hub, f.Clock)
	return nil
}

// appendRow appends the values as the original computes them, in float32:
// accelerations are the code times float32(0.01), not a hundredth of it.
func (s *BNO055) appendRow(b *Batch, hub, clock uint64) {
	b.clocks(0, hub, clock)
	b.Columns[2] = append(b.Columns[2], s.Calibration)
	b.Columns[3] = binary.LittleEndian.AppendUint32(b.Columns[3], uint32(s.Temperature))
	q := s.Quaternion
	col := 4
	for _, group := range []struct {
		codes []int16
		scale float32
	}{{s.Gravity[:], 0.01}, {s.Acceleration[:], 0.01}, {[]int16{q[1], q[2], q[3], q[0]}, 1.0 / (1 << 14)}, {s.Euler[:], 1.0 / 16}} {
		for _, code := range group.codes {
			b.Columns[col] = binary.LittleEndian.AppendUint32(b.Columns[col], math.Float32bits(float32(code)*group.scale))
			col++
		}
	}
	b.Rows++
}

func appendFloat64(dst []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
}
