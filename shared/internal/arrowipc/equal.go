package arrowipc

import "slices"

// Equal reports whether two schemas are the same in everything that they say.
// reflect.DeepEqual says so too, and took a quarter of an opening for it.
func (s *Schema) Equal(other *Schema) bool {
	return s.BigEndian == other.BigEndian && EqualFields(s.Fields, other.Fields) &&
		slices.Equal(s.Metadata, other.Metadata) && slices.Equal(s.Features, other.Features)
}

// EqualFields is Equal for columns.
func EqualFields(a, b []Field) bool {
	if len(a) != len(b) {
		return false
	}
	if len(a) > 0 && &a[0] == &b[0] {
		return true // see ParseFooter
	}
	for i := range a {
		if !a[i].equal(&b[i]) {
			return false
		}
	}
	return true
}

func (f *Field) equal(other *Field) bool {
	return f.Name == other.Name && f.Nullable == other.Nullable && f.Type.equal(&other.Type) && f.Dictionary.equal(other.Dictionary) &&
		EqualFields(f.Children, other.Children) && slices.Equal(f.Metadata, other.Metadata)
}

func (t *DataType) equal(other *DataType) bool {
	return t.ID == other.ID && t.BitWidth == other.BitWidth && t.Signed == other.Signed && t.Unit == other.Unit &&
		t.Precision == other.Precision && t.Scale == other.Scale && t.Timezone == other.Timezone && t.Size == other.Size &&
		t.Sorted == other.Sorted && t.Dense == other.Dense && slices.Equal(t.TypeIDs, other.TypeIDs)
}

func (d *Dictionary) equal(other *Dictionary) bool {
	if d == nil || other == nil {
		return d == other
	}
	return d.ID == other.ID && d.Ordered == other.Ordered && d.Index.equal(&other.Index)
}
