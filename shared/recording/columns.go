package recording

import (
	"fmt"
	"path"
	"strings"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// Columns returns the columns that names and globs name, in the order of the
// file; all of them if there are no patterns.
//
// It returns a *ColumnError for one that names nothing, and an error that wraps
// path.ErrBadPattern.
func (r *Reader) Columns(patterns []string) ([]int, error) {
	return columnsLike(r.schema.Fields, patterns)
}

func columnsLike(fields []arrowipc.Field, patterns []string) ([]int, error) {
	chosen := make([]bool, len(fields))
	for _, pattern := range patterns {
		glob, found := strings.ContainsAny(pattern, "*?["), false
		for i := range fields {
			match := pattern == fields[i].Name
			if glob && !match {
				var err error
				if match, err = path.Match(pattern, fields[i].Name); err != nil {
					return nil, fmt.Errorf("recording: columns %q: %w", pattern, err)
				}
			}
			if match {
				chosen[i], found = true, true
				if !glob {
					break // the first of that name
				}
			}
		}
		if !found {
			names := make([]string, len(fields))
			for i := range fields {
				names[i] = fields[i].Name
			}
			return nil, &ColumnError{Name: pattern, Near: near(pattern, names)}
		}
	}
	list := []int{}
	for i := range chosen {
		if chosen[i] || len(patterns) == 0 {
			list = append(list, i)
		}
	}
	return list, nil
}
