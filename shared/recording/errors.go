package recording

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

// Reasons why a file cannot be opened or a column cannot be read. Test with
// errors.Is; the texts say what to do next.
var (
	ErrEmpty       = messages.ErrEmpty
	ErrNotArrow    = messages.ErrNotArrow
	ErrNoSchema    = messages.ErrNoSchema
	ErrSchemaLost  = messages.ErrSchemaLost
	ErrBigEndian   = messages.ErrBigEndian
	ErrUnsupported = errors.New("recording: not possible")
	ErrTooLarge    = errors.New("recording: too much for one read: ask for fewer columns or fewer rows")
)

// Causes of a CorruptError.
var (
	ErrBounds  = body.ErrBounds
	ErrDamaged = body.ErrDamaged
)

// A CorruptError locates the first byte that cannot be trusted.
type CorruptError struct {
	Offset int64 // bytes from the start of the file
	Batch  int   // index of the record batch, or -1 outside the batches
	Err    error // cause; test it with errors.Is
}

func (e *CorruptError) Error() string {
	if e.Batch < 0 {
		return fmt.Sprintf("recording: damaged at byte %d: %v", e.Offset, e.Err)
	}
	return fmt.Sprintf("recording: batch %d is damaged at byte %d: %v", e.Batch, e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *CorruptError) Unwrap() error { return e.Err }

// near returns up to five of names that are most like name.
func near(name string, names []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	var list []candidate
	lower := strings.ToLower(name)
	seen := map[string]bool{}
	for _, n := range names {
		if seen[n] || len(n) > 200 || len(name) > 200 {
			continue
		}
		seen[n] = true
		other := strings.ToLower(n)
		d := editDistance(lower, other)
		if d <= 1+len(name)/4 || len(lower) > 2 && (strings.Contains(other, lower) || n != "" && strings.HasPrefix(lower, other)) {
			list = append(list, candidate{n, d})
		}
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].distance != list[j].distance {
			return list[i].distance < list[j].distance
		}
		return list[i].name < list[j].name
	})
	var out []string
	for _, c := range list[:min(len(list), 5)] {
		out = append(out, c.name)
	}
	return out
}

// editDistance counts the bytes to insert, delete or replace.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
