package recording_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// clockFile is a file whose Clock rises by 10 a row from 1000, next to a column
// that a test may damage.
func clockFile(t testing.TB, codec recording.Codec, batches ...int) []byte {
	t.Helper()
	s := &stream.Stream{Columns: []stream.Column{{Name: "Value", Type: stream.Uint32}, {Name: "Clock", Type: stream.Uint64}}, AcqClockHz: 1000}
	f, _ := testdata.WriteRandom(t, s, codec, 1, batches...)
	return f.Data
}

func TestRowAtClockFindsWhatAScanFinds(t *testing.T) {
	sizes := []int{}
	for i := range 40 {
		sizes = append(sizes, 1+i%7)
	}
	for name, codec := range testdata.EveryCodec {
		data := clockFile(t, codec, sizes...)
		for _, damage := range [][]int{nil, {0}, {39}, {5}, {5, 6, 7}, {19, 20, 21, 22}, {0, 1, 2, 37, 38, 39}} {
			broken := bytes.Clone(data)
			for _, i := range damage {
				b := dissect.Block(t, data, i)
				copy(broken[b.Offset+8:], make([]byte, 40)) // the header
			}
			r := testdata.Open(t, broken)
			scan := testdata.Open(t, broken)
			var clock []uint64
			rows := testdata.IndexAll(t, scan)
			for b, err := range scan.Slice(0, rows, []int{1}) {
				if err == nil {
					clock = append(clock, recording.Values[uint64](&b.Columns[0])...)
				} else if len(damage) == 0 {
					t.Fatal(err)
				}
			}
			if int64(len(clock)) != rows {
				t.Fatalf("%s, damaged %v: %d clocks for %d rows", name, damage, len(clock), rows)
			}
			for ticks := uint64(980); ticks < 2700; ticks += 3 {
				want := int64(0)
				for want < rows && clock[want] < ticks {
					want++
				}
				if got, err := r.RowAtClock(ticks); got != want || err != nil {
					t.Fatalf("%s, damaged %v: tick %d is row %d, want %d, %v", name, damage, ticks, got, want, err)
				}
			}
			first, last, ok, err := r.ClockRange()
			if !ok || err != nil || first != clock[0] || last != clock[len(clock)-1] {
				t.Errorf("%s, damaged %v: clock from %d to %d, %v, %v", name, damage, first, last, ok, err)
			}
		}
	}
}

func TestSearchingALongRecordingByTimeReadsLittle(t *testing.T) {
	recording.FollowCoarsely(t)
	r := testdata.Open(t, testdata.Foreign(t, "bonsai/old_MemoryMonitor.arrow"))
	first, last, ok, err := r.ClockRange()
	if first != 1000 || last != 25000000*17999+1000 || !ok || err != nil {
		t.Errorf("%d, %d, %v, %v", first, last, ok, err)
	}
	if got := r.BytesRead().Body; got > 3*50*16+80*16 { // the clocks of three batches to know the pace, the ends of some
		t.Errorf("%d bytes read", got)
	}
	before := r.BytesRead()
	if row, err := r.RowAtClock(25000000*9000 + 1000); row != 9000 || err != nil {
		t.Errorf("row %d, %v", row, err)
	}
	if got := r.BytesRead().Body - before.Body; got > 10*16+2*50*8 { // log2(360) ends to find it, one batch
		t.Errorf("%d body bytes for a search in 360 batches", got)
	}
}

func TestABodyOfZerosDoesNotMisleadTheClock(t *testing.T) {
	data := clockFile(t, recording.None, 10, 10, 10, 10, 10, 10, 10, 10)
	for _, i := range []int{0, 3, 4, 7} {
		b := dissect.Block(t, data, i)
		clear(data[b.Offset+int64(b.MetaLength):][:b.BodyLength])
	}
	r := testdata.Open(t, data)
	first, last, ok, err := r.ClockRange()
	if first != 1100 || last != 1000+10*69 || !ok || err != nil {
		t.Errorf("clock from %d to %d, %v, %v", first, last, ok, err)
	}
	for ticks, want := range map[uint64]int64{0: 10, 1: 10, 1100: 10, 1295: 30 + 20, 1500: 50, 1690: 69, 1691: 80} {
		if row, err := r.RowAtClock(ticks); row != want || err != nil {
			t.Errorf("tick %d: row %d, want %d, %v", ticks, row, want, err)
		}
	}
}

func TestFilesWithoutClockSaySo(t *testing.T) {
	s := &stream.Stream{Columns: []stream.Column{{Name: "Clock", Type: stream.Float64}}}
	f, _ := testdata.WriteRandom(t, s, recording.None, 1, 8)
	r := testdata.Open(t, f.Data)
	if _, _, ok, err := r.ClockRange(); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	if _, err := r.RowAtClock(5); !errors.Is(err, recording.ErrNoClock) {
		t.Errorf("%v", err)
	}
	info, err := testdata.Info(r)
	if err != nil || info.Start != nil || info.DurationS != nil || info.Rows != 8 {
		t.Errorf("%+v, %v", info, err)
	}
}
