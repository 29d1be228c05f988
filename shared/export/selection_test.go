package export

import (
	"context"

	"github.com/oniscope/oniscope/shared/recording"
)

var ctx = context.Background()

// A Selection is a part of a recording by numbers.
type Selection struct {
	Start, End int64
	Columns    []int // nil: all
	Unique     bool
}

// of selects it; a test selects what is there.
func of(r *recording.Reader, s Selection) *recording.Excerpt {
	wanted := recording.Selection{Rows: &recording.Range{Start: s.Start, End: s.End}, Unique: s.Unique}
	x, err := r.Select(ctx, wanted)
	if err == nil && s.Columns != nil {
		x, err = x.With(s.Columns)
	}
	if err != nil {
		panic(err)
	}
	return x
}

// pieces reads it.
func pieces(r *recording.Reader, s Selection) func(func(*recording.Batch, error) bool) {
	return of(r, s).Batches(ctx)
}
