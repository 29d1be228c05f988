package recording_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
)

// Damage in one batch loses that batch and nothing else, and is reported.
func TestDamageCostsOnlyItsBatch(t *testing.T) {
	for name, codec := range testdata.EveryCodec {
		data := clockFile(t, codec, 10, 20, 30, 40)
		b := dissect.Block(t, data, 2)
		body := b.Offset + int64(b.MetaLength)
		type damage struct {
			data    []byte
			rows    int64 // after it
			lost    int64
			touched bool // found by reading only
		}
		cases := map[string]damage{
			"the header is zeros":          {testdata.Overwritten(data, b.Offset, make([]byte, b.MetaLength)), 70, 30, false},
			"the header is that of a 3rd":  {testdata.Overwritten(data, b.Offset, data[dissect.Block(t, data, 0).Offset:][:b.MetaLength]), 70, 30, false},
			"the metadata length is wrong": {testdata.Overwritten(data, b.Offset+4, []byte{8, 0, 0, 0}), 70, 30, false},
			"the header is rubbish":        {testdata.Overwritten(data, b.Offset+8, bytes.Repeat([]byte{0x77}, 60)), 70, 30, false},
		}
		if codec == recording.Zstd {
			cases["a bit of the body is flipped"] = damage{testdata.Overwritten(data, body+30, []byte{data[body+30] ^ 1}), 100, 30, true}
			cases["the body is zeros"] = damage{testdata.Overwritten(data, body, make([]byte, b.BodyLength)), 100, 30, true}
			cases["a length of -2"] = damage{testdata.Overwritten(data, body, binary.LittleEndian.AppendUint64(nil, math.MaxUint64-1)), 100, 30, true}
			cases["a length of 1 TiB"] = damage{testdata.Overwritten(data, body, binary.LittleEndian.AppendUint64(nil, 1<<40)), 100, 30, true}
		}
		for what, c := range cases {
			r := testdata.Open(t, c.data)
			if rows := testdata.IndexAll(t, r); rows != c.rows {
				t.Errorf("%s, %s: %d rows", name, what, rows)
			}
			if (r.State() == recording.Damaged) == c.touched {
				t.Errorf("%s, %s: %s after the index", name, what, r.State())
			}
			good := 0
			for batch, err := range r.Slice(0, c.rows, nil) {
				var e *recording.CorruptError
				switch {
				case err == nil:
					good += batch.Rows
				case !errors.As(err, &e) || e.Batch != 2 || e.Offset < b.Offset || e.Offset >= body+b.BodyLength || !errors.Is(err, recording.ErrDamaged) && !errors.Is(err, recording.ErrBounds):
					t.Errorf("%s, %s: %v", name, what, err)
				}
			}
			if good != 70 || r.State() != recording.Damaged {
				t.Errorf("%s, %s: %d rows read, %s", name, what, good, r.State())
			}
			findings := r.Findings()
			if len(findings) != 1 {
				t.Fatalf("%s, %s: %+v", name, what, findings)
			}
			want := recording.Finding{Offset: b.Offset, Length: int64(b.MetaLength) + b.BodyLength, Batch: 2, Severity: recording.SeverityError, Reason: findings[0].Reason, BeforeRow: 30, LostRows: c.lost, ClockBefore: 1290, ClockAfter: 1600, Count: 1, LastOffset: b.Offset}
			if findings[0] != want {
				t.Errorf("%s, %s: %+v, want %+v", name, what, findings[0], want)
			}
			_, report, _ := writeSlice(t, r, recording.SliceOptions{Start: 5, End: c.rows})
			if report.Rows != 65 || report.Batches != 3 || len(report.Findings) != 1 || report.LostRows != max(0, c.lost) {
				t.Errorf("%s, %s: %+v", name, what, report)
			}
			info, err := testdata.Info(testdata.Open(t, c.data))
			if err != nil || info.State == recording.Complete && !c.touched || info.Rows != c.rows || *info.Start != 1 {
				t.Errorf("%s, %s: %+v, %v", name, what, info, err)
			}
		}
	}
}

// Batches without a valid header have no rows, so that each lies between two
// rows: of two slices that join exactly one tells of it.
func TestSlicesThatJoinTellOfEachDamagedBatchOnce(t *testing.T) {
	data := clockFile(t, recording.None, 3, 4, 2, 3, 5)
	for _, damage := range [][]int{{0}, {4}, {0, 2, 4}, {0, 1}, {3, 4}, {1, 2}} {
		broken := bytes.Clone(data)
		for _, i := range damage {
			b := dissect.Block(t, data, i)
			clear(broken[b.Offset+8:][:40])
		}
		r := testdata.Open(t, broken)
		rows := testdata.IndexAll(t, r)
		told := func(start, end int64) (batches []int) {
			for b, err := range r.Slice(start, end, nil) {
				var e *recording.CorruptError
				if errors.As(err, &e) {
					batches = append(batches, e.Batch)
				} else if err != nil || b == nil {
					t.Fatal(err)
				}
			}
			return batches
		}
		for k := range rows + 1 {
			if got := append(told(0, k), told(k, rows)...); !reflect.DeepEqual(got, damage) {
				t.Errorf("slices that join at %d tell of %v, damaged are %v", k, got, damage)
			}
		}
	}
}

// The same where no footer tells that a batch was there: the scan goes on after
// it, and its place is known by the row in front of which it lay.
func TestWrittenSlicesThatJoinTellOfEachLossOnce(t *testing.T) {
	data := dissect.WithoutFooter(t, clockFile(t, recording.None, 3, 4, 2, 3, 5))
	whole := clockFile(t, recording.None, 3, 4, 2, 3, 5)
	for _, lost := range [][]int{{0}, {2}, {0, 2}, {1, 3}} {
		broken := bytes.Clone(data)
		for _, i := range lost {
			clear(broken[dissect.Block(t, whole, i).Offset:][:48])
		}
		r := testdata.Open(t, broken)
		rows := testdata.IndexAll(t, r)
		told := func(start, end int64) (offsets []int64) {
			report, err := r.WriteSlice(&testdata.Memory{}, recording.SliceOptions{Start: start, End: end})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range report.Findings {
				offsets = append(offsets, f.Offset)
			}
			return offsets
		}
		want := told(0, rows)
		if len(want) != len(lost) {
			t.Fatalf("batches %v are lost, told of the places %v", lost, want)
		}
		for k := range rows + 1 {
			if got := append(told(0, k), told(k, rows)...); !reflect.DeepEqual(got, want) {
				t.Errorf("slices that join at %d tell of the places %v, want %v", k, got, want)
			}
		}
	}
}

// Bytes that were lost before the footer move it into the last body.
func TestABodyThatReachesIntoTheFooterIsDamage(t *testing.T) {
	data := clockFile(t, recording.None, 10, 20, 30, 40)
	b := dissect.Block(t, data, 3)
	end := b.Offset + int64(b.MetaLength) + b.BodyLength
	r := testdata.Open(t, append(bytes.Clone(data[:end-200]), data[end:]...))
	if rows := testdata.IndexAll(t, r); rows != 60 || r.State() != recording.Damaged {
		t.Errorf("%d rows, %s", rows, r.State())
	}
	if _, err := r.ReadBatch(3, nil); !errors.Is(err, recording.ErrDamaged) {
		t.Errorf("%v", err)
	}
	f := r.Findings()
	if len(f) != 1 || f[0].Batch != 3 || f[0].BeforeRow != 60 || f[0].ClockBefore != 1590 || f[0].ClockAfter != 0 || f[0].Offset != b.Offset || f[0].Offset+f[0].Length > int64(len(data)) {
		t.Errorf("%+v", f)
	}
}

// A footer's blocks are claims.
func TestBlocksOutsideTheFileAreDamage(t *testing.T) {
	data := clockFile(t, recording.None, 10, 20, 30, 40)
	b := dissect.Block(t, data, 1)
	entry := binary.LittleEndian.AppendUint64(nil, uint64(b.Offset))
	at := int64(bytes.LastIndex(data, entry))
	for name, c := range map[string]struct {
		at   int64
		with uint64
	}{
		"offset 0":             {at, 0},
		"offset in the schema": {at, 16},
		"offset after":         {at, uint64(len(data))},
		"offset huge":          {at, math.MaxInt64},
		"metadata 0":           {at + 8, 0},
		"metadata huge":        {at + 8, math.MaxInt32},
		"body huge":            {at + 16, math.MaxInt64},
		"body short":           {at + 16, 8},
	} {
		r := testdata.Open(t, testdata.Overwritten(data, c.at, binary.LittleEndian.AppendUint64(nil, c.with)))
		if rows := testdata.IndexAll(t, r); rows != 100 || r.State() != recording.Damaged {
			t.Errorf("%s: %d rows, %s", name, rows, r.State())
		}
		for i := range 4 { // the batch lies where it should, whatever the footer says
			if b, err := r.ReadBatch(i, nil); err != nil || b.Rows != 10*(i+1) {
				t.Errorf("%s, batch %d: %v", name, i, err)
			}
		}
		r.Findings()
	}
}
