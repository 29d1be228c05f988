package run

import "golang.org/x/sys/unix"

// freeMemory is half of what the machine has: what others use is not cheap to
// learn here.
func freeMemory() int64 {
	size, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return 0
	}
	return int64(size / 2)
}
