package stream

import (
	"math"
	"strconv"
)

// A KeyValue is one entry of schema or field metadata.
type KeyValue struct{ Key, Value string }

// Version is written as oniscope.version. It changes when the meaning of what
// we write changes, and with every release.
const Version = "0.2.0"

const (
	keyVersion      = "oniscope.version"
	keyStream       = "stream"
	keyDevice       = "device"
	keyDeviceID     = "device_id"
	keyAddress      = "device_address"
	keyHub          = "hub"
	keyHubFirmware  = "hub_firmware"
	keyAcqClockHz   = "acq_clock_hz"
	keyHubClockHz   = "hub_clock_hz"
	keyStartUTC     = "start_utc"
	keyStartClock   = "start_clock"
	keySimulated    = "simulated"
	keyRowsPerBatch = "rows_per_batch"
	keyProbe        = "probe"
)

// Metadata returns the schema metadata of s: text, decimal numbers, keys in a
// fixed order; what is unknown is left out. Extra follows.
func (s Stream) Metadata() []KeyValue {
	kv := []KeyValue{{keyVersion, Version}}
	text := func(key, value string) {
		if value != "" {
			kv = append(kv, KeyValue{key, value})
		}
	}
	number := func(key string, value uint64) {
		if value != 0 {
			kv = append(kv, KeyValue{key, strconv.FormatUint(value, 10)})
		}
	}
	text(keyStream, s.Name)
	text(keyDevice, s.Device)
	number(keyDeviceID, uint64(s.DeviceID))
	if s.DeviceID != 0 { // address 0 is a real address
		kv = append(kv, KeyValue{keyAddress, strconv.FormatUint(uint64(s.DeviceAddress), 10)})
	}
	text(keyHub, s.Hub)
	text(keyHubFirmware, s.HubFirmware)
	number(keyAcqClockHz, s.AcqClockHz)
	number(keyHubClockHz, s.HubClockHz)
	text(keyStartUTC, s.StartUTC)
	if s.StartUTC != "" { // tick 0 is a real tick
		kv = append(kv, KeyValue{keyStartClock, strconv.FormatUint(s.StartClock, 10)})
	}
	if s.Simulated {
		kv = append(kv, KeyValue{keySimulated, "true"})
	}
	number(keyRowsPerBatch, uint64(max(0, s.RowsPerBatch)))
	text(keyProbe, s.Probe)
	return append(kv, s.Extra...)
}

// FromMetadata is the inverse of Metadata, without columns. A value that does
// not parse is kept in Extra, and the field stays unknown: metadata of foreign
// files are claims.
func FromMetadata(kv []KeyValue) Stream {
	var s Stream
	for _, e := range kv {
		ok := true
		switch e.Key {
		case keyVersion:
		case keyStream:
			s.Name = e.Value
		case keyDevice:
			s.Device = e.Value
		case keyDeviceID:
			ok = parseUint32(e.Value, &s.DeviceID)
		case keyAddress:
			ok = parseUint32(e.Value, &s.DeviceAddress)
		case keyHub:
			s.Hub = e.Value
		case keyHubFirmware:
			s.HubFirmware = e.Value
		case keyAcqClockHz:
			ok = parseUint64(e.Value, &s.AcqClockHz)
		case keyHubClockHz:
			ok = parseUint64(e.Value, &s.HubClockHz)
		case keyStartUTC:
			s.StartUTC = e.Value
		case keyStartClock:
			ok = parseUint64(e.Value, &s.StartClock)
		case keySimulated:
			s.Simulated = e.Value == "true"
		case keyRowsPerBatch:
			var n uint64
			if ok = parseUint64(e.Value, &n) && n <= math.MaxInt32; ok {
				s.RowsPerBatch = int(n)
			}
		case keyProbe:
			s.Probe = e.Value
		default:
			ok = false
		}
		if !ok {
			s.Extra = append(s.Extra, e)
		}
	}
	return s
}

// Metadata returns the field metadata of c, as Stream.Metadata does.
func (c *Column) Metadata() []KeyValue {
	var kv []KeyValue
	number := func(key string, value float64, known bool) {
		if known {
			kv = append(kv, KeyValue{key, strconv.FormatFloat(value, 'g', -1, 64)})
		}
	}
	if c.Unit != "" {
		kv = append(kv, KeyValue{"unit", c.Unit})
	}
	number("scale", c.Scale, c.Scale != 0)
	number("offset", c.Offset, c.Scale != 0)
	number("rate_hz", c.RateHz, c.RateHz != 0)
	if c.Stride > 1 {
		kv = append(kv, KeyValue{"stride", strconv.Itoa(c.Stride)})
	}
	number("gain", c.Gain, c.Gain != 0)
	return append(kv, c.Extra...)
}

// SetMetadata fills c from field metadata; what does not parse goes to Extra.
func (c *Column) SetMetadata(kv []KeyValue) {
	for _, e := range kv {
		ok := true
		switch e.Key {
		case "unit":
			c.Unit = e.Value
		case "scale":
			ok = parseFinite(e.Value, &c.Scale)
		case "offset":
			ok = parseFinite(e.Value, &c.Offset)
		case "rate_hz":
			ok = parseFinite(e.Value, &c.RateHz)
		case "stride":
			n, err := strconv.Atoi(e.Value)
			if ok = err == nil && n > 0; ok {
				c.Stride = n
			}
		case "gain":
			ok = parseFinite(e.Value, &c.Gain)
		default:
			ok = false
		}
		if !ok {
			c.Extra = append(c.Extra, e)
		}
	}
}

func parseUint64(text string, to *uint64) bool {
	n, err := strconv.ParseUint(text, 10, 64)
	if err == nil {
		*to = n
	}
	return err == nil
}

func parseUint32(text string, to *uint32) bool {
	n, err := strconv.ParseUint(text, 10, 32)
	if err == nil {
		*to = uint32(n)
	}
	return err == nil
}

func parseFinite(text string, to *float64) bool {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return false
	}
	*to = x
	return true
}
