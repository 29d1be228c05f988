package export

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// NPY writes the excerpt as one NumPy array, little endian: of rows x columns
// if all columns have one type, else of records with a field for each column.
// Dates and moments become datetime64, durations and times of a day timedelta64.
//
// The header comes first and says how many rows there are. Where that turns
// out otherwise (damaged batches, Unique) it is written again if w is also an
// io.WriterAt, as a file is; else NPY fails.
//
// It returns an error that wraps ErrKind for columns without a fixed width or of a
// type that NumPy does not have (decimals, intervals), and for nulls other than of
// numbers with a fraction, which become NaN, and of times, which become NaT.
//
// Source: numpy.lib.format, versions 1.0 to 3.0.
func NPY(ctx context.Context, w io.Writer, x *recording.Excerpt, o *Options) (Report, error) {
	j, err := showableJob(ctx, w, x, o)
	if err != nil {
		return Report{}, err
	}
	dtypes := make([]string, len(j.columns))
	for i := range j.columns {
		if dtypes[i], err = j.dtype(&j.columns[i]); err != nil {
			return Report{}, err
		}
	}
	names := j.names()
	rows := x.Len()
	header := npyHeader(names, dtypes, rows)
	if _, err := j.Write(header); err != nil {
		return Report{}, err
	}
	if err := j.interleaved(func(*recording.Batch) error { return nil }); err != nil {
		return Report{}, err
	}
	if j.report.Rows == rows {
		return j.report, nil
	}
	at, ok := w.(io.WriterAt)
	if !ok {
		return Report{}, fmt.Errorf("export: %d rows are there of the %d that the header announces; write to a file", j.report.Rows, rows)
	}
	if again := npyHeader(names, dtypes, j.report.Rows); len(again) != len(header) {
		return Report{}, fmt.Errorf("export: the header of an array of %d rows has another length than that of %d", j.report.Rows, rows)
	} else if _, err := at.WriteAt(again, 0); err != nil {
		return Report{}, err
	}
	return j.report, nil
}

// dtype returns NumPy's name for the values of a column.
func (j *job) dtype(c *stream.Column) (string, error) {
	if j.physical(c) {
		return "<f8", nil
	}
	kind, rest, _ := strings.Cut(c.ArrowType, "[")
	unit, _, _ := strings.Cut(strings.TrimSuffix(rest, "]"), ",")
	if moment := numpyTime(c, kind, unit); moment != "" {
		return moment, nil
	}
	switch {
	case c.Type == stream.Other || c.ByteWidth == 0:
		return "", kindf("column %q is of type %s, and a NumPy array has values of fixed width alone; leave it out, or choose csv, parquet or arrow", c.Name, c.ArrowType)
	case c.Type == stream.FixedBinary && kind != "fixed_size_binary", kind == "month_interval":
		return "", kindf("column %q is of type %s, which NumPy does not have; leave it out, or choose csv or arrow", c.Name, c.ArrowType)
	case c.Type == stream.Bool:
		return "|b1", nil
	case c.Type == stream.FixedBinary:
		return fmt.Sprintf("|V%d", c.ByteWidth), nil
	}
	return numpyNumber[c.Type], nil
}

// numpyTime returns NumPy's name for dates, moments, times of a day and
// durations, all of 64 bits; "" for other columns.
func numpyTime(c *stream.Column, kind, unit string) string {
	switch kind {
	case "timestamp":
		return "<M8[" + unit + "]"
	case "date32":
		return "<M8[D]"
	case "date64":
		return "<M8[ms]"
	case "duration", "time32", "time64":
		return "<m8[" + unit + "]"
	}
	return ""
}

// isTime reports whether a column becomes one of NumPy's times.
func isTime(c *stream.Column) bool {
	kind, _, _ := strings.Cut(c.ArrowType, "[")
	return numpyTime(c, kind, "s") != ""
}

// notATime is NumPy's NaT.
const notATime = math.MinInt64

// times returns the values of a column of times in 64 bits, NaT for nulls.
func times(v *recording.Vector) []byte {
	out := make([]byte, 0, 8*v.Len)
	width := v.Type.Width()
	for i := range v.Len {
		x := int64(notATime)
		if v.Valid == nil || v.Valid[i] != 0 {
			if x = int64(int32(binary.LittleEndian.Uint32(v.Data[width*i:]))); width == 8 {
				x = int64(binary.LittleEndian.Uint64(v.Data[width*i:]))
			}
		}
		out = binary.LittleEndian.AppendUint64(out, uint64(x))
	}
	return out
}

var numpyNumber = map[stream.Type]string{
	stream.Int8: "|i1", stream.Int16: "<i2", stream.Int32: "<i4", stream.Int64: "<i8",
	stream.Uint8: "|u1", stream.Uint16: "<u2", stream.Uint32: "<u4", stream.Uint64: "<u8",
	stream.Float16: "<f2", stream.Float32: "<f4", stream.Float64: "<f8",
}

// names returns the names of the columns, with units where they are physical,
// all different, as NumPy wants them, and none empty.
func (j *job) names() []string {
	names := make([]string, len(j.columns))
	for i := range j.columns {
		c := &j.columns[i]
		if names[i] = c.Name; names[i] == "" {
			names[i] = "#1"
		}
		if j.physical(c) && c.Unit != "" {
			names[i] += " (" + c.Unit + ")"
		}
	}
	return stream.Distinct(names)
}

// npyHeader returns magic, version and description, padded to 64 bytes. Room
// is left for 19 digits of rows, so that the length does not depend on them.
func npyHeader(names, dtypes []string, rows int64) []byte {
	same := true
	for _, d := range dtypes {
		same = same && d == dtypes[0]
	}
	descr, shape := pythonString(dtypes[0]), fmt.Sprintf("(%d, %d)", rows, len(dtypes))
	ascii := true
	if !same {
		var b strings.Builder
		b.WriteByte('[')
		for i := range names {
			fmt.Fprintf(&b, "(%s, %s), ", pythonString(names[i]), pythonString(dtypes[i]))
			for _, c := range names[i] {
				ascii = ascii && c < 0x80
			}
		}
		b.WriteByte(']')
		descr, shape = b.String(), fmt.Sprintf("(%d,)", rows)
	}
	dict := fmt.Sprintf("{'descr': %s, 'fortran_order': False, 'shape': %s, }", descr, shape)
	const digits = 19
	room := digits - len(fmt.Sprint(rows))
	prefix, version := 10, byte(1)
	if !ascii {
		prefix, version = 12, 3
	} else if len(dict)+digits+64 > math.MaxUint16 {
		prefix, version = 12, 2
	}
	total := (prefix + len(dict) + room + 1 + 63) / 64 * 64
	head := make([]byte, prefix, total)
	copy(head, "\x93NUMPY")
	head[6] = version
	if prefix == 10 {
		binary.LittleEndian.PutUint16(head[8:], uint16(total-prefix))
	} else {
		binary.LittleEndian.PutUint32(head[8:], uint32(total-prefix))
	}
	head = append(head, dict...)
	for len(head) < total-1 {
		head = append(head, ' ')
	}
	return append(head, '\n')
}

// pythonString writes a Python literal.
func pythonString(text string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, c := range text {
		switch {
		case c == '\'' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, "\\x%02x", c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// physical returns scale x (raw - offset) as float64, NaN for nulls.
func physical(c *stream.Column, v *recording.Vector) []byte {
	out := make([]byte, 8*v.Len)
	units := unitsOf(c)
	for i := range v.Len {
		binary.LittleEndian.PutUint64(out[8*i:], math.Float64bits(units(v.Float64(i))))
	}
	return out
}

// withNaN returns a copy of the values with NaN under nulls.
func withNaN(t stream.Type, v *recording.Vector) []byte {
	out := append([]byte(nil), v.Data[:v.Len*t.Width()]...)
	for i := range v.Len {
		if v.Valid[i] != 0 {
			continue
		}
		switch t {
		case stream.Float16:
			binary.LittleEndian.PutUint16(out[2*i:], 0x7e00)
		case stream.Float32:
			binary.LittleEndian.PutUint32(out[4*i:], math.Float32bits(float32(math.NaN())))
		default:
			binary.LittleEndian.PutUint64(out[8*i:], math.Float64bits(math.NaN()))
		}
	}
	return out
}
