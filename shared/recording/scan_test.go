package recording

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/stream"
)

// scanAll returns where the scan finds messages that parse.
func scanAll(t testing.TB, file []byte, budget int64) (places []int64, left int64) {
	t.Helper()
	s := scanner{size: int64(len(file)), budget: &budget,
		readAt: func(p []byte, off int64) error { copy(p, file[off:]); return nil },
		accept: func(m *message) (bool, error) { return true, nil }}
	for at := int64(0); ; {
		m, err := s.next(at, s.size)
		if err != nil {
			t.Fatal(err)
		}
		if m == nil {
			return places, budget
		}
		places = append(places, m.at)
		at = m.at + 8
	}
}

func TestTheScanFindsEveryMessageWhereverItStands(t *testing.T) {
	for name, codec := range everyCodec {
		f, _ := writeRandom(t, smallStream(), codec, 61, 40, 40, 40, 3)
		want := []int64{8}
		for _, b := range footerOf(t, f.data).Batches {
			want = append(want, b.Offset)
		}
		for shift := range 9 {
			moved := append(bytes.Repeat([]byte{0xFF}, shift), f.data...)
			got, _ := scanAll(t, moved, 1<<20)
			if len(got) != len(want) {
				t.Fatalf("%s moved by %d: messages at %v, want %v", name, shift, got, want)
			}
			for i := range got {
				if got[i] != want[i]+int64(shift) {
					t.Errorf("%s moved by %d: message %d at %d, want %d", name, shift, i, got[i], want[i])
				}
			}
		}
	}
}

// A message is found also where it lies over the border of two windows.
func TestTheScanFindsMessagesAtTheBordersOfItsWindows(t *testing.T) {
	f, _ := writeRandom(t, smallStream(), None, 62, 40)
	b := footerOf(t, f.data).Batches[0]
	m := f.data[b.Offset : b.Offset+int64(b.MetaLength)+b.BodyLength]
	for _, at := range []int{scanWindow - 8, scanWindow - 5, scanWindow - 16, scanWindow, scanWindow + 8, scanWindow + scanAhead - 16, 2*scanWindow - 1} {
		file := bytes.Repeat([]byte{0xFF}, at)
		file = append(append(file, m...), bytes.Repeat([]byte{0xFF}, 30)...)
		if got, _ := scanAll(t, file, 1<<20); len(got) != 1 || got[0] != int64(at) {
			t.Errorf("found at %v, stands at %d", got, at)
		}
	}
}

// neuralWords fills n bytes as int16 samples: mean, and sigma if not 0.
func neuralWords(n int, mean, sigma float64) []byte {
	r := rand.New(rand.NewPCG(7, 7))
	p := make([]byte, n)
	for i := 0; i+2 <= n; i += 2 {
		binary.LittleEndian.PutUint16(p[i:], uint16(int16(mean+sigma*r.NormFloat64())))
	}
	return p
}

func TestTheScanFindsNothingInSamples(t *testing.T) {
	const n = 4 << 20
	random := make([]byte, n)
	for i, r := 0, rand.New(rand.NewPCG(8, 8)); i < n; i += 8 {
		binary.LittleEndian.PutUint64(random[i:], r.Uint64())
	}
	for name, p := range map[string][]byte{
		"zeros": make([]byte, n), "all -1": bytes.Repeat([]byte{0xFF}, n), "sigma 8 about -1": neuralWords(n, -1, 8),
		"sigma 1 about -1": neuralWords(n, -1, 1), "sigma 8 about 0": neuralWords(n, 0, 8), "random": random,
	} {
		if got, left := scanAll(t, p, 1<<20); len(got) > 0 || left < 1<<19 {
			t.Errorf("%s: messages at %v, %d of %d bytes parsed", name, got, 1<<20-left, 1<<20)
		}
	}
}

// A file of nothing but beginnings of messages is not read over and over.
func TestTheScanGivesUpOnAFileOfBeginnings(t *testing.T) {
	f, _ := writeRandom(t, smallStream(), None, 63, 40)
	b := footerOf(t, f.data).Batches[0]
	header := bytes.Clone(f.data[b.Offset : b.Offset+64])
	binary.LittleEndian.PutUint32(header[4:], 1<<20)
	file := append(bytes.Clone(f.data[:b.Offset]), bytes.Repeat(header, 40000)...)
	before := int64(2*len(file) + 1<<16)
	if _, left := scanAll(t, file, before); left > 0 {
		t.Fatalf("%d of %d bytes left: the file does not test what it should", left, before)
	}
	source := &countingReader{data: file}
	if _, err := Recover(source, int64(len(file)), RecoverOptions{}); err == nil {
		t.Error("something was recovered")
	}
	if source.n > 10*int64(len(file)) {
		t.Errorf("%d bytes read of a file of %d", source.n, len(file))
	}
}

// Messages that lie inside one another, each of which could be one, are not
// judged over and over.
func TestOverlappingMessagesCostNoMoreThanTheFileSeveralTimes(t *testing.T) {
	s := &stream.Stream{Name: "plain", Columns: []stream.Column{{Name: "A", Type: stream.Uint64}}}
	for _, rows := range []int{20008, 1<<20 + 8} { // bodies that end inside the file, and behind it
		f, _ := writeRandom(t, s, None, 66, rows)
		b := footerOf(t, f.data).Batches[0]
		header := append(bytes.Clone(f.data[b.Offset:b.Offset+int64(b.MetaLength)]), "between."...)
		if (int64(b.MetaLength)+b.BodyLength)%int64(len(header)) == 0 {
			t.Fatal("the messages make a chain")
		}
		file := append(bytes.Clone(f.data[:b.Offset]), bytes.Repeat(header, 2<<20/len(header))...)
		source := &countingReader{data: file}
		rc := newRecoverer(source, int64(len(file)), RecoverOptions{})
		err := rc.examine()
		limit := 100*int64(len(file)) + 1<<27
		if rc.spent > limit {
			t.Errorf("%d rows: %d bytes looked at of a file of %d (%v)", rows, rc.spent, len(file), err)
		}
		source.n = 0
		if _, err := Open(source, int64(len(file)), OpenOptions{}); err != nil || source.n > limit {
			t.Errorf("%d rows: %d bytes read by opening a file of %d (%v)", rows, source.n, len(file), err)
		}
	}
}

type countingReader struct {
	data []byte
	n    int64
}

func (r *countingReader) ReadAt(p []byte, off int64) (int, error) {
	n, err := bytes.NewReader(r.data).ReadAt(p, off)
	r.n += int64(n)
	return n, err
}

// Whatever is cut out of the middle, zeroed or put in, with a footer or
// without: every batch behind that is untouched is kept, and none that never
// was.
func TestEveryBatchBehindTheDamageIsKept(t *testing.T) {
	r := rand.New(rand.NewPCG(64, 64))
	for name, codec := range everyCodec {
		f, _ := writeRandom(t, smallStream(), codec, 65, 40, 40, 33, 40, 40, 40, 7, 40)
		original := batchesOf(t, f.data)
		blocks := footerOf(t, f.data).Batches
		end := func(i int) int64 { return blocks[i].Offset + int64(blocks[i].MetaLength) + blocks[i].BodyLength }
		for _, footer := range []bool{true, false} {
			file := f.data
			if !footer {
				file = withoutFooter(t, file)
			}
			for i := range 320 {
				from := blocks[0].Offset + r.Int64N(end(6)-blocks[0].Offset)
				n := 1 + r.Int64N(1+r.Int64N(end(6)-from))
				var damaged []byte
				kind := []string{"cut out", "zeroed", "put in", "overwritten"}[i%4]
				switch kind {
				case "cut out":
					damaged = append(bytes.Clone(file[:from]), file[from+n:]...)
				case "zeroed":
					damaged = bytes.Clone(file)
					clear(damaged[from : from+n])
				case "put in":
					damaged = append(append(bytes.Clone(file[:from]), neuralWords(int(n), -1, 1)...), file[from:]...)
					n = 0
				case "overwritten":
					damaged = bytes.Clone(file)
					copy(damaged[from:], neuralWords(int(n), 0, 9000))
				}
				what := fmt.Sprintf("%s, footer %v, %d bytes %s at %d", name, footer, n, kind, from)
				out, report := recoverBytes(t, damaged)
				if out == nil {
					t.Fatalf("%s: %+v", what, report)
				}
				got := batchesOf(t, out)
				next := 0
				strange := 0 // batches that never were: only a plain body can make one
				for k, b := range original {
					hit := next
					for hit < len(got) && !sameBatch(got[hit], b) {
						hit++
					}
					whole := end(k) <= from || blocks[k].Offset >= from+n
					switch {
					case hit < len(got):
						strange += hit - next
						next = hit + 1
					case whole:
						t.Fatalf("%s: batch %d is lost: %+v", what, k, report)
					}
				}
				strange += len(got) - next
				if !footer {
					sameThroughReader(t, what, damaged, got)
				}
				if strange > 0 && (codec == Zstd || strange > 1) {
					t.Fatalf("%s: %d batches that never were: %+v", what, strange, report)
				}
			}
		}
	}
}

// sameThroughReader opens a damaged file as it is: the batches that Recover
// keeps are there, and what is not whole is a finding.
func sameThroughReader(t *testing.T, what string, damaged []byte, want []*Batch) {
	t.Helper()
	r, err := Open(bytes.NewReader(damaged), int64(len(damaged)), OpenOptions{})
	if err != nil {
		t.Fatalf("%s: opened: %v", what, err)
	}
	next := 0
	for i := range r.NumBatches() {
		b, err := r.ReadBatch(i, nil)
		if err == nil && next < len(want) && sameBatch(b, want[next]) {
			next++
		}
	}
	if next < len(want) {
		t.Fatalf("%s: Recover keeps %d batches, the reader shows %d of them among %d: %+v", what, len(want), next, r.NumBatches(), r.Findings())
	}
	if r.NumBatches() < 8 && r.State() == Complete {
		t.Fatalf("%s: %d batches of 8, and the file is said to be %s", what, r.NumBatches(), r.State())
	}
}

func FuzzScan(f *testing.F) {
	for _, seed := range fuzzSeeds(f) {
		f.Add(seed, byte(3))
	}
	f.Fuzz(func(t *testing.T, file []byte, shift byte) {
		if len(file) > 1<<16 {
			return
		}
		file = append(make([]byte, shift), file...)
		before := int64(1 << 20)
		places, left := scanAll(t, file, before)
		// The same by trying every place.
		var want []int64
		for at := range len(file) {
			p := file[at:]
			if len(p) < 16 || binary.LittleEndian.Uint32(p) != 0xFFFFFFFF {
				continue
			}
			length := int64(binary.LittleEndian.Uint32(p[4:]))
			if length%8 != 0 || length > int64(len(p))-8 || !plausible(p) { // no writer makes the others
				continue
			}
			if m, err := arrowipc.ParseMessage(p[8 : 8+length]); err == nil && m.BodyLength%8 == 0 && m.BodyLength <= maxMessageBody {
				want = append(want, int64(at))
			}
		}
		if left < 0 {
			return
		}
		if fmt.Sprint(places) != fmt.Sprint(want) {
			t.Errorf("messages at %v, the scan finds %v", want, places)
		}
	})
}

func BenchmarkScan(b *testing.B) {
	const n = 64 << 20
	s := &stream.Stream{Name: "n", Columns: neuropixels().Columns}
	bodies := map[string][]byte{"sigma8-about--1": neuralWords(n, -1, 8), "all--1": bytes.Repeat([]byte{0xFF}, n), "sigma1-about--1": neuralWords(n, -1, 1), "zeros": make([]byte, n)}
	for name, codec := range everyCodec {
		f := &memFile{}
		w, err := NewWriter(f, s, WriterOptions{Codec: codec})
		if err != nil {
			b.Fatal(err)
		}
		for len(f.data) < n/4 {
			if err := w.WriteBatch(10000, neural(s, 10000)); err != nil {
				b.Fatal(err)
			}
		}
		bodies[name] = f.data
	}
	for _, name := range []string{"none", "zstd", "sigma8-about--1", "sigma1-about--1", "all--1", "zeros"} {
		p := bodies[name]
		for places, next := range map[string]func([]byte, int) int{"aligned": nextAligned, "every": nextMarker} {
			b.Run("places="+places+"/body="+name, func(b *testing.B) {
				b.SetBytes(int64(len(p)))
				found := 0
				for b.Loop() {
					found = 0
					for i := next(p, 0); i >= 0; i = next(p, i+1) {
						if plausible(p[i:]) {
							found++
						}
					}
				}
				b.ReportMetric(float64(found), "parsed/op")
			})
		}
	}
}
