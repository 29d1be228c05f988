package engine

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/oniscope/oniscope/internal/fronts"
	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

// knownOf is what an engine that has indexed a file gives of it; nil of one that is
// damaged, or cannot be opened.
func knownOf(t testing.TB, data []byte) []byte {
	t.Helper()
	ctx, e := context.Background(), &Engine{}
	if _, err := e.Open(ctx, OpenArgs{"s", "s.arrow"}, bytes.NewReader(data), int64(len(data)), nil); err != nil {
		return nil
	}
	if _, err := e.Index(ctx, "s", nil); err != nil {
		t.Fatal(err)
	}
	given, err := e.Known("s")
	if err != nil {
		t.Fatal(err)
	}
	return given
}

// secondOf opens a file by what another engine has given.
func secondOf(data, given []byte) (*Engine, error) {
	e := &Engine{}
	_, err := e.OpenKnown(context.Background(), OpenArgs{"s", "s.arrow"}, bytes.NewReader(data), int64(len(data)), given)
	return e, err
}

// wholeAndDamaged are files of all kinds: of the field, and our own, whole, cut and damaged.
func wholeAndDamaged(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	list, err := fronts.Situations("../../../testdata/field")
	if err != nil || len(list) < 10 {
		t.Fatalf("%d situations, %v", len(list), err)
	}
	for i := range list {
		files[list[i].Name] = list[i].Data
	}
	for name, data := range map[string][]byte{"plain": testRecording(t, recording.None), "zstd": testRecording(t, recording.Zstd)} {
		files[name] = data
		files[name+", no footer"] = data[:len(data)-400]
		files[name+", half"] = data[:len(data)/2]
	}
	return files
}

// damages are changes of a file that leave its length.
func damages(data []byte, n int) (list [][]byte) {
	random := rand.New(rand.NewPCG(13, uint64(len(data))))
	for i := range n {
		d := bytes.Clone(data)
		at := random.IntN(len(d))
		switch i % 4 {
		case 0:
			d[at] ^= 1 << random.IntN(8)
		case 1:
			clear(d[at:min(len(d), at+512)])
		case 2:
			copy(d[at:], d[random.IntN(len(d)):])
		default: // in the footer, or near it
			d[len(d)-1-random.IntN(min(len(d), 2000))] ^= 0xff
		}
		list = append(list, d)
	}
	return list
}

// What is given is no proof: an engine that has it verifies as one that has nothing, also
// where the file was damaged after it was given.
func TestVerifyBelievesNothingThatItIsGiven(t *testing.T) {
	ctx, believed := context.Background(), 0
	verify := func(e *Engine, err error) string {
		if err != nil {
			return err.Error()
		}
		report, err := e.Verify(ctx, "s", nil, nil)
		if err != nil {
			return err.Error()
		}
		return asJSON(report)
	}
	for name, data := range wholeAndDamaged(t) {
		given := knownOf(t, data)
		for i, d := range append([][]byte{data}, damages(data, 16)...) {
			scratch := &Engine{}
			_, err := scratch.Open(ctx, OpenArgs{"s", "s.arrow"}, bytes.NewReader(d), int64(len(d)), nil)
			want := verify(scratch, err)
			second, err := secondOf(d, given)
			if err == nil && second.streams["s"].given {
				believed++
			}
			if got := verify(second, err); got != want {
				t.Errorf("%s, damage %d: by what was given\n%s\nfrom scratch\n%s", name, i, got, want)
			}
		}
	}
	if believed < 100 {
		t.Errorf("what was given was believed of %d files only", believed)
	}
}

// What is saved by what was given is the same, byte for byte.
func TestSlicesByWhatWasGivenAreTheSame(t *testing.T) {
	ctx, believed := context.Background(), 0
	slice := func(e *Engine, args string) string {
		file := &testdata.Memory{}
		a := sliceArgs(args)
		a.Stream = "s"
		report, err := e.Slice(ctx, a, file, nil, nil)
		if err != nil {
			return err.Error()
		}
		return asJSON(report) + string(file.Data)
	}
	for name, data := range wholeAndDamaged(t) {
		given := knownOf(t, data)
		second, err := secondOf(data, given)
		if err != nil {
			continue
		}
		scratch := &Engine{}
		if _, err := scratch.Open(ctx, OpenArgs{"s", "s.arrow"}, bytes.NewReader(data), int64(len(data)), nil); err != nil {
			t.Fatal(err)
		}
		if _, err := scratch.Index(ctx, "s", nil); err != nil { // whose places of ticks are asked for below
			t.Fatal(err)
		}
		if second.streams["s"].given {
			believed++
		}
		info, err := scratch.Info("s")
		if err != nil {
			t.Fatal(err)
		}
		from, to := info.Clock.First, info.Clock.Last
		for _, args := range []string{`{}`, `{"start": 3, "end": 9}`, `{"format": "csv", "start": 40}`, `{"batches": "1:3"}`, `{"from": 0, "to": 0.001}`,
			`{"ticks": [` + asJSON((2*from+to)/3) + `, ` + asJSON((from+2*to)/3) + `]}`} {
			if got, want := slice(second, args), slice(scratch, args); got != want {
				t.Errorf("%s, %s: by what was given\n%.600s\nfrom scratch\n%.600s", name, args, got, want)
			}
		}
	}
	if believed < 10 {
		t.Errorf("what was given was believed of %d files only", believed)
	}
}

// The second engine reads neither the headers nor the clocks again, and what is no
// index, or one of another file, costs no more than that it reads them itself.
func TestWhatIsGivenIsNotReadAgain(t *testing.T) {
	ctx, data := context.Background(), testRecording(t, recording.None)
	given := knownOf(t, data)
	opened := func(data, given []byte) (*Engine, *countingSource) {
		source := &countingSource{ReaderAt: bytes.NewReader(data)}
		e := &Engine{}
		if _, err := e.OpenKnown(ctx, OpenArgs{"s", "s.arrow"}, source, int64(len(data)), given); err != nil {
			t.Fatal(err)
		}
		return e, source
	}
	e, source := opened(data, given)
	s := e.streams["s"]
	if rows, exact := s.reader.Rows(); int(rows) != testRows() || !exact || len(s.times.Segments) != 1 || s.period == 0 || !s.given {
		t.Errorf("%d rows, exact %v, %+v", rows, exact, s.times)
	}
	source.bytes = 0
	if _, err := e.Verify(ctx, "s", nil, nil); err != nil {
		t.Fatal(err)
	}
	alone, plain := &countingSource{ReaderAt: bytes.NewReader(data)}, &Engine{}
	if _, err := plain.Open(ctx, OpenArgs{"s", "s.arrow"}, alone, int64(len(data)), nil); err != nil {
		t.Fatal(err)
	}
	alone.bytes = 0
	if _, err := plain.Verify(ctx, "s", nil, nil); err != nil {
		t.Fatal(err)
	}
	if headers := int64(3 * 1000); source.bytes > alone.bytes-headers {
		t.Errorf("%d bytes were read to verify, %d from scratch", source.bytes, alone.bytes)
	}

	other := testRecording(t, recording.Zstd)
	for name, wrong := range map[string][]byte{"nothing": nil, "cut": given[:len(given)-8], "of another file": knownOf(t, other), "odd": bytes.Repeat([]byte{7}, len(given))} {
		e, _ := opened(data, wrong)
		if e.streams["s"].given {
			t.Errorf("%s was believed", name)
		}
		if _, err := e.Verify(ctx, "s", nil, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}

	unindexed, _ := openTest(t, data)
	if given, err := unindexed.Known("np_0"); given != nil || err != nil {
		t.Errorf("%d bytes are known before the file is indexed, %v", len(given), err)
	}
	var wrong *ArgumentError
	if _, err := unindexed.Known("other"); !errors.As(err, &wrong) {
		t.Errorf("a stream that is not open: %v", err)
	}
}
