package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/fronts"
	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// inBlocks has batches of more than 4 x rows rows cut.
func inBlocks(t *testing.T, rows int64, f func()) {
	t.Helper()
	a, b := blockRows, blockRowsPacked
	blockRows, blockRowsPacked = rows, rows
	defer func() { blockRows, blockRowsPacked = a, b }()
	f()
}

// What the page gets of a recording does not depend on whether its batches are read
// whole or in stretches: samples, bins, places, segments and gaps.
func TestALargeBatchIsReadInBlocks(t *testing.T) {
	files := map[string][]byte{}
	for _, codec := range []recording.Codec{recording.None, recording.Zstd, recording.LZ4} {
		file := &testdata.Memory{}
		w, err := recording.NewWriter(file, testStream(), recording.WriterOptions{Codec: codec})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.WriteBatch(testRows(), testBatch(0, testRows())); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		files["one batch, "+codec.String()] = file.Data
	}
	list, err := fronts.Situations("../../../testdata/field")
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		if s := &list[i]; s.Segments != nil {
			files[s.Name] = s.Data
		}
	}
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			open := func() (*Engine, *StreamInfo) {
				e := &Engine{}
				info, err := e.Open(context.Background(), OpenArgs{"s", "s.arrow"}, bytes.NewReader(data), int64(len(data)), nil)
				if err == nil {
					_, err = e.SetClock(ClockArgs{Stream: "s", Hz: testHz})
				}
				if err == nil {
					info, err = e.Index(context.Background(), "s", nil)
				}
				if err != nil {
					t.Fatal(err)
				}
				return e, info
			}
			same := func(a, b []float32) bool { _, ok := sameFloats(a, b); return ok }
			whole, info := open()
			var cut *Engine
			var other *StreamInfo
			rows := int64(192)
			if !strings.HasPrefix(name, "one batch") {
				rows = 32
			}
			inBlocks(t, rows, func() { cut, other = open() })
			if s, err := cut.stream("", "s"); err != nil || s.blocks == nil || len(s.blocks) < 5 {
				t.Fatalf("%d blocks, %v", len(s.blocks), err)
			}
			info.BodyBytes, info.MetaBytes, other.BodyBytes, other.MetaBytes = 0, 0, 0, 0
			if a, b := asJSON(info), asJSON(other); a != b {
				t.Errorf("info is\n%s\nof whole batches\n%s", b, a)
			}
			span := info.Clock.Last + 1 - info.Clock.First
			for _, share := range [][2]float64{{0, 1}, {0.21, 0.83}, {0.4, 0.41}, {0.9, 1.1}} {
				for _, bins := range []int{7, 100, 5000} {
					args := envelopeArgs(info.Clock.First+share[0]*span, info.Clock.First+share[1]*span, bins, "exact", 0)
					for c := range info.Columns {
						if c > 0 && info.Columns[c].Name != "Clock" && info.Columns[c].Plottable {
							args.Columns = append(args.Columns, c)
						}
					}
					args.Stream = "s"
					want, err := whole.Envelope(context.Background(), args, nil)
					if err != nil {
						t.Fatal(err)
					}
					got, err := cut.Envelope(context.Background(), args, nil)
					if err != nil {
						t.Fatal(err)
					}
					if got.Kind != want.Kind || got.Rows != want.Rows || got.RowsUsed != want.RowsUsed || !slices.Equal(got.X, want.X) || !same(got.Data, want.Data) {
						t.Errorf("%v in %d bins: %s of %d rows, %s of %d in whole batches", share, bins, got.Kind, got.RowsUsed, want.Kind, want.RowsUsed)
					}
				}
			}
		})
	}
}

// A batch of 2.24 GB, as a table of 140 million rows is written by pyarrow, is drawn
// whole and close up in a few hundred megabytes, and of a view only its rows are read.
func TestABatchOfGigabytesIsDrawnFromAPartOfIt(t *testing.T) {
	large, size := testdata.OneBatch(t)
	file := &countingSource{ReaderAt: large}
	e, ctx := &Engine{}, context.Background()
	info, err := e.Open(ctx, OpenArgs{"s", "one-batch.arrow"}, file, size, nil)
	if err != nil || info.Rows != 140_000_000 {
		t.Fatalf("%+v, %v", info, err)
	}
	for _, at := range []float64{0, 77_777_777, 139_990_000} {
		file.bytes = 0
		args := envelopeArgs(at, at+4000, 1000, "exact", 0, 1)
		args.Stream = "s"
		var env *Envelope
		memory := testdata.Allocated(func() { env, err = e.Envelope(ctx, args, nil) })
		if err != nil || env.Kind != "envelope" || env.Rows != 4000 {
			t.Fatalf("%+v, %v", env, err)
		}
		if env.Data[0] != float32(at) || env.Data[2*2000-1] != float32((at+3999)/7) {
			t.Errorf("at row %.0f: %v ... %v", at, env.Data[:2], env.Data[2*2000-2:])
		}
		if file.bytes > 4000*16*105/100 || memory > 64<<20 {
			t.Errorf("at row %.0f: %d bytes were read of 4000 rows of 16, %d allocated", at, file.bytes, memory)
		}
	}
	args := envelopeArgs(0, info.Clock.Last+1, 100, "coarse", 0, 1)
	args.Stream = "s"
	env, err := e.Envelope(ctx, args, nil)
	if err != nil || fmt.Sprint(len(env.Data)) != "400" || math.IsNaN(float64(env.Data[0])) || math.IsNaN(float64(env.Data[399])) {
		t.Errorf("of all of it: %+v, %v", env, err)
	}
}

// 100 000 columns: what is not looked at is not read, and of all of them the page asks
// within the limits that it was told.
func TestAHundredThousandColumns(t *testing.T) {
	const columns = 100_000
	about := &stream.Stream{}
	batch := make([]recording.Vector, columns)
	for c := range batch {
		about.Columns = append(about.Columns, stream.Column{Name: fmt.Sprintf("region_%d", c), Type: stream.Float32, ByteWidth: 4})
		for row := range 5 {
			batch[c].Data = binary.LittleEndian.AppendUint32(batch[c].Data, math.Float32bits(float32(c+row)))
		}
	}
	file := &testdata.Memory{}
	w, err := recording.NewWriter(file, about, recording.WriterOptions{})
	for range 2 {
		if err == nil {
			_, err = w.WriteBatch(5, batch)
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	e, ctx := &Engine{}, context.Background()
	info, err := e.Open(ctx, OpenArgs{"s", "wide.arrow"}, bytes.NewReader(file.Data), int64(len(file.Data)), nil)
	if err != nil || len(info.Columns) != columns || info.Rows != 10 || info.Limits.Columns >= columns {
		t.Fatalf("%d columns, %v", len(info.Columns), err)
	}
	args := envelopeArgs(0, 10, 100, "exact", 0, 1, 99_999)
	args.Stream = "s"
	env, err := e.Envelope(ctx, args, nil)
	if err != nil || env.Kind != "samples" || len(env.Data) != 30 || env.Data[0] != 0 || env.Data[29] != 100_003 {
		t.Errorf("%+v, %v", env, err)
	}
	args.Columns = make([]int, info.Limits.Columns+1)
	if _, err := e.Envelope(ctx, args, nil); err == nil {
		t.Error("more columns than the limit are drawn")
	}
}
