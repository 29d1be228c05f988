package array

import "github.com/oniscope/oniscope/shared/internal/arrowipc"

// Empty returns an array of no values of a field's type.
//
// It returns an *Error for a type that cannot be.
func Empty(f *arrowipc.Field) (*Array, error) {
	nodes, views := 0, 0
	var count func(f *arrowipc.Field)
	count = func(f *arrowipc.Field) {
		nodes++
		if isView(f) {
			views++
		}
		if f.Dictionary == nil {
			for i := range f.Children {
				count(&f.Children[i])
			}
		}
	}
	count(f)
	return Build(f, &Source{
		Version:    arrowipc.V5,
		Nodes:      make([]arrowipc.FieldNode, nodes),
		Variadic:   make([]int64, views),
		Buffer:     func(_ int, need int64, _ bool) ([]byte, error) { return make([]byte, max(0, need)), nil },
		Dictionary: func(*arrowipc.Field) (*Array, error) { return nil, nil },
	})
}
