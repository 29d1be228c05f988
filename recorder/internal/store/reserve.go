package store

import "os"

// A full disk takes no footer, and a file without one is unreadable to most
// programs. So a run keeps some room in a file without a name, and gives it up
// when the disk is full: a kill leaves nothing behind.

// reserveBytes is what footers and marker of some streams may take: a footer
// has 24 bytes a batch, and a schema again (a probe's: 100 kB).
const reserveBytes = 4 << 20

// keepReserve takes room, if there is enough of it. mu is locked.
func (r *Run) keepReserve() {
	if free, err := r.o.Free(); r.reserve != nil || err != nil || free < 10*reserveBytes {
		return
	}
	name := r.name(markerStem, ".reserve")
	f, err := r.dir.root().OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return
	}
	if renamesOpenFiles { // and removes them
		r.dir.root().Remove(name)
	}
	block := make([]byte, 64<<10)
	for i := range block {
		block[i] = byte(i*i>>3 + i) // some file systems store no zeros
	}
	for range reserveBytes / len(block) {
		if _, err := f.Write(block); err != nil {
			f.Close()
			r.dir.root().Remove(name)
			return
		}
	}
	r.reserve = f
}

// releaseReserve gives the room to the streams that need it. mu is locked.
func (r *Run) releaseReserve() {
	if r.reserve == nil {
		return
	}
	r.reserve.Truncate(0)
	r.reserve.Close()
	if !renamesOpenFiles {
		r.dir.root().Remove(r.name(markerStem, ".reserve"))
	}
	r.reserve = nil
}
