//go:build linux

package recovery_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
)

// A campaignFile is a file to be damaged.
type campaignFile struct {
	name string // "ours zstd", "arrow-go/types_lz4"
	data []byte
	// checked: every buffer of its bodies is a frame with a checksum: no value
	// can change unseen. Where the writer is ours, no byte of a body can, for
	// padding is zeros.
	checked, ours bool
	columns       []recording.InfoColumn
	batches       []campaignBatch
	meta          []extent // bytes of headers, schema and footer
	bodies        []extent
	fields        []int64 // offsets of lengths: words of metadata, claims of compressed buffers
}

// An extent is the bytes [from, to) of a file.
type extent struct{ from, to int64 }

// A campaignBatch is a batch as it was written.
type campaignBatch struct {
	rows     []string // the bits of each row
	from, to int64    // of its message in the file
}

// theirFiles are those of others that take part: all codecs, framings and
// types. Whether their frames have checksums is the writer's choice.
var theirFiles = map[string]bool{
	"bonsai/old_PortStatus": false, "bonsai/new_HarpSync": false, "csharp/cs_small": false, "csharp/cs_small_zstd": false,
	"pyarrow/file": false, "pyarrow/file_zstd": false, "pyarrow/file_lz4": false, "pyarrow/stream": false, "pyarrow/stream_zstd": false, "pyarrow/file_0.14": false,
	"pyarrow/nested": false, "pyarrow/nested_zstd": false, "pyarrow/dictionaries": false, "pyarrow/dictionaries_stream_lz4": false, "pyarrow/runs_zstd": false, "pyarrow/unions": false,
	"pyarrow/dictionary_deltas_stream": false, "pyarrow/stream_zstd_then_lz4_then_none": false,
	"arrow-go/types": false, "arrow-go/types_zstd": true, "arrow-go/types_lz4": false, "arrow-go/numbers_lz4_stored": false, "arrow-go/types_stream_zstd": true,
	"arrow-rs/types_alignment_64": false, "arrow-rs/types_zstd": false, "arrow-rs/types_lz4": false, "arrow-js/types_file": false, "arrow-js/two_batches_stream": false,
	"polars/types": false, "polars/batches_zstd": false, "polars/types_stream_lz4": false,
}

// campaignFiles are all files, always in the same order.
func campaignFiles(t testing.TB) []*campaignFile {
	var list []*campaignFile
	add := func(name string, data []byte, checked bool) {
		f := &campaignFile{name: name, data: data, checked: checked, ours: strings.HasPrefix(name, "ours")}
		f.survey(t)
		list = append(list, f)
	}
	// Half of the cases are of our own.
	for range 4 {
		for _, codec := range []recording.Codec{recording.None, recording.Zstd, recording.LZ4} {
			seed := uint64(len(list))
			small, _ := testdata.WriteRandom(t, testdata.Small(), codec, seed, 30, 30, 30, 30, 30, 7)
			add("ours "+codec.String(), small.Data, codec != recording.None)
			all, _ := testdata.WriteRandom(t, testdata.EveryType(), codec, seed, 20, 20, 20, 3)
			add("ours, every type, "+codec.String(), all.Data, codec != recording.None)
		}
	}
	for _, name := range sortedKeys(theirFiles) {
		add(name, testdata.Foreign(t, name+".arrow"), theirFiles[name])
	}
	return list
}

func sortedKeys(m map[string]bool) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	// Insertion sort: no order of a map may reach the cases.
	for i := range keys {
		for k := i; k > 0 && keys[k] < keys[k-1]; k-- {
			keys[k], keys[k-1] = keys[k-1], keys[k]
		}
	}
	return keys
}

// survey notes what the whole file holds, and what lies where in it.
func (f *campaignFile) survey(t testing.TB) {
	r := testdata.Open(t, f.data)
	info, err := testdata.Info(r)
	if err != nil || info.State != recording.Complete {
		t.Fatalf("%s: %v, %+v", f.name, err, info.Findings)
	}
	f.columns = info.Columns
	places := dissect.Batches(t, f.data)
	for i := range r.NumBatches() {
		b, err := r.ReadBatch(i, nil)
		if err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		s := &places[i]
		f.batches = append(f.batches, campaignBatch{rows: rowBits(b, nil), from: s.Offset, to: s.Offset + int64(s.MetaLength) + s.BodyLength})
	}
	end := int64(0)
	for _, m := range messagesOf(t, f.data) {
		f.meta = append(f.meta, extent{end, m.BodyAt()})
		end = m.End()
		if m.BodyLength == 0 {
			continue
		}
		f.bodies = append(f.bodies, extent{m.BodyAt(), m.End()})
		if m.Batch.Codec != arrowipc.Uncompressed {
			for _, s := range m.Batch.Buffers {
				if s.Length >= 8 {
					f.fields = append(f.fields, m.BodyAt()+s.Offset)
				}
			}
		}
	}
	f.meta = append(f.meta, extent{end, int64(len(f.data))})
	for _, m := range f.meta {
		for at := (m.from + 3) &^ 3; at+8 <= m.to; at += 4 {
			f.fields = append(f.fields, at)
		}
		f.fields = append(f.fields, m.to-8)
	}
}

// A damaged file.
type campaignCase struct {
	file *campaignFile
	kind string
	data []byte
	// touched are the bytes of the original that are not the same any more;
	// what is after moved is at another place.
	touched []extent
	moved   int64
	// madePlain: a compressed buffer is one now that is stored as it is.
	madePlain bool
	twice     bool // some bytes stand there twice
	source    *bytes.Reader
}

// The damages. Cuts come every fifth case, and so on.
var campaignKinds = []struct {
	name string
	do   func(c *campaignCase, r *rand.Rand)
}{
	{"truncated", (*campaignCase).truncate},
	{"bits flipped in metadata", func(c *campaignCase, r *rand.Rand) { c.flip(r, c.file.meta) }},
	{"bits flipped in bodies", func(c *campaignCase, r *rand.Rand) { c.flip(r, c.file.bodies) }},
	{"absurd lengths", (*campaignCase).absurd},
	{"bits flipped in bodies, no footer", func(c *campaignCase, r *rand.Rand) {
		c.flip(r, c.file.bodies)
		c.cut(c.file.meta[len(c.file.meta)-1].from)
	}},
	{"overwritten, left out or put in", (*campaignCase).stretch},
}

// makeCase is case n of a seed, always the same.
func makeCase(files []*campaignFile, seed uint64, n int) *campaignCase {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	f := files[r.IntN(len(files))]
	c := &campaignCase{file: f, data: bytes.Clone(f.data), moved: int64(len(f.data))}
	kind := &campaignKinds[n%len(campaignKinds)]
	if len(f.bodies) == 0 && strings.Contains(kind.name, "bodies") {
		kind = &campaignKinds[0]
	}
	c.kind = kind.name
	kind.do(c, r)
	return c
}

func (c *campaignCase) cut(at int64) {
	c.data = c.data[:at]
	c.touched = append(c.touched, extent{at, int64(len(c.file.data))})
}

func (c *campaignCase) truncate(r *rand.Rand) { c.cut(r.Int64N(int64(len(c.data)))) }

// flip changes one to three bits in some of the spans.
func (c *campaignCase) flip(r *rand.Rand, spans []extent) {
	total := int64(0)
	for _, s := range spans {
		total += s.to - s.from
	}
	for range 1 + r.IntN(3) {
		at := r.Int64N(total)
		for _, s := range spans {
			if at < s.to-s.from {
				at += s.from
				break
			}
			at -= s.to - s.from
		}
		c.data[at] ^= 1 << r.IntN(8)
	}
	c.compare()
}

// compare notes which bytes differ: two flips may undo each other.
func (c *campaignCase) compare() {
	c.touched = c.touched[:0]
	for i := range c.data {
		if c.data[i] != c.file.data[i] {
			c.touched = append(c.touched, extent{int64(i), int64(i) + 1})
		}
	}
}

// absurd puts a length that cannot be where one may stand.
func (c *campaignCase) absurd(r *rand.Rand) {
	at := c.file.fields[r.IntN(len(c.file.fields))]
	values := []uint64{0, 1, 1<<64 - 1, 1 << 63, 1<<63 - 1, 1 << 62, 1 << 40, 1 << 33, 1<<32 - 1, 1 << 31, 1<<31 - 1, 1 << 30, 1 << 24, uint64(len(c.data)), uint64(r.Int64())}
	value := values[r.IntN(len(values))]
	if r.IntN(2) == 0 {
		binary.LittleEndian.PutUint32(c.data[at:], uint32(value))
	} else {
		binary.LittleEndian.PutUint64(c.data[at:], value)
	}
	c.compare()
	for _, s := range c.touched {
		for _, b := range c.file.bodies {
			if s.from >= b.from && s.to <= b.to && len(c.data[at:]) >= 8 && binary.LittleEndian.Uint64(c.data[at:]) == math.MaxUint64 {
				c.madePlain = true
			}
		}
	}
}

// stretch does what disks and copies do: some bytes are zeros or others, are
// missing, or stand there twice.
func (c *campaignCase) stretch(r *rand.Rand) {
	size := int64(len(c.data))
	at := r.Int64N(size)
	n := min(1+r.Int64N(4096), size-at)
	switch r.IntN(4) {
	case 0:
		clear(c.data[at : at+n])
		c.compare()
	case 1:
		for i := range c.data[at : at+n] {
			c.data[at+int64(i)] = byte(r.Uint32())
		}
		c.compare()
	case 2:
		c.data = append(c.data[:at], c.file.data[at+n:]...)
		c.touched, c.moved = []extent{{at, at + n}}, at
	case 3:
		c.data = append(append(c.data[:at:at], c.file.data[at:at+n]...), c.file.data[at:]...)
		c.touched, c.moved, c.twice = []extent{{at, at}}, at, true
	}
}

// hits reports whether bytes of [from, to) are touched, or something was put
// in between them.
func (c *campaignCase) hits(from, to int64) bool {
	for _, s := range c.touched {
		if s.from < to && s.to > from || s.from == s.to && s.from > from && s.from < to {
			return true
		}
	}
	return false
}
