package array

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// maxText bounds the text of one row, but for that of a single value: lists of
// a few bytes may point at the same values any number of times.
const maxText = 16 << 20

// AppendText appends row i for people: numbers as decimals, times as ISO 8601,
// bytes as hexadecimal digits, lists as [1, 2], structs as {a: 1}, maps as
// {"key": 1}, what is encoded as its value, nulls as null. Text is as it is;
// inside of something else it is quoted.
//
// What would be longer than 16 MiB ends in "...".
func (a *Array) AppendText(dst []byte, i int) []byte {
	t := texter{dst, len(dst) + maxText}
	t.value(a, i, false)
	return t.dst
}

type texter struct {
	dst   []byte
	limit int
}

func (t *texter) add(s string) { t.dst = append(t.dst, s...) }

// full says so in the text once.
func (t *texter) full() bool {
	if len(t.dst) < t.limit {
		return false
	}
	if t.limit > 0 {
		t.add("...")
		t.limit = 0
	}
	return true
}

func (t *texter) value(a *Array, i int, inside bool) {
	if a.Validity != nil && !bit(a.Validity, i) {
		t.add("null")
		return
	}
	if a.Field.Dictionary != nil {
		if a.Dictionary == nil {
			t.add("null")
			return
		}
		t.value(a.Dictionary, int(a.index(i)), inside)
		return
	}
	switch a.Field.Type.ID {
	case arrowipc.Null:
		t.add("null")
	case arrowipc.Utf8, arrowipc.LargeUtf8, arrowipc.Utf8View:
		if inside {
			t.dst = strconv.AppendQuote(t.dst, string(a.value(i)))
		} else {
			t.dst = append(t.dst, a.value(i)...)
		}
	case arrowipc.Binary, arrowipc.LargeBinary, arrowipc.BinaryView:
		t.dst = hex.AppendEncode(t.dst, a.value(i))
	case arrowipc.Map:
		t.pairs(a, i)
	case arrowipc.List, arrowipc.LargeList, arrowipc.ListView, arrowipc.LargeListView, arrowipc.FixedSizeList:
		t.list(a, i)
	case arrowipc.Struct:
		t.members(a, i)
	case arrowipc.Union:
		child, at := a.member(i)
		t.value(child, at, inside)
	case arrowipc.RunEndEncoded:
		t.value(a.Children[1], a.run(i), inside)
	default:
		width, _ := a.Field.Type.FixedBits()
		if width == 1 {
			t.dst = strconv.AppendBool(t.dst, bit(a.Buffers[0], i))
			return
		}
		t.dst = AppendFixed(t.dst, &a.Field.Type, a.Buffers[0][i*width/8:(i+1)*width/8])
	}
}

func (t *texter) list(a *Array, i int) {
	t.add("[")
	from, to := a.extent(i)
	for k := from; k < to && !t.full(); k++ {
		if k > from {
			t.add(", ")
		}
		t.value(a.Children[0], k, true)
	}
	t.add("]")
}

func (t *texter) pairs(a *Array, i int) {
	t.add("{")
	from, to := a.extent(i)
	entries := a.Children[0]
	for k := from; k < to && !t.full(); k++ {
		if k > from {
			t.add(", ")
		}
		t.value(entries.Children[0], k, true)
		t.add(": ")
		t.value(entries.Children[1], k, true)
	}
	t.add("}")
}

func (t *texter) members(a *Array, i int) {
	t.add("{")
	for k, c := range a.Children {
		if t.full() {
			break
		}
		if k > 0 {
			t.add(", ")
		}
		t.add(c.Field.Name)
		t.add(": ")
		t.value(c, i, true)
	}
	t.add("}")
}

// AppendFixed appends one value of a type of fixed width, as AppendText does.
// p holds its bytes; a truth value is one byte.
func AppendFixed(dst []byte, t *arrowipc.DataType, p []byte) []byte {
	switch t.ID {
	case arrowipc.Bool:
		return strconv.AppendBool(dst, p[0] != 0)
	case arrowipc.Int:
		if len(p) > 8 {
			return appendScaled(dst, wideInteger(p, t.Signed), 0)
		}
		x := integer(p, 0, len(p))
		if t.Signed {
			return strconv.AppendInt(dst, x, 10)
		}
		if len(p) < 8 {
			x &= 1<<(8*len(p)) - 1
		}
		return strconv.AppendUint(dst, uint64(x), 10)
	case arrowipc.FloatingPoint:
		return appendFloat(dst, p)
	case arrowipc.Decimal:
		return appendDecimal(dst, p, int(t.Scale))
	case arrowipc.Date:
		return appendDate(dst, integer(p, 0, len(p)), t.Unit)
	case arrowipc.Time:
		return appendTime(dst, integer(p, 0, len(p)), t.Unit)
	case arrowipc.Timestamp:
		return appendTimestamp(dst, integer(p, 0, 8), t.Unit, t.Timezone != "")
	case arrowipc.Duration:
		return append(appendSeconds(dst, numberOf(integer(p, 0, 8)), t.Unit), 's')
	case arrowipc.Interval:
		return appendInterval(dst, p, t.Unit)
	}
	return hex.AppendEncode(dst, p)
}

func appendFloat(dst []byte, p []byte) []byte {
	switch len(p) {
	case 2:
		return AppendFloat(dst, FloatFromHalf(uint16(integer(p, 0, 2))), 32)
	case 4:
		return AppendFloat(dst, float64(math.Float32frombits(uint32(integer(p, 0, 4)))), 32)
	}
	return AppendFloat(dst, math.Float64frombits(uint64(integer(p, 0, 8))), 64)
}

// AppendFloat writes the shortest decimal number that gives back x, which has so many
// bits: NaN and inf as NumPy and pandas read them.
func AppendFloat(to []byte, x float64, bits int) []byte {
	switch {
	case math.IsInf(x, 1):
		return append(to, "inf"...)
	case math.IsInf(x, -1):
		return append(to, "-inf"...)
	}
	return strconv.AppendFloat(to, x, 'g', -1, bits)
}

// FloatFromHalf converts an IEEE 754 binary16 number.
func FloatFromHalf(half uint16) float64 {
	sign, exponent, fraction := 1.0, int(half>>10&31), float64(half&1023)
	if half&0x8000 != 0 {
		sign = -1
	}
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -24)
	case 31:
		if fraction != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}

// maxDigits is how many zeros a decimal's scale may add; 76 digits are the
// most that Arrow has, and scales beyond are written as exponents.
const maxDigits = 128

func appendDecimal(dst []byte, p []byte, scale int) []byte {
	return appendScaled(dst, wideInteger(p, true), scale)
}

// A number is an integer as text: digits without leading zeros.
type number struct {
	negative bool
	digits   string
}

func numberOf(x int64) number {
	text := strconv.FormatInt(x, 10)
	digits := strings.TrimPrefix(text, "-")
	return number{len(digits) < len(text), digits}
}

func (x number) zero() bool { return x.digits == "0" }

// wideInteger is a little-endian integer of any number of bytes. math/big would
// do, and add 160 kB of code to the page's engine.
func wideInteger(p []byte, signed bool) number {
	limbs := make([]uint64, (len(p)+7)/8) // the least first
	negative := signed && len(p) > 0 && p[len(p)-1]&0x80 != 0
	for i := range limbs {
		var word [8]byte
		if negative {
			word = [8]byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}
		}
		copy(word[:], p[8*i:])
		limbs[i] = binary.LittleEndian.Uint64(word[:])
	}
	if negative {
		carry := uint64(1)
		for i := range limbs {
			limbs[i], carry = bits.Add64(^limbs[i], 0, carry)
		}
	}
	if len(limbs) == 0 {
		return numberOf(0)
	}
	digits := ""
	for len(limbs) > 0 {
		const chunk, width = 1e19, 19 // the most that fits
		rest := uint64(0)
		for i := len(limbs) - 1; i >= 0; i-- {
			limbs[i], rest = bits.Div64(rest, limbs[i], chunk)
		}
		for len(limbs) > 0 && limbs[len(limbs)-1] == 0 {
			limbs = limbs[:len(limbs)-1]
		}
		part := strconv.FormatUint(rest, 10)
		if len(limbs) > 0 {
			part = strings.Repeat("0", width-len(part)) + part
		}
		digits = part + digits
	}
	return number{negative, digits}
}

// appendScaled appends x / 10^scale.
func appendScaled(dst []byte, x number, scale int) []byte {
	if x.negative {
		dst = append(dst, '-')
	}
	digits := x.digits
	if scale < -maxDigits || scale > maxDigits {
		return fmt.Appendf(dst, "%se%d", digits, -scale)
	}
	switch {
	case scale <= 0 && !x.zero():
		digits += strings.Repeat("0", -scale)
	case scale > 0:
		if short := scale + 1 - len(digits); short > 0 {
			digits = strings.Repeat("0", short) + digits
		}
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	return append(dst, digits...)
}

// unitDigits are the decimals of a second in units of s, ms, us, ns.
var unitDigits = [...]int{0, 3, 6, 9}

// perSecond is how many of a unit make a second. Units outside of the format
// count as seconds.
func perSecond(unit int16) (n int64, digits int) {
	if unit < 0 || int(unit) >= len(unitDigits) {
		unit = 0
	}
	n = 1
	for range unitDigits[unit] {
		n *= 10
	}
	return n, unitDigits[unit]
}

func appendSeconds(dst []byte, x number, unit int16) []byte {
	_, digits := perSecond(unit)
	return appendScaled(dst, x, digits)
}

// isoYear reports whether a moment has a year of four digits; others are
// written as plain numbers.
func isoYear(t time.Time) bool { return t.Year() >= 0 && t.Year() <= 9999 }

// maxSeconds keeps seconds since 1970 where a time.Time can hold them.
const maxSeconds = 1 << 40

func appendDate(dst []byte, x int64, unit int16) []byte {
	const day = 24 * 60 * 60
	if unit != 0 { // milliseconds
		if x%(day*1000) != 0 {
			return appendTimestamp(dst, x, 1, false)
		}
		x /= day * 1000
	}
	if x > -maxSeconds/day && x < maxSeconds/day {
		if t := time.Unix(x*day, 0).UTC(); isoYear(t) {
			return t.AppendFormat(dst, "2006-01-02")
		}
	}
	return append(strconv.AppendInt(dst, x, 10), 'd')
}

func appendTime(dst []byte, x int64, unit int16) []byte {
	per, digits := perSecond(unit)
	if x < 0 || x/per >= 24*60*60 {
		return append(appendSeconds(dst, numberOf(x), unit), 's')
	}
	s := x / per
	dst = fmt.Appendf(dst, "%02d:%02d:%02d", s/3600, s/60%60, s%60)
	return appendFraction(dst, x%per, digits)
}

func appendTimestamp(dst []byte, x int64, unit int16, utc bool) []byte {
	per, digits := perSecond(unit)
	s, fraction := x/per, x%per
	if fraction < 0 {
		s, fraction = s-1, fraction+per
	}
	t := time.Unix(max(-maxSeconds, min(maxSeconds, s)), 0).UTC()
	if !isoYear(t) {
		return append(appendSeconds(dst, numberOf(x), unit), 's')
	}
	dst = appendFraction(t.AppendFormat(dst, "2006-01-02T15:04:05"), fraction, digits)
	if utc {
		dst = append(dst, 'Z')
	}
	return dst
}

func appendFraction(dst []byte, x int64, digits int) []byte {
	if digits == 0 {
		return dst
	}
	return fmt.Appendf(dst, ".%0*d", digits, x)
}

// appendInterval appends an interval as ISO 8601 has durations: P14M,
// P3DT0.5S.
func appendInterval(dst []byte, p []byte, unit int16) []byte {
	var months, days int64
	seconds, digits := numberOf(0), int16(0)
	switch unit {
	case 0:
		months = integer(p, 0, 4)
	case 1:
		days, digits = integer(p, 0, 4), 1
		seconds = numberOf(integer(p, 1, 4))
	default:
		months, days, digits = integer(p, 0, 4), integer(p, 1, 4), 3
		seconds = numberOf(integer(p, 1, 8))
	}
	dst = append(dst, 'P')
	if months != 0 || unit == 0 {
		dst = fmt.Appendf(dst, "%dM", months)
	}
	if days != 0 || unit != 0 && months == 0 && seconds.zero() {
		dst = fmt.Appendf(dst, "%dD", days)
	}
	if !seconds.zero() {
		dst = append(appendSeconds(append(dst, 'T'), seconds, digits), 'S')
	}
	return dst
}
