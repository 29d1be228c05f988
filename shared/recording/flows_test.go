package recording_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/oniscope/oniscope/internal/fronts"
	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// Of a large compressed column any rows can be had, in any order, as they are in the
// column decoded whole.
func TestPartsOfLargeCompressedColumns(t *testing.T) {
	for _, codec := range []recording.Codec{recording.Zstd, recording.LZ4} {
		const rows = 5000
		f, _ := testdata.WriteRandom(t, testdata.EveryType(), codec, 3, 10, rows, 20)
		whole := testdata.Open(t, f.Data)
		want, err := whole.ReadBatch(1, nil)
		if err != nil {
			t.Fatal(err)
		}
		recording.InPieces(t, 1, 1<<20)
		r := testdata.Open(t, f.Data)
		random := rand.New(rand.NewPCG(1, 2))
		spans := [][2]int64{{0, 1}, {rows - 1, rows}, {0, rows}, {0, 100}, {90, 700}, {693, 4000}, {2, 3}}
		for range 30 {
			a := random.Int64N(rows)
			spans = append(spans, [2]int64{a, a + 1 + random.Int64N(rows-a)})
		}
		for _, span := range spans {
			list, errs, err := r.Peek([]recording.BatchRows{{Batch: 1, From: span[0], To: span[1]}}, nil, true)
			if err != nil || errs[0] != nil {
				t.Fatal(err, errs)
			}
			for c := range list[0].Columns {
				got, v := &list[0].Columns[c], &want.Columns[c]
				for row := range got.Len {
					a, okA := got.Text(row)
					b, okB := v.Text(int(span[0]) + row)
					if a != b || okA != okB {
						t.Fatalf("%v: rows %v, column %d, row %d: %q, want %q", codec, span, c, row, a, b)
					}
				}
			}
		}
	}
}

// A column that is damaged somewhere gives the rows before, and says so of those after.
func TestALargeCompressedColumnThatIsDamagedAtItsEnd(t *testing.T) {
	const rows = 200_000
	f, _ := testdata.WriteRandom(t, testdata.Small(), recording.Zstd, 3, rows)
	b := dissect.Block(t, f.Data, 0)
	buffer := dissect.Message(t, f.Data, b).Batch.Buffers[1]
	end := b.Offset + int64(b.MetaLength) + buffer.Offset + buffer.Length
	bad := testdata.Overwritten(f.Data, end-6, []byte{1, 2, 3})
	recording.InPieces(t, 1, 1<<20)
	r := testdata.Open(t, bad)
	var corrupt *recording.CorruptError
	if _, err := r.ReadRows(0, 0, 0, 1000, []int{0}); err != nil {
		t.Errorf("the first rows: %v", err)
	}
	if _, err := r.ReadRows(0, 0, 1000, rows, []int{0}); !errors.As(err, &corrupt) || corrupt.Batch != 0 {
		t.Errorf("all rows: %v", err)
	}
	if _, err := r.ReadRows(0, 0, 0, 1000, []int{0}); err != nil {
		t.Errorf("the first rows again: %v", err)
	}
	// What cannot be read is not damage, nor is an end of the caller's patience.
	broken := &failingAt{Reader: bytes.NewReader(f.Data)}
	r, err := recording.NewReader(broken, int64(len(f.Data)))
	if err != nil {
		t.Fatal(err)
	}
	broken.fail = true
	if _, err := r.ReadRows(0, 0, 0, 1000, []int{0}); err == nil || errors.As(err, &corrupt) || !errors.Is(err, errDisk) {
		t.Errorf("a disk that fails: %v", err)
	}
	broken.fail = false
	x, err := r.Select(context.Background(), recording.Selection{Rows: &recording.Range{Start: 190_000, End: 190_010}})
	if err != nil {
		t.Fatal(err)
	}
	ended := errors.New("ended")
	for _, err := range x.Batches(testdata.EndsAfter(1, ended)) {
		if err != nil && !errors.Is(err, ended) {
			t.Errorf("a context that ends: %v", err)
		}
	}
}

var errDisk = errors.New("the disk fails")

type failingAt struct {
	*bytes.Reader
	fail bool
}

func (f *failingAt) ReadAt(p []byte, off int64) (int, error) {
	if f.fail {
		return 0, errDisk
	}
	return f.Reader.ReadAt(p, off)
}

// The segments, breaks and gaps of a clock do not depend on how many rows of a batch
// are read at once, nor on whether its columns are decoded in pieces.
func TestAClockIsFollowedInPieces(t *testing.T) {
	list, err := fronts.Situations(testdata.Path("field"))
	if err != nil {
		t.Fatal(err)
	}
	said := func(data []byte, codec recording.Codec) string {
		if codec != recording.None {
			var file testdata.Memory
			x, err := testdata.Open(t, data).Select(context.Background(), recording.Selection{})
			if err == nil {
				_, err = recording.Copy(context.Background(), &file, x, &recording.CopyOptions{Codec: codec})
			}
			if err != nil {
				t.Fatal(err)
			}
			data = file.Data
		}
		r := testdata.Open(t, data)
		times, err := r.Times(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for i := range times.Findings {
			times.Findings[i].Offset, times.Findings[i].LastOffset = 0, 0 // of another file
		}
		return fmt.Sprintf("%+v", times)
	}
	n := 0
	for i := range list {
		s := &list[i]
		if s.Segments == nil {
			continue
		}
		n++
		for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
			want := said(s.Data, codec)
			t.Run(s.Name+" "+codec.String(), func(t *testing.T) {
				for _, rows := range []int64{100, 77, 33} {
					recording.InPieces(t, 1, rows)
					if got := said(s.Data, codec); got != want {
						t.Errorf("%d rows at once:\n%s\nwant\n%s", rows, got, want)
					}
				}
			})
		}
	}
	if n < 5 {
		t.Errorf("%d recordings with a clock", n)
	}
}

// A batch that is too large to be read at once is copied as several, with each codec.
func TestABatchThatIsTooLargeIsCopiedAsSeveral(t *testing.T) {
	for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
		const rows = 5000
		about := testdata.Small()
		about.Columns = slices.DeleteFunc(about.Columns, func(c stream.Column) bool { return c.RunEnd }) // runs are read whole
		f, _ := testdata.WriteRandom(t, about, codec, 3, 10, rows, 20)
		whole := testdata.Open(t, f.Data)
		want := testdata.IndexAll(t, whole)
		recording.AtOnce(t, 8000)
		recording.InPieces(t, 1, 1<<20)
		x, err := testdata.Open(t, f.Data).Select(context.Background(), recording.Selection{})
		if err != nil {
			t.Fatal(err)
		}
		var out testdata.Memory
		report, err := recording.Copy(context.Background(), &out, x, &recording.CopyOptions{Codec: recording.Keep})
		if err != nil || report.Rows != want || report.Batches < 5 || report.LostRows != 0 {
			t.Fatalf("%v: %+v, %v", codec, report, err)
		}
		again := testdata.Open(t, out.Data)
		for _, row := range []int64{0, 9, 10, 2000, 5009, 5010, 5029} {
			for c := range whole.Stream().Columns {
				if a, b := textAt(t, whole, row, c), textAt(t, again, row, c); a != b {
					t.Errorf("%v: row %d, column %d is %s, was %s", codec, row, c, b, a)
				}
			}
		}
	}
}

// Of one that is damaged the rows before are copied, and those alone that are not are
// counted as lost.
func TestATooLargeBatchThatIsDamagedIsCopiedAsFarAsItGoes(t *testing.T) {
	const rows = 200_000
	f, _ := testdata.WriteRandom(t, testdata.Small(), recording.Zstd, 3, rows, 10)
	b := dissect.Block(t, f.Data, 0)
	buffer := dissect.Message(t, f.Data, b).Batch.Buffers[1]
	bad := testdata.Overwritten(f.Data, b.Offset+int64(b.MetaLength)+buffer.Offset+buffer.Length-6, []byte{1, 2, 3})
	recording.AtOnce(t, 80_000)
	recording.InPieces(t, 1, 1<<20)
	x, err := testdata.Open(t, bad).Select(context.Background(), recording.Selection{Columns: []string{"A0", "Clock"}})
	if err != nil {
		t.Fatal(err)
	}
	var out testdata.Memory
	report, err := recording.Copy(context.Background(), &out, x, nil)
	if err != nil || report.Rows < 100 || report.LostRows == 0 || report.Rows+report.LostRows != rows+10 {
		t.Errorf("%d rows copied, %d lost of %d, %v", report.Rows, report.LostRows, rows+10, err)
	}
}

func textAt(t *testing.T, r *recording.Reader, row int64, column int) string {
	t.Helper()
	x, err := r.Select(context.Background(), recording.Selection{Rows: &recording.Range{Start: row, End: row + 1}})
	if err == nil {
		x, err = x.With([]int{column})
	}
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range x.Batches(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		text, valid := b.Columns[0].Text(0)
		return fmt.Sprint(text, valid)
	}
	return "nothing"
}

// Of one batch of 2.24 GB the last rows cost what they hold.
func TestTheLastRowsOfABatchOfGigabytes(t *testing.T) {
	file, size := testdata.OneBatch(t)
	counted := &countedAt{ReaderAt: file}
	r, err := recording.NewReader(counted, size)
	if err != nil {
		t.Fatal(err)
	}
	x, err := r.Select(context.Background(), recording.Selection{Rows: &recording.Range{Start: 139_999_990, End: 140_000_000}})
	if err != nil {
		t.Fatal(err)
	}
	counted.n = 0
	var got []int64
	for b, err := range x.Batches(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, recording.Values[int64](&b.Columns[0])...)
	}
	if len(got) != 10 || got[9] != 139_999_999 || !slices.IsSorted(got) || counted.n > 160 {
		t.Errorf("%v, by reading %d bytes", got, counted.n)
	}
}

type countedAt struct {
	io.ReaderAt
	n int64
}

func (c *countedAt) ReadAt(p []byte, off int64) (int, error) {
	c.n += int64(len(p))
	return c.ReaderAt.ReadAt(p, off)
}
