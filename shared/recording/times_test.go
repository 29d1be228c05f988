package recording_test

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/pace"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// ticksFile is a recording with a column Clock alone, in batches of up to so many
// rows.
func ticksFile(t testing.TB, codec recording.Codec, ticks []uint64, perBatch int) []byte {
	t.Helper()
	f := &testdata.Memory{}
	w, err := recording.NewWriter(f, &stream.Stream{Name: "ticks", AcqClockHz: 250e6, Columns: []stream.Column{{Name: "Clock", Type: stream.Uint64, ByteWidth: 8}}}, recording.WriterOptions{Codec: codec})
	if err != nil {
		t.Fatal(err)
	}
	for from := 0; from < len(ticks); from += perBatch {
		var data []byte
		part := ticks[from:min(len(ticks), from+perBatch)]
		for _, tick := range part {
			data = binary.LittleEndian.AppendUint64(data, tick)
		}
		if _, err := w.WriteBatch(len(part), []recording.Vector{{Data: data}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Data
}

// evenTicks are n ticks of a clock of 30 001.2 rows a second at 250 MHz.
func evenTicks(from uint64, n int) []uint64 {
	ticks := make([]uint64, n)
	for i := range ticks {
		ticks[i] = from + 8333*uint64(i)
	}
	return ticks
}

// harm makes a clock do what clocks do.
func harm(random *rand.Rand, ticks []uint64, kinds int) []uint64 {
	for range 1 + random.IntN(3) {
		at := 1 + random.IntN(len(ticks)*5/6)
		switch random.IntN(kinds) {
		case 0: // it begins anew
			copy(ticks[at:], evenTicks(uint64(random.IntN(1e9)), len(ticks)-at))
		case 1: // rows are missing
			ticks = slices.Delete(ticks, at, min(at+1+random.IntN(500), len(ticks)-100))
		case 2: // ticks are zero
			clear(ticks[at:min(at+1+random.IntN(300), len(ticks))])
		case 3: // a tick is garbled
			ticks[at] = random.Uint64()
		case 4: // a buffer comes twice
			n := min(at, 1+random.IntN(60))
			ticks = slices.Concat(ticks[:at], ticks[at-n:])
		}
	}
	return ticks
}

// truth follows ticks in one piece: the segment of each row, -1 of bad ticks.
func truth(ticks []uint64) (track *pace.Track, segment []int) {
	track = pace.NewTrack("Clock", "Clock", 250e6)
	track.Add(0, 0, ticks, nil, false)
	track.Finish()
	segment = make([]int, len(ticks))
	for i := range segment {
		segment[i] = -1
	}
	for k, s := range track.Segments {
		for row := s.Start; row < s.End; row++ {
			segment[row] = k
		}
	}
	for _, b := range recording.BadRows(track) {
		for row := b.Start; row < b.End; row++ {
			segment[row] = -1
		}
	}
	return track, segment
}

// Whatever becomes of a clock, a range of times gives the rows that have them, of
// every segment, in the order of the file.
func TestATimeGivesTheRowsThatHaveIt(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(120) {
		random := rand.New(rand.NewPCG(seed, 7))
		ticks := harm(random, evenTicks(uint64(random.IntN(1e9)), 3000), 5)
		track, segment := truth(ticks)
		data := ticksFile(t, []recording.Codec{recording.None, recording.Zstd}[seed%2], ticks, []int{64, 100, 777, 5000}[random.IntN(4)])
		r := testdata.Open(t, data)
		times, err := r.Times(ctx)
		if err != nil || len(times.Segments) != len(track.Segments) {
			t.Fatalf("seed %d: %d segments, want %d, %v", seed, len(times.Segments), len(track.Segments), err)
		}
		for k, s := range times.Segments {
			if w := track.Segments[k]; s.Start != w.Start || s.End != w.End || s.ClockFirst != w.First || s.ClockLast != w.Last {
				t.Errorf("seed %d: segment %d is %+v, want %+v", seed, k, s, w)
			}
		}
		for range 20 {
			a, b := ticks[random.IntN(len(ticks))]+uint64(random.IntN(3))-1, ticks[random.IntN(len(ticks))]+uint64(random.IntN(3))-1
			s := recording.Selection{Time: &recording.TickRange{min(a, b), max(a, b)}}
			only := -1
			if random.IntN(4) == 0 {
				only = random.IntN(len(track.Segments))
				s.Segment = only + 1
			}
			var want []int64
			for row, k := range segment {
				if k >= 0 && ticks[row] >= s.Time.From && ticks[row] < s.Time.To && (only < 0 || k == only) {
					want = append(want, int64(row))
				}
			}
			x, err := testdata.Open(t, data).Select(ctx, s)
			if err != nil {
				if len(want) > 0 {
					t.Errorf("seed %d: %+v: %v, want %d rows", seed, s.Time, err, len(want))
				}
				continue
			}
			var got []int64
			for _, part := range x.Ranges() {
				for row := part.Start; row < part.End; row++ {
					got = append(got, row)
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d: ticks %d to %d, segment %d: %d rows in %v, want %d of segments %+v", seed, s.Time.From, s.Time.To, s.Segment, len(got), x.Ranges(), len(want), track.Segments)
			}
		}
	}
}

// Of a long recording only some ticks are read; restarts and gaps do not escape.
func TestLongRecordingsAreFollowedByTheEndsOfBatches(t *testing.T) {
	recording.FollowCoarsely(t)
	ctx := context.Background()
	for seed := range uint64(120) {
		random := rand.New(rand.NewPCG(seed, 8))
		ticks := harm(random, evenTicks(uint64(1e9+random.IntN(1e9)), 20000), 2)
		track, segment := truth(ticks)
		data := ticksFile(t, []recording.Codec{recording.None, recording.Zstd}[seed%2], ticks, []int{100, 777, 333}[random.IntN(3)])
		r := testdata.Open(t, data)
		times, err := r.Times(ctx)
		if err != nil || len(times.Segments) != len(track.Segments) {
			t.Fatalf("seed %d: %+v, want %+v, %v", seed, times.Segments, track.Segments, err)
		}
		for k, s := range times.Segments {
			if w := track.Segments[k]; s.Start != w.Start || s.End != w.End || s.ClockFirst != w.First || s.ClockLast != w.Last {
				t.Errorf("seed %d: segment %d is %+v, want %+v", seed, k, s, w)
			}
		}
		if seed%2 == 0 {
			want := recording.PaceGaps(track.Gaps(track.Finder.Pace(), 250e6, 0))
			same := len(want) == len(times.Gaps)
			for i := 0; same && i < len(want); i++ {
				same = want[i].Row == times.Gaps[i].Row && want[i].LostRows == times.Gaps[i].LostRows
			}
			if !same {
				t.Errorf("seed %d: gaps %+v, want %+v", seed, times.Gaps, want)
			}
		}
		for range 5 {
			a, b := ticks[random.IntN(len(ticks))]+uint64(random.IntN(3))-1, ticks[random.IntN(len(ticks))]+uint64(random.IntN(3))-1
			s := recording.Selection{Time: &recording.TickRange{min(a, b), max(a, b)}}
			rows := 0
			for row, k := range segment {
				if k >= 0 && ticks[row] >= s.Time.From && ticks[row] < s.Time.To {
					rows++
				}
			}
			x, err := testdata.Open(t, data).Select(ctx, s)
			if err == nil && int(x.Len()) != rows || err != nil && rows > 0 {
				t.Fatalf("seed %d: ticks %d to %d: %v, %v, want %d rows", seed, s.Time.From, s.Time.To, x, err, rows)
			}
		}
	}
}

// Elapsed time goes on from segment to segment.
func TestTimeFromTheFirstRow(t *testing.T) {
	ctx := context.Background()
	data := ticksFile(t, recording.None, slices.Concat(evenTicks(5e11, 700), evenTicks(0, 500), evenTicks(1e6, 300)), 100)
	for _, c := range []struct {
		from, to uint64
		segment  int
		want     []recording.Range
	}{
		{0, 8333 * 10, 0, []recording.Range{{0, 10}}},
		{8333 * 690, 8333 * 720, 0, []recording.Range{{690, 720}}},
		{8333 * 600, 8333 * 1300, 0, []recording.Range{{600, 1300}}},
		{8333 * 1490, 1 << 63, 0, []recording.Range{{1490, 1500}}},
		{0, 8333 * 10, 2, []recording.Range{{700, 710}}},
		{8333 * 299, 1 << 63, 3, []recording.Range{{1499, 1500}}},
	} {
		x, err := testdata.Open(t, data).Select(ctx, recording.Selection{Time: &recording.TickRange{c.from, c.to}, FromStart: true, Segment: c.segment})
		if err != nil || !slices.Equal(x.Ranges(), c.want) {
			t.Errorf("%+v: %v, %v", c, x, err)
		}
	}
}
