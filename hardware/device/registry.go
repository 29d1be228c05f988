package device

import (
	"fmt"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

// Device IDs. Source: onix-devices 2.1.
const (
	IDHeartbeat           = 12
	IDDigitalIO           = 18
	IDOutputClock         = 20
	IDAnalogIO            = 22
	IDPortController      = 23
	IDPassthrough         = 24 // DS90UB9x: what a headstage without devices of its own sends
	IDLoadTester          = 27
	IDMemoryMonitor       = 28
	IDHarpSyncInput       = 30
	IDPersistentHeartbeat = 35
)

// HeadstageNeuropixelsV1e names the headstage in Config.Headstage and in stream names.
const HeadstageNeuropixelsV1e = "neuropixels-1.0e"

// Config says what a device's table entry does not. Each kind uses its part;
// the zero value gives the documented defaults.
type Config struct {
	AcqClockHz uint64  // rate of Clock; 0 unknown
	Hub        oni.Hub // of the device; HubClock has no unit and gaps go unseen if its ClockHz is 0

	RateHz    float64 // Heartbeat, MemoryMonitor: configured rate; 0 unknown, then gaps go unseen
	Headstage string  // passthrough: what is behind it; "" nothing known, frames are kept raw

	AnalogRangeV   [12]float64 // AnalogIO: 10, 5 or 2.5 for plus and minus that many volts; 0 means 10
	AnalogVolts    bool        // AnalogIO: columns in volts (float32) instead of codes (int16)
	TotalMemWords  uint32      // MemoryMonitor: register TOTAL_MEM; 0 means 2 GiB
	NeuropixelsV1e NeuropixelsV1eConfig

	// OnGap, if not nil, is called from Decode for every gap.
	OnGap func(Gap)
}

// maxRateHz is the highest rate of any heartbeat; onix-devices 3.1.
const maxRateHz = 10e6

// kinds holds what makes the decoder of a device ID.
var kinds = map[uint32]func(oni.Device, Config) (Decoder, error){
	IDHeartbeat:           newHeartbeat,
	IDPersistentHeartbeat: newHeartbeat,
	IDDigitalIO:           newDigitalIO,
	IDAnalogIO:            newAnalogIO,
	IDMemoryMonitor:       newMemoryMonitor,
	IDPassthrough:         newPassthrough,
}

// headstages holds what makes the decoder of a passthrough device.
var headstages = map[string]func(oni.Device, Config) (Decoder, error){
	HeadstageNeuropixelsV1e: newNeuropixelsV1e,
}

// Supported reports whether the samples of the device are understood. For any
// other device that sends frames New gives a decoder that keeps them raw; make
// it when the first frame comes, since most such devices never send one.
func Supported(dev oni.Device, cfg Config) bool {
	if dev.ID == IDPassthrough {
		return headstages[cfg.Headstage] != nil
	}
	return kinds[dev.ID] != nil && dev.ReadSize > 0
}

// New returns the decoder for a device. It fails if the configuration is
// impossible, or the table's read size is less than the device's sample.
func New(dev oni.Device, cfg Config) (Decoder, error) {
	if !(cfg.RateHz >= 0 && cfg.RateHz <= maxRateHz) {
		return nil, fmt.Errorf("device: %v: rate %v Hz: want 0 to %v", dev.Address, cfg.RateHz, float64(maxRateHz))
	}
	if f := kinds[dev.ID]; f != nil {
		return f(dev, cfg)
	}
	return newUnknown(dev, cfg)
}

func newPassthrough(dev oni.Device, cfg Config) (Decoder, error) {
	if cfg.Headstage == "" {
		return newUnknown(dev, cfg)
	}
	f := headstages[cfg.Headstage]
	if f == nil {
		return nil, fmt.Errorf("device: %v: headstage %q is not known", dev.Address, cfg.Headstage)
	}
	return f(dev, cfg)
}

// hubNames are the boards. Source: onix-devices 2.2.
var hubNames = map[uint32]string{
	1:   "FMC host",
	2:   "Headstage-64",
	3:   "Headstage Neuropixels 1.0f",
	4:   "Headstage RHS2116",
	5:   "Headstage-64S",
	6:   "Headstage Neuropixels 1.0e",
	7:   "Headstage Neuropixels 2.0e-Beta",
	8:   "Headstage Neuropixels 2.0e",
	9:   "Headstage Nric1384",
	10:  "Headstage Neuropixels 1.0e (H)",
	256: "Acquisition board",
	257: "Rhythm",
	258: "Acquisition board 3D",
}

// newStream describes a device's table but for its columns. kind is the last
// part of its name.
func newStream(dev oni.Device, cfg Config, kind, title string) stream.Stream {
	port := dev.Address.Port()
	name := kind
	if port > 0 && port <= 26 {
		name = "port-" + string(rune('a'+port-1)) + "-" + kind
	} else if port > 0 {
		name = fmt.Sprintf("hub-%d-%s", port, kind)
	}
	hub := hubNames[cfg.Hub.ID]
	if hub == "" && cfg.Hub.ID != 0 {
		hub = fmt.Sprintf("hub ID %d", cfg.Hub.ID)
	}
	return stream.Stream{
		Name: name, Device: title, DeviceID: dev.ID, DeviceAddress: uint32(dev.Address),
		Hub: hub, HubFirmware: cfg.Hub.Firmware, AcqClockHz: cfg.AcqClockHz, HubClockHz: cfg.Hub.ClockHz,
	}
}

// column describes a column of plain numbers, as every file of ours has them.
func column(name string, t stream.Type, rateHz float64) stream.Column {
	return stream.Column{Name: name, Type: t, ArrowType: t.String(), ByteWidth: t.Width(), RateHz: rateHz}
}

// clockColumn describes Clock or HubClock, whose scale is one over its rate.
func clockColumn(name string, clockHz uint64, rateHz float64) stream.Column {
	c := column(name, stream.Uint64, rateHz)
	if clockHz > 0 {
		c.Unit, c.Scale = "s", 1/float64(clockHz)
	}
	return c
}

func checkReadSize(dev oni.Device, kind string, need int) error {
	if int64(dev.ReadSize) < int64(need) {
		return fmt.Errorf("device: %s at %v: %w: the device table says %d bytes, need %d", kind, dev.Address, ErrSampleSize, dev.ReadSize, need)
	}
	return nil
}
