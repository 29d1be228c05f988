package recovery_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/internal/pace"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
	"github.com/oniscope/oniscope/shared/stream"
)

// gapFile writes a stream of two clocks in batches of so many rows.
func gapFile(t testing.TB, codec recording.Codec, hub, clock []uint64, perBatch int) []byte {
	t.Helper()
	s := &stream.Stream{Name: "clocks", AcqClockHz: 250e6, Columns: []stream.Column{{Name: "FrameCount", Type: stream.Uint16}, {Name: "Clock", Type: stream.Uint64}}}
	if hub != nil {
		s.Columns = append(s.Columns, stream.Column{Name: "HubClock", Type: stream.Uint64})
	}
	f := &testdata.Memory{}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{Codec: codec})
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(clock); at += perBatch {
		to := min(at+perBatch, len(clock))
		count := make([]uint16, to-at)
		for i := range count {
			count[i] = uint16(at + i)
		}
		columns := []recording.Vector{{Data: testdata.LE16(count...)}, {Data: testdata.LE64(clock[at:to]...)}}
		if hub != nil {
			columns = append(columns, recording.Vector{Data: testdata.LE64(hub[at:to]...)})
		}
		if _, err := w.WriteBatch(to-at, columns); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Data
}

// A said is what a finding must say.
type said struct {
	severity recording.Severity
	row      int64
	lost     int64
	text     string
}

func TestGapsAndClocksThatCannotBeRight(t *testing.T) {
	const n = 1000
	random := rand.New(rand.NewPCG(7, 7))
	// even gives rows of an even stream, without those that lost says.
	even := func(rows int, step, from uint64, lost func(row int) bool) (ticks []uint64) {
		for row := 0; len(ticks) < rows; row++ {
			if lost == nil || !lost(row) {
				ticks = append(ticks, from+step*uint64(row))
			}
		}
		return ticks
	}
	jitter := func(ticks []uint64, by int) []uint64 {
		for i := range ticks {
			ticks[i] += uint64(random.IntN(by))
		}
		return ticks
	}
	between := func(from, to int) func(int) bool { return func(row int) bool { return row >= from && row < to } }
	set := func(ticks []uint64, from, to int, tick uint64) []uint64 {
		for i := from; i < to; i++ {
			ticks[i] = tick
		}
		return ticks
	}
	poisson := func() (ticks []uint64) {
		tick := uint64(1000)
		for range n {
			tick += uint64(10000 * random.ExpFloat64())
			ticks = append(ticks, tick)
		}
		return ticks
	}
	for _, c := range []struct {
		name       string
		hub, clock []uint64
		perBatch   int
		want       []said
	}{
		{"an even stream", even(n, 1400, 17, nil), even(n, 8333, 1000, nil), 100, nil},
		{"jitter of Clock is no gap where HubClock is even", even(n, 1400, 17, nil), jitter(even(n, 8333, 1000, nil), 8000), 100, nil},
		{"jitter of Clock alone is no gap", nil, jitter(even(n, 8333, 1000, nil), 2000), 100, nil},
		{"events that come at random have no gaps", poisson(), poisson(), 100, nil},
		{"one row lost inside a batch", even(n, 1400, 17, between(250, 251)), even(n, 8333, 1000, between(250, 251)), 100,
			[]said{{recording.SeverityError, 250, 1, "gap: about 1 row (33.332 us) missing before row 250: HubClock steps by 2800 ticks"}}},
		{"rows lost between two batches", even(n, 1400, 17, between(300, 340)), even(n, 8333, 1000, between(300, 340)), 100,
			[]said{{recording.SeverityError, 300, 40, "gap: about 40 rows"}}},
		{"a gap in the first pair does not set the pace", even(n, 1400, 17, between(1, 500)), even(n, 8333, 1000, between(1, 500)), 100,
			[]said{{recording.SeverityError, 1, 499, "before row 1:"}}},
		{"a gap longer than the recording", even(n, 1400, 17, between(10, 100000)), even(n, 8333, 1000, between(10, 100000)), 1000,
			[]said{{recording.SeverityError, 10, 99990, "before row 10:"}}},
		{"Clock alone shows a gap", nil, even(n, 8333, 1000, between(250, 260)), 100,
			[]said{{recording.SeverityError, 250, 10, "Clock steps by"}}},
		{"batches of one row", nil, even(60, 25e6, 1000, between(20, 23)), 1,
			[]said{{recording.SeverityError, 20, 3, "(0.3 s)"}}},
		{"batches of a few rows", even(200, 25e6, 1000, between(55, 60)), even(200, 25e6, 1000, between(55, 60)), 10,
			[]said{{recording.SeverityError, 55, 5, ""}}},
		{"all gaps are reported", even(n, 1400, 17, func(row int) bool { return row%100 == 50 }), even(n, 8333, 1000, func(row int) bool { return row%100 == 50 }), 500,
			[]said{{recording.SeverityError, 50, 1, ""}, {recording.SeverityError, 149, 1, ""}, {recording.SeverityError, 248, 1, ""}, {recording.SeverityError, 347, 1, ""}, {recording.SeverityError, 446, 1, ""}, {recording.SeverityError, 545, 1, ""}, {recording.SeverityError, 644, 1, ""}, {recording.SeverityError, 743, 1, ""}, {recording.SeverityError, 842, 1, ""}, {recording.SeverityError, 941, 1, ""}}},
		{"every second row of one batch is lost", even(n, 1400, 17, func(row int) bool { return row >= 300 && row < 500 && row%2 == 1 }), even(n, 8333, 1000, func(row int) bool { return row >= 300 && row < 500 && row%2 == 1 }), 100,
			[]said{{recording.SeverityError, 301, 99, "in many places of the batch"}, {recording.SeverityError, 400, 1, ""}}},
		{"HubClock zeroed over some rows is no gap", set(even(n, 1400, 17, nil), 240, 260, 0), even(n, 8333, 1000, nil), 100,
			[]said{{recording.SeverityWarning, 240, 0, "HubClock of 20 rows is not between those around it"}}},
		{"HubClock with a bit too much is no gap", set(even(n, 1400, 17, nil), 240, 241, 1<<40), even(n, 8333, 1000, nil), 100,
			[]said{{recording.SeverityWarning, 240, 0, "HubClock of 1 row "}}},
		{"HubClock far off in the last row of a batch is no gap", set(even(n, 1400, 17, nil), 299, 300, 1<<40), even(n, 8333, 1000, nil), 100,
			[]said{{recording.SeverityWarning, 300, 0, ""}}},
		{"HubClock far off in the first row of a batch is no gap", set(even(n, 1400, 17, nil), 300, 301, 1<<40), even(n, 8333, 1000, nil), 100,
			[]said{{recording.SeverityWarning, 301, 0, ""}}},
		{"a counter that was reset", append(even(500, 1400, 17, nil), even(500, 1400, 17, nil)...), even(n, 8333, 1000, nil), 300,
			[]said{{recording.SeverityWarning, 500, 0, "HubClock of 1 row "}}},
		{"rows that came twice", func() []uint64 { h := even(n, 1400, 17, nil); return append(h[:400], h[399:n-1]...) }(), even(n, 8333, 1000, nil), 300,
			[]said{{recording.SeverityWarning, 400, 0, "1 row has the same HubClock as the row before"}}},
		{"Clock running backwards", even(n, 1400, 17, nil), set(even(n, 8333, 1000, nil), 450, 455, 5), 100,
			[]said{{recording.SeverityWarning, 450, 0, "Clock of 5 rows cannot be right: tick 5"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
				file := gapFile(t, codec, c.hub, c.clock, c.perBatch)
				list, err := verifyAll(t, file, recovery.VerifyOptions{})
				if err != nil || len(list) != len(c.want) {
					t.Fatalf("%d findings, want %d, %v: %+v", len(list), len(c.want), err, list)
				}
				for i, f := range list {
					w := c.want[i]
					if f.Severity != w.severity || f.BeforeRow != w.row || f.LostRows != w.lost || !strings.Contains(f.Reason, w.text) {
						t.Errorf("%+v, want %+v", f, w)
					}
					if f.Batch < 0 || f.Offset < 8 {
						t.Errorf("no batch: %+v", f)
					}
				}
				// A scan that reads no more than it must finds the same gaps, and
				// so does info.
				gaps := scanGaps(t, file)
				info, err := testdata.Info(testdata.Open(t, file))
				if err != nil {
					t.Fatal(err)
				}
				infos := info.Findings
				for i, f := range list {
					if f.Severity != recording.SeverityError {
						if len(infos) > 0 && infos[0] == f {
							infos = infos[1:]
						}
						continue
					}
					if len(gaps) == 0 || len(infos) == 0 || gaps[0].Finding(f.Offset) != f || infos[0] != f {
						t.Fatalf("a scan finds %+v, info %+v, Verify %+v", gaps, infos, list[i:])
					}
					gaps, infos = gaps[1:], infos[1:]
				}
				if len(gaps) > 0 || len(infos) > 0 {
					t.Errorf("a scan finds %+v besides, info %+v", gaps, infos)
				}
			}
		})
	}
}

func scanGaps(t *testing.T, file []byte) []recording.Gap {
	t.Helper()
	times, err := testdata.Open(t, file).Times(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return times.Gaps
}

// What lies in a batch that is damaged is damage, and no gap besides.
func TestALostBatchIsNoGap(t *testing.T) {
	hub, clock := make([]uint64, 900), make([]uint64, 900)
	for i := range clock {
		hub[i], clock[i] = uint64(1400*i), uint64(1000+8333*i)
	}
	file := gapFile(t, recording.Zstd, hub, clock, 100)
	b := dissect.Footer(t, file).Batches[4]
	file[b.Offset+int64(b.MetaLength)+20] ^= 0xFF
	list, err := verifyAll(t, file, recovery.VerifyOptions{})
	if err != nil || len(list) != 1 || list[0].Batch != 4 || list[0].LostRows != 100 || list[0].Severity != recording.SeverityError {
		t.Fatalf("%+v, %v", list, err)
	}
}

// The memory of the finder grows with the batches, not with the rows.
func TestTheFinderOfGapsKeepsLittle(t *testing.T) {
	f := pace.NewFinder("HubClock")
	random := rand.New(rand.NewPCG(3, 3))
	tick, row := uint64(0), int64(0)
	for batch := range 100 {
		ticks := make([]uint64, 30000)
		for i := range ticks {
			tick += uint64(random.IntN(20000))
			ticks[i] = tick
		}
		f.Add(batch, row, ticks, nil, true)
		row += 30000
	}
	if len(f.Steps) > 100*(pace.GapsPerBatch+1) || len(f.Sample) > pace.MaxSteps {
		t.Fatalf("%d steps and a sample of %d", len(f.Steps), len(f.Sample))
	}
}

// Whatever rows are dropped from an even stream whose clocks jitter: Verify and
// a scan tell each gap, where it is and how long.
func TestEveryDroppedRowIsTold(t *testing.T) {
	random := rand.New(rand.NewPCG(19, 4))
	for trial := range 40 {
		period := uint64(100 + random.IntN(20000))
		rows, perBatch := 500+random.IntN(4000), 1+random.IntN(700)
		var hub, clock []uint64
		var want []said
		for row := uint64(0); len(hub) < rows; row++ {
			if len(hub) > 0 && random.IntN(200) == 0 {
				n := int64(1 + random.IntN(3))
				if random.IntN(4) == 0 {
					n = int64(1 + random.IntN(5000))
				}
				row += uint64(n) - 1
				if k := len(want) - 1; k >= 0 && want[k].row == int64(len(hub)) {
					want[k].lost += n
				} else {
					want = append(want, said{row: int64(len(hub)), lost: n})
				}
				continue
			}
			hub = append(hub, 17+row*period+uint64(random.IntN(int(period/20+1))))
			clock = append(clock, 1000+row*period*6+uint64(random.IntN(int(period*6/10+1))))
		}
		for len(want) > 0 && want[len(want)-1].row >= int64(rows) {
			want = want[:len(want)-1]
		}
		file := gapFile(t, recording.None, hub, clock, perBatch)
		found, err := verifyAll(t, file, recovery.VerifyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		gaps := scanGaps(t, file)
		for i, w := range want {
			// Long gaps are estimates: jitter moves the period a little.
			slack := w.lost / 500
			if len(found) <= i || found[i].BeforeRow != w.row || found[i].LostRows < w.lost-slack || found[i].LostRows > w.lost+slack {
				t.Fatalf("trial %d, %d rows a batch: Verify finds %+v, want %+v at %d", trial, perBatch, found[min(i, len(found)):], w, i)
			}
			if len(gaps) <= i || gaps[i].Row != w.row || gaps[i].LostRows < w.lost-slack || gaps[i].LostRows > w.lost+slack {
				t.Fatalf("trial %d, %d rows a batch: the scan finds %+v, want %+v at %d", trial, perBatch, gaps[min(i, len(gaps)):], w, i)
			}
		}
		if len(found) != len(want) || len(gaps) != len(want) {
			t.Fatalf("trial %d: %d and %d gaps, want %d", trial, len(found), len(gaps), len(want))
		}
	}
}
