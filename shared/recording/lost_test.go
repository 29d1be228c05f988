package recording_test

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// lossy100 writes batches of 100 rows, 10 ticks a row, with what is lost before
// each; from is the Clock of each batch's first row.
func lossy100(t *testing.T, even bool, from []uint64, lost map[int][]recording.LostRows) []byte {
	t.Helper()
	f := &testdata.Memory{}
	s := &stream.Stream{Name: "x", AcqClockHz: 1000, Columns: []stream.Column{{Name: "Clock", Type: stream.Uint64, ByteWidth: 8}}}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for b, tick := range from {
		var clock []byte
		for i := range uint64(100) {
			step := 10 * i
			if !even {
				step = i * i * (1 + i%7) / 10
			}
			clock = binary.LittleEndian.AppendUint64(clock, tick+step)
		}
		w.Lost(lost[b]...)
		if _, err := w.WriteBatch(100, []recording.Vector{{Data: clock}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Data
}

func causesOf(t *testing.T, data []byte) (found []recording.Finding) {
	t.Helper()
	list, err := damageOf(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if strings.HasPrefix(f.Reason, recording.GapWord) {
			found = append(found, f)
		}
	}
	return found
}

func TestAGapSaysItsCause(t *testing.T) {
	from := []uint64{0, 1000, 4000, 5000, 9000}
	data := lossy100(t, true, from, map[int][]recording.LostRows{
		2: {{FirstClock: 2000, LastClock: 3990, Rows: 200, Cause: recording.CauseDisk}},
	})
	found := causesOf(t, data)
	if len(found) != 2 {
		t.Fatalf("findings %+v", found)
	}
	if f := found[0]; f.Cause != recording.CauseDisk || f.LostRows != 200 || !strings.HasSuffix(f.Reason, "; the disk was too slow or full") {
		t.Errorf("first gap: %+v", f)
	}
	if f := found[1]; f.Cause != "" || strings.Contains(f.Reason, ";") {
		t.Errorf("nobody wrote a cause of the second gap: %+v", f)
	}
	r, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	info, err := r.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(info.Findings) != 2 || info.Findings[0] != found[0] || info.Findings[1] != found[1] {
		t.Errorf("info tells %+v,\nverify %+v", info.Findings, found)
	}
}

// TestRowsOfEventsThatWereLostAreToldToo: no clock shows them.
func TestRowsOfEventsThatWereLostAreToldToo(t *testing.T) {
	data := lossy100(t, false, []uint64{0, 100_000}, map[int][]recording.LostRows{
		1: {{FirstClock: 90_000, LastClock: 95_000, Rows: 12, Cause: recording.CauseQueue}, {FirstClock: 96_000, LastClock: 96_000, Rows: -1, Cause: recording.CauseLink}},
	})
	found := causesOf(t, data)
	if len(found) != 2 {
		t.Fatalf("findings %+v", found)
	}
	if f := found[0]; f.Reason != recording.GapWord+"12 rows missing before row 100: the recorder was too slow" || f.LostRows != 12 || f.Cause != recording.CauseQueue || f.Batch != 1 || f.BeforeRow != 100 || f.ClockBefore != 90_000 || f.ClockAfter != 95_000 {
		t.Errorf("first: %+v", f)
	}
	if f := found[1]; f.LostRows != -1 || f.Cause != recording.CauseLink {
		t.Errorf("second: %+v", f)
	}
}

// TestWhatIsNoGapSaysNothing: metadata from outside are a claim.
func TestWhatIsNoGapSaysNothing(t *testing.T) {
	w := &recording.Writer{}
	w.Lost(make([]recording.LostRows, 5000)...)
	w.Lost(recording.LostRows{Rows: 1})
	kept := recording.LostFrom(w.TakeLost())
	if len(kept) != recording.MaxLost || w.TakeLost() != nil {
		t.Errorf("%d places kept, want %d, once", len(kept), recording.MaxLost)
	}
	for _, text := range []string{"", "x", "{}", "[1]", `[{"rows":1e99}]`, "[" + strings.Repeat(" ", recording.MaxLostBytes) + "]"} {
		one := &recording.Writer{}
		one.Lost(recording.LostRows{Rows: 1})
		metadata := one.TakeLost()
		metadata[0].Value = text
		if got := recording.LostFrom(metadata); got != nil {
			t.Errorf("%.20q: %+v", text, got)
		}
	}
}

func TestTheStreamOfGapsIsReadBack(t *testing.T) {
	records := []recording.GapRecord{
		{"heartbeat", recording.LostRows{1, 2, 3, recording.CauseQueue}},
		{"port-a-neuropixels-1.0e", recording.LostRows{1 << 60, 1<<60 + 5, -1, recording.CauseLink}},
		{"", recording.LostRows{0, 0, 0, recording.CauseDisk}},
	}
	for _, codec := range []recording.Codec{recording.None, recording.Zstd, recording.LZ4} {
		f := &testdata.Memory{}
		w, err := recording.NewWriter(f, recording.GapStream(), recording.WriterOptions{Codec: codec})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.WriteBatch(3, recording.GapColumns(records)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if found, err := damageOf(f.Data); err != nil || len(found) > 0 {
			t.Fatalf("%v: %+v, %v", codec, found, err)
		}
		r, err := ipc.NewFileReader(bytes.NewReader(f.Data))
		if err != nil {
			t.Fatal(err)
		}
		batch, err := r.RecordBatch(0)
		if err != nil {
			t.Fatal(err)
		}
		var table [][]string
		for row := range int(batch.NumRows()) {
			var cells []string
			for _, column := range batch.Columns() {
				cells = append(cells, column.ValueStr(row))
			}
			table = append(table, cells)
		}
		want := [][]string{{"heartbeat", "1", "2", "3", "queue"}, {"port-a-neuropixels-1.0e", "1152921504606846976", "1152921504606846981", "-1", "link"}, {"", "0", "0", "0", "disk"}}
		if !reflect.DeepEqual(table, want) {
			t.Errorf("%v: %v, want %v", codec, table, want)
		}
	}
}
