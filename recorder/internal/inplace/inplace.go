// Package inplace makes a recording whole without copying it, and can take that
// back. Nothing is lost, whenever the machine stops:
//
//  1. what will be cut off goes into FILE.tail, with what it takes to undo the
//     rest, under a temporary name; it is synced, then named, then its folder
//     is synced;
//  2. the file is cut, the end mark and the footer are appended, and it is
//     synced.
//
// Until 1 is done the file is untouched, and from then on FILE.tail leads back
// from wherever 2 ended. Undoing writes the tail back, syncs, and only then
// takes FILE.tail away; it can be done again if it was interrupted.
package inplace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/oniscope/oniscope/recorder/internal/files"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recovery"
)

// TailOf is where the tail of a file is saved: next to it.
func TailOf(path string) string { return files.Beside(path, "", ".tail") }

// Repair makes in whole as plan says, after saving what is cut off under the
// name of TailOf. If anything fails the file is as it was before, or
// the error says how to take the repair back. A file that cannot be repaired in
// place gives [recovery.ErrMoves] and is not touched.
func Repair(ctx context.Context, in *files.Input, plan *recovery.Plan) error {
	repair, err := plan.InPlace()
	if err != nil {
		return err
	}
	file, err := os.OpenFile(in.Path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := lockFor(file, in.Path); err != nil {
		return err
	}
	if _, err := os.Lstat(TailOf(in.Path)); err == nil {
		return fmt.Errorf("%s exists: an earlier repair left it; take that back with recover --undo, or put the tail elsewhere", TailOf(in.Path))
	}
	tail, err := files.Create(TailOf(in.Path), in)
	if err != nil {
		return err
	}
	defer tail.Discard()
	if err := saveTail(tail, file, filepath.Base(in.Path), in.Size, repair); err != nil {
		return fmt.Errorf("saving the tail: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return err // the last moment to go away and leave nothing behind
	}
	if err := tail.Commit(); err != nil {
		return fmt.Errorf("saving the tail: %w", err)
	}
	store.SyncDir(filepath.Dir(in.Path))
	if info, err := file.Stat(); err != nil || info.Size() != in.Size {
		os.Remove(tail.Path)
		return errors.New("the file changes: recover it when the recording has ended")
	}
	err = mend(file, repair)
	if err == nil {
		err = checkMended(file, plan)
	}
	if err != nil {
		if undone := undoWith(file, tail.Path); undone != nil {
			return fmt.Errorf("%w; and it could not be undone (%w): recover --undo does, with %s", err, undone, tail.Path)
		}
		return fmt.Errorf("%w; the file is as it was before", err)
	}
	return nil
}

// checkMended reads the framing of a file that was just made whole.
func checkMended(file *os.File, plan *recovery.Plan) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if err := plan.VerifyFraming(file, info.Size()); err != nil {
		return fmt.Errorf("the file did not pass its check: %w", err)
	}
	return nil
}

// undoWith undoes a repair by the saved tail of that name, and takes it away.
func undoWith(file *os.File, name string) error {
	tail, info, err := files.OpenRegular(name)
	if err != nil {
		return err
	}
	defer tail.Close()
	now, err := file.Stat()
	if err == nil {
		err = unmend(file, now.Size(), tail, info.Size())
	}
	if err != nil {
		return err
	}
	return os.Remove(name)
}

// lockFor takes the lock of a file that is about to be changed, until it is closed.
func lockFor(file *os.File, path string) error {
	err := store.Lock(file)
	if errors.Is(err, store.ErrInUse) {
		return fmt.Errorf("%s: a recorder is writing it; recover it when the recording has ended", path)
	}
	return err
}

// Undo puts back what Repair cut off the file at path, byte for byte.
func Undo(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := lockFor(file, path); err != nil {
		return err
	}
	if err := undoWith(file, TailOf(path)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: there is nothing to undo: %s is not there", path, TailOf(path))
		}
		return fmt.Errorf("%s: not undone: %w", path, err)
	}
	return nil
}
