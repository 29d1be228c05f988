// Package stream says what a stream is: the table of one device, its clocks
// and its columns with type, unit and scale.
//
// It carries no data and knows no files. What a file stores about a stream
// besides names and types is schema and field metadata (see metadata.go);
// files without it are described by names and types alone (see defaults.go).
package stream

// A Type is how the values of a column are stored.
type Type uint8

// The storage types. Other is any type whose values are not of fixed width
// (text, lists, unions); FixedBinary is fixed-width without a numeric meaning
// here (decimals, intervals of several parts, raw frames).
const (
	Other Type = iota
	Bool
	Int8
	Int16
	Int32
	Int64
	Uint8
	Uint16
	Uint32
	Uint64
	Float16
	Float32
	Float64
	FixedBinary
)

var typeNames = [...]string{
	"other", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16",
	"uint32", "uint64", "float16", "float32", "float64", "fixed_size_binary",
}

// String returns Arrow's name of the type, as in `info --json`.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "other"
}

// Width is the number of bytes of one value in memory; 0 for Other and
// FixedBinary, whose width belongs to the column. A Bool is one byte in
// memory, 0 or 1, though Arrow packs it into a bit.
func (t Type) Width() int {
	switch t {
	case Bool, Int8, Uint8:
		return 1
	case Int16, Uint16, Float16:
		return 2
	case Int32, Uint32, Float32:
		return 4
	case Int64, Uint64, Float64:
		return 8
	}
	return 0
}

// Numeric reports whether values of the type can be plotted.
func (t Type) Numeric() bool { return t != Other && t != FixedBinary }

// Integer reports whether values of the type are whole numbers, and so may be bits.
func (t Type) Integer() bool { return t >= Int8 && t <= Uint64 }

// Ticks reports whether values of the type can count the ticks of a clock.
func (t Type) Ticks() bool { return t == Uint64 || t == Int64 }

// A Column is one field of a stream's table.
type Column struct {
	Name      string // in the file, unique within a stream of ours, not always in foreign files
	Type      Type   // of one value; for run-end encoded columns, of the values
	ArrowType string // as text for people: "uint16", "timestamp[us, UTC]", "utf8"
	ByteWidth int    // bytes of one value in memory; 0 for Other
	Nullable  bool   // as the schema says; real nulls are known only from the batches
	RunEnd    bool   // run-end encoded

	Unit   string  // of the physical value: "uV", "V", "s", "%", "B"; "" unknown
	Scale  float64 // physical = Scale * (raw - Offset); 0 unknown
	Offset float64 // raw
	RateHz float64 // of real values; 0 unknown
	Stride int     // rows from one real value to the next; 0 or 1: every row
	Gain   float64 // of the amplifier; 0 unknown

	Extra []KeyValue // field metadata that is not ours, in file order
}

// A Stream is the table of one device.
type Stream struct {
	Name          string // "port-a-neuropixels-1.0e"; file name stem
	Device        string // for people: "Neuropixels 1.0e"
	DeviceID      uint32 // ONIX device ID
	DeviceAddress uint32 // hub and index as on the wire
	Hub           string
	HubFirmware   string
	AcqClockHz    uint64 // rate of Clock; 0 unknown
	HubClockHz    uint64 // rate of HubClock; 0 unknown
	TimeColumn    string // that takes the place of Clock; "": none. It is no metadata
	StartUTC      string // RFC 3339, UTC; "" unknown
	StartClock    uint64 // ticks at StartUTC
	Simulated     bool
	RowsPerBatch  int    // of full batches; 0: what came in one flush interval
	Probe         string // probe-interface JSON; "" none
	Columns       []Column
	Extra         []KeyValue // schema metadata that is not ours, in file order
}

// Column returns the index of the column of that name, or -1.
func (s Stream) Column(name string) int {
	for i := range s.Columns {
		if s.Columns[i].Name == name {
			return i
		}
	}
	return -1
}

// Physical returns the value of a raw one in the column's Unit: Scale x (raw -
// Offset). Where the scale is not known it returns raw: a code.
func (c *Column) Physical(raw float64) float64 {
	if c.Scale == 0 {
		return raw
	}
	return c.Scale * (raw - c.Offset)
}

// Line is Physical as a line, for callers that cannot call it: a raw value is
// zero + step x raw.
func (c *Column) Line() (zero, step float64) {
	if c.Scale == 0 {
		return 0, 1
	}
	return c.Physical(0), c.Scale
}
