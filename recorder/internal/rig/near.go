package rig

import "strings"

// Near returns the name that a word may be a slip of: the nearest one, if at
// most two characters differ, or one in a short word; "" if none is.
func Near(word string, names []string) string {
	best, nearest := "", 3
	if len(word) < 5 {
		nearest = 2
	}
	for _, name := range names {
		if d := slips(strings.ToLower(word), strings.ToLower(name)); d < nearest {
			best, nearest = name, d
		}
	}
	return best
}

// slips counts characters that are missing, too many, wrong, or two that changed
// places.
func slips(a, b string) int {
	if max(len(a), len(b)) > 64 || len(a)-len(b) > 2 || len(b)-len(a) > 2 {
		return 64
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			wrong := 1
			if a[i-1] == b[j-1] {
				wrong = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+wrong)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// meant is what follows a word that is not known, where it is near to another.
func meant(word string, names []string) string {
	if near := Near(word, names); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}
