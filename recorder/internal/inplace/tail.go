package inplace

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/oniscope/oniscope/recorder/internal/files"
	"github.com/oniscope/oniscope/shared/recovery"
)

// A tailHeader is the first line of a saved tail, as JSON; the bytes that were
// cut off follow it.
type tailHeader struct {
	Kind     string `json:"kind"` // tailKind
	File     string `json:"file"` // name without folder
	Size     int64  `json:"size"` // of the file before
	Keep     int64  `json:"keep"` // bytes of it that stayed
	Appended int64  `json:"appended"`
	// The last bytes that stay show whether the file is still the one that
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

// A disk is a file that is changed in place.
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
		return "", files.NoEOF(err)
	}
	return hexSum(h), nil
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

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
	return files.NoEOF(err)
}

// readTail reads the header of a saved tail of size bytes and checks the bytes
// after it, which begin at at.
func readTail(tail io.ReaderAt, size int64) (h tailHeader, at int64, err error) {
	line, err := bufio.NewReader(io.NewSectionReader(tail, 0, min(size, maxTailHeader))).ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &h) != nil || h.Kind != tailKind {
		return tailHeader{}, 0, errors.New("this is not a tail that recover --in-place saved")
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
			return files.NoEOF(err)
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
