package body

import (
	"errors"
	"fmt"

	"github.com/oniscope/oniscope/shared/internal/messages"
)

// Why contents cannot be trusted.
var (
	ErrBounds  = errors.New(messages.BoundsText)
	ErrDamaged = errors.New(messages.DamagedText)
)

// TooShort says of a buffer of so many bytes how many its values need.
func TooShort(length, need int64) error {
	return fmt.Errorf("%w: a buffer of %d bytes where %d are needed", ErrBounds, length, need)
}

// NoValidity says that it is not known which values are null.
func NoValidity(nulls int64) error {
	return fmt.Errorf("%w: %d nulls, but no validity bits", ErrDamaged, nulls)
}

// A NotIntactError is why contents are not intact, as against why that could not
// be found out.
type NotIntactError struct{ Err error }

func (e *NotIntactError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *NotIntactError) Unwrap() error { return e.Err }

// notIntact says what is not valid; it is a *NotIntactError.
func notIntact(format string, a ...any) error { return &NotIntactError{Err: fmt.Errorf(format, a...)} }
