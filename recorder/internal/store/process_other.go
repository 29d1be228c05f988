//go:build !unix

package store

// processLives cannot ask elsewhere; the age of the marker decides alone.
func processLives(int) bool { return true }
