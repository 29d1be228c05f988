package recording

import (
	"fmt"
	"strings"

	"github.com/oniscope/oniscope/shared/internal/messages"
)

// gapWord begins the reason of a finding about rows that were lost before they
// were recorded.
const gapWord = "gap: "

// IsGap reports whether f is about rows that were lost before they were recorded:
// no damage of the file.
func (f *Finding) IsGap() bool { return strings.HasPrefix(f.Reason, gapWord) }

// Summarize says in one line, for people, how many rows findings say are
// missing of a file in which rows are there: "885 of 5 000 rows missing in 310
// gaps (17.7 %)". It returns "" if none are.
func Summarize(list []Finding, rows int64) string {
	gaps, gapRows, places, lost, unknown := 0, int64(0), 0, int64(0), 0
	for i := range list {
		f := &list[i]
		switch {
		case f.Severity != SeverityError || f.LostRows == 0:
		case f.LostRows < 0:
			unknown++
		case f.IsGap():
			gaps, gapRows = gaps+1, gapRows+f.LostRows
		default:
			places, lost = places+1, lost+f.LostRows
		}
	}
	total := rows + gapRows + lost
	part := func(n int64, what string, places int, place string) string {
		return fmt.Sprintf("%s of %s %s in %s (%.3g %%)", messages.Grouped(n), counted64(total, "row"), what, counted64(int64(places), place), 100*float64(n)/float64(max(1, total)))
	}
	var parts []string
	if places > 0 {
		parts = append(parts, part(lost, "lost by damage", places, "place"))
	}
	if gaps > 0 {
		parts = append(parts, part(gapRows, "missing", gaps, "gap"))
	}
	if unknown > 0 {
		parts = append(parts, "an unknown number of rows lost in "+counted64(int64(unknown), "place"))
	}
	return strings.Join(parts, "; ")
}

func counted64(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return messages.Grouped(n) + " " + thing
}
