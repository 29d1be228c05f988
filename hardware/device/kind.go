package device

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/oniscope/oniscope/hardware/oni"
)

// A Kind describes one kind of device, once: rig files, their defaults, help,
// decoders and the simulator loop over Kinds. Each kind is declared in the
// file that decodes it.
type Kind struct {
	IDs     []uint32 // in a device table
	Place   Place
	Key     string // in a rig file and in stream names: "analog-io"
	Title   string // for people: "Analog inputs"
	Samples int    // bytes of a sample at least, padding apart

	// Headstages are the keys of the headstages that have the device; none if
	// it belongs to the host. A passthrough kind has exactly one.
	Headstages []string
	// Indices are where in its hub the device is, where the ID alone does not
	// tell; nil: anywhere. Of a passthrough kind they are the indices by which
	// its samples are distinguished from those of others at the same address.
	Indices []uint8

	// Optional kinds are recorded only if the rig file names them.
	Optional bool

	// Settings returns a pointer to the kind's settings with their defaults;
	// the yaml tags of its fields are the keys in a rig file.
	Settings func() Settings

	// Play makes what the simulator sends for a device of the kind, where the
	// simulator has no scene of its own for it. nil: the device stays silent.
	Play func(Stage) Player

	decoder func(*Kind, oni.Device, Config) (Decoder, error)
}

// A Place is where devices of a kind are.
type Place uint8

// The places.
const (
	OnHost    Place = iota // key "analog-io"
	OnPort                 // one for each port, key "port-a/status"
	Headstage              // what a passthrough headstage sends, key "port-a/neuropixels-1.0e"; the table does not name it, the rig file does
)

// Settings are what the user may set of a device. They are pointers to
// structs; nil means the defaults of the kind.
type Settings interface {
	// Check returns what is impossible about them.
	Check() error
}

// NoSettings are those of a kind with nothing to set.
type NoSettings struct{}

// Check returns nil.
func (*NoSettings) Check() error { return nil }

func noSettings() Settings { return &NoSettings{} }

// A Stage is what a Player has to know.
type Stage struct {
	Settings Settings
	ClockHz  uint64 // of the acquisition clock
	Port     uint8  // of the device, 0 none
	Linked   bool   // a headstage is plugged into that port
}

// A Player makes the samples of a simulated device, one after another.
type Player interface {
	// Next returns when the next sample is taken, in ticks since the start;
	// ok is false when none follows.
	Next() (tick uint64, ok bool)
	// AppendSample appends that sample, taken at a hub clock, to dst.
	AppendSample(dst []byte, hubClock uint64) []byte
}

// all kinds, in the order in which help and messages name them.
var all = []*Kind{
	&memoryMonitorKind, &heartbeatKind, &analogIOKind, &digitalIOKind, &harpSyncKind,
	&neuropixelsV1eKind, &neuropixelsV2eAKind, &neuropixelsV2eBKind, &neuropixelsV2eBetaAKind, &neuropixelsV2eBetaBKind,
	&rhd2164Kind, &rhs2116AKind, &rhs2116BKind, &rhs2116TriggerKind, &bno055Kind, &ts4231Kind,
	&neuropixelsV1fAKind, &neuropixelsV1fBKind, &nric1384Kind, &statusKind,
}

// Kinds returns all kinds that are decoded. The caller must not change them.
func Kinds() []*Kind { return slices.Clone(all) }

// Headstages returns the keys of all headstages, as a rig file names them.
func Headstages() (keys []string) {
	for _, k := range all {
		for _, key := range k.Headstages {
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// KindOf returns the kind of a device, or nil; of several that share a
// passthrough device the first. headstage is as for KindsOf.
func KindOf(dev oni.Device, headstage string) *Kind {
	if kinds := KindsOf(dev, headstage); len(kinds) > 0 {
		return kinds[0]
	}
	return nil
}

// KindsOf returns the kinds of what a device sends: one, or none; two where
// the probes of a headstage share a passthrough device. headstage is the key of
// the headstage whose data a passthrough device sends, "" if nothing is known
// of it.
func KindsOf(dev oni.Device, headstage string) (kinds []*Kind) {
	for _, k := range all {
		switch {
		case !k.sends(dev):
		case k.Place == Headstage:
			if slices.Contains(k.Headstages, headstage) {
				kinds = append(kinds, k)
			}
		default:
			return []*Kind{k}
		}
	}
	return kinds
}

// sends reports whether the device may be one of the kind.
func (k *Kind) sends(dev oni.Device) bool {
	return slices.Contains(k.IDs, dev.ID) && (k.Indices == nil || k.Place == Headstage || slices.Contains(k.Indices, dev.Address.Index()))
}

// KindForKey returns the kind that a rig file's key means, or nil: "analog-io",
// "port-a/status".
func KindForKey(key string) *Kind {
	port, own, onPort := strings.Cut(key, "/")
	if !onPort {
		own = key
	} else if letter, ok := strings.CutPrefix(port, "port-"); !ok || len(letter) != 1 || letter < "a" || letter > "z" {
		return nil
	}
	for _, k := range all {
		if k.Key == own && (k.Place != OnHost) == onPort {
			return k
		}
	}
	return nil
}

// Check returns what is wrong with settings for the kind.
func (k *Kind) Check(s Settings) error {
	if want := k.Settings(); reflect.TypeOf(s) != reflect.TypeOf(want) {
		return fmt.Errorf("settings are %T, want %T", s, want)
	}
	return s.Check()
}

// KeyAt returns the rig file's key for the device of this kind at an address:
// "analog-io", "port-a/status". It is "" where the kind is out of its place,
// as a heartbeat on a headstage.
func (k *Kind) KeyAt(a oni.Address) string {
	switch port := a.Port(); {
	case k.Place == OnHost && a.Hub() == 0:
		return k.Key
	case k.Place != OnHost && port > 0 && port <= ports:
		return "port-" + PortName(port) + "/" + k.Key
	}
	return ""
}

// PortName is the letter of a port: 1 is "a".
func PortName(port uint8) string { return string(rune('a' + port - 1)) }

// RateSettings are those of a device that beats.
type RateSettings struct {
	RateHz float64 `yaml:"rate_hz"`
}

// Bounds of a rate: a divider of 32 bits at 250 MHz, and of at least one tick
// of 10 MHz. Source: onix-devices 3.1, 3.4.
const (
	minRateHz = 0.1
	maxRateHz = 10e6
)

// Check wants 0.1 Hz to 10 MHz.
func (s *RateSettings) Check() error {
	if !(s.RateHz >= minRateHz && s.RateHz <= maxRateHz) {
		return fmt.Errorf("rate %v Hz: want %v to %v", s.RateHz, minRateHz, maxRateHz)
	}
	return nil
}
