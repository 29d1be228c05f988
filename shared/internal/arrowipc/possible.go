package arrowipc

import (
	"fmt"
	"slices"
)

// Check reports why no reader could open a file with this schema: a type that
// Arrow does not have, or parameters that it does not allow. A damaged byte
// makes such types.
//
// Source: Schema.fbs and the checks of Arrow C++ when it reads a schema.
func (s *Schema) Check() error {
	words := map[int64]string{}
	for i := range s.Fields {
		err := s.Fields[i].check()
		if err == nil {
			err = s.Fields[i].oneDictionary(words)
		}
		if err != nil {
			return fmt.Errorf("column %q cannot be, and no program would open what is written: %w", s.Fields[i].Name, err)
		}
	}
	return nil
}

// Odd reports whether readers, those of C++ and Python among them, refuse the
// schema though it can be: a map whose entries or keys may be null.
func (s *Schema) Odd() bool { return slices.ContainsFunc(s.Fields, oddField) }

func oddField(f Field) bool {
	if f.Type.ID == Map && len(f.Children) == 1 {
		entries := &f.Children[0]
		if entries.Nullable || len(entries.Children) > 0 && entries.Children[0].Nullable {
			return true
		}
	}
	return slices.ContainsFunc(f.Children, oddField)
}

// oneDictionary reports a dictionary of which another field wants values of
// another type; words are the types so far.
func (f *Field) oneDictionary(words map[int64]string) error {
	if d := f.Dictionary; d != nil {
		values := f.ValuesString()
		if other, ok := words[d.ID]; ok && other != values {
			return fmt.Errorf("dictionary %d has values of %s and of %s", d.ID, other, values)
		}
		words[d.ID] = values
	}
	for i := range f.Children {
		if err := f.Children[i].oneDictionary(words); err != nil {
			return err
		}
	}
	return nil
}

func (f *Field) check() error {
	if f.Dictionary != nil {
		if bits, ok := f.Dictionary.Index.FixedBits(); !ok || bits > 64 {
			return fmt.Errorf("dictionary indices of %d bits", bits)
		}
	}
	if why := f.Type.wrong(); why != "" {
		return fmt.Errorf("%s: %s", f.Type.String(), why)
	}
	want := 0
	switch f.Type.ID {
	case List, LargeList, ListView, LargeListView, FixedSizeList, Map:
		want = 1
	case RunEndEncoded:
		want = 2
	case Struct:
		want = len(f.Children)
	case Union:
		if want = len(f.Type.TypeIDs); want == 0 {
			want = len(f.Children) // 0, 1, ... by default
		}
		if want > 128 {
			return fmt.Errorf("%s of %d kinds", f.Type.String(), want)
		}
	}
	if len(f.Children) != want {
		return fmt.Errorf("%s with %d children", f.Type.String(), len(f.Children))
	}
	switch f.Type.ID {
	case RunEndEncoded:
		if ends := &f.Children[0]; ends.Type.ID != Int || ends.Type.BitWidth < 16 || ends.Type.BitWidth > 64 || ends.Dictionary != nil {
			return fmt.Errorf("run ends of %s", ends.TypeString())
		}
	case Map:
		if entries := &f.Children[0]; entries.Type.ID != Struct || len(entries.Children) != 2 {
			return fmt.Errorf("map entries of %s", entries.TypeString())
		}
	}
	for i := range f.Children {
		if err := f.Children[i].check(); err != nil {
			return err
		}
	}
	return nil
}

// wrong says what is not possible about the parameters of a type.
func (t DataType) wrong() string {
	_, fixed := t.FixedBits()
	switch t.ID {
	case None:
		return "there is no such type"
	case Int, FloatingPoint, Interval, Date:
		if !fixed {
			return "there is no such width"
		}
	case Decimal:
		most := map[int32]int32{32: 9, 64: 18, 128: 38, 256: 76}[t.BitWidth]
		if t.Precision < 1 || t.Precision > most {
			return fmt.Sprintf("a precision of %d digits", t.Precision)
		}
	case Time:
		if !(t.BitWidth == 32 && (t.Unit == 0 || t.Unit == 1)) && !(t.BitWidth == 64 && (t.Unit == 2 || t.Unit == 3)) {
			return "the unit needs another width"
		}
	case Timestamp, Duration:
		if t.Unit < 0 || t.Unit > 3 {
			return "there is no such unit"
		}
	case FixedSizeBinary, FixedSizeList:
		if t.Size < 0 {
			return "a negative size"
		}
	case Union:
		for i, id := range t.TypeIDs {
			if id < 0 || id > 127 || slices.Contains(t.TypeIDs[:i], id) {
				return fmt.Sprintf("the type code %d", id)
			}
		}
	}
	if t.ID > LargeListView {
		return "there is no such type"
	}
	return ""
}
