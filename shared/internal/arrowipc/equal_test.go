package arrowipc_test

import (
	"reflect"
	"testing"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// Every field of every part of a schema counts: one that is added to the types
// and not to Equal fails here.
func TestEverythingOfASchemaCounts(t *testing.T) {
	whole := func() *arrowipc.Schema {
		child := arrowipc.Field{Name: "child", Type: arrowipc.DataType{ID: arrowipc.Int, TypeIDs: []int32{1}}, Metadata: []arrowipc.KeyValue{{Key: "a", Value: "b"}}}
		return &arrowipc.Schema{
			Fields:   []arrowipc.Field{{Name: "f", Dictionary: &arrowipc.Dictionary{}, Type: arrowipc.DataType{TypeIDs: []int32{7}}, Children: []arrowipc.Field{child}, Metadata: child.Metadata}},
			Metadata: []arrowipc.KeyValue{{Key: "k", Value: "v"}}, Features: []int64{1},
		}
	}
	if a, b := whole(), whole(); !a.Equal(b) || a.Fields[0].Dictionary == b.Fields[0].Dictionary {
		t.Fatal("a schema is not equal to its copy")
	}
	var walk func(v reflect.Value, path string, try func(path string))
	walk = func(v reflect.Value, path string, try func(path string)) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i), path+"."+v.Type().Field(i).Name, try)
			}
		case reflect.Slice:
			if v.Len() > 0 {
				walk(v.Index(0), path+"[0]", try)
			}
			old := v.Interface()
			v.Set(reflect.Append(v.Slice3(0, v.Len(), v.Len()), reflect.Zero(v.Type().Elem())))
			try(path + " is longer")
			v.Set(reflect.ValueOf(old))
		case reflect.Pointer:
			if !v.IsNil() {
				walk(v.Elem(), path, try)
			}
			old := v.Interface()
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			} else {
				v.SetZero()
			}
			try(path + " is there or not")
			v.Set(reflect.ValueOf(old))
		case reflect.String:
			old := v.String()
			v.SetString(old + "x")
			try(path)
			v.SetString(old)
		case reflect.Bool:
			v.SetBool(!v.Bool())
			try(path)
			v.SetBool(!v.Bool())
		default:
			if v.CanInt() {
				v.SetInt(v.Int() + 1)
				try(path)
				v.SetInt(v.Int() - 1)
			} else {
				v.SetUint(v.Uint() + 1)
				try(path)
				v.SetUint(v.Uint() - 1)
			}
		}
	}
	changed, s := 0, whole()
	walk(reflect.ValueOf(s).Elem(), "schema", func(path string) {
		changed++
		if s.Equal(whole()) || whole().Equal(s) {
			t.Errorf("%s does not count", path)
		}
	})
	if changed < 40 || !s.Equal(whole()) {
		t.Fatalf("%d changes were tried", changed)
	}
}
