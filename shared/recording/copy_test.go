package recording_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
)

// collect joins the batches of a slice into one vector a column.
func collect(t testing.TB, r *recording.Reader, start, end int64, columns []int) []recording.Vector {
	t.Helper()
	var all []recording.Vector
	row := start
	for b, err := range r.Slice(start, end, columns) {
		if err != nil {
			t.Fatalf("rows [%d, %d): %v", start, end, err)
		}
		if b.Start != row || b.Rows == 0 {
			t.Fatalf("rows [%d, %d): a batch of %d rows from %d, want %d", start, end, b.Rows, b.Start, row)
		}
		if all == nil {
			all = make([]recording.Vector, len(b.Columns))
		}
		for k, v := range b.Columns {
			if v.Len != b.Rows || v.Valid != nil && len(v.Valid) != v.Len || v.RunEnds != nil && int(v.RunEnds[len(v.RunEnds)-1]) != v.Len {
				t.Fatalf("rows [%d, %d): vector %+v in a batch of %d rows", start, end, v, b.Rows)
			}
			appendVector(&all[k], v)
		}
		row += int64(b.Rows)
	}
	if row != end {
		t.Fatalf("rows [%d, %d): ended at %d", start, end, row)
	}
	return all
}

func appendVector(to *recording.Vector, v recording.Vector) {
	valid := v.Valid
	if valid == nil {
		valid = bytes.Repeat([]byte{1}, v.Len)
	}
	to.Type, to.Width = v.Type, v.Width
	to.Valid = append(to.Valid, valid...)
	to.Data = append(to.Data, v.Data...)
	to.Len += v.Len
}

// Slice(a, b) followed by Slice(b, c) is Slice(a, c).
func TestSlicesJoin(t *testing.T) {
	const seed = 11
	random := rand.New(rand.NewPCG(seed, 0))
	s := testdata.EveryType()
	files := map[string][]byte{}
	for name, codec := range testdata.EveryCodec {
		f, _ := testdata.WriteRandom(t, s, codec, seed, 40, 40, 1, 33)
		files["own "+name] = f.Data
	}
	for _, name := range []string{"bonsai/new_NeuropixelsV1_idle", "bonsai/old_NeuropixelsV1_zstd_killed", "csharp/cs_small"} {
		files[name] = testdata.Foreign(t, name+".arrow")
	}
	for name, data := range files {
		r := testdata.Open(t, data)
		rows := testdata.IndexAll(t, r)
		columns := []int{0, 1, len(r.Stream().Columns) - 1}
		if name[:3] == "own" {
			columns = nil
		}
		for range 30 {
			a, b, c := random.Int64N(rows+1), random.Int64N(rows+1), random.Int64N(rows+1)
			a, b, c = min(a, b, c), a+b+c-min(a, b, c)-max(a, b, c), max(a, b, c)
			whole, head, tail := collect(t, r, a, c, columns), collect(t, r, a, b, columns), collect(t, r, b, c, columns)
			for k := range tail {
				if head == nil {
					head = make([]recording.Vector, len(tail))
				}
				appendVector(&head[k], tail[k])
			}
			for k := range whole {
				if !testdata.SameVector(&whole[k], &head[k]) {
					t.Fatalf("%s, seed %d: [%d, %d) + [%d, %d) differ in column %d", name, seed, a, b, b, c, k)
				}
			}
			if len(whole) != len(head) {
				t.Fatalf("%s: [%d, %d): %d columns, joined %d", name, a, c, len(whole), len(head))
			}
		}
	}
}

func TestRangesOutsideTheFileNameTheValidOnes(t *testing.T) {
	for _, name := range []string{"csharp/cs_small", "csharp/cs_empty"} {
		data := testdata.Foreign(t, name+".arrow")
		rows := testdata.IndexAll(t, testdata.Open(t, data))
		for _, c := range [][2]int64{{-1, 0}, {0, rows + 1}, {5, 4}, {rows + 1, rows + 1}, {math.MinInt64, math.MaxInt64}} {
			r := testdata.Open(t, data)
			n := 0
			for b, err := range r.Slice(c[0], c[1], nil) {
				var e *recording.RangeError
				if b != nil || !errors.As(err, &e) || e.Start != c[0] || e.End != c[1] || e.Rows != rows {
					t.Errorf("%v: %v", c, err)
				}
				n++
			}
			if n != 1 {
				t.Errorf("%v: %d errors", c, n)
			}
		}
		for _, at := range []int64{0, rows / 2, rows} {
			for range testdata.Open(t, data).Slice(at, at, nil) {
				t.Errorf("the empty slice at %d has a batch", at)
			}
		}
	}
	r := testdata.Open(t, testdata.Foreign(t, "csharp/cs_small.arrow"))
	for _, err := range r.Slice(0, 900, []int{99}) {
		if !errors.As(err, new(*recording.ColumnError)) {
			t.Errorf("column 99: %v", err)
		}
	}
}

// Of plain columns only the rows of the slice are read.
func TestASliceOfAPlainColumnReadsItsRowsOnly(t *testing.T) {
	r := testdata.Open(t, testdata.Foreign(t, "bonsai/old_AnalogInput_S16.arrow"))
	clock, _ := r.Column("Clock")
	analog, _ := r.Column("AnalogDataCh3")
	before := r.BytesRead().Body
	collect(t, r, 990, 1010, []int{clock, analog})
	if got := r.BytesRead().Body - before; got != 20*(8+2) {
		t.Errorf("%d bytes for 20 rows of 10 bytes", got)
	}
}

// writeSlice slices data and opens the result.
func writeSlice(t testing.TB, r *recording.Reader, o recording.SliceOptions) (*recording.Reader, recording.CopyReport, []byte) {
	t.Helper()
	f := &testdata.Memory{}
	report, err := r.WriteSlice(f, o)
	if err != nil {
		t.Fatal(err)
	}
	if report.Bytes != int64(len(f.Data)) {
		t.Errorf("%d bytes reported, %d written", report.Bytes, len(f.Data))
	}
	return testdata.Open(t, f.Data), report, f.Data
}

func TestAWrittenSliceIsTheSameData(t *testing.T) {
	for _, name := range []string{"bonsai/new_NeuropixelsV1", "bonsai/old_NeuropixelsV1_zstd", "bonsai/new_Rhs2116Trigger", "own"} {
		var data []byte
		if name == "own" {
			f, _ := testdata.WriteRandom(t, testdata.EveryType(), recording.Zstd, 5, 100, 120, 30)
			data = f.Data
		} else {
			data = testdata.Foreign(t, name+".arrow")
		}
		for _, codec := range testdata.EveryCodec {
			r := testdata.Open(t, data)
			rows := testdata.IndexAll(t, r)
			start, end := rows/7, rows-rows/9
			calls := int64(0)
			out, report, _ := writeSlice(t, r, recording.SliceOptions{Start: start, End: end, Codec: codec, Progress: func(done, total int64) {
				if total != end-start || done <= calls || done > total {
					t.Errorf("progress %d of %d after %d", done, total, calls)
				}
				calls = done
			}})
			if calls != end-start || report.Rows != end-start || report.LostRows != 0 || len(report.Findings) != 0 {
				t.Errorf("%s: progress ended at %d, %+v", name, calls, report)
			}
			if !reflect.DeepEqual(out.Stream(), r.Stream()) {
				t.Errorf("%s: the stream became %+v", name, out.Stream())
			}
			want, got := collect(t, r, start, end, nil), collect(t, out, 0, end-start, nil)
			for k := range want {
				if !testdata.SameVector(&want[k], &got[k]) {
					t.Fatalf("%s: column %d differs", name, k)
				}
			}
			if out.State() != recording.Complete || testdata.IndexAll(t, out) != end-start {
				t.Errorf("%s: %s, %+v", name, out.State(), out.Findings())
			}
		}
	}
}

func TestAWrittenSliceKeepsTheColumnsAndTheirOrder(t *testing.T) {
	r := testdata.Open(t, testdata.Foreign(t, "bonsai/new_NeuropixelsV1.arrow"))
	clock, _ := r.Column("Clock")
	lfp, _ := r.Column("LfpData7")
	out, _, _ := writeSlice(t, r, recording.SliceOptions{Start: 100, End: 250, Columns: []int{clock, lfp}})
	names := out.Stream().Columns
	if len(names) != 2 || names[0].Name != "Clock" || names[1].Name != "LfpData7" || !names[1].RunEnd {
		t.Errorf("columns %+v", names)
	}
	if got, want := out.Schema().Fields[1], r.Schema().Fields[lfp]; !reflect.DeepEqual(got, want) {
		t.Errorf("field %+v, want %+v", got, want)
	}
	if out.NumBatches() != 3 { // 20 of the first, 120, 10 of the third
		t.Errorf("%d batches", out.NumBatches())
	}
	empty, report, _ := writeSlice(t, r, recording.SliceOptions{Start: 120, End: 120})
	if empty.NumBatches() != 0 || report.Rows != 0 || len(empty.Stream().Columns) != 771 {
		t.Errorf("an empty slice has %d batches, %+v", empty.NumBatches(), report)
	}
}

func TestASliceThatCannotBeWrittenSaysWhy(t *testing.T) {
	r := testdata.Open(t, testdata.Foreign(t, "csharp/cs_small.arrow"))
	enough := errors.New("enough")
	if _, err := r.WriteSlice(&testdata.Memory{}, recording.SliceOptions{End: 900, Context: testdata.Asking(func() error { return enough })}); err != enough {
		t.Errorf("canceled: %v", err)
	}
	if _, err := r.WriteSlice(&testdata.Memory{}, recording.SliceOptions{End: 901}); !errors.As(err, new(*recording.RangeError)) {
		t.Errorf("a row too many: %v", err)
	}
	if _, err := r.WriteSlice(&testdata.Memory{}, recording.SliceOptions{End: 900, Columns: []int{-1}}); !errors.As(err, new(*recording.ColumnError)) {
		t.Errorf("column -1: %v", err)
	}
	for _, at := range []int{1, 2, 4, 5} {
		if _, err := r.WriteSlice(&testdata.Memory{FailAt: at, FailWith: recording.ErrClosed}, recording.SliceOptions{End: 900}); !errors.Is(err, recording.ErrClosed) {
			t.Errorf("write %d failed: %v", at, err)
		}
	}
}

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

// A few nulls are nulls; a signal that is slower than the rows has many.
func TestAFewNullsAreNoSubsampling(t *testing.T) {
	file := (&handmade{plain, 4, []arrowipc.FieldNode{{Length: 4, NullCount: 1}}, [][]byte{{0xB}, testdata.LE16(7, 8, 9, 10)}, -1}).file()
	if kind, stride, err := testdata.Open(t, file).Subsample(0); kind != "none" || stride != 1 || err != nil {
		t.Errorf("%s, %d, %v", kind, stride, err)
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

func TestInfo(t *testing.T) {
	s := testdata.EveryType()
	s.Columns[1].Unit = "V"
	f, _ := testdata.WriteRandom(t, s, recording.Zstd, 9, 60, 60, 5)
	r := testdata.Open(t, f.Data)
	info, err := testdata.Info(r)
	if err != nil {
		t.Fatal(err)
	}
	if info.SizeBytes != int64(len(f.Data)) || info.Format != recording.FileFormat || info.State != recording.Complete || info.Rows != 125 || info.Batches != 3 || info.Compression != "zstd" {
		t.Errorf("%+v", info)
	}
	if *info.Start != 1000/250e6 || math.Abs(*info.DurationS-1250/250e6) > 1e-15 || info.RateHz != 25e6 {
		t.Errorf("start %v, duration %v, rate %v", *info.Start, *info.DurationS, info.RateHz)
	}
	if c := info.Columns[1]; c != (recording.InfoColumn{Name: "bool", Type: "bool", Unit: "V", Subsample: "none", Stride: 1}) {
		t.Errorf("column %+v", c)
	}
	if c := info.Columns[3]; c != (recording.InfoColumn{Name: "bool_ree", Type: "run_end_encoded<int32, bool>", Subsample: "run-end", Stride: 12}) {
		t.Errorf("column %+v", c)
	}
	if info.Metadata["device"] != "Test Device" || info.Metadata["lab"] != "µ 7" || len(info.Findings) != 0 || info.Findings == nil {
		t.Errorf("metadata %v, findings %v", info.Metadata, info.Findings)
	}
	r = testdata.Open(t, testdata.Foreign(t, "csharp/cs_small.arrow"))
	if info, err = testdata.Info(r); err != nil || info.DurationS != nil || info.DurationTicks != 900*8333 || info.RateHz != 0 {
		t.Errorf("without a rate: %+v, %v", info, err)
	}
	r.SetClock(250_000_000, time.Time{})
	if info, err = testdata.Info(r); err != nil || math.Abs(*info.DurationS-900*8333/250e6) > 1e-12 || math.Abs(info.RateHz-250e6/8333) > 1e-9 {
		t.Errorf("with the caller's rate: %+v, %v", info, err)
	}
}

// Keep copies whole batches as they are, and gives cut ones their codec.
func TestKeepCopiesWholeBatchesBufferForBuffer(t *testing.T) {
	sources := map[string][]byte{}
	for name, codec := range testdata.EveryCodec {
		f, _ := testdata.WriteRandom(t, testdata.EveryType(), codec, 9, 60, 60, 60)
		sources["own "+name] = f.Data
	}
	for _, name := range []string{"bonsai/new_NeuropixelsV1_idle", "bonsai/old_NeuropixelsV1_zstd_killed", "csharp/cs_small"} {
		sources[name] = testdata.Foreign(t, name+".arrow")
	}
	for name, data := range sources {
		r := testdata.Open(t, data)
		rows := testdata.IndexAll(t, r)
		_, _, kept := writeSlice(t, r, recording.SliceOptions{Start: 1, End: rows, Codec: recording.Keep})
		from, to := dissect.Footer(t, kept), testdata.Open(t, kept)
		for i := range to.NumBatches() {
			was, err := r.HeaderOf(i)
			if err != nil {
				t.Fatal(err)
			}
			is, err := to.HeaderOf(i)
			if err != nil {
				t.Fatal(err)
			}
			if is.Batch.Codec != was.Batch.Codec {
				t.Errorf("%s: batch %d has codec %d, had %d", name, i, is.Batch.Codec, was.Batch.Codec)
			}
			if i == 0 {
				continue // cut
			}
			at := from.Batches[i].Offset + int64(from.Batches[i].MetaLength)
			for k, b := range is.Batch.Buffers {
				w := was.Batch.Buffers[k]
				if !bytes.Equal(kept[at+b.Offset:][:b.Length], data[was.BodyAt+w.Offset:][:w.Length]) {
					t.Fatalf("%s: buffer %d of batch %d differs", name, k, i)
				}
			}
			if !reflect.DeepEqual(is.Batch.Nodes, was.Batch.Nodes) {
				t.Errorf("%s: batch %d: nodes %v, were %v", name, i, is.Batch.Nodes, was.Batch.Nodes)
			}
		}
	}
}
