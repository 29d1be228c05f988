package body

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

const (
	// flowAhead is how much of a stored buffer one read of a flow takes.
	flowAhead = 2 << 20
	// flowKept is how much of what a flow has decoded last it keeps: a caller
	// that goes forward in pieces asks for the borders of pieces again.
	flowKept = 1 << 20
	// flowWindow bounds what a frame may refer back to, which is memory.
	flowWindow = 128 << 20
)

// ErrWindow says that a frame refers back further than memory allows.
var ErrWindow = errors.New("recording: the frame refers back more than 128 MiB")

// A Flow decodes one stored buffer in pieces, from its beginning on, for callers
// that go forward in what is too large to be decoded whole. It keeps no more than
// what its codec refers back to. To go back it begins again.
//
// What it gives was decoded without an error, but of a buffer whose end it has not
// reached nobody has compared the checksum.
type Flow struct {
	Codec  arrowipc.Codec
	File   io.ReaderAt
	At     int64 // of the stored buffer in the file
	Length int64 // of it
	Need   int64 // bytes that its node justifies
	// Work is told how many bytes were decoded, and ends the work by an error; nil:
	// nobody asks.
	Work func(n int) error

	Read int64 // bytes of the file so far

	begun bool
	plain int64 // where the contents lie if they are stored as they are; 0: they do not
	claim int64
	pos   int64  // decoded so far
	kept  []byte // up to pos
	from  io.Reader
	zstd  *zstd.Decoder
	lz4   *lz4.Reader
}

// Fill gives the bytes from off on of what the buffer holds.
func (f *Flow) Fill(p []byte, off int64) error {
	if !f.begun || f.plain == 0 && off < f.pos-int64(len(f.kept)) {
		if err := f.begin(); err != nil {
			return err
		}
	}
	if f.plain > 0 {
		return f.readAt(p, f.plain+off)
	}
	if back := f.pos - off; back > 0 {
		n := copy(p, f.kept[int64(len(f.kept))-back:])
		p, off = p[n:], off+int64(n)
	}
	var skip []byte
	for f.pos < off {
		if skip == nil {
			skip = make([]byte, min(flowKept, off-f.pos))
		}
		if err := f.next(skip[:min(int64(len(skip)), off-f.pos)]); err != nil {
			return err
		}
	}
	for len(p) > 0 {
		n := min(len(p), flowKept)
		if err := f.next(p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// End decodes what follows up to the end of the frame, whose checksum is compared then.
func (f *Flow) End() error {
	if !f.begun {
		if err := f.begin(); err != nil {
			return err
		}
	}
	var rest []byte
	for f.plain == 0 && f.pos < f.claim {
		n := min(flowKept, f.claim-f.pos)
		rest = Grown(rest, n)
		if err := f.next(rest); err != nil {
			return err
		}
	}
	return nil
}

// next decodes the next bytes.
func (f *Flow) next(p []byte) error {
	n, err := io.ReadFull(f.from, p)
	f.pos += int64(n)
	if n == len(p) && f.pos == f.claim { // the end of the frame, with its checksum
		var more [1]byte
		if _, err = io.ReadFull(f.from, more[:]); err == nil {
			err = fmt.Errorf("more than the %d bytes that are claimed", f.claim)
		} else if err == io.EOF {
			err = nil
		}
	}
	var failed *flowError
	switch {
	case errors.As(err, &failed):
		err = failed // without what the codec says of it
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		err = ErrWindow
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		err = fmt.Errorf("%v: %d bytes where %d are claimed", codecName(f.Codec), f.pos, f.claim)
	case err != nil:
		err = fmt.Errorf("%v: %w", codecName(f.Codec), err)
	}
	if err != nil {
		f.begun = false
		return err
	}
	if over := len(f.kept) + len(p) - flowKept; over > 0 {
		f.kept = append(f.kept[:0], f.kept[min(over, len(f.kept)):]...)
	}
	f.kept = append(f.kept, p...)
	if f.Work != nil {
		if err := f.Work(len(p)); err != nil {
			return &flowError{err}
		}
	}
	return nil
}

// begin goes to the beginning.
func (f *Flow) begin() error {
	var length [8]byte
	if err := f.readAt(length[:], f.At); err != nil {
		return err
	}
	f.pos, f.kept, f.plain = 0, f.kept[:0], 0
	f.claim = int64(binary.LittleEndian.Uint64(length[:]))
	stored := f.Length - 8
	switch {
	case f.claim == -1 && (stored < f.Need || stored > (f.Need+63)&^63):
		return TooShort(stored, f.Need)
	case f.claim == -1:
		f.begun, f.plain = true, f.At+8
		return nil
	case f.claim < f.Need || f.claim > (f.Need+63)&^63:
		return fmt.Errorf("%w: %d bytes claimed where %d belong", ErrBounds, f.claim, f.Need)
	case f.claim > MaxContent(f.Codec, stored):
		return fmt.Errorf("%w: %d bytes claimed from %d bytes of %v", ErrBounds, f.claim, stored, codecName(f.Codec))
	}
	from := bufio.NewReaderSize(&flowSource{f, f.At + 8, f.At + f.Length}, int(min(flowAhead, max(stored, 16))))
	var err error
	if f.Codec == arrowipc.LZ4Frame {
		f.lz4 = lz4.NewReader(from)
		f.from, err = f.lz4, f.lz4.Apply(lz4.ConcurrencyOption(1))
	} else {
		if f.zstd == nil {
			f.zstd, err = zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(flowWindow))
		} else {
			err = f.zstd.Reset(from)
		}
		f.from = f.zstd
	}
	f.begun = err == nil
	return err
}

// Close gives its memory back.
func (f *Flow) Close() {
	if f.zstd != nil {
		f.zstd.Close()
	}
	f.begun, f.zstd, f.lz4, f.from, f.kept = false, nil, nil, nil, nil
}

func (f *Flow) readAt(p []byte, off int64) error {
	n, err := f.File.ReadAt(p, off)
	f.Read += int64(n)
	if n < len(p) {
		return &flowError{ReadError(int64(len(p)), off, err)}
	}
	return nil
}

// A flowError says nothing of what is in the file: reading it failed, or its caller
// wants no more.
type flowError struct{ error }

func (e *flowError) Unwrap() error { return e.error }

// Undecided returns the error of reading the file, or of Work, that an error of a Flow
// is; nil if what is in the file is wrong.
func Undecided(err error) error {
	var failed *flowError
	if errors.As(err, &failed) {
		return failed.error
	}
	return nil
}

// A flowSource reads the frame.
type flowSource struct {
	f       *Flow
	at, end int64
}

func (s *flowSource) Read(p []byte) (int, error) {
	if s.at >= s.end {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), s.end-s.at, math.MaxInt32)]
	if err := s.f.readAt(p, s.at); err != nil {
		return 0, err
	}
	s.at += int64(len(p))
	return len(p), nil
}
