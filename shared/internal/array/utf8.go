package array

import (
	"unicode/utf8"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// NotUTF8 counts the texts of an array, and of its children, that are not UTF-8: a
// changed byte makes such, and other programs refuse them. Source: Schema.fbs, "Utf8".
func (a *Array) NotUTF8() (n int64) {
	if a.Field.Dictionary == nil && isText(a.Field.Type.ID) {
		for i := range a.Len {
			if (a.Validity == nil || bit(a.Validity, i)) && !utf8.Valid(a.value(i)) {
				n++
			}
		}
	}
	for _, c := range a.Children {
		n += c.NotUTF8()
	}
	return n
}

func isText(id arrowipc.TypeID) bool {
	return id == arrowipc.Utf8 || id == arrowipc.LargeUtf8 || id == arrowipc.Utf8View
}
