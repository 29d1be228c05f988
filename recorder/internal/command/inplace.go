package command

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recovery"
)

// How a file is made whole where it stands. Nothing may be lost, whenever the
// machine stops:
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

// tailSuffix is what the saved tail's name has behind the file's.
const tailSuffix = ".tail"

// A tailHeader is the first line of a saved tail, as JSON; the bytes that were
// cut off follow it.
type tailHeader struct {
	Kind     string `json:"kind"` // tailKind
	File     string `json:"file"` // name without folder
	Size     int64  `json:"size"` // of the file before
	Keep     int64  `json:"keep"` // bytes of it that stayed
	Appended int64  `json:"appended"`
	// The last bytes that stay tell whether the file is still the one that
	// the tail belongs to.
	AnchorBytes  int64  `json:"anchor_bytes"`
	AnchorSHA256 string `json:"anchor_sha256"`
	TailSHA256   string `json:"tail_sha256"`
}

const (
	tailKind       = "oniscope recover --in-place: the bytes behind this line were the end of the file"
	maxTailHeader  = 64 << 10
	maxAnchorBytes = 1 << 20
)

// A disk is a file that is changed where it stands.
type disk interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
}

// sum digests n bytes of a file from off.
func sum(r io.ReaderAt, off, n int64) (string, error) {
	h := sha256.New()
	if _, err := io.CopyN(h, io.NewSectionReader(r, off, n), n); err != nil {
		return "", noEOF(err)
	}
	return hexSum(h), nil
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// noEOF is the error of a file that ends before it should.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// saveTail writes what it takes to undo a repair of the file of that name and
// size.
func saveTail(w io.Writer, file io.ReaderAt, name string, size int64, in recovery.InPlace) error {
	h := tailHeader{Kind: tailKind, File: name, Size: size, Keep: in.Keep, Appended: int64(len(in.Append)), AnchorBytes: min(in.Keep, maxAnchorBytes)}
	var err error
	if h.AnchorSHA256, err = sum(file, h.Keep-h.AnchorBytes, h.AnchorBytes); err != nil {
		return err
	}
	if h.TailSHA256, err = sum(file, h.Keep, h.Size-h.Keep); err != nil {
		return err
	}
	line, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if _, err := w.Write(append(line, '\n')); err != nil {
		return err
	}
	_, err = io.CopyN(w, io.NewSectionReader(file, h.Keep, h.Size-h.Keep), h.Size-h.Keep)
	return noEOF(err)
}

// readTail reads the header of a saved tail of size bytes and checks the bytes
// behind it, which begin at at.
func readTail(tail io.ReaderAt, size int64) (h tailHeader, at int64, err error) {
	line, err := bufio.NewReader(io.NewSectionReader(tail, 0, min(size, maxTailHeader))).ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &h) != nil || h.Kind != tailKind {
		return tailHeader{}, 0, errors.New("this is no tail that recover --in-place saved")
	}
	at = int64(len(line))
	if h.Keep < 0 || h.Size < h.Keep || h.Appended < 0 || h.AnchorBytes < 0 || h.AnchorBytes > h.Keep || size-at != h.Size-h.Keep {
		return tailHeader{}, 0, fmt.Errorf("the saved tail has %d bytes and should have %d", size-at, h.Size-h.Keep)
	}
	got, err := sum(tail, at, size-at)
	if err == nil && got != h.TailSHA256 {
		err = errors.New("the saved tail is damaged: its checksum is another")
	}
	return h, at, err
}

// mend makes a file whole whose tail is saved.
func mend(d disk, in recovery.InPlace) error {
	if err := d.Truncate(in.Keep); err != nil {
		return err
	}
	if _, err := d.WriteAt(in.Append, in.Keep); err != nil {
		return err
	}
	return d.Sync()
}

// unmend puts a saved tail of tailSize bytes back to where it was in a file
// that has size bytes now, wherever mend or unmend ended.
func unmend(d disk, size int64, tail io.ReaderAt, tailSize int64) error {
	h, at, err := readTail(tail, tailSize)
	if err != nil {
		return err
	}
	if size < h.Keep || size > max(h.Size, h.Keep+h.Appended) {
		return fmt.Errorf("the file has %d bytes, which is not what the repair left: it was changed since", size)
	}
	anchor, err := sum(d, h.Keep-h.AnchorBytes, h.AnchorBytes)
	if err != nil {
		return err
	}
	if anchor != h.AnchorSHA256 {
		return errors.New("the saved tail is not of this file, or the file was changed since")
	}
	buf := make([]byte, 1<<20)
	for done := int64(0); done < tailSize-at; {
		p := buf[:min(int64(len(buf)), tailSize-at-done)]
		if n, err := tail.ReadAt(p, at+done); n < len(p) {
			return noEOF(err)
		}
		if _, err := d.WriteAt(p, h.Keep+done); err != nil {
			return err
		}
		done += int64(len(p))
	}
	if err := d.Truncate(h.Size); err != nil {
		return err
	}
	return d.Sync()
}

// recoverInPlace is `recover --in-place`.
func (a *app) recoverInPlace(ctx context.Context, path string, f *recoverFlags) error {
	ctx, stop := a.interruptible(ctx)
	defer stop()
	in, err := openBroken(path)
	if err != nil {
		return err
	}
	defer in.close()
	plan, err := a.examine(ctx, in, f, recovery.Options{Name: path, Output: path, HeadersOnly: true})
	if err != nil {
		return err
	}
	if plan.Complete {
		return a.reportRecovered(plan, "")
	}
	repair, err := plan.InPlace()
	if err != nil {
		return fmt.Errorf("%s: %w", path, withHint(err))
	}
	if err := a.mendFile(ctx, in, plan, repair); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return a.reportRecovered(plan, path+tailSuffix)
}

func (a *app) mendFile(ctx context.Context, in *input, plan *recovery.Plan, repair recovery.InPlace) error {
	file, err := os.OpenFile(in.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := lockFor(file, in.path); err != nil {
		return err
	}
	if _, err := os.Lstat(in.path + tailSuffix); err == nil {
		return fmt.Errorf("%s exists: an earlier repair left it; take that back with recover --undo, or put the tail elsewhere", in.path+tailSuffix)
	}
	tail, err := createOutput(in.path+tailSuffix, in)
	if err != nil {
		return err
	}
	defer tail.discard()
	if err := saveTail(tail, file, filepath.Base(in.path), in.size, repair); err != nil {
		return fmt.Errorf("saving the tail: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return err // the last moment to go away and leave nothing behind
	}
	if err := tail.commit(); err != nil {
		return fmt.Errorf("saving the tail: %w", err)
	}
	store.SyncDir(filepath.Dir(in.path))
	if info, err := file.Stat(); err != nil || info.Size() != in.size {
		os.Remove(tail.path)
		return errors.New("the file changes: recover it when the recording has ended")
	}
	err = mend(file, repair)
	if err == nil {
		err = checkMended(file, plan)
	}
	if err != nil {
		if undone := undoWith(file, tail.path); undone != nil {
			return fmt.Errorf("%w; and it could not be undone (%w): recover --undo does, with %s", err, undone, tail.path)
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
	tail, info, err := openFile(name)
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

// undo is `recover --undo`.
func (a *app) undo(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := lockFor(file, path); err != nil {
		return err
	}
	if err := undoWith(file, path+tailSuffix); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: there is nothing to undo: %s is not there", path, path+tailSuffix)
		}
		return fmt.Errorf("%s: not undone: %w", path, err)
	}
	if a.json {
		return a.writeJSON(map[string]any{"input": path, "outcome": "undone"})
	}
	fmt.Fprintf(a.stdout, "%s  undone: the file is as it was before\n", path)
	return nil
}
