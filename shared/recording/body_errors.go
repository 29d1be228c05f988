package recording

import (
	"errors"
	"fmt"
)

// Why contents cannot be trusted.
var (
	errBounds  = errors.New("a length or offset does not fit")
	errDamaged = errors.New("contents do not hold")
)

// bufferTooShort says of a buffer of so many bytes how many its values need.
func bufferTooShort(length, need int64) error {
	return fmt.Errorf("%w: a buffer of %d bytes where %d are needed", errBounds, length, need)
}

// noValidity says that nothing tells which values are null.
func noValidity(nulls int64) error {
	return fmt.Errorf("%w: %d nulls, but no validity bits", errDamaged, nulls)
}

// A reasonError is why there is nothing to recover, as against why it could
// not be tried.
type reasonError struct{ error }

func (e *reasonError) Unwrap() error { return e.error }

// notIntact says what does not hold; it is a *reasonError.
func notIntact(format string, a ...any) error { return &reasonError{fmt.Errorf(format, a...)} }
