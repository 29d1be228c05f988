package stream

import "fmt"

// Names returns a name for each column that no other column has: the column's
// own, and for the second and further columns of one name that name with #2,
// #3 and so on after it. A number that is the name of another column is passed
// over. Every front reads and writes these names.
func (s Stream) Names() []string { return names(s.Columns) }

func names(columns []Column) []string {
	list := make([]string, len(columns))
	for i := range columns {
		list[i] = columns[i].Name
	}
	return Distinct(list)
}

// Distinct is Names for a list of names; it returns the list itself if there is
// nothing to change.
func Distinct(list []string) []string {
	seen := make(map[string]int, len(list)) // how many there are of a name
	for _, name := range list {
		seen[name]++
	}
	if len(seen) == len(list) {
		return list
	}
	out := make([]string, len(list))
	number := map[string]int{} // the last that was given
	for i, name := range list {
		out[i] = name
		if seen[name] < 2 {
			continue
		}
		if number[name]++; number[name] == 1 {
			continue
		}
		for {
			out[i] = fmt.Sprintf("%s#%d", name, number[name])
			if seen[out[i]] == 0 {
				break
			}
			number[name]++
		}
		seen[out[i]] = 1
	}
	return out
}
