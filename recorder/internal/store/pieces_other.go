//go:build !darwin && !linux

package store

import "slices"

// WritePieces writes pieces one after another, in one write: the system takes
// none of any length, so they are joined.
func (f diskFile) WritePieces(pieces [][]byte) (int64, error) {
	n, err := f.Write(slices.Concat(pieces...))
	return int64(n), err
}
