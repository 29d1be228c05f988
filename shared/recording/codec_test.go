package recording_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
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
	for _, codec := range []recording.Codec{recording.Zstd, recording.LZ4} {
		for name, data := range contents() {
			frame, err := c.Append([]byte("before"), codec.IPC(), data)
			if err != nil {
				t.Fatal(err)
			}
			frame = frame[len("before"):]
			if most := body.MaxContent(codec.IPC(), int64(len(frame))); int64(len(data)) > most {
				t.Errorf("%v of %s: %d bytes from %d are more than the %d that are believed", codec, name, len(data), len(frame), most)
			}
			got, err := d.Decode(codec.IPC(), frame, make([]byte, 0, len(data)+64), int64(len(data)))
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%v of %s: %v", codec, name, err)
			}
			for what, size := range map[string]int64{"more": int64(len(data)) + 1, "less": int64(len(data)) - 1} {
				if _, err := d.Decode(codec.IPC(), frame, make([]byte, 0, len(data)+64), size); err == nil {
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
	for _, codec := range []recording.Codec{recording.Zstd, recording.LZ4} {
		frame, err := c.Append(nil, codec.IPC(), data)
		if err != nil {
			t.Fatal(err)
		}
		decode := func(frame []byte) ([]byte, error) {
			return d.Decode(codec.IPC(), frame, make([]byte, 0, len(data)+64), int64(len(data)))
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
			t.Errorf("%v: a byte after the frame goes unseen", codec)
		}
	}
}

func TestALengthThatAFrameCannotHoldIsNotBelieved(t *testing.T) {
	for _, codec := range []recording.Codec{recording.Zstd, recording.LZ4} {
		f, _ := testdata.WriteRandom(t, testdata.Small(), codec, 5, 40)
		// The first column claims rows without end, and so does its buffer.
		const rows = 1 << 30
		file := dissect.Rebuilt(t, f.Data, 0, func(m *arrowipc.Message) {
			m.Batch.Length = rows
			for i := range m.Batch.Nodes {
				m.Batch.Nodes[i].Length = rows
			}
		})
		b := dissect.Block(t, file, 0)
		at := b.Offset + int64(b.MetaLength) + dissect.Message(t, file, b).Batch.Buffers[1].Offset
		l, _ := testdata.Open(t, file).Layout(0)
		binary.LittleEndian.PutUint64(file[at:], uint64(rows*l.Width))
		r := testdata.Open(t, file)
		var corrupt *recording.CorruptError
		if _, err := r.ReadRows(0, 0, 0, 1, []int{0}); !errors.As(err, &corrupt) && !errors.Is(err, recording.ErrTooLarge) {
			t.Errorf("%v: %v", codec, err)
		}
	}
}

func TestNamesOfCodecsAreParsed(t *testing.T) {
	for _, c := range []recording.Codec{recording.None, recording.Zstd, recording.LZ4, recording.Keep} {
		if got, err := recording.ParseCodec(c.String()); err != nil || got != c {
			t.Errorf("%v: %v, %v", c, got, err)
		}
	}
	if _, err := recording.ParseCodec("gzip"); err == nil {
		t.Error("gzip is a codec")
	}
	if _, err := recording.NewWriter(&testdata.Memory{}, testdata.Small(), recording.WriterOptions{Codec: recording.Keep}); err == nil {
		t.Error("a new file keeps nothing")
	}
}
