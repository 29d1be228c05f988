package messages

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// plainSchema has two plain columns of 64-bit numbers.
func plainSchema() *arrowipc.Schema {
	number := arrowipc.DataType{ID: arrowipc.Int, BitWidth: 64}
	return &arrowipc.Schema{Fields: []arrowipc.Field{{Name: "Value", Type: number}, {Name: "Clock", Type: number}}}
}

// plainFile writes a file of plain batches, and says where its messages begin.
func plainFile(align int, rows ...int) (file []byte, places []int64) {
	file = arrowipc.AppendSchema(arrowipc.AppendHeader(nil), 8, align, plainSchema())
	places = []int64{8}
	footer := &arrowipc.Footer{Version: arrowipc.V5, Schema: *plainSchema()}
	clock := uint64(1000)
	for _, n := range rows {
		at := int64(len(file))
		size := (int64(n)*8 + int64(align) - 1) / int64(align) * int64(align)
		b := &arrowipc.RecordBatch{Length: int64(n), Codec: arrowipc.Uncompressed, Nodes: []arrowipc.FieldNode{{Length: int64(n)}, {Length: int64(n)}},
			Buffers: []arrowipc.Buffer{{}, {Length: int64(n) * 8}, {Offset: size}, {Offset: size, Length: int64(n) * 8}}}
		file = arrowipc.AppendRecordBatch(file, at, align, b, 2*size, nil)
		block := arrowipc.Block{Offset: at, MetaLength: int32(int64(len(file)) - at), BodyLength: 2 * size}
		body := make([]byte, 2*size)
		for i := range n {
			binary.LittleEndian.PutUint64(body[8*i:], clock*7919)
			binary.LittleEndian.PutUint64(body[size+8*int64(i):], clock)
			clock += 10
		}
		file, places, footer.Batches = append(file, body...), append(places, at), append(footer.Batches, block)
	}
	return arrowipc.AppendFooter(arrowipc.AppendEnd(file), footer), places
}

// seeds are files for the fuzzers.
func seeds() (list [][]byte) {
	file, _ := plainFile(64, 40, 40, 3)
	tight, _ := plainFile(8, 5, 0, 5)
	list = append(list, file, file[:len(file)-300], tight, append([]byte("HTTP/1.1 200 OK\r\n\r\n"), file...))
	paths, _ := filepath.Glob("../../../testdata/foreign/*/*.arrow")
	for _, path := range paths {
		if data, err := os.ReadFile(path); err == nil && len(data) < 1<<14 {
			list = append(list, data)
		}
	}
	return list
}

func source(file []byte) *Source {
	return &Source{Size: int64(len(file)), ReadAt: func(p []byte, off int64) error { copy(p, file[off:]); return nil }}
}

func walkAll(t testing.TB, file []byte) *Layout {
	t.Helper()
	e, err := FindEnds(source(file), &Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := Walk(source(file), e)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func count(l *Layout, kind Kind) (n int) {
	for i := range l.Verdicts {
		if l.Verdicts[i].Kind == kind {
			n++
		}
	}
	return n
}

func TestAWholeFileHasNothingButBatches(t *testing.T) {
	file, places := plainFile(64, 40, 40, 3)
	l := walkAll(t, file)
	if l.Batches() != 3 || len(l.Verdicts) != 3 || !l.Listed || !l.Ended || l.Verdicts[1].At != places[2] {
		t.Errorf("%+v", l.Verdicts)
	}
}

// Bytes before a whole file are not part of it, whatever they are.
func TestBytesBeforeAFileAreNoLoss(t *testing.T) {
	file, _ := plainFile(64, 40, 40, 3)
	for name, before := range map[string]string{"a byte-order mark": "\xEF\xBB\xBF", "a greeting": "220 welcome to the archive\r\n", "as long as the magic": "12345678", "a page": string(make([]byte, 4096))} {
		l := walkAll(t, append([]byte(before), file...))
		if l.Base != int64(len(before)) || l.Batches() != 3 || count(l, Loss) != 0 || len(l.Verdicts) != 4 || !l.Verdicts[0].Harmless || l.Verdicts[0].Severity != Info {
			t.Errorf("%s: base %d, %+v", name, l.Base, l.Verdicts)
		}
	}
}

// Blocks of the footer that are all as many bytes away are one fact.
func TestBatchesThatMovedTogetherAreOneFact(t *testing.T) {
	rows := make([]int, 60)
	for i := range rows {
		rows[i] = 20 + i%3
	}
	file, places := plainFile(8, rows...)
	at := places[10] + 8 // inside a header
	without := append(append([]byte(nil), file[:at]...), file[at+4096:]...)
	l := walkAll(t, without)
	notes, lost := 0, 0
	for i := range l.Verdicts {
		v := &l.Verdicts[i]
		switch v.Kind {
		case Note:
			notes++
			if v.Count < 40 || v.Reason != "the footer lists "+Grouped(int64(v.Count))+" batches 4 096 bytes too far" {
				t.Errorf("%+v", v)
			}
		case Loss:
			lost += v.Batches
		}
	}
	if notes != 1 || l.Batches()+lost != 60 {
		t.Errorf("%d notes, %d batches are there, %d lost", notes, l.Batches(), lost)
	}
}

// A hole over several batches has as many as the footer lists in it, or as fit.
func TestAHoleCountsItsBatches(t *testing.T) {
	file, places := plainFile(64, 40, 40, 40, 40, 40, 40)
	clear(file[places[2]:places[5]])
	footer := walkAll(t, file)
	file = file[:places[6]+(places[6]-places[5])]
	for name, l := range map[string]*Layout{"footer": footer, "sizes": walkAll(t, file)} {
		placed := Place(l.Verdicts, name == "footer", func(int) Span { return Span{} }, 0, 0)
		for i := range l.Verdicts {
			if v := &l.Verdicts[i]; v.Kind == Loss && (v.Batches != 3 || placed[i].LostRows != 120 || placed[i].BeforeRow != 40) {
				t.Errorf("%s: %+v, %+v", name, v, placed[i])
			}
		}
		if l.Batches() != 3 || count(l, Loss) != 1 {
			t.Errorf("%s: %+v", name, l.Verdicts)
		}
	}
	// By Clock, where neither counts.
	batch := func(rows int64) Verdict { return Verdict{Ruling: &Ruling{Kind: Batch, Rows: rows}} }
	list := []Verdict{batch(40), NewLoss(0, 0, -1, ""), batch(7)}
	clocks := []Span{{1000, 1390, true}, {}, {1400 + 250, 1800, true}}
	if p := Place(list, false, func(i int) Span { return clocks[i] }, 0, 10); p[1].LostRows != 25 {
		t.Errorf("%+v", p[1])
	}
}

// Whatever the bytes: no panic, reads in proportion, and verdicts on messages
// that lie apart, in the order of the file.
func FuzzWalk(f *testing.F) {
	for _, seed := range seeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) > 1<<16 {
			return
		}
		src := source(file)
		read := 0
		inner := src.ReadAt
		src.ReadAt = func(p []byte, off int64) error {
			if off < 0 || off+int64(len(p)) > src.Size {
				t.Fatalf("read of %d bytes at %d of %d", len(p), off, src.Size)
			}
			read += len(p)
			return inner(p, off)
		}
		e, err := FindEnds(src, &Options{})
		if err != nil {
			return
		}
		l, err := Walk(src, e)
		if err != nil {
			t.Fatal(err)
		}
		if limit := 200*len(file) + 1<<22; read > limit {
			t.Errorf("%d bytes read of a file of %d", read, len(file))
		}
		end := int64(0)
		for i := range l.Verdicts {
			v := &l.Verdicts[i]
			if v.At < 0 || v.Length < 0 || v.At+v.Length > src.Size || v.Count < 1 || v.Last < 0 {
				t.Fatalf("a verdict beyond the file: %+v", v)
			}
			if v.Kind == Note {
				continue
			}
			if v.At < end {
				t.Fatalf("two verdicts on byte %d: %+v", v.At, l.Verdicts)
			}
			end = v.At + v.Length
		}
	})
}
