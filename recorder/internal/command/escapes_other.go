//go:build !windows

package command

import "os"

// enableEscapes reports whether a terminal obeys escape sequences.
func enableEscapes(uintptr) bool { return os.Getenv("TERM") != "dumb" }
