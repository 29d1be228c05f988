// Package export writes parts of recordings in the formats that other programs
// read.
package export

// A Selection is the part of a recording that is wanted.
type Selection struct {
	Start, End int64 // rows, half-open
	Columns    []int // by index, in the order wanted; nil: all, in file order

	// Unique leaves out the rows in which a slower signal only repeats: one row
	// for each of its values.
	Unique bool
}
