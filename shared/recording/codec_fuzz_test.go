package recording_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
)

// seedCodec adds buffers as they stand in bodies: whole ones of us, of others
// where the files of arrow-rs have them, cut and changed ones, and claims that
// have nothing to do with what follows.
func seedCodec(f *testing.F, codec recording.Codec, file string) {
	var c body.Compressor
	add := func(buffer []byte, need int) {
		f.Add(buffer, uint32(need))
		if len(buffer) > 9 {
			f.Add(buffer[:len(buffer)-3], uint32(need))
			changed := bytes.Clone(buffer)
			changed[len(changed)/2] ^= 0x10
			f.Add(changed, uint32(need))
			binary.LittleEndian.PutUint64(changed, 1<<40)
			f.Add(changed, uint32(1<<31))
			binary.LittleEndian.PutUint64(changed, 1<<63)
			f.Add(changed, uint32(0))
		}
	}
	for _, data := range [][]byte{{}, {7}, bytes.Repeat([]byte("spike "), 500), make([]byte, 20000)} {
		frame, err := c.Append(binary.LittleEndian.AppendUint64(nil, uint64(len(data))), codec.IPC(), data)
		if err != nil {
			f.Fatal(err)
		}
		add(frame, len(data))
		add(append(binary.LittleEndian.AppendUint64(nil, 1<<64-1), data...), len(data)) // stored: -1
	}
	data := testdata.Foreign(f, file)
	for _, block := range dissect.Footer(f, data).Batches {
		m := dissect.Message(f, data, block)
		for _, s := range m.Batch.Buffers {
			if s.Length > 0 {
				p := data[block.Offset+int64(block.MetaLength)+s.Offset:][:s.Length]
				add(p, int(binary.LittleEndian.Uint64(p)))
			}
		}
	}
}

// fuzzCodec decodes one stored buffer as a reader does that needs so many
// bytes of it: what comes is as long as it should be, no more memory is asked
// for than need, claim and codec allow, and what was decoded comes back from
// being encoded.
func fuzzCodec(t *testing.T, codec recording.Codec, stored []byte, need32 uint32) {
	need := int64(need32)
	var d body.Decompressor
	for _, need := range []int64{need, array.Whole, -need - 2} {
		optional := need < array.Whole // a validity buffer, which may hold nothing
		if optional {
			need = -need - 2
		}
		limit := int64(len(stored))
		if codec != recording.None {
			limit = body.MaxContent(codec.IPC(), limit)
		}
		if need != array.Whole {
			limit = min(limit, (need+63)&^63)
		}
		room := func(n int64) ([]byte, error) {
			if n < 0 || n > limit {
				t.Fatalf("%d bytes asked for to decode %d, of which %d are needed", n, len(stored), need)
			}
			if n > 64<<20 {
				return nil, recording.ErrTooLarge
			}
			return make([]byte, n), nil
		}
		var p []byte
		var err error
		// The decoders' own memory: windows and tables, once.
		if n := testdata.Allocated(func() { p, err = d.Content(codec.IPC(), stored, need, optional, room) }); n > 48<<20+limit && limit < 64<<20 {
			t.Fatalf("%d bytes allocated to decode %d into at most %d", n, len(stored), limit)
		}
		if err != nil {
			if p != nil {
				t.Fatal("contents with an error")
			}
			continue
		}
		if need != array.Whole && int64(len(p)) != need && !(optional && p == nil) {
			t.Fatalf("%d bytes where %d are needed", len(p), need)
		}
		if codec == recording.None || len(p) == 0 {
			continue
		}
		var c body.Compressor
		frame, err := c.Append(nil, codec.IPC(), p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := d.Decode(codec.IPC(), frame, make([]byte, 0, len(p)), int64(len(p)))
		if err != nil || !bytes.Equal(again, p) {
			t.Fatalf("%d bytes do not come back: %v", len(p), err)
		}
	}
}

func FuzzCodecZstd(f *testing.F) {
	seedCodec(f, recording.Zstd, "arrow-rs/types_zstd.arrow")
	f.Fuzz(func(t *testing.T, stored []byte, need uint32) { fuzzCodec(t, recording.Zstd, stored, need) })
}

func FuzzCodecLZ4(f *testing.F) {
	seedCodec(f, recording.LZ4, "arrow-rs/types_lz4.arrow")
	f.Fuzz(func(t *testing.T, stored []byte, need uint32) { fuzzCodec(t, recording.LZ4, stored, need) })
}

func FuzzCodecNone(f *testing.F) {
	f.Add([]byte{}, uint32(0))
	f.Add([]byte("plain values"), uint32(12))
	f.Add([]byte("too few"), uint32(1<<31))
	f.Fuzz(func(t *testing.T, stored []byte, need uint32) {
		fuzzCodec(t, recording.None, stored, need)
		var d body.Decompressor
		p, err := d.Content(arrowipc.Uncompressed, stored, int64(need), false, nil)
		if err == nil && !bytes.Equal(p, stored[:need]) {
			t.Fatal("plain values are not those that are stored")
		}
	})
}
