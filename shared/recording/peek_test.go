package recording_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// peekRecording has n batches of 10 rows: a value, and Clock.
func peekRecording(t *testing.T, n int, codec recording.Codec) []byte {
	t.Helper()
	file := &testdata.Memory{}
	w, err := recording.NewWriter(file, &stream.Stream{Columns: []stream.Column{
		{Name: "x", Type: stream.Uint16, ArrowType: "uint16", ByteWidth: 2},
		{Name: "Clock", Type: stream.Uint64, ArrowType: "uint64", ByteWidth: 8},
	}}, recording.WriterOptions{Codec: codec})
	if err != nil {
		t.Fatal(err)
	}
	for b := range n {
		var x, clock []byte
		for i := range 10 {
			x = binary.LittleEndian.AppendUint16(x, uint16(b*10+i))
			clock = binary.LittleEndian.AppendUint64(clock, uint64(b*10+i)*100)
		}
		if _, err := w.WriteBatch(10, []recording.Vector{{Data: x}, {Data: clock}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Data
}

func TestPeekBatchesGivesWhatReadBatchGives(t *testing.T) {
	for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
		data := peekRecording(t, 30, codec)
		r, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		list, errs, err := r.PeekBatches([]int{20, 7, 21}, []int{1, 0})
		if err != nil {
			t.Fatal(err)
		}
		if _, exact := r.Rows(); exact {
			t.Error("peeking read the headers of all batches")
		}
		for k, i := range []int{20, 7, 21} {
			want, err := r.ReadBatch(i, []int{1, 0})
			if err != nil || errs[k] != nil {
				t.Fatal(err, errs[k])
			}
			if list[k].Start != -1 {
				t.Errorf("batch %d begins at row %d, which nobody can know yet", i, list[k].Start)
			}
			list[k].Start = want.Start
			if !reflect.DeepEqual(list[k], want) {
				t.Errorf("batch %d differs", i)
			}
		}
		if first, last, err := r.ClockEnds(20); err != nil || first != 20000 || last != 20900 {
			t.Errorf("ends %d, %d, %v", first, last, err)
		}
	}
}

func TestWriteSliceYieldsInsideABatchAndEndsThere(t *testing.T) {
	s := &stream.Stream{}
	const columns, rows = 8, 400_000
	batch := make([]recording.Vector, columns)
	for c := range batch {
		s.Columns = append(s.Columns, stream.Column{Name: string(rune('a' + c)), Type: stream.Uint16, ArrowType: "uint16", ByteWidth: 2})
		batch[c].Data = make([]byte, 2*rows)
	}
	file := &testdata.Memory{}
	w, err := recording.NewWriter(file, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteBatch(rows, batch); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := recording.NewReader(bytes.NewReader(file.Data), int64(len(file.Data)))
	if err != nil {
		t.Fatal(err)
	}
	calls, enough := 0, errors.New("enough")
	o := recording.SliceOptions{End: rows, Codec: recording.Zstd, Context: testdata.Asking(func() error { calls++; return nil })}
	if _, err := r.WriteSlice(&testdata.Memory{}, o); err != nil || calls < 5 { // a batch of 6.4 MB read and written
		t.Errorf("%v after %d calls", err, calls)
	}
	for last := 1; last <= calls; last++ {
		n := 0
		o.Context = testdata.Asking(func() error {
			if n++; n == last {
				return enough
			}
			return nil
		})
		if _, err := r.WriteSlice(&testdata.Memory{}, o); !errors.Is(err, enough) || n != last {
			t.Errorf("call %d of %d: %v after %d", last, calls, err, n)
		}
	}
	if _, err := r.ReadBatch(0, nil); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestPeekBatchesTellsWhichBatchIsDamaged(t *testing.T) {
	data := peekRecording(t, 6, recording.Zstd)
	r, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	_, at := r.Place(3)
	for i := range int64(16) {
		data[at+8+i] ^= 0x3C
	}
	list, errs, err := r.PeekBatches([]int{2, 3, 4}, []int{0})
	var corrupt *recording.CorruptError
	if err != nil || list[0] == nil || list[2] == nil || !errors.As(errs[1], &corrupt) || corrupt.Batch != 3 {
		t.Errorf("got %v, %v, %v", list, errs, err)
	}
	if _, _, err := r.PeekBatches([]int{6}, nil); err == nil {
		t.Error("a batch that is not there was read")
	}
}
