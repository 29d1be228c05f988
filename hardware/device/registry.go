package device

import (
	"fmt"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

// Device IDs. Source: onix-devices 2.1.
const (
	IDRhd2164             = 3
	IDBNO055              = 9
	IDNeuropixelsV1f      = 11
	IDHeartbeat           = 12
	IDDigitalIO           = 18
	IDOutputClock         = 20
	IDAnalogIO            = 22
	IDPortController      = 23
	IDPassthrough         = 24 // DS90UB9x: what a headstage without devices of its own sends
	IDTS4231              = 25
	IDLoadTester          = 27
	IDMemoryMonitor       = 28
	IDHarpSyncInput       = 30
	IDRhs2116             = 31
	IDRhs2116Trigger      = 32
	IDNric1384            = 33
	IDPersistentHeartbeat = 35
)

// Config says what a device's table entry does not. The zero value gives the
// defaults of the kind, and clocks without a unit.
type Config struct {
	AcqClockHz uint64   // rate of Clock; 0 unknown
	Hub        oni.Hub  // of the device; HubClock has no unit and gaps go unseen if its ClockHz is 0
	Headstage  string   // passthrough: key of the headstage whose data it sends; "" not known, frames are kept raw
	Settings   Settings // of the kind; nil means its defaults

	// Parts are the settings of kinds that share a passthrough device, by key
	// of the kind; what is not named has its kind's defaults.
	Parts map[string]Part
	// Table is the device table, if known: raw streams of one device ID get
	// different names by it.
	Table oni.DeviceTable

	// OnGap, if not nil, is called from Decode for every gap.
	OnGap func(Gap)
}

// A Part is one of the kinds that share a passthrough device.
type Part struct {
	Off      bool     // its samples are not wanted
	Settings Settings // nil means the kind's defaults
}

// Supported reports whether the samples of the device are understood. For any
// other device that sends frames New gives a decoder that keeps them raw; make
// it when the first frame comes, since most such devices never send one.
func Supported(dev oni.Device, cfg Config) bool {
	k := KindOf(dev, cfg.Headstage)
	return k != nil && (dev.ReadSize > 0 || k.Place == Headstage)
}

// New returns the decoder for a device. It fails if the settings are
// impossible, or the table's read size is less than the device's sample.
func New(dev oni.Device, cfg Config) (Decoder, error) {
	kinds := KindsOf(dev, cfg.Headstage)
	switch {
	case len(kinds) == 0 && dev.ID == IDPassthrough && cfg.Headstage != "":
		return nil, fmt.Errorf("device: %v: headstage %q is not known", dev.Address, cfg.Headstage)
	case len(kinds) == 0:
		return newUnknown(dev, cfg)
	case kinds[0].Place == Headstage && kinds[0].Indices != nil:
		return newPassthrough(kinds, dev, cfg)
	}
	return kinds[0].newDecoder(dev, cfg)
}

// newDecoder makes the decoder of a device of the kind.
func (k *Kind) newDecoder(dev oni.Device, cfg Config) (Decoder, error) {
	if cfg.Settings == nil {
		cfg.Settings = k.Settings()
	}
	if err := k.Check(cfg.Settings); err != nil {
		return nil, fmt.Errorf("device: %s at %v: %w", k.Key, dev.Address, err)
	}
	if int64(dev.ReadSize) < int64(k.Samples) {
		return nil, fmt.Errorf("device: %s at %v: %w: the device table says %d bytes, need %d", k.Key, dev.Address, ErrSampleSize, dev.ReadSize, k.Samples)
	}
	return k.decoder(k, dev, cfg)
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

// newStream describes the table of a kind's device but for its columns.
func (k *Kind) newStream(dev oni.Device, cfg Config) stream.Stream {
	return newStream(dev, cfg, streamName(dev, cfg.Table, k.Key, k), k.Title)
}

// streamName is what the stream of a device is called: its place and a word,
// "heartbeat", "port-a-rhd2164". It is unique among the devices of a table: of
// several of one kind (nil: of one ID) in one place the second has the number 2.
func streamName(dev oni.Device, table oni.DeviceTable, word string, k *Kind) string {
	at, number := place(dev), 1
	for _, other := range table {
		alike := other.ID == dev.ID
		if k != nil {
			alike = k.sends(other)
		}
		if alike && other.Address < dev.Address && place(other) == at {
			number++
		}
	}
	if number > 1 {
		word += fmt.Sprintf("-%d", number)
	}
	return at + word
}

// place is what names of streams of a device begin with: "port-a-", "hub-3-", or
// nothing for the host. On the host only two kinds of device belong to a port,
// whatever the addresses of others; there are two ports.
func place(dev oni.Device) string {
	switch hub, port := dev.Address.Hub(), dev.Address.Port(); {
	case hub > ports:
		return fmt.Sprintf("hub-%d-", hub)
	case port == 0 || hub == 0 && dev.ID != IDPortController && dev.ID != IDPassthrough:
		return ""
	default:
		return "port-" + PortName(port) + "-"
	}
}

// ports of a controller. Source: onix-devices 2.3.
const ports = 2

func newStream(dev oni.Device, cfg Config, name, title string) stream.Stream {
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
