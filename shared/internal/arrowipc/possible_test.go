package arrowipc

import (
	"strings"
	"testing"
)

func TestTypesThatCannotBeAreNamed(t *testing.T) {
	number := Field{Name: "n", Type: DataType{ID: Int, BitWidth: 32, Signed: true}}
	with := func(typ DataType, children ...Field) Field { return Field{Name: "c", Type: typ, Children: children} }
	for want, f := range map[string]Field{
		"":                     number,
		"unknown type 0":       with(DataType{}),
		"unknown type 99":      with(DataType{ID: 99}),
		"such width":           with(DataType{ID: Int, BitWidth: 24}),
		"precision of 0":       with(DataType{ID: Decimal, BitWidth: 128}),
		"precision of 39":      with(DataType{ID: Decimal, BitWidth: 128, Precision: 39}),
		"negative size":        with(DataType{ID: FixedSizeBinary, Size: -4}),
		"type code 128":        with(DataType{ID: Union, TypeIDs: []int32{0, 128}}, number, number),
		"type code 1":          with(DataType{ID: Union, TypeIDs: []int32{1, 1}}, number, number),
		"with 1 children":      with(DataType{ID: Union, TypeIDs: []int32{0, 1}}, number),
		"needs another width":  with(DataType{ID: Time, BitWidth: 32, Unit: 3}),
		"run ends of uint8":    with(DataType{ID: RunEndEncoded}, Field{Type: DataType{ID: Int, BitWidth: 8}}, number),
		"list with 0 children": with(DataType{ID: List}),
		"map entries of int32": with(DataType{ID: Map}, number),
		"negative":             with(DataType{ID: Struct}, with(DataType{ID: FixedSizeList, Size: -1}, number)),
		"indices of 7 bits":    {Name: "c", Type: DataType{ID: Utf8}, Dictionary: &Dictionary{Index: DataType{ID: Int, BitWidth: 7}}},
	} {
		err := (&Schema{Fields: []Field{f}}).Check()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestADictionaryHasValuesOfOneType(t *testing.T) {
	word := func(typ TypeID) Field {
		return Field{Name: "c", Type: DataType{ID: typ, BitWidth: 64}, Dictionary: &Dictionary{ID: 3, Index: DataType{ID: Int, BitWidth: 8}}}
	}
	if err := (&Schema{Fields: []Field{word(Utf8), word(Utf8)}}).Check(); err != nil {
		t.Error(err)
	}
	inside := Field{Name: "list", Type: DataType{ID: List}, Children: []Field{word(FloatingPoint)}}
	if err := (&Schema{Fields: []Field{word(Utf8), inside}}).Check(); err == nil || !strings.Contains(err.Error(), "dictionary 3 has values of utf8 and of float16") {
		t.Error(err)
	}
}
