package recovery_test

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
	"github.com/oniscope/oniscope/shared/stream"
)

// mended makes a file whole where it is.
func mended(t testing.TB, file []byte, o *recovery.Options) ([]byte, *recovery.Plan) {
	t.Helper()
	p, err := recovery.Examine(context.Background(), bytes.NewReader(file), int64(len(file)), o)
	if err != nil {
		t.Fatal(err)
	}
	if p.Complete {
		return file, p
	}
	in, err := p.InPlace()
	if err != nil {
		t.Fatal(err)
	}
	return append(bytes.Clone(file[:in.Keep]), in.Append...), p
}

// For every n, the first n bytes of a file are made whole where they stand:
// with the batches that a copy would have.
func TestEveryCutIsMendedInPlace(t *testing.T) {
	for name, codec := range testdata.EveryCodec {
		f, _ := testdata.WriteRandom(t, testdata.Small(), codec, 71, 12, 12, 5)
		original := batchesOf(t, f.Data)
		_, ends := dataEnds(t, f.Data)
		for n := int(ends[0]); n <= len(f.Data); n += fewer(7) {
			out, p := mended(t, f.Data[:n], &recovery.Options{HeadersOnly: true})
			want := []int{}
			for i, end := range ends {
				if end <= int64(n) {
					want = append(want, i)
				}
			}
			sameValues(t, out, original, want...)
			if r := testdata.Open(t, out); r.About().State != recording.Complete || p.Report.BatchesRecovered != len(want) {
				t.Fatalf("%s, %d bytes: %s, %+v", name, n, r.About().State, p.Report)
			}
		}
	}
}

// Damage in the middle stays where it is: the footer lists the batches around
// it, and a reader still says that something lies between.
func TestDamageInTheMiddleStaysInPlace(t *testing.T) {
	f, _ := testdata.WriteRandom(t, testdata.Small(), recording.Zstd, 72, 40, 40, 40, 40)
	original := batchesOf(t, f.Data)
	b := dissect.Footer(t, f.Data).Batches[1]
	for name, file := range map[string][]byte{"footer": f.Data, "no footer": dissect.WithoutFooter(t, f.Data)} {
		damaged := bytes.Clone(file)
		clear(damaged[b.Offset : b.Offset+100])
		out, p := mended(t, damaged, &recovery.Options{HeadersOnly: true})
		sameValues(t, out, original, 0, 2, 3)
		if r := testdata.Open(t, out); r.About().State != recording.Damaged || p.Report.Outcome != recovery.Lossy {
			t.Errorf("%s: %s, %+v", name, r.About().State, p.Report)
		}
		for _, d := range p.Report.Findings {
			if d.Severity == recording.SeverityError && (d.ClockBefore == 0 || d.ClockAfter <= d.ClockBefore) {
				t.Errorf("%s: no Clock around it: %+v", name, d)
			}
		}
	}
	// Where bytes are missing, batches stand at odd places.
	short := append(bytes.Clone(f.Data[:b.Offset+200]), f.Data[b.Offset+203:]...)
	p, err := recovery.Examine(context.Background(), bytes.NewReader(short), int64(len(short)), &recovery.Options{HeadersOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.InPlace(); !errors.Is(err, recovery.ErrMoves) {
		t.Errorf("batches at odd places: %v", err)
	}
}

// The last batch is decoded, since a crash hurts the end; the others are not
// even read.
func TestInPlaceReadsHeadersAndTheLastBatch(t *testing.T) {
	s := &stream.Stream{Name: "n", Columns: []stream.Column{{Name: "A", Type: stream.Uint64}, {Name: "Clock", Type: stream.Uint64}}}
	f, _ := testdata.WriteRandom(t, s, recording.Zstd, 73, 200000, 200000, 200000, 20000)
	file := dissect.WithoutFooter(t, f.Data)
	source := &testdata.Counted{Data: file}
	if _, err := recovery.Examine(context.Background(), source, int64(len(file)), &recovery.Options{HeadersOnly: true}); err != nil {
		t.Fatal(err)
	}
	if source.N > int64(len(file))/2 {
		t.Errorf("%d bytes of %d read", source.N, len(file))
	}
	b := dissect.Footer(t, f.Data).Batches
	for i, want := range []int{4, 4, 4, 3} {
		damaged := bytes.Clone(file)
		damaged[b[i].Offset+int64(b[i].MetaLength)+500] ^= 1
		p, err := recovery.Examine(context.Background(), bytes.NewReader(damaged), int64(len(damaged)), &recovery.Options{HeadersOnly: true})
		if err != nil || p.Report.BatchesRecovered != want {
			t.Errorf("a bit of batch %d: %v, %+v", i, err, p)
		}
	}
}

// streamOf makes an Arrow stream of a file.
func streamOf(t testing.TB, file []byte) []byte {
	return arrowipc.AppendEnd(bytes.Clone(dissect.WithoutFooter(t, file)[arrowipc.HeaderLength:]))
}

func TestACutOrDamagedStreamBecomesAWholeFile(t *testing.T) {
	for name, codec := range testdata.EveryCodec {
		f, _ := testdata.WriteRandom(t, testdata.Small(), codec, 74, 30, 30, 30, 8)
		original := batchesOf(t, f.Data)
		whole := streamOf(t, f.Data)
		_, ends := dataEnds(t, f.Data)
		for n := int(ends[0]); n <= len(whole); n += 13 {
			out, report := recoverBytes(t, whole[:n])
			want := []int{}
			for i, end := range ends {
				if end-8 <= int64(n) {
					want = append(want, i)
				}
			}
			sameValues(t, out, original, want...)
			if n == len(whole) && report.Outcome != recovery.Lossless {
				t.Errorf("%s: %+v", name, report)
			}
		}
		out, report := recoverBytes(t, whole)
		if !bytes.Equal(out, f.Data) && report.Outcome != recovery.Lossless {
			t.Errorf("%s: a whole stream: %+v", name, report)
		}
		b := dissect.Footer(t, f.Data).Batches[1]
		damaged := bytes.Clone(whole)
		clear(damaged[b.Offset : b.Offset+80])
		out, _ = recoverBytes(t, damaged)
		sameValues(t, out, original, 0, 2, 3)
		p, err := recovery.Examine(context.Background(), bytes.NewReader(damaged), int64(len(damaged)), &recovery.Options{Stream: true})
		if err != nil {
			t.Fatal(err)
		}
		out = materialize(t, p, damaged)
		sameValues(t, out, original, 0, 2, 3)
		if r := testdata.Open(t, out); r.About().Format.String() != "stream" || r.About().State != recording.Complete {
			t.Errorf("%s: %s, %s", name, r.About().Format.String(), r.About().State)
		}
		if _, err := p.InPlace(); !errors.Is(err, recovery.ErrMoves) {
			t.Errorf("a stream in place: %v", err)
		}
		if p, err = recovery.Examine(context.Background(), bytes.NewReader(whole), int64(len(whole)), &recovery.Options{Stream: true}); err != nil || !p.Complete {
			t.Errorf("a whole stream as a stream: %v, %+v", err, p)
		}
	}
}

// A file that lost its beginning and its footer is read with the schema of
// another one of the same stream.
func TestTheSchemaMayComeFromAnotherFile(t *testing.T) {
	f, _ := testdata.WriteRandom(t, testdata.Small(), recording.Zstd, 75, 30, 30, 8)
	other, _ := testdata.WriteRandom(t, testdata.Small(), recording.None, 76, 3)
	original := batchesOf(t, f.Data)
	damaged := dissect.WithoutFooter(t, f.Data)
	clear(damaged[:300])
	if out, _ := recoverBytes(t, damaged); out != nil {
		t.Fatal("recovered without a schema")
	}
	o := &recovery.Options{SchemaFrom: testdata.Open(t, other.Data)}
	p, err := recovery.Examine(context.Background(), bytes.NewReader(damaged), int64(len(damaged)), o)
	if err != nil {
		t.Fatal(err)
	}
	sameValues(t, materialize(t, p, damaged), original, 0, 1, 2)
	r, err := recording.Open(context.Background(), bytes.NewReader(damaged), int64(len(damaged)), &recording.Options{SchemaFrom: o.SchemaFrom})
	if err != nil || r.NumBatches() != 3 {
		t.Fatalf("%v, %+v", err, r)
	}
	for i := range 3 {
		b, err := r.ReadBatch(i, nil)
		if err != nil || !reflect.DeepEqual(b.Columns, original[i].Columns) {
			t.Errorf("batch %d: %v", i, err)
		}
	}
	// The schema of another stream fits nothing.
	strange, _ := testdata.WriteRandom(t, testdata.EveryType(), recording.None, 77, 3)
	o.SchemaFrom = testdata.Open(t, strange.Data)
	if _, err := recovery.Examine(context.Background(), bytes.NewReader(damaged), int64(len(damaged)), o); !errors.Is(err, recording.ErrNoSchema) {
		t.Errorf("with a schema that does not fit: %v", err)
	}
}

// Opening a file without a footer can be followed and ended.
func TestOpeningIsFollowedAndEnded(t *testing.T) {
	sizes := make([]int, 300)
	for i := range sizes {
		sizes[i] = 2
	}
	f, _ := testdata.WriteRandom(t, testdata.Small(), recording.None, 78, sizes...)
	file := dissect.WithoutFooter(t, f.Data)
	var last int64
	calls := 0
	stop := errors.New("stop")
	o := &recording.Options{Progress: func(done, total int64) {
		if done < last || total != int64(len(file)) {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last = done
	}}
	ctx := testdata.Asking(func() error {
		if calls++; calls == 3 {
			return stop
		}
		return nil
	})
	if _, err := recording.Open(ctx, bytes.NewReader(file), int64(len(file)), o); err != stop || calls != 3 || last == 0 {
		t.Errorf("%v after %d calls", err, calls)
	}
}
