//go:build !linux

package files

import "os"

// BeginWriteback is for systems that can be asked to write early.
func BeginWriteback(*os.File, int64, int64) {}
