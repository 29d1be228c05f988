package recording_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// What is decoded ahead is what a batch alone gives, and stays so while the next
// ones are decoded: of every writer and codec, whole and with a byte changed in
// each of the bodies.
func TestBatchesDecodedAheadAreThoseOfTheFile(t *testing.T) {
	recording.AnyAhead(t)
	compressed := 0
	for _, f := range testdata.Twins(t) {
		if f.Want.Error != "" || f.Want.Compression == "none" {
			continue
		}
		compressed++
		sameAhead(t, f.Name, f.Data)
		r := testdata.Open(t, f.Data)
		for i := range r.NumBatches() {
			at, length := recording.BodyOf(r, i)
			if length == 0 {
				continue
			}
			bad := bytes.Clone(f.Data)
			bad[at+length/2] ^= 0x10
			sameAhead(t, f.Name, bad)
		}
	}
	if compressed < 20 {
		t.Errorf("%d compressed files", compressed)
	}
}

func sameAhead(t *testing.T, name string, data []byte) {
	t.Helper()
	r, alone := testdata.Open(t, data), testdata.Open(t, data)
	var numeric []int
	for c := range r.Stream().Columns {
		if r.Stream().Columns[c].Type != stream.Other {
			numeric = append(numeric, c)
		}
	}
	if len(numeric) == 0 {
		return
	}
	x, err := r.Select(context.Background(), recording.Selection{})
	if err == nil {
		x, err = x.With(numeric)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var list []*recording.Batch // kept until all have come
	i := 0
	for b, err := range x.Batches(context.Background()) {
		for { // batches without rows do not come
			start, end, rangeErr := alone.BatchRange(i)
			if rangeErr != nil {
				t.Fatalf("%s: more batches than %d: %v", name, i, rangeErr)
			}
			if start < end {
				break
			}
			i++
		}
		want, wantErr := alone.ReadBatch(i, numeric)
		i++
		var corrupt *recording.CorruptError
		if (err == nil) != (wantErr == nil) || err != nil && (!errors.As(err, &corrupt) || err.Error() != wantErr.Error()) {
			t.Fatalf("%s, batch %d: %v, alone %v", name, i-1, err, wantErr)
		}
		if err == nil {
			list = append(list, b, want)
		}
	}
	for n := 0; n < len(list); n += 2 {
		if b, want := list[n], list[n+1]; b.Index != want.Index || b.Start != want.Start || !testdata.SameBatch(b, want) {
			t.Errorf("%s: batch %d has other values than read alone", name, b.Index)
		}
	}
	for range x.Batches(context.Background()) { // who stops early can go on
		break
	}
	again := 0
	for _, err := range x.Batches(context.Background()) {
		if err == nil {
			again++
		}
	}
	if again != len(list)/2 {
		t.Errorf("%s: %d batches after an early end, want %d", name, again, len(list)/2)
	}
}
