package body

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// codecName is the name of a codec for people.
func codecName(c arrowipc.Codec) string {
	switch c {
	case arrowipc.Zstd:
		return "zstd"
	case arrowipc.LZ4Frame:
		return "lz4"
	}
	return "none"
}

// MaxRatio is how many bytes one byte of any codec can become, zstd's: a
// block of 128 KiB of one value takes 4 bytes. Source: RFC 8878, 3.1.1.2.
const MaxRatio = 128 << 10 / 4

// MaxContent is the most that n stored bytes can hold. A length above it is
// not believed and nothing is allocated for it.
//
// A byte of an LZ4 sequence becomes at most 255 (LZ4 block format, "Match
// length"); zstd as MaxRatio.
func MaxContent(c arrowipc.Codec, n int64) int64 {
	slack, ratio := int64(128<<10), int64(MaxRatio)
	if c == arrowipc.LZ4Frame {
		slack, ratio = 64<<10, 255
	}
	if n > (math.MaxInt64-slack)/ratio {
		return math.MaxInt64
	}
	return slack + n*ratio
}

// A Decompressor decodes buffers; its zero value is ready. One goroutine at a
// time may use it.
type Decompressor struct {
	zstd *zstd.Decoder
	lz4  *lz4.Reader
	src  bytes.Reader
}

// Content returns what a stored buffer holds: need bytes of it, or all where
// need is array.Whole. An optional buffer that holds nothing gives nil. Plain
// contents are part of stored; room returns memory for so many bytes, or an
// error where they are too many.
//
// What a compressed buffer claims to hold is believed only as far as need,
// which the field nodes justify, rounded up to 64: the run ends of
// Apache.Arrow for .NET are padded so; and never beyond what its codec can do. Where
// nothing is needed anything may be there, as long as it decodes: C++ stores all
// offsets of a table with a part of it that is empty.
func (d *Decompressor) Content(codec arrowipc.Codec, stored []byte, need int64, optional bool, room func(n int64) ([]byte, error)) ([]byte, error) {
	claim, p := int64(-1), stored
	if codec != arrowipc.Uncompressed && len(stored) > 0 {
		if len(stored) < 8 {
			return nil, fmt.Errorf("a compressed buffer of %d bytes", len(stored))
		}
		claim, p = int64(binary.LittleEndian.Uint64(stored)), stored[8:]
	}
	switch {
	case optional && (len(stored) == 0 || claim == 0 || emptyFrame(codec, stored)):
		return nil, nil
	case need == 0 && emptyFrame(codec, stored): // whatever is claimed, nothing is needed
		return stored[:0:0], nil
	case need == 0:
		p, err := d.Content(codec, stored, array.Whole, optional, room)
		return p[:0:0], err
	case claim == -1: // stored as it is
		if need == array.Whole {
			return p, nil
		}
		if int64(len(p)) < need || codec != arrowipc.Uncompressed && int64(len(p)) > (need+63)&^63 {
			return nil, TooShort(int64(len(p)), need)
		}
		return p[:need:need], nil
	case need != array.Whole && (claim < need || claim > (need+63)&^63) || claim < 0:
		return nil, fmt.Errorf("%w: %d bytes claimed where %d belong", ErrBounds, claim, need)
	case claim == 0:
		return p[:0:0], nil
	case claim > MaxContent(codec, int64(len(p))):
		return nil, fmt.Errorf("%w: %d bytes claimed from %d bytes of %v", ErrBounds, claim, len(p), codecName(codec))
	}
	out, err := room(claim)
	if err != nil {
		return nil, err
	}
	if out, err = d.Decode(codec, p, out[:0], claim); err != nil || need == array.Whole {
		return out, err
	}
	return out[:need:need], nil
}

// emptyFrame reports whether a compressed buffer is a length and nothing else:
// C# stores empty buffers so. The length should be 0; if it is not, nothing
// depends on it.
func emptyFrame(codec arrowipc.Codec, stored []byte) bool {
	return codec != arrowipc.Uncompressed && len(stored) == 8
}

// Decode appends the size bytes that a frame holds to out, which has room for
// them, and checks the frame's checksums, where there are any. More or less
// than size is an error.
func (d *Decompressor) Decode(codec arrowipc.Codec, frame, out []byte, size int64) ([]byte, error) {
	var err error
	if codec == arrowipc.LZ4Frame {
		out, err = d.decodeLZ4(frame, out, size)
	} else {
		out, err = d.decodeZstd(frame, out)
	}
	if err != nil {
		return nil, fmt.Errorf("%v: %w", codecName(codec), err)
	}
	if int64(len(out)) != size {
		return nil, fmt.Errorf("%v: %d bytes where %d are claimed", codecName(codec), len(out), size)
	}
	return out, nil
}

// maxWindow is the largest window that a frame header can name. Source: RFC 8878,
// 3.1.1.1.2.
const maxWindow = 1<<41 + 7<<38

// FasterZstd is a decoder of zstd frames that a host may have besides Go's, as the
// page has; nil: none. It decodes a frame into out and says how many bytes came, or
// that Go is to decide: it accepts nothing that Go refuses, and whatever it refuses,
// Go decodes again, so that errors are the same everywhere. It is set before
// anything is read, and never again.
var FasterZstd func(frame, out []byte) (n int, ok bool)

func (d *Decompressor) decodeZstd(frame, out []byte) ([]byte, error) {
	if FasterZstd != nil && len(frame) > 0 && cap(out) > 0 {
		if n, ok := FasterZstd(frame, out[:cap(out)]); ok {
			return out[:n], nil
		}
	}
	if d.zstd == nil {
		// DecodeAll with the whole frame checks its checksum. Concurrency 1
		// keeps one decoder's memory, also in a browser. Any window is right, as
		// for the C library: it is the output itself.
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		d.zstd = z
	}
	return d.zstd.DecodeAll(frame, out)
}

func (d *Decompressor) decodeLZ4(frame, out []byte, size int64) ([]byte, error) {
	const magic = 0x184D2204 // LZ4 frame format, "Magic Number"; the library takes legacy frames too
	if len(frame) < 4 || binary.LittleEndian.Uint32(frame) != magic {
		return nil, lz4.ErrInvalidFrame
	}
	d.src.Reset(frame)
	if d.lz4 == nil {
		d.lz4 = lz4.NewReader(&d.src)
		if err := d.lz4.Apply(lz4.ConcurrencyOption(1)); err != nil {
			return nil, err
		}
	} else {
		d.lz4.Reset(&d.src)
	}
	n, err := io.ReadFull(d.lz4, out[:size])
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("%d bytes where %d are claimed: %w", n, size, io.ErrUnexpectedEOF)
	}
	if err != nil {
		return nil, err
	}
	var more [1]byte // the end of the frame is read with what would follow
	if n, err := d.lz4.Read(more[:]); n > 0 {
		return nil, fmt.Errorf("more than the %d bytes that are claimed", size)
	} else if err != io.EOF {
		return nil, err
	}
	return out[:size], nil
}

// A Compressor encodes buffers. The zero value of the codecs it has not been
// asked for costs nothing.
type Compressor struct {
	zstd *zstd.Encoder
	lz4  *lz4.Writer
}

// Append appends data as one frame with a checksum: it shows a reader which
// column is damaged.
func (c *Compressor) Append(dst []byte, codec arrowipc.Codec, data []byte) ([]byte, error) {
	if codec == arrowipc.LZ4Frame {
		out := appender{dst}
		if c.lz4 == nil {
			c.lz4 = lz4.NewWriter(&out)
			if err := c.lz4.Apply(lz4.ConcurrencyOption(1), lz4.BlockSizeOption(lz4.Block256Kb), lz4.ChecksumOption(true)); err != nil {
				return nil, err
			}
		} else {
			c.lz4.Reset(&out)
		}
		if _, err := c.lz4.Write(data); err != nil {
			return nil, err
		}
		err := c.lz4.Close()
		return out.p, err
	}
	if c.zstd == nil {
		// One frame a buffer, by one thread: same input, same bytes.
		z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
		if err != nil {
			return nil, err
		}
		c.zstd = z
	}
	return c.zstd.EncodeAll(data, dst), nil
}

func (c *Compressor) Close() {
	if c.zstd != nil {
		_ = c.zstd.Close() // of an encoder without a writer: frees memory only
	}
	*c = Compressor{}
}

// An appender is a slice to write to.
type appender struct{ p []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.p = append(a.p, p...)
	return len(p), nil
}
