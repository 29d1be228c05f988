// Package arrowipc is the framing of Arrow IPC and nothing else: messages,
// schemas, batch headers and footers, read from bytes and appended to bytes.
//
// It knows no files and reads no bodies. Every count and offset in metadata is
// a claim: nothing here panics or allocates more than a small multiple of the
// metadata it was given, whatever they say.
//
// Source: the Arrow columnar format, "Serialization and Interprocess
// Communication", and its Message.fbs, Schema.fbs and File.fbs.
package arrowipc

import (
	"fmt"
	"strings"
)

// A TypeID is the discriminant of the union Type in Schema.fbs.
type TypeID uint8

// The types in the order of Schema.fbs.
const (
	None TypeID = iota
	Null
	Int
	FloatingPoint
	Binary
	Utf8
	Bool
	Decimal
	Date
	Time
	Timestamp
	Interval
	List
	Struct
	Union
	FixedSizeBinary
	FixedSizeList
	Map
	Duration
	LargeBinary
	LargeUtf8
	LargeList
	RunEndEncoded
	BinaryView
	Utf8View
	ListView
	LargeListView
)

// A DataType is a type with its parameters; parameters of other types are 0.
type DataType struct {
	ID        TypeID
	BitWidth  int32  // Int, Decimal, Time
	Signed    bool   // Int
	Unit      int16  // FloatingPoint: 0 half, 1 single, 2 double; Date: 0 day, 1 ms; Time, Timestamp, Duration: 0 s .. 3 ns; Interval: 0 year-month, 1 day-time, 2 month-day-nano
	Precision int32  // Decimal
	Scale     int32  // Decimal
	Timezone  string // Timestamp
	Size      int32  // FixedSizeBinary: bytes; FixedSizeList: elements
	Sorted    bool   // Map: keys are sorted
	Dense     bool   // Union
	TypeIDs   []int32
}

// A KeyValue is one entry of custom metadata.
type KeyValue struct{ Key, Value string }

// A Dictionary says that a field's values are indices into a dictionary.
type Dictionary struct {
	ID      int64
	Index   DataType // Int
	Ordered bool
}

// A Field is one column of a schema, or a child of one.
type Field struct {
	Name       string
	Nullable   bool
	Type       DataType
	Dictionary *Dictionary // nil: plain
	Children   []Field
	Metadata   []KeyValue
}

// A Schema is the list of columns.
type Schema struct {
	BigEndian bool
	Fields    []Field
	Metadata  []KeyValue
	Features  []int64
}

// FixedBits returns the bits of one value in the data buffer of a type that
// has exactly a validity and a data buffer; ok is false for all others.
func (t DataType) FixedBits() (bits int, ok bool) {
	switch t.ID {
	case Bool:
		return 1, true
	case Int:
		return int(t.BitWidth), t.BitWidth == 8 || t.BitWidth == 16 || t.BitWidth == 32 || t.BitWidth == 64 || t.BitWidth == 128 // of Polars alone
	case Decimal:
		return int(t.BitWidth), t.BitWidth == 32 || t.BitWidth == 64 || t.BitWidth == 128 || t.BitWidth == 256
	case Time:
		return int(t.BitWidth), t.BitWidth == 32 || t.BitWidth == 64
	case FloatingPoint:
		return 16 << uint16(t.Unit), t.Unit >= 0 && t.Unit <= 2
	case Date:
		return 32 << uint16(t.Unit), t.Unit == 0 || t.Unit == 1
	case Timestamp, Duration:
		return 64, true
	case Interval:
		return 32 << uint16(t.Unit), t.Unit >= 0 && t.Unit <= 2
	case FixedSizeBinary:
		return int(t.Size) * 8, t.Size >= 0 && t.Size <= 1<<24
	}
	return 0, false
}

var unitNames = [...]string{"s", "ms", "us", "ns"}

func unitName(unit int16) string {
	if unit >= 0 && int(unit) < len(unitNames) {
		return unitNames[unit]
	}
	return fmt.Sprintf("unit %d", unit)
}

var plainNames = map[TypeID]string{
	Null: "null", Binary: "binary", Utf8: "utf8", Bool: "bool", LargeBinary: "large_binary", LargeUtf8: "large_utf8",
	BinaryView: "binary_view", Utf8View: "utf8_view",
}

// intName has the names of the usual integers ready: nearly all columns are
// such, and making names was a good part of what opening a file took.
func intName(bits int32, signed bool) string {
	names := [...]string{"uint8", "uint16", "uint32", "uint64"}
	if signed {
		names = [...]string{"int8", "int16", "int32", "int64"}
	}
	switch bits {
	case 8:
		return names[0]
	case 16:
		return names[1]
	case 32:
		return names[2]
	case 64:
		return names[3]
	}
	return fmt.Sprintf("%s%d", names[0][:len(names[0])-1], bits)
}

// String names the type as pyarrow and the Arrow documentation do, without
// children: "uint16", "timestamp[us, UTC]", "list".
func (t DataType) String() string {
	if name, ok := plainNames[t.ID]; ok {
		return name
	}
	switch t.ID {
	case Int:
		return intName(t.BitWidth, t.Signed)
	case FloatingPoint:
		if bits, ok := t.FixedBits(); ok {
			return fmt.Sprintf("float%d", bits)
		}
		return "float"
	case Decimal:
		return fmt.Sprintf("decimal%d(%d, %d)", t.BitWidth, t.Precision, t.Scale)
	case Date:
		if t.Unit == 0 {
			return "date32"
		}
		return "date64"
	case Time:
		return fmt.Sprintf("time%d[%s]", t.BitWidth, unitName(t.Unit))
	case Timestamp:
		if t.Timezone != "" {
			return fmt.Sprintf("timestamp[%s, %s]", unitName(t.Unit), t.Timezone)
		}
		return fmt.Sprintf("timestamp[%s]", unitName(t.Unit))
	case Duration:
		return fmt.Sprintf("duration[%s]", unitName(t.Unit))
	case Interval:
		return [...]string{"month_interval", "day_time_interval", "month_day_nano_interval"}[min(max(t.Unit, 0), 2)]
	case FixedSizeBinary:
		return fmt.Sprintf("fixed_size_binary[%d]", t.Size)
	case FixedSizeList:
		return fmt.Sprintf("fixed_size_list[%d]", t.Size)
	case Union:
		if t.Dense {
			return "dense_union"
		}
		return "sparse_union"
	case List:
		return "list"
	case LargeList:
		return "large_list"
	case ListView:
		return "list_view"
	case LargeListView:
		return "large_list_view"
	case Struct:
		return "struct"
	case Map:
		return "map"
	case RunEndEncoded:
		return "run_end_encoded"
	}
	return fmt.Sprintf("unknown type %d", t.ID)
}

// TypeString names the field's type with its children:
// "run_end_encoded<int32, uint16>", "list<utf8>", "dictionary<int32, utf8>".
func (f *Field) TypeString() string {
	name := f.Type.String()
	if len(f.Children) > 0 {
		parts := make([]string, len(f.Children))
		for i := range f.Children {
			parts[i] = f.Children[i].TypeString()
			if f.Type.ID == Struct || f.Type.ID == Union {
				parts[i] = f.Children[i].Name + ": " + parts[i]
			}
		}
		name += "<" + strings.Join(parts, ", ") + ">"
	}
	if f.Dictionary != nil {
		name = "dictionary<" + f.Dictionary.Index.String() + ", " + name + ">"
	}
	return name
}

// ValuesString names the type of a field's values, without their dictionary.
func (f *Field) ValuesString() string {
	values := *f
	values.Dictionary = nil
	return values.TypeString()
}
