package engine

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Of a view that begins and ends inside batches the first look reads the bytes of its
// rows, Clock included; whatever was looked at before, it shows the same.
func TestAViewInsideBatchesReadsItsRowsOnly(t *testing.T) {
	const batches, rows = 40, 1000
	data := largeRecording(t, batches, rows)
	ctx := context.Background()
	open := func(source *countingSource) *Engine {
		e := &Engine{}
		if _, err := e.Open(ctx, OpenArgs{"np_0", "np_0.arrow"}, source, int64(len(data)), nil); err != nil {
			t.Fatal(err)
		}
		return e
	}
	body := func(e *Engine) int64 {
		s, err := e.stream("", "np_0")
		if err != nil {
			t.Fatal(err)
		}
		return s.reader.BytesRead().Body
	}
	tiles := maxRowBytes
	defer func() { maxRowBytes = tiles }()
	random := rand.New(rand.NewPCG(7, 8))
	moving := open(&countingSource{ReaderAt: bytes.NewReader(data)})
	for n := range 60 {
		maxRowBytes = tiles
		least := 1500
		if n%3 == 2 { // of tiles
			maxRowBytes, least = 1000, 6000
		}
		first := random.IntN(batches*rows - least)
		shown := least + random.IntN(batches*rows-first-least+1)
		bins := []int{20, 300, 20_000}[random.IntN(3)]
		args := envelopeArgs(float64(10*first), float64(10*(first+shown)), bins, "exact", 0)
		fresh := open(&countingSource{ReaderAt: bytes.NewReader(data)})
		before := body(fresh)
		want, err := fresh.Envelope(ctx, args, nil)
		if err != nil {
			t.Fatal(err)
		}
		if read, most := body(fresh)-before, int64(shown*10)*105/100; read > most {
			t.Errorf("rows %d to %d in %d bins: %d bytes were read of %d", first, first+shown, bins, read, shown*10)
		}
		got, err := moving.Envelope(ctx, args, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, same := sameFloats(got.Data, want.Data)
		same = same && slices.Equal(got.X, want.X) && got.RowsUsed == want.RowsUsed
		if maxRowBytes < tiles { // edges of pixels are good to a quarter of one
			same = math.Abs(float64(got.RowsUsed-want.RowsUsed)) <= float64(shown/bins)
		}
		if !same || got.Kind != want.Kind {
			t.Errorf("rows %d to %d in %d bins: %s of %d rows, of a fresh engine %s of %d", first, first+shown, bins, got.Kind, got.RowsUsed, want.Kind, want.RowsUsed)
		}
	}
}

// Where Clock has a gap, or something else is odd, in a batch that a view cuts, all of the
// batch is read, and the picture is right.
func TestAViewOfABatchWhoseEndsDoNotSayWhereItsRowsAre(t *testing.T) {
	file := testRecording(t, 0)
	e, info := openTest(t, file)
	last := len(testBatches) - 2 // has the gap inside
	start := 0
	for _, n := range testBatches[:last-1] {
		start += n
	}
	for _, row := range []int{start + 10, testGapIn - 3, testGapIn + 3} {
		from, to := float64(testTick(row)), float64(testTick(row+30))
		env, err := e.Envelope(context.Background(), EnvelopeArgs{Stream: info.ID, From: &from, To: &to, Bins: 10, Columns: []int{0}, Quality: "exact"}, nil)
		if err != nil || env.Rows != 30 {
			t.Errorf("from row %d: %+v, %v", row, env, err)
		}
	}
}
