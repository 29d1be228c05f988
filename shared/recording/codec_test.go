package recording

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
)

// contents gives contents of several sizes and kinds.
func contents() map[string][]byte {
	noise := make([]byte, 700_000)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	return map[string][]byte{
		"one byte": {7}, "noise": noise, "zeros": make([]byte, 5<<20), "text": bytes.Repeat([]byte("spike "), 50_000),
	}
}

func TestEveryCodecGivesBackWhatItTook(t *testing.T) {
	var c body.Compressor
	var d body.Decompressor
	for _, codec := range []Codec{Zstd, LZ4} {
		for name, data := range contents() {
			frame, err := c.Append([]byte("before"), codec.ipc(), data)
			if err != nil {
				t.Fatal(err)
			}
			frame = frame[len("before"):]
			if most := body.MaxContent(codec.ipc(), int64(len(frame))); int64(len(data)) > most {
				t.Errorf("%v of %s: %d bytes from %d are more than the %d that are believed", codec, name, len(data), len(frame), most)
			}
			got, err := d.Decode(codec.ipc(), frame, make([]byte, 0, len(data)+64), int64(len(data)))
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%v of %s: %v", codec, name, err)
			}
			for what, size := range map[string]int64{"more": int64(len(data)) + 1, "less": int64(len(data)) - 1} {
				if _, err := d.Decode(codec.ipc(), frame, make([]byte, 0, len(data)+64), size); err == nil {
					t.Errorf("%v of %s: a claim of %s is believed", codec, name, what)
				}
			}
		}
	}
}

// What a frame of ours holds is under a checksum: no cut and no changed bit of
// what carries data goes unseen.
func TestAFrameThatIsCutOrChangedIsRefused(t *testing.T) {
	var c body.Compressor
	var d body.Decompressor
	data := bytes.Repeat([]byte("a batch of rows, "), 40)
	for _, codec := range []Codec{Zstd, LZ4} {
		frame, err := c.Append(nil, codec.ipc(), data)
		if err != nil {
			t.Fatal(err)
		}
		decode := func(frame []byte) ([]byte, error) {
			return d.Decode(codec.ipc(), frame, make([]byte, 0, len(data)+64), int64(len(data)))
		}
		for n := range frame {
			if _, err := decode(frame[:n]); err == nil {
				t.Errorf("%v: %d of %d bytes are enough", codec, n, len(frame))
			}
		}
		for i := range 8 * len(frame) {
			changed := bytes.Clone(frame)
			changed[i/8] ^= 1 << (i % 8)
			if got, err := decode(changed); err == nil && !bytes.Equal(got, data) {
				t.Errorf("%v: bit %d changed goes unseen", codec, i)
			}
		}
		if _, err := decode(append(bytes.Clone(frame), 1)); err == nil {
			t.Errorf("%v: a byte behind the frame goes unseen", codec)
		}
	}
}

func TestALengthThatAFrameCannotHoldIsNotBelieved(t *testing.T) {
	for _, codec := range []Codec{Zstd, LZ4} {
		f, _ := writeRandom(t, smallStream(), codec, 5, 40)
		// The first column claims rows without end, and so does its buffer.
		const rows = 1 << 30
		file := rebuilt(t, f.data, 0, func(m *arrowipc.Message) {
			m.Batch.Length = rows
			for i := range m.Batch.Nodes {
				m.Batch.Nodes[i].Length = rows
			}
		})
		b := blockOf(t, file, 0)
		at := b.Offset + int64(b.MetaLength) + messageAt(t, file, b).Batch.Buffers[1].Offset
		l, _ := openBytes(t, file).layout(0)
		binary.LittleEndian.PutUint64(file[at:], uint64(rows*l.Width))
		r := openBytes(t, file)
		var corrupt *CorruptError
		if _, err := r.readRows(0, 0, 0, 1, []int{0}); !errors.As(err, &corrupt) && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%v: %v", codec, err)
		}
	}
}

func TestNamesOfCodecsAreParsed(t *testing.T) {
	for _, c := range []Codec{None, Zstd, LZ4, Keep} {
		if got, err := ParseCodec(c.String()); err != nil || got != c {
			t.Errorf("%v: %v, %v", c, got, err)
		}
	}
	if _, err := ParseCodec("gzip"); err == nil {
		t.Error("gzip is a codec")
	}
	if _, err := NewWriter(&memFile{}, smallStream(), WriterOptions{Codec: Keep}); err == nil {
		t.Error("a new file keeps nothing")
	}
}
