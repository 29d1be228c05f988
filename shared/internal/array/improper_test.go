package array_test

import (
	"encoding/binary"
	"math/big"
	"testing"

	"github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

func TestDecimalsAreOfAsManyDigitsAsTheirTypeHas(t *testing.T) {
	for _, bits := range []int32{32, 64, 128, 256} {
		most := map[int32]int32{32: 9, 64: 18, 128: 38, 256: 76}[bits]
		for digits := int32(1); digits <= most; digits++ {
			limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
			largest := new(big.Int).Sub(limit, big.NewInt(1))
			var data []byte
			for _, n := range []*big.Int{largest, new(big.Int).Neg(largest), big.NewInt(0), big.NewInt(-1), limit, new(big.Int).Neg(limit)} {
				data = append(data, twosComplement(n, int(bits/8))...)
			}
			f := &arrowipc.Field{Type: arrowipc.DataType{ID: arrowipc.Decimal, BitWidth: bits, Precision: digits}}
			if n := improper(func(count func(array.Improper, int64)) { array.ImproperFlat(f, data, nil, count) }); n != 2 {
				t.Errorf("decimal%d of %d digits: %d values are too long, want 2", bits, digits, n)
			}
			if n := improper(func(count func(array.Improper, int64)) { array.ImproperFlat(f, data, []byte{0b001111}, count) }); n != 0 {
				t.Errorf("decimal%d of %d digits: %d nulls are too long", bits, digits, n)
			}
		}
	}
}

func TestTimesAreOfADay(t *testing.T) {
	for unit, day := range []uint64{86400, 86400e3, 86400e6, 86400e9} {
		f := &arrowipc.Field{Type: arrowipc.DataType{ID: arrowipc.Time, BitWidth: 64, Unit: int16(unit)}}
		var data []byte
		for _, v := range []uint64{0, day - 1, day, 1<<64 - 1} {
			data = binary.LittleEndian.AppendUint64(data, v)
		}
		if n := improper(func(count func(array.Improper, int64)) { array.ImproperFlat(f, data, nil, count) }); n != 2 {
			t.Errorf("unit %d: %d values are none, want 2", unit, n)
		}
	}
}

func TestViewsAreAsTheirTexts(t *testing.T) {
	short := append([]byte{2, 0, 0, 0, 'a', 'b'}, make([]byte, 10)...)
	long := []byte{13, 0, 0, 0, 'l', 'o', 'n', 'g', 0, 0, 0, 0, 0, 0, 0, 0}
	for _, c := range []struct {
		name   string
		change int // byte of the two views
		want   int64
	}{{"as they were written", -1, 0}, {"not zero after a short text", 9, 1}, {"another beginning", 16 + 4, 1}} {
		views := append(append([]byte{}, short...), long...)
		if c.change >= 0 {
			views[c.change] ^= 0x20
		}
		a := &array.Array{Field: &arrowipc.Field{Type: arrowipc.DataType{ID: arrowipc.Utf8View}}, Len: 2, Buffers: [][]byte{views, []byte("longer, a bit")}}
		if n := improper(a.Improper); n != c.want {
			t.Errorf("%s: %d values, want %d", c.name, n, c.want)
		}
	}
}

func improper(of func(count func(array.Improper, int64))) (n int64) {
	of(func(_ array.Improper, more int64) { n += more })
	return n
}

func twosComplement(n *big.Int, width int) []byte {
	if n.Sign() < 0 {
		n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*width)))
	}
	p := n.FillBytes(make([]byte, width))
	for i, k := 0, len(p)-1; i < k; i, k = i+1, k-1 {
		p[i], p[k] = p[k], p[i]
	}
	return p
}
