package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// pick resolves names, globs and indices of columns; nil picks all.
func (s *openStream) pick(op string, wanted []json.RawMessage) ([]int, error) {
	names, err := s.columnNames(op, wanted)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x, err := s.reader.Select(context.Background(), recording.Selection{Rows: &recording.Range{}, Columns: names})
	if err != nil {
		return nil, err
	}
	return x.Indices(), nil
}

// columnNames writes names, globs and indices as names and globs.
func (s *openStream) columnNames(op string, wanted []json.RawMessage) ([]string, error) {
	var list []string
	all := s.reader.Stream().Names()
	for _, raw := range wanted {
		var name string
		var index int
		switch {
		case len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &name) == nil:
			list = append(list, name)
		case len(raw) > 0 && raw[0] != 'n' && json.Unmarshal(raw, &index) == nil:
			if index < 0 || index >= len(all) {
				return nil, &ArgumentError{op, fmt.Sprintf("column %d of %d", index, len(all))}
			}
			name = all[index]
			doubled := slices.ContainsFunc(s.columns()[index+1:], func(c stream.Column) bool { return c.Name == name })
			if doubled && s.reader.Stream().Column(name) == index {
				name += "#1"
			}
			list = append(list, name)
		default:
			return nil, &ArgumentError{op, fmt.Sprintf("a column must be a name or an index, not %q", raw)}
		}
	}
	return list, nil
}
