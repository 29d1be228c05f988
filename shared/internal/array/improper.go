package array

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// Improper says why values are none of their type, though they can be read: a changed
// byte makes such, and other programs refuse a file for them. Source: Schema.fbs, "Utf8",
// "Decimal", "Time"; Arrow columnar format, "Variable-size Binary View Layout".
type Improper string

const (
	notUTF8   Improper = "not UTF-8, as text is"
	tooLong   Improper = "more digits than the type has"
	noTime    Improper = "no time of a day"
	otherView Improper = "not as its view says, or not zero after it"
)

// Improper counts such values of an array, and of its children.
func (a *Array) Improper(count func(why Improper, n int64)) {
	f := a.Field
	switch {
	case f.Dictionary != nil:
	case isText(f.Type.ID) || isView(f):
		a.texts(count)
	case len(a.Buffers) == 1:
		ImproperFlat(f, a.Buffers[0], a.Validity, count)
	}
	for _, c := range a.Children {
		c.Improper(count)
	}
}

func (a *Array) texts(count func(why Improper, n int64)) {
	text, view := isText(a.Field.Type.ID), isView(a.Field)
	var bad, other int64
	for i := range a.Len {
		if a.Validity != nil && !bit(a.Validity, i) {
			continue
		}
		value := a.value(i)
		if text && !utf8.Valid(value) {
			bad++
		}
		if view && !viewFits(a.Buffers[0][16*i:16*i+16], value) {
			other++
		}
	}
	count(notUTF8, bad)
	count(otherView, other)
}

// viewFits reports whether a short value is followed by zeros, and a long one begins as
// its view says.
func viewFits(view, value []byte) bool {
	if len(value) > inlineView {
		return string(view[4:8]) == string(value[:4])
	}
	for _, b := range view[4+len(value):] {
		if b != 0 {
			return false
		}
	}
	return true
}

// ImproperFlat counts such values of a column of fixed width, by its values and its
// validity bits, nil without nulls.
func ImproperFlat(f *arrowipc.Field, data, valid []byte, count func(why Improper, n int64)) {
	if f.Dictionary != nil {
		return
	}
	bad := int64(0)
	each := func(width int, good func(value []byte) bool) {
		for i := range len(data) / width {
			if (valid == nil || bit(valid, i)) && !good(data[i*width:(i+1)*width]) {
				bad++
			}
		}
	}
	switch f.Type.ID {
	case arrowipc.Time:
		day := uint64(86400) * [...]uint64{1, 1e3, 1e6, 1e9}[f.Type.Unit&3]
		if f.Type.BitWidth == 32 {
			each(4, func(v []byte) bool { return uint64(binary.LittleEndian.Uint32(v)) < day })
		} else {
			each(8, func(v []byte) bool { return binary.LittleEndian.Uint64(v) < day })
		}
		count(noTime, bad)
	case arrowipc.Decimal:
		if p := f.Type.Precision; p > 0 && p <= 76 && f.Type.BitWidth > 0 {
			limit := digitsLimit(p)
			each(int(f.Type.BitWidth/8), func(v []byte) bool { return below(v, &limit) })
			count(tooLong, bad)
		}
	}
}

// digitsLimit is the first number of more digits, in words of 64 bits, the lowest first.
func digitsLimit(digits int32) (limit [4]uint64) {
	limit[0] = 1
	for range digits {
		carry := uint64(0)
		for i, word := range limit {
			high, low := bits.Mul64(word, 10)
			var more uint64
			limit[i], more = bits.Add64(low, carry, 0)
			carry = high + more
		}
	}
	return limit
}

// below reports whether a number in two's complement is smaller than a limit, its sign
// aside.
func below(value []byte, limit *[4]uint64) bool {
	negative := value[len(value)-1]&0x80 != 0
	var words [4]uint64
	carry := negative
	for i := range words {
		word := uint64(0)
		if negative {
			word = 1<<64 - 1
		}
		for k := 7; k >= 0; k-- {
			if at := 8*i + k; at < len(value) {
				word = word&^(0xff<<(8*k)) | uint64(value[at])<<(8*k)
			}
		}
		if negative {
			if word = ^word; carry {
				word++
				carry = word == 0
			}
		}
		words[i] = word
	}
	for i := 3; i >= 0; i-- {
		if words[i] != limit[i] {
			return words[i] < limit[i]
		}
	}
	return false
}

func isText(id arrowipc.TypeID) bool {
	return id == arrowipc.Utf8 || id == arrowipc.LargeUtf8 || id == arrowipc.Utf8View
}
