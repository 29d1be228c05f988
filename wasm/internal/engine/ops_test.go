package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

func TestInfoDescribesTheStream(t *testing.T) {
	_, info := openTest(t, testRecording(t, recording.Zstd))
	if info.ID != "np_0" || info.Title != "Neuropixels 1.0e" || info.State != "complete" || info.Compression != "zstd" || info.Format != "file" {
		t.Errorf("got %+v", info)
	}
	if info.Rows != int64(testRows()) || !info.RowsExact || info.Batches != len(testBatches) || info.RowsPerBatch != 300 {
		t.Errorf("%d rows (exact %v) in %d batches of %d", info.Rows, info.RowsExact, info.Batches, info.RowsPerBatch)
	}
	want := ClockInfo{Hz: testHz, First: testFirst, Last: float64(testTick(testRows() - 1)), Column: true, Period: 8333}
	if info.Clock != want {
		t.Errorf("clock %+v, want %+v", info.Clock, want)
	}
	if *info.Start != testFirst/float64(testHz) || *info.DurationS < 0.05 {
		t.Errorf("start %v, duration %v", *info.Start, *info.DurationS)
	}
	var names, kinds, subsamples []string
	for _, g := range info.Groups {
		names, kinds = append(names, g.Name), append(kinds, string(g.Kind))
	}
	for _, c := range info.Columns {
		subsamples = append(subsamples, c.Subsample)
	}
	if !slices.Equal(names, []string{"AP", "LFP", "Digital inputs", "Clock"}) || !slices.Equal(kinds, []string{"traces", "traces", "lanes", "table"}) {
		t.Errorf("groups %v %v", names, kinds)
	}
	if !slices.Equal(subsamples, []string{"none", "none", "none", "repeat", "nulls", "run-end", "none", "none"}) {
		t.Errorf("subsample %v", subsamples)
	}
	if rate := info.Groups[0].RateHz; rate < 29999 || rate > 30002 {
		t.Errorf("AP at %v Hz", rate)
	}
	text, err := json.Marshal(info)
	if err != nil || bytes.Contains(text, []byte(":null")) {
		t.Errorf("JSON has nulls, %v: %s", err, text)
	}
}

func TestOpeningALongRecordingReadsItsEndsOnly(t *testing.T) {
	const batches = 2000
	data := largeRecording(t, batches, 100)
	source := &countingSource{ReaderAt: bytes.NewReader(data)}
	e := &Engine{}
	info, err := e.Open(context.Background(), OpenArgs{"np_0", "np_0.arrow"}, source, int64(len(data)), nil)
	if err != nil || info.RowsExact || info.Rows != 100*batches || info.Batches != batches {
		t.Fatalf("got %+v, %v", info, err)
	}
	if footer := int64(24 * batches); source.bytes > footer+(80<<10) { // the reader's first read of the tail is 64 kB
		t.Errorf("%d bytes read to open %d batches", source.bytes, batches)
	}
	if info.BodyBytes != 4*8 { // first and last Clock of the first and last batch
		t.Errorf("%d bytes of columns read", info.BodyBytes)
	}
	source.bytes = 0
	mid := info.Clock.Last / 2
	if _, err := e.Envelope(context.Background(), envelopeArgs(mid, mid+500, 100, "exact", 0), nil); err != nil || source.bytes > 16<<10 {
		t.Errorf("%d bytes read for one look into the middle, %v", source.bytes, err)
	}
	if info, err = e.Index(context.Background(), "np_0", nil); err != nil || !info.RowsExact {
		t.Errorf("index: %v", err)
	}
}

func TestIndexFindsTheGaps(t *testing.T) {
	e, _ := openTest(t, testRecording(t, recording.None))
	var seen []OpenProgress
	info, err := e.Index(context.Background(), "np_0", func(p OpenProgress) { seen = append(seen, p) })
	if err != nil || !info.RowsExact {
		t.Fatal(err)
	}
	tick := func(row int) float64 { return float64(testTick(row)) }
	want := []CoverageSpan{
		{tick(0), tick(testGapRow - 1), "data", testGapRow, ""},
		{tick(testGapRow - 1), tick(testGapRow), "gap", testGap, "50 rows missing"},
		{tick(testGapRow), tick(testGapIn - 1), "data", testGapIn - testGapRow, ""},
		{tick(testGapIn - 1), tick(testGapIn), "gap", testGap, "50 rows missing"},
		{tick(testGapIn), tick(testRows() - 1), "data", int64(testRows() - testGapIn), ""},
	}
	if !reflect.DeepEqual(info.Coverage, want) {
		t.Errorf("coverage\n got %v\nwant %v", info.Coverage, want)
	}
}

func TestSetClockChangesTheInfoOnly(t *testing.T) {
	e, before := openTest(t, testRecording(t, recording.None))
	info, err := e.SetClock(ClockArgs{Stream: "np_0", Hz: 1e6, StartUTC: "2026-11-21T00:00:00Z"})
	if err != nil || info.Clock.Hz != 1e6 || info.Clock.StartUTC != "2026-11-21T00:00:00Z" || *info.Start != testFirst/1e6 || info.Clock.First != before.Clock.First {
		t.Errorf("got %+v, %v", info, err)
	}
	if rate := info.Groups[0].RateHz; rate < 119 || rate > 121 {
		t.Errorf("AP at %v Hz", rate)
	}
}

func TestRowsAreTheTicksOfAStreamWithoutClock(t *testing.T) {
	s := &stream.Stream{Columns: []stream.Column{{Name: "x", Type: stream.Uint16, ArrowType: "uint16", ByteWidth: 2}}}
	file := &testdata.Memory{}
	w, err := recording.NewWriter(file, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for b := range 3 {
		if _, err := w.WriteBatch(100, []recording.Vector{{Data: bytes.Repeat([]byte{byte(b), 0}, 100)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	e, info := openTest(t, file.Data)
	if info.Clock != (ClockInfo{First: 0, Last: 299, Period: 1}) || info.Start != nil || info.DurationS != nil {
		t.Errorf("clock %+v, start %v, duration %v", info.Clock, info.Start, info.DurationS)
	}
	env, err := e.Envelope(context.Background(), envelopeArgs(0, 300, 3, "exact", 0), nil)
	if want := []float32{0, 0, 1, 1, 2, 2}; err != nil || !slices.Equal(env.Data, want) {
		t.Errorf("got %v, %v", env.Data, err)
	}
}

func collect(e *Engine, a ValuesArgs) (values []float64, valid []byte, err error) {
	err = e.Values(context.Background(), a, func(_ stream.Type, rows int64) error {
		values, valid = make([]float64, rows), bytes.Repeat([]byte{1}, int(rows))
		return nil
	}, func(at int64, v *recording.Vector) error {
		for i := range v.Len {
			values[at+int64(i)] = v.Float64(i)
		}
		copy(valid[at:], v.Valid)
		return nil
	})
	return values, valid, err
}

func valuesArgs(column string, start, end int64) ValuesArgs {
	return ValuesArgs{Stream: "np_0", Column: json.RawMessage(column), Start: &start, End: &end}
}

func TestValuesAreTheRowsAskedFor(t *testing.T) {
	e, _ := openTest(t, testRecording(t, recording.Zstd))
	for column, name := range []string{`"SpikeData0"`, "1", `"SpikeData2"`, `"LfpData0"`, `"LfpData1"`, "5", `"DigitalInputs"`, `"Clock"`} {
		for _, span := range [][2]int64{{0, int64(testRows())}, {299, 301}, {650, 900}, {5, 5}} {
			values, valid, err := collect(e, valuesArgs(name, span[0], span[1]))
			if err != nil || int64(len(values)) != span[1]-span[0] {
				t.Fatalf("%s %v: %d values, %v", name, span, len(values), err)
			}
			for i, x := range values {
				row := int(span[0]) + i
				null := column == 4 && row%testStride != 0
				if null != (valid[i] == 0) || !null && x != testValue(column, row) {
					t.Fatalf("%s row %d: %v (valid %d), want %v", name, row, x, valid[i], testValue(column, row))
				}
			}
		}
	}
}

func TestValuesThatAreNotThere(t *testing.T) {
	e, _ := openTest(t, testRecording(t, recording.None))
	rows := int64(testRows())
	for name, c := range map[string]struct {
		args ValuesArgs
		want string
	}{
		"beyond the end":   {valuesArgs("0", 10, rows+1), "RangeError"},
		"negative":         {valuesArgs("0", -1, 1), "RangeError"},
		"backwards":        {valuesArgs("0", 5, 4), "RangeError"},
		"no such name":     {valuesArgs(`"SpikeData9"`, 0, 1), "ColumnError"},
		"no such index":    {valuesArgs("8", 0, 1), "TypeError"},
		"several columns":  {valuesArgs(`"Spike*"`, 0, 1), "TypeError"},
		"null":             {valuesArgs("null", 0, 1), "TypeError"},
		"rows are missing": {ValuesArgs{Stream: "np_0", Column: json.RawMessage("0")}, "TypeError"},
		"no such stream":   {ValuesArgs{Stream: "other"}, "TypeError"},
	} {
		_, _, err := collect(e, c.args)
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if reply := ReplyFromError(err); reply.Name != c.want {
			t.Errorf("%s: %s (%v), want %s", name, reply.Name, err, c.want)
		}
	}
}

func sliceArgs(text string) (a SliceArgs) {
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		panic(err)
	}
	a.Stream = "np_0"
	return a
}

func TestSliceByRowsTimesAndGlobs(t *testing.T) {
	e, _ := openTest(t, testRecording(t, recording.None))
	seconds := func(row int) string {
		text, _ := json.Marshal(float64(testTick(row)) / testHz)
		return string(text)
	}
	for name, c := range map[string]struct {
		args          string
		start, end    int
		columns       []string
		compression   string
		firstIsColumn int
	}{
		"rows and names":       {`{"start": 290, "end": 720, "columns": ["SpikeData1", "Clock"]}`, 290, 720, []string{"SpikeData1", "Clock"}, "none", 1},
		"a glob and an index":  {`{"start": 0, "end": 10, "columns": [7, "Lfp*"], "compression": "zstd"}`, 0, 10, []string{"Clock", "LfpData0", "LfpData1", "LfpData2"}, "zstd", 7},
		"everything":           {`{}`, 0, testRows(), []string{"SpikeData0", "SpikeData1", "SpikeData2", "LfpData0", "LfpData1", "LfpData2", "DigitalInputs", "Clock"}, "none", 0},
		"only from":            {`{"from": ` + seconds(1500) + `, "columns": [0], "compression": "lz4"}`, 1500, testRows(), []string{"SpikeData0"}, "lz4", 0},
		"only to":              {`{"to": ` + seconds(300) + `, "columns": [0], "compression": "keep"}`, 0, 300, []string{"SpikeData0"}, "none", 0},
		"seconds by the clock": {`{"from": ` + seconds(700) + `, "to": ` + seconds(1200) + `, "columns": [2]}`, 700, 1200, []string{"SpikeData2"}, "none", 2},
	} {
		file := &testdata.Memory{}
		report, err := e.Slice(context.Background(), sliceArgs(c.args), file, nil, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if report.Start != int64(c.start) || report.End != int64(c.end) || report.Rows != int64(c.end-c.start) || !slices.Equal(report.Columns, c.columns) || report.Bytes != int64(len(file.Data)) {
			t.Errorf("%s: %+v", name, report)
		}
		cut, info := openTest(t, file.Data)
		if info.Compression != c.compression || info.State != "complete" {
			t.Errorf("%s: %s, %s", name, info.Compression, info.State)
		}
		values, _, err := collect(cut, valuesArgs("0", 0, report.Rows))
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range values {
			if want := testValue(c.firstIsColumn, c.start+i); x != want {
				t.Fatalf("%s: row %d is %v, want %v", name, i, x, want)
			}
		}
	}
}

func TestSlicesThatCannotBe(t *testing.T) {
	e, _ := openTest(t, testRecording(t, recording.None))
	for text, want := range map[string]string{
		`{"start": 0, "end": 99999}`:                      "RangeError",
		`{"start": 5, "end": 4}`:                          "RangeError",
		`{"from": 1, "start": 0}`:                         "TypeError",
		`{"from": 1, "to": 0}`:                            "RangeError",
		`{"from": 100}`:                                   "RangeError",
		`{"batches": "1:99"}`:                             "RangeError",
		`{"batches": "1:2", "end": 5}`:                    "TypeError",
		`{"from": 0, "to": 1, "start": 0}`:                "TypeError",
		`{"compression": "gzip"}`:                         "TypeError",
		`{"columns": ["Nothing*"], "start": 0, "end": 1}`: "ColumnError",
		`{"columns": [true], "start": 0, "end": 1}`:       "TypeError",
	} {
		_, err := e.Slice(context.Background(), sliceArgs(text), &testdata.Memory{}, nil, nil)
		if err == nil {
			t.Errorf("%s: no error", text)
		} else if reply := ReplyFromError(err); reply.Name != want {
			t.Errorf("%s: %s (%v), want %s", text, reply.Name, err, want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := e.Slice(ctx, sliceArgs(`{}`), &testdata.Memory{}, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestRecoverGivesAPlanThatOpens(t *testing.T) {
	data := testRecording(t, recording.None)
	e, info := openTest(t, data[:len(data)-2000])
	if info.State != "unfinished" {
		t.Fatalf("state %s", info.State)
	}
	source, plan, err := e.Recover(context.Background(), RecoverArgs{Stream: "np_0"}, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Report.Output != "np_0.recovered.arrow" || plan.Report.Input != "np_0.arrow" {
		t.Errorf("report %+v", plan.Report)
	}
	out := make([]byte, plan.Size())
	if n, err := plan.Output(source).ReadAt(out, 0); int64(n) != plan.Size() {
		t.Fatal(n, err)
	}
	whole, info := openTest(t, out)
	if info.State != "complete" || info.Rows != plan.Report.RowsRecovered {
		t.Errorf("%s, %d rows", info.State, info.Rows)
	}
	values, _, err := collect(whole, valuesArgs("0", 0, info.Rows))
	if err != nil {
		t.Fatal(err)
	}
	for row, x := range values {
		if x != testValue(0, row) {
			t.Fatalf("row %d is %v", row, x)
		}
	}
}

func TestClosedStreamsAreGone(t *testing.T) {
	e, info := openTest(t, testRecording(t, recording.None))
	if _, err := e.Envelope(context.Background(), envelopeArgs(info.Clock.First, info.Clock.Last, 100, "exact", 0, 1), nil); err != nil {
		t.Fatal(err)
	}
	if e.cache.bytes == 0 {
		t.Error("nothing was cached")
	}
	if err := e.Close("np_0"); err != nil || e.cache.bytes != 0 || len(e.cache.index) != 0 {
		t.Errorf("%v, %d bytes left in the cache", err, e.cache.bytes)
	}
	if err := e.Close("np_0"); err == nil {
		t.Error("closed twice")
	}
}

func TestTheCacheStaysWithinItsLimit(t *testing.T) {
	c := newCache(6000)
	s := &openStream{}
	vector := func(column int) *plotVector {
		return &plotVector{Vector: recording.Vector{Column: column, Data: make([]byte, 100)}}
	}
	for batch := range 50 {
		c.putVectors(s, batch, partRead{}, []*plotVector{vector(0), vector(1)})
		if c.vector(s, 0, 0) == nil { // used all the time: stays
			t.Fatalf("batch %d put out what is in use", batch)
		}
		if c.bytes > 6000 || c.order[0].Len() > 5 || len(c.index) > 10 {
			t.Fatalf("%d bytes, %d groups, %d keys", c.bytes, c.order[0].Len(), len(c.index))
		}
	}
	c.putVectors(s, 99, partRead{}, []*plotVector{{Vector: recording.Vector{Data: make([]byte, 50000)}}})
	if c.bytes > 6000 || c.vector(s, 99, 0) != nil {
		t.Error("what is larger than the limit was kept")
	}
}

// A look at many rows does not put out the tiles of a whole run, which all of it was
// read for; tiles that nobody looks at any more do not stay for good.
func TestTilesStayLongerThanRows(t *testing.T) {
	c := newCache(100_000)
	s := &openStream{}
	const level, tiles = 7, 5
	for k := range tiles {
		c.putOne(cacheKey{s, k, 0, level}, &tile{}, 10_000-entryBytes)
	}
	kept := func() (n int) {
		for k := range tiles {
			if c.has(cacheKey{s, k, 0, level}) {
				n++
			}
		}
		return n
	}
	batch := 0
	look := func() {
		batch++
		leave := c.room(0)
		c.putVectors(s, batch, partRead{}, []*plotVector{{Vector: recording.Vector{Data: make([]byte, 30_000-2*entryBytes)}}})
		if c.vector(s, batch, 0) == nil {
			t.Fatalf("look %d: what was looked at is not kept", batch)
		}
		leave()
	}
	for range 10 {
		if look(); kept() != tiles {
			t.Fatalf("look %d: %d of %d tiles are kept", batch, kept(), tiles)
		}
	}
	for k := range 20 { // of finer ones more than there is room for
		c.putOne(cacheKey{s, k, 0, level - 1}, &tile{}, 10_000-entryBytes)
	}
	if kept() != tiles {
		t.Fatalf("%d of %d tiles are kept beside finer ones", kept(), tiles)
	}
	look()
	for range 200 {
		look()
	}
	if kept() != 0 {
		t.Errorf("%d tiles are kept after 200 looks at something else", kept())
	}
	if c.bytes != 60_000 {
		t.Errorf("%d bytes of rows are kept, there is room for 60 000", c.bytes)
	}
}

func TestAPanicEndsTheRequestOnly(t *testing.T) {
	told := ""
	err := Guard("values", func(text string) { told = text }, func() error {
		var none []int
		return fmt.Errorf("value %d", none[len(told)])
	})
	reply := ReplyFromError(err)
	if reply.Name != "EngineError" || !strings.Contains(reply.Message, "values: internal error: runtime error: index out of range") || reply.Next == "" {
		t.Errorf("got %+v", reply)
	}
	if !strings.Contains(told, "TestAPanicEndsTheRequestOnly") {
		t.Errorf("the stack was not reported: %q", told)
	}
}

func TestErrorsAreNamedForThePage(t *testing.T) {
	for want, err := range map[string]error{
		"AbortError":       fmt.Errorf("slice: %w", context.Canceled),
		"NotReadableError": fmt.Errorf("recording: reading: %w", &recording.CorruptError{Err: &SourceError{Name: "NotReadableError", Message: "x"}}),
		"CorruptError":     &recording.CorruptError{Offset: 77, Batch: 3, Err: recording.ErrBounds},
		"EmptyFileError":   recording.ErrEmpty,
		"NotArrowError":    recording.ErrNotArrow,
		"RangeError":       &recording.RangeError{Start: 1, End: 2, Rows: 1},
		"ColumnError":      &recording.ColumnError{Name: "x", Near: []string{"y"}},
		"EngineError":      errors.New("anything else"),
	} {
		reply := ReplyFromError(err)
		if reply.Name != want || reply.Message == "" {
			t.Errorf("%v: %+v, want %s", err, reply, want)
		}
		if (reply.Offset != nil) != (want == "CorruptError") || reply.Offset != nil && *reply.Offset != 77 {
			t.Errorf("%v: offset %v", err, reply.Offset)
		}
	}
}
