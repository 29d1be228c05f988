package recording

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/oniscope/oniscope/shared/stream"
)

// How columns are asked for. In this order a name means:
//
//  1. the column that has it, by stream.Stream.Names: also where it holds
//     characters of a glob, so that a column called a* can be had alone. Where
//     several columns have one name, the name alone means none of them: name#1
//     is the first of them, name#2 the second;
//  2. all columns that it matches as a glob (path.Match), in file order, by the
//     name that they have in the file or that Names gives them.
//
// Columns come in the order in which they are asked for, each once.

// MatchColumns returns the columns that names and globs mean, by their places,
// of columns that have the names own; all of them if there are no patterns. The
// error is a *ColumnError.
func MatchColumns(own, patterns []string) ([]int, error) {
	list := make([]int, 0, len(own))
	if len(patterns) == 0 {
		for i := range own {
			list = append(list, i)
		}
		return list, nil
	}
	names := stream.Distinct(own)
	taken := make([]bool, len(own))
	for _, pattern := range patterns {
		meant, err := columnsOf(own, names, pattern)
		if err != nil {
			return nil, err
		}
		for _, i := range meant {
			if !taken[i] {
				taken[i], list = true, append(list, i)
			}
		}
	}
	return list, nil
}

// names are those of the columns, as they are in the file.
func (r *Reader) names() []string {
	names := make([]string, len(r.schema.Fields))
	for i := range names {
		names[i] = r.schema.Fields[i].Name
	}
	return names
}

// columnsOf returns what one name or glob means.
func columnsOf(own, names []string, pattern string) ([]int, error) {
	if i := slices.Index(names, pattern); i >= 0 {
		if same := alike(own, own[i]); len(same) > 1 && own[i] == pattern {
			e := &ColumnError{Name: pattern}
			for _, k := range same {
				e.Same = append(e.Same, names[k])
			}
			return nil, e
		}
		return []int{i}, nil
	}
	if name, ok := strings.CutSuffix(pattern, "#1"); ok {
		if same := alike(own, name); len(same) > 1 {
			return same[:1], nil
		}
	}
	var meant []int
	for i := range names {
		match, err := path.Match(pattern, names[i])
		if err == nil && !match && own[i] != names[i] {
			match, err = path.Match(pattern, own[i])
		}
		if err != nil {
			return nil, &ColumnError{Name: pattern, Err: err}
		}
		if match {
			meant = append(meant, i)
		}
	}
	if meant == nil {
		return nil, &ColumnError{Name: pattern, Near: near(pattern, names)}
	}
	return meant, nil
}

// alike returns the columns of a name.
func alike(own []string, name string) (list []int) {
	for i := range own {
		if own[i] == name {
			list = append(list, i)
		}
	}
	return list
}

// A ColumnError says that Name means no column, or not which one.
type ColumnError struct {
	Name string
	Near []string // the names most like it, best first
	Same []string // the names of the columns that are all called so
	Err  error    // why it is no pattern: path.ErrBadPattern
}

func (e *ColumnError) Error() string {
	text := "recording: columns " + e.Name + ": "
	switch {
	case e.Err != nil:
		return text + `it is no pattern: a [ wants its ] with something between, and a \ a character after it`
	case len(e.Same) > 0:
		last := len(e.Same) - 1
		ask := []string{e.Name + "#1"}
		ask = append(ask, e.Same[1:]...)
		return text + fmt.Sprintf("%d columns have this name, %s and %s; ask for %s or %s", len(e.Same),
			strings.Join(e.Same[:last], ", "), e.Same[last], strings.Join(ask[:last], ", "), ask[last])
	case len(e.Near) > 0:
		return text + "no column matches; did you mean " + strings.Join(e.Near, ", ") + "?"
	}
	return text + "no column matches"
}

// Unwrap returns Err.
func (e *ColumnError) Unwrap() error { return e.Err }

// noColumn is the error for a column by number.
func noColumn(column int) error { return &ColumnError{Name: "#" + strconv.Itoa(column)} }
