package recording_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

func TestClockEndsOfManyBatchesAreOneRead(t *testing.T) {
	for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
		data := peekRecording(t, 40, codec)
		fresh, _ := openCounted(t, data)
		r, src := openCounted(t, data)
		all := make([]int, r.NumBatches())
		for i := range all {
			all[i] = i
		}
		before := src.batches
		if err := r.LoadClockEnds(append(all, -1, 40)); err != nil {
			t.Fatal(err)
		}
		if n := src.batches - before; n != 2 { // plain: where they should be, then those of the batches that differ
			t.Errorf("%v: headers and clocks took %d rounds of reads", codec, n)
		}
		bytes := src.bytes
		for i := range all {
			first, last, err := r.ClockEnds(i)
			wantFirst, wantLast, wantErr := fresh.ClockEnds(i)
			if first != wantFirst || last != wantLast || err != nil || wantErr != nil || last != uint64(i*10+9)*100 {
				t.Errorf("%v: batch %d: %d to %d, %v; alone %d to %d, %v", codec, i, first, last, err, wantFirst, wantLast, wantErr)
			}
		}
		if src.bytes != bytes {
			t.Errorf("%v: %d bytes were read again", codec, src.bytes-bytes)
		}
	}
}

func TestClockEndsAreGuessedWhereBatchesAreAlike(t *testing.T) {
	data := peekRecording(t, 40, recording.None)
	r, src := openCounted(t, data)
	if err := r.LoadClockEnds([]int{0, 1}); err != nil { // their headers are kept last
		t.Fatal(err)
	}
	rest := []int{}
	for i := 2; i < 39; i++ {
		rest = append(rest, i)
	}
	before, bytes := src.batches, src.bytes
	if err := r.LoadClockEnds(rest); err != nil {
		t.Fatal(err)
	}
	h, err := r.HeaderOf(5)
	if err != nil {
		t.Fatal(err)
	}
	if n := src.batches - before; n != 1 {
		t.Errorf("%d rounds of reads", n)
	}
	if read := src.bytes - bytes; read > int64(len(rest))*int64(len(data)/40) {
		t.Errorf("%d bytes were read, a batch has %d, %d of them rows", read, len(data)/40, h.Batch.Length)
	}
	for _, i := range rest {
		if first, last, err := r.ClockEnds(i); err != nil || first != uint64(i*10)*100 || last != uint64(i*10+9)*100 {
			t.Errorf("batch %d: %d to %d, %v", i, first, last, err)
		}
	}
}

func TestClockEndsOfADamagedBatchLeaveTheOthers(t *testing.T) {
	data := peekRecording(t, 6, recording.Zstd)
	r, _ := openCounted(t, data)
	places, _, err := r.PeekBatches([]int{3}, []int{1})
	if err != nil || places[0].Rows != 10 {
		t.Fatal(err)
	}
	frame := bytes.LastIndex(data[:len(data)*4/6], []byte{0x28, 0xb5, 0x2f, 0xfd}) // of the Clock of batch 3, or near
	copy(data[frame:], []byte{0, 0, 0, 0})
	r, _ = openCounted(t, data)
	if err := r.LoadClockEnds([]int{0, 1, 2, 3, 4, 5}); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for i := range 6 {
		_, last, err := r.ClockEnds(i)
		var corrupt *recording.CorruptError
		switch {
		case errors.As(err, &corrupt) && corrupt.Batch == i:
			failed++
		case err != nil || last != uint64(i*10+9)*100:
			t.Errorf("batch %d: %d, %v", i, last, err)
		}
	}
	if failed != 1 {
		t.Errorf("%d of 6 batches have no clock", failed)
	}
}

func TestPlacesAreWhereTheValuesLie(t *testing.T) {
	for _, name := range []string{"bonsai/old_NeuropixelsV1", "bonsai/new_NeuropixelsV1_zstd", "bonsai/new_MemoryMonitor"} {
		data := testdata.Foreign(t, name+".arrow")
		r, _ := openCounted(t, data)
		columns := []int{}
		for i := range r.Stream().Columns {
			columns = append(columns, i)
		}
		batches := []int{r.NumBatches() - 1, 0}
		places, errs, err := r.Places([]recording.BatchRows{{Batch: batches[0]}, {}}, columns)
		if err != nil {
			t.Fatal(err)
		}
		for k, i := range batches {
			want, err := r.ReadBatch(i, columns)
			if err != nil || errs[k] != nil {
				t.Fatal(err, errs[k])
			}
			for c, p := range places[k] {
				v := &want.Columns[c]
				about := r.About()
				if plain := about.Compression() == "none" && v.Valid == nil && v.RunEnds == nil; p.Plain != plain || int(p.Rows) != v.Len || p.Type != v.Type {
					t.Errorf("%s: column %d: %+v", name, c, p)
				} else if plain && !bytes.Equal(data[p.Offset:][:len(v.Data)], v.Data) {
					t.Errorf("%s: column %d of batch %d lies elsewhere", name, c, i)
				} else if ones := data[max(0, p.Validity)]; plain && p.Validity > 0 && ones != 0xff {
					t.Errorf("%s: column %d of batch %d has validity %x", name, c, i, ones)
				}
			}
		}
	}
}
