package export

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// csvBytes is how much text is gathered before it is written.
const csvBytes = 256 << 10

// CSV writes the excerpt as text: a line of names, then a line for each row.
// Numbers are exact: reading them back gives the same value. Other types are
// written as Vector.Text says. A null is an empty field, an empty text ""; of one
// column alone both are "", for an empty line is passed over by readers.
//
// Fields are quoted as RFC 4180 says; lines end with a line feed.
func CSV(ctx context.Context, w io.Writer, x *recording.Excerpt, o *Options) (Report, error) {
	j, err := newJob(ctx, w, x, o)
	if err == nil {
		err = j.findGaps()
	}
	if err != nil {
		return Report{}, err
	}
	buffer := make([]byte, 0, csvBytes+4<<10)
	for i, name := range j.names() {
		if i > 0 {
			buffer = append(buffer, ',')
		}
		buffer = appendQuoted(buffer, name)
	}
	buffer = append(buffer, '\n')
	cells := make([]cell, len(j.columns))
	err = j.each(func(b *recording.Batch) error {
		for k := range b.Columns {
			cells[k] = j.cell(&j.columns[k], &b.Columns[k])
		}
		for i := range b.Rows {
			for k, put := range cells {
				if k > 0 {
					buffer = append(buffer, ',')
				}
				begin := len(buffer)
				if valid := b.Columns[k].Valid; valid == nil || valid[i] != 0 {
					buffer = put(buffer, i)
				}
				if len(cells) == 1 && len(buffer) == begin { // readers pass over an empty line
					buffer = append(buffer, `""`...)
				}
			}
			buffer = append(buffer, '\n')
			if len(buffer) < csvBytes {
				continue
			}
			if _, err := j.Write(buffer); err != nil {
				return err
			}
			if buffer = buffer[:0]; i+1 < b.Rows {
				if err := ctx.Err(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return Report{}, err
	}
	if _, err := j.Write(buffer); err != nil {
		return Report{}, err
	}
	return j.report, nil
}

// A cell appends the value of a row, which is not null.
type cell func(to []byte, row int) []byte

// cell returns how the values of a column are written.
func (j *job) cell(c *stream.Column, v *recording.Vector) cell {
	if j.physical(c) {
		units := unitsOf(c)
		return func(to []byte, row int) []byte {
			return array.AppendFloat(to, units(v.Float64(row)), 64)
		}
	}
	if c.ArrowType == c.Type.String() { // no time, no dictionary
		switch v.Type {
		case stream.Int8:
			return signed[int8](v)
		case stream.Int16:
			return signed[int16](v)
		case stream.Int32:
			return signed[int32](v)
		case stream.Int64:
			return signed[int64](v)
		case stream.Uint8:
			return unsigned[uint8](v)
		case stream.Uint16:
			return unsigned[uint16](v)
		case stream.Uint32:
			return unsigned[uint32](v)
		case stream.Uint64:
			return unsigned[uint64](v)
		case stream.Float32:
			values := recording.Values[float32](v)
			return func(to []byte, row int) []byte { return array.AppendFloat(to, float64(values[row]), 32) }
		case stream.Float64:
			values := recording.Values[float64](v)
			return func(to []byte, row int) []byte { return array.AppendFloat(to, values[row], 64) }
		}
	}
	return func(to []byte, row int) []byte {
		text, valid := v.Text(row)
		if !valid {
			return to
		}
		return appendQuoted(to, text)
	}
}

func signed[T int8 | int16 | int32 | int64](v *recording.Vector) cell {
	values := recording.Values[T](v)
	return func(to []byte, row int) []byte { return strconv.AppendInt(to, int64(values[row]), 10) }
}

func unsigned[T uint8 | uint16 | uint32 | uint64](v *recording.Vector) cell {
	values := recording.Values[T](v)
	return func(to []byte, row int) []byte { return strconv.AppendUint(to, uint64(values[row]), 10) }
}

// appendQuoted writes a field, in quotes where RFC 4180 asks for them, and
// where it is empty or begins or ends with a space.
func appendQuoted(to []byte, text string) []byte {
	if text != "" && !strings.ContainsAny(text, ",\"\r\n") && text == strings.TrimSpace(text) {
		return append(to, text...)
	}
	to = append(to, '"')
	to = append(to, strings.ReplaceAll(text, `"`, `""`)...)
	return append(to, '"')
}
