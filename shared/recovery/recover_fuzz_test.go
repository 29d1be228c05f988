package recovery_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
	"github.com/oniscope/oniscope/shared/stream"
)

// fuzzSeeds are small files of every kind: ours and others', whole and not.
func fuzzSeeds(f *testing.F) [][]byte {
	var seeds [][]byte
	for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
		file, _ := testdata.WriteRandom(f, testdata.Small(), codec, 31, 9, 9, 9, 4)
		seeds = append(seeds, file.Data, dissect.WithoutFooter(f, file.Data), file.Data[:len(file.Data)*2/3])
		all, _ := testdata.WriteRandom(f, testdata.EveryType(), codec, 32, 3, 2)
		seeds = append(seeds, all.Data)
	}
	for _, name := range []string{"bonsai/new_PortStatus.arrow", "bonsai/new_Heartbeat_killbeforeend.arrow", "csharp/cs_empty.arrow", "csharp/cs_kill_batch1.arrow"} {
		seeds = append(seeds, testdata.Foreign(f, name))
	}
	return seeds
}

// Whatever the bytes: no panic, no memory beyond what they could hold, and
// what is recovered opens, verifies and recovers to itself.
func FuzzRecover(f *testing.F) {
	for _, seed := range fuzzSeeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) > 1<<16 {
			return
		}
		var p *recovery.Plan
		var err error
		bytesAllocated := testdata.Allocated(func() {
			p, err = recovery.Examine(context.Background(), bytes.NewReader(input), int64(len(input)), nil)
		})
		if limit := int64(32<<20 + 2*body.MaxRatio*len(input)); bytesAllocated > limit {
			t.Fatalf("%d bytes allocated for an input of %d", bytesAllocated, len(input))
		}
		if err != nil {
			var failed *recovery.Error
			if !errors.As(err, &failed) || p != nil {
				t.Fatalf("%v with %v", err, p)
			}
			return
		}
		if p.Report.RowsRecovered > 1<<20 {
			return // few bytes can hold many run-end encoded rows; reading them all takes too long here
		}
		recoverBytes(t, input)
	})
}

// damageBy changes a file as a disk, a crash or a copy does: zeros or
// other bytes over a range, a cut, zeros after the end. Five bytes of ops make
// one change.
func damageBy(file, ops []byte) []byte {
	out := bytes.Clone(file)
	for ; len(ops) >= 5 && len(out) > 0; ops = ops[5:] {
		at := int(binary.LittleEndian.Uint16(ops[1:])) % len(out)
		length := min(1+int(binary.LittleEndian.Uint16(ops[3:]))%4096, len(out)-at)
		switch ops[0] % 4 {
		case 0:
			clear(out[at : at+length])
		case 1:
			out = out[:at]
		case 2:
			out = append(out, make([]byte, length)...)
		case 3:
			for i := range out[at : at+length] {
				out[at+i] = 0xA5
			}
		}
	}
	return out
}

// Of a file with checksums, whatever was overwritten or cut off after its
// schema, only batches that were written are recovered, in their order: no row
// is invented. (A damaged schema may give the same bytes another type; that
// footer and schema differ is reported then.)
func FuzzRecoverInventsNothing(f *testing.F) {
	file, _ := testdata.WriteRandom(f, testdata.Small(), recording.Zstd, 33, 25, 25, 25, 25, 25, 6)
	original := batchesOf(f, file.Data)
	schemaEnd, _ := dataEnds(f, file.Data)
	f.Add([]byte{0, 0, 8, 0, 2})
	f.Add([]byte{3, 40, 12, 10, 0, 1, 255, 30, 0, 0})
	f.Add([]byte{0, 0, 0, 200, 1, 2, 0, 0, 255, 255})
	r := rand.New(rand.NewPCG(5, 5))
	for range 300 {
		ops := make([]byte, 5*(1+r.IntN(3)))
		for i := range ops {
			ops[i] = byte(r.Uint32())
		}
		f.Add(ops)
	}
	f.Fuzz(func(t *testing.T, ops []byte) {
		out, report := recoverBytes(t, append(bytes.Clone(file.Data[:schemaEnd]), damageBy(file.Data[schemaEnd:], ops)...))
		if out == nil {
			return
		}
		next := 0
		for i, b := range batchesOf(t, out) {
			for next < len(original) && !testdata.SameBatch(b, original[next]) {
				next++
			}
			if next == len(original) {
				t.Fatalf("batch %d of %d rows was never written, or not in this order: %+v", i, b.Rows, report)
			}
			next++
		}
	})
}

// What is written comes back, whatever the columns.
func FuzzWriter(f *testing.F) {
	f.Add(uint64(1), []byte{1, 2, 3, 4, 200}, uint16(100), false)
	f.Add(uint64(2), []byte{13, 64 + 5, 128 + 5, 192 + 1}, uint16(1), true)
	f.Add(uint64(3), []byte{}, uint16(7), true)
	f.Fuzz(func(t *testing.T, seed uint64, kinds []byte, rows uint16, compress bool) {
		s := &stream.Stream{Name: "fuzz"}
		for i, k := range kinds[:min(len(kinds), 12)] {
			c := stream.Column{Name: string(rune('a' + i)), Type: stream.Bool + stream.Type(k&63)%stream.FixedBinary, Nullable: k&64 != 0, RunEnd: k&128 != 0}
			if c.Type == stream.FixedBinary {
				c.ByteWidth = 1 + int(k&63)
			}
			s.Columns = append(s.Columns, c)
		}
		codec := recording.None
		if compress {
			codec = recording.Zstd
		}
		sizes := []int{int(rows)%2000 + 1, int(rows)%7 + 1}
		file, want := testdata.WriteRandom(t, s, codec, seed, sizes...)
		checkWritten(t, s, file.Data, want)
		if out, report := recoverBytes(t, file.Data); !bytes.Equal(out, file.Data) {
			t.Errorf("a file just written is not intact: %+v", report)
		}
	})
}

// checkWritten reads a file and holds every value against what went in.
func checkWritten(t testing.TB, s *stream.Stream, file []byte, want [][]recording.Vector) {
	t.Helper()
	got := batchesOf(t, file)
	if len(got) != len(want) {
		t.Fatalf("%d batches, want %d", len(got), len(want))
	}
	for i, b := range got {
		if len(b.Columns) != len(s.Columns) {
			t.Fatalf("%d columns, want %d", len(b.Columns), len(s.Columns))
		}
		for j := range b.Columns {
			v := want[i][j]
			v.Width = testdata.Width(&s.Columns[j])
			if !testdata.SameVector(&b.Columns[j], &v) || (b.Columns[j].RunEnds != nil) != s.Columns[j].RunEnd {
				t.Errorf("batch %d column %q does not hold what was written", i, s.Columns[j].Name)
			}
		}
	}
}

func TestOurReaderReadsEveryValueWeWrite(t *testing.T) {
	for _, codec := range testdata.EveryCodec {
		s := testdata.EveryType()
		f, want := testdata.WriteRandom(t, s, codec, 13, 100, 37, 1, 8)
		checkWritten(t, s, f.Data, want)
		got := testdata.Open(t, f.Data).Stream()
		if got.AcqClockHz != s.AcqClockHz || got.DeviceAddress != s.DeviceAddress || got.Name != s.Name || got.Columns[3].Stride != s.Columns[3].Stride || len(got.Extra) != 1 {
			t.Errorf("the stream comes back as %+v", got)
		}
	}
}
