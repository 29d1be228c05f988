//go:build unix

package store

import (
	"errors"
	"syscall"
)

// isQuota reports whether the user may write no more.
func isQuota(err error) bool { return errors.Is(err, syscall.EDQUOT) }
