package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// verifiedTiles is what a verification tells in passing.
func verifiedTiles(t *testing.T, data []byte) (tiles []byte) {
	t.Helper()
	e, _ := openTest(t, data)
	if _, err := e.Verify(context.Background(), "np_0", nil, func(data []byte) { tiles = append(tiles, data...) }); err != nil {
		t.Fatal(err)
	}
	return tiles
}

// savedTiles is what a slice tells in passing.
func savedTiles(args string) func(t *testing.T, data []byte) []byte {
	return func(t *testing.T, data []byte) (tiles []byte) {
		t.Helper()
		e, _ := openTest(t, data)
		if _, err := e.Slice(context.Background(), sliceArgs(args), &testdata.Memory{}, nil, func(data []byte) { tiles = append(tiles, data...) }); err != nil {
			t.Fatal(err)
		}
		return tiles
	}
}

// recoveredTiles is what a recovery tells in passing.
func recoveredTiles(t *testing.T, data []byte) (tiles []byte) {
	t.Helper()
	e, _ := openTest(t, data)
	if _, _, err := e.Recover(context.Background(), RecoverArgs{Stream: "np_0"}, nil, nil, func(data []byte) { tiles = append(tiles, data...) }); err != nil {
		t.Fatal(err)
	}
	return tiles
}

// Tiles that an engine makes while it verifies, recovers or saves are, bit for bit, those
// that the engine that draws would have made, of LFP that is repeated or in runs too.
func TestTilesInPassingAreThoseOfALook(t *testing.T) {
	onTiles(t)
	for name, tiles := range map[string]func(t *testing.T, data []byte) []byte{
		"verified":       verifiedTiles,
		"recovered":      recoveredTiles,
		"saved":          savedTiles(`{}`),
		"saved as lz4":   savedTiles(`{"compression": "lz4"}`),
		"exported":       savedTiles(`{"format": "csv"}`),
		"as a stream":    savedTiles(`{"format": "stream", "compression": "none"}`),
		"in two signals": savedTiles(`{"format": "stream", "columns": ["SpikeData*", "LfpData*"]}`),
	} {
		t.Run(name, func(t *testing.T) { sameTiles(t, tiles) })
	}
}

func sameTiles(t *testing.T, tiles func(t *testing.T, data []byte) []byte) {
	for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
		data := testRecording(t, codec)
		columns, batches := []int{0, 1, 2, 3, 5}, []int{0, 1, 2, 3, 4}
		given := &Engine{}
		source, info := openCounting(t, data, given)
		own, _ := openTest(t, data)
		for _, e := range []*Engine{given, own} {
			if _, err := e.Index(context.Background(), "np_0", nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := given.AddTiles("np_0", tiles(t, data)); err != nil {
			t.Fatal(err)
		}
		read, err := own.tiled(own.streams["np_0"], batches, columns, minTileLevel)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range batches {
			for i, c := range columns {
				bins, rows, ok := given.bins(given.streams["np_0"], b, c, minTileLevel)
				if !ok || rows != read[b].rows || !slices.Equal(bins, read[b].bins[i]) {
					t.Fatalf("%v: batch %d, column %d: %d rows %+v, want %d %+v", codec, b, c, rows, bins, read[b].rows, read[b].bins[i])
				}
			}
		}
		// So the whole run is there, and a part of it, without a byte but the Clock of the
		// batch with a gap inside.
		source.bytes = 0
		for _, bins := range []int{4, 20} {
			if _, err := given.Overview(context.Background(), OverviewArgs{Stream: "np_0", Columns: columns, Bins: bins}, nil); err != nil {
				t.Fatal(err)
			}
		}
		from, to := info.Clock.First, info.Clock.Last+1
		if _, err := given.Envelope(context.Background(), envelopeArgs(from, (from+to)/2, 12, "exact", columns...), nil); err != nil {
			t.Fatal(err)
		}
		if source.bytes > 8*360 {
			t.Errorf("%v: %d bytes were read afterwards", codec, source.bytes)
		}
	}
}

// Of some rows that are saved only whole batches are seen, of some columns those.
func TestTilesOfASliceAreOfWholeBatches(t *testing.T) {
	onTiles(t)
	data := testRecording(t, recording.None)
	for args, columns := range map[string][]int{`{"start": 100, "end": 900}`: {0, 1, 2, 3, 5}, `{"format": "npy", "start": 299, "end": 709, "columns": ["SpikeData1"]}`: {1}, `{"unique": true, "columns": ["LfpData0"]}`: nil} {
		e, _ := openTest(t, data)
		if err := e.AddTiles("np_0", savedTiles(args)(t, data)); err != nil {
			t.Fatal(err)
		}
		for batch := range testBatches {
			for c := range 7 {
				if _, _, ok := e.bins(e.streams["np_0"], batch, c, minTileLevel); ok != (batch == 1 && slices.Contains(columns, c)) {
					t.Errorf("%s: tiles of batch %d, column %d are there: %v", args, batch, c, ok)
				}
			}
		}
	}
}

// Of a damaged batch nothing is passed on, and what is no tiles is refused.
func TestTilesInPassingAreOfIntactBatches(t *testing.T) {
	onTiles(t)
	data := testRecording(t, recording.Zstd)
	e, _ := openTest(t, data)
	end := int64(0) // of batch 2
	for e.streams["np_0"].reader.BatchAtByte(end) != 3 {
		end += 8
	}
	copy(data[end-600:end-200], bytes.Repeat([]byte{0xa5}, 400))
	var tiles []byte
	for name, of := range map[string]func(t *testing.T, data []byte) []byte{"verified": verifiedTiles, "recovered": recoveredTiles, "saved": savedTiles(`{}`), "exported": savedTiles(`{"format": "csv"}`)} {
		e, _ = openTest(t, data)
		tiles = of(t, data)
		if err := e.AddTiles("np_0", tiles); err != nil {
			t.Fatal(err)
		}
		for batch := range testBatches {
			if _, _, ok := e.bins(e.streams["np_0"], batch, 0, minTileLevel); ok != (batch != 2) {
				t.Errorf("%s: tiles of batch %d are there: %v", name, batch, ok)
			}
		}
	}
	for _, n := range []int{1, 15, 17, 40, len(tiles) - 1} {
		if err := e.AddTiles("np_0", tiles[:n]); err == nil {
			t.Errorf("%d of %d bytes were taken for tiles", n, len(tiles))
		}
	}
}

func TestTheEndsOfValuesAreThoseOfTheirTiles(t *testing.T) {
	for _, rows := range []int{1, 15, 16, 17, 1000} {
		values := make([]byte, 2*rows)
		for i := range values {
			values[i] = byte(i * 7919 >> 3)
		}
		v := recording.NewVector(1, stream.Uint16, rows, values, nil, nil)
		least, most := uint16(math.MaxUint16), uint16(0)
		for i := range rows {
			x := binary.LittleEndian.Uint16(values[2*i:])
			least, most = min(least, x), max(most, x)
		}
		want := recording.Extremes{Least: float64(least), Most: float64(most), Known: true}
		if got := endsOf((&Engine{}).binsOf(&plotVector{Vector: v}, minTileLevel)); got != want {
			t.Errorf("%d rows: %+v, want %+v", rows, got, want)
		}
	}
	if got := endsOf(nil); got.Known {
		t.Errorf("of no values: %+v", got)
	}
}
