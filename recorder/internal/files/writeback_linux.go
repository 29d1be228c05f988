package files

import (
	"os"
	"syscall"
)

// syncFileRangeWrite begins to write pages out and does not wait for it.
// Source: sync_file_range(2).
const syncFileRangeWrite = 2

// BeginWriteback lets the disk begin with n bytes that were written at off.
// Left to itself it begins when memory is full of them, or when the file is
// synced at the end: then copying and writing come one after the other.
func BeginWriteback(f *os.File, off, n int64) {
	// A file system that cannot do it writes later.
	_ = syscall.SyncFileRange(int(f.Fd()), off, n, syncFileRangeWrite)
}
