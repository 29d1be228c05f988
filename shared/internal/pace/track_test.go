package pace

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// even are n ticks of a clock of about 30 kHz at 250 MHz.
func even(from uint64, n int) []uint64 {
	ticks := make([]uint64, n)
	for i := range ticks {
		ticks[i] = from + 8333*uint64(i)
	}
	return ticks
}

// follow follows ticks in batches of so many rows.
func follow(ticks []uint64, perBatch int) *Track {
	t := NewTrack("Clock", "Clock", 250e6)
	for batch, row := 0, 0; row < len(ticks); batch, row = batch+1, row+perBatch {
		t.Add(batch, int64(row), ticks[row:min(len(ticks), row+perBatch)], nil, batch > 0)
	}
	t.Finish()
	return t
}

// said writes down what a track found.
func said(t *Track) (list []string) {
	for _, s := range t.Segments {
		list = append(list, fmt.Sprintf("rows %d to %d, ticks %d to %d", s.Start, s.End, s.First, s.Last))
	}
	names := []string{"bad ticks", "restart", "repeat", "jump"}
	for _, b := range t.Breaks {
		list = append(list, fmt.Sprintf("%s at row %d, %d rows, %d after %d, then %d", names[b.Kind], b.Row, b.Rows, b.Tick, b.Before, b.After))
	}
	return list
}

// gaps writes down the gaps.
func gaps(t *Track) (list []string) {
	for _, g := range t.Gaps(t.Finder.Pace(), 250e6, 0) {
		if !g.Spread {
			list = append(list, fmt.Sprintf("gap of %d rows at row %d", g.LostRows, g.Row))
		}
	}
	return list
}

func TestATrackTellsWhatBecameOfAClock(t *testing.T) {
	const first = 500_000_000_000 // 2000 s
	plain := even(first, 2000)
	at := func(row int) uint64 { return first + 8333*uint64(row) }
	with := func(change func(ticks []uint64)) []uint64 {
		ticks := slices.Clone(plain)
		change(ticks)
		return ticks
	}
	whole := fmt.Sprintf("rows 0 to 2000, ticks %d to %d", at(0), at(1999))
	for _, c := range []struct {
		name  string
		ticks []uint64
		want  []string
	}{
		{"a clock that rises", plain, []string{whole}},
		{"rows are missing", slices.Concat(plain[:700], plain[750:]), []string{fmt.Sprintf("rows 0 to 1950, ticks %d to %d", at(0), at(1999)), "gap of 50 rows at row 700"}},
		{"many rows are missing after the first", slices.Concat(plain[:1], plain[1500:]), []string{fmt.Sprintf("rows 0 to 501, ticks %d to %d", at(0), at(1999)), "gap of 1499 rows at row 1"}},
		{"rows are missing before the last", slices.Concat(plain[:501], plain[1999:]), []string{fmt.Sprintf("rows 0 to 502, ticks %d to %d", at(0), at(1999)), "gap of 1498 rows at row 501"}},
		{"it falls to 0", slices.Concat(plain[:768], even(0, 600)), []string{fmt.Sprintf("rows 0 to 768, ticks %d to %d", at(0), at(767)), "rows 768 to 1368, ticks 0 to 4991467",
			fmt.Sprintf("restart at row 768, 0 rows, 0 after %d, then 0", at(767))}},
		{"it begins anew where it began", slices.Concat(plain[:800], plain[:800]), []string{fmt.Sprintf("rows 0 to 800, ticks %d to %d", at(0), at(799)), fmt.Sprintf("rows 800 to 1600, ticks %d to %d", at(0), at(799)),
			fmt.Sprintf("restart at row 800, 0 rows, %d after %d, then %d", at(0), at(799), at(0))}},
		{"a buffer comes twice", slices.Concat(plain[:100], plain[64:]), []string{fmt.Sprintf("rows 0 to 100, ticks %d to %d", at(0), at(99)), fmt.Sprintf("rows 100 to 2036, ticks %d to %d", at(64), at(1999)),
			fmt.Sprintf("repeat at row 100, 36 rows, %d after %d, then %d", at(64), at(99), at(64))}},
		{"the first ticks are zero", with(func(ticks []uint64) { clear(ticks[:300]) }), []string{fmt.Sprintf("rows 300 to 2000, ticks %d to %d", at(300), at(1999)),
			fmt.Sprintf("bad ticks at row 0, 300 rows, 0 after 0, then %d", at(300))}},
		{"ticks in the middle are zero", with(func(ticks []uint64) { clear(ticks[300:600]) }), []string{whole, fmt.Sprintf("bad ticks at row 300, 300 rows, 0 after %d, then %d", at(299), at(600))}},
		{"the last ticks are zero", with(func(ticks []uint64) { clear(ticks[1990:]) }), []string{fmt.Sprintf("rows 0 to 1990, ticks %d to %d", at(0), at(1989)),
			fmt.Sprintf("bad ticks at row 1990, 10 rows, 0 after %d, then 0", at(1989))}},
		{"one tick is far ahead", with(func(ticks []uint64) { ticks[700] = 1 << 60 }), []string{whole, fmt.Sprintf("bad ticks at row 700, 1 rows, %d after %d, then %d", uint64(1<<60), at(699), at(701))}},
		{"one tick is a second ahead", with(func(ticks []uint64) { ticks[700] += 250e6 }), []string{whole, fmt.Sprintf("bad ticks at row 700, 1 rows, %d after %d, then %d", at(700)+250e6, at(699), at(701))}},
		{"one tick is a little ahead", with(func(ticks []uint64) { ticks[700] = at(705) + 1 }), []string{whole, fmt.Sprintf("bad ticks at row 700, 1 rows, %d after %d, then %d", at(705)+1, at(699), at(701))}},
		{"one tick is behind", with(func(ticks []uint64) { ticks[700] = at(3) }), []string{whole, fmt.Sprintf("bad ticks at row 700, 1 rows, %d after %d, then %d", at(3), at(699), at(701))}},
		{"the first tick is far ahead", with(func(ticks []uint64) { ticks[0] = 1 << 60 }), []string{fmt.Sprintf("rows 1 to 2000, ticks %d to %d", at(1), at(1999)),
			fmt.Sprintf("bad ticks at row 0, 1 rows, %d after 0, then %d", uint64(1<<60), at(1))}},
		{"the last tick is far ahead", with(func(ticks []uint64) { ticks[1999] = 1 << 60 }), []string{fmt.Sprintf("rows 0 to 1999, ticks %d to %d", at(0), at(1998)),
			fmt.Sprintf("bad ticks at row 1999, 1 rows, %d after %d, then 0", uint64(1<<60), at(1998))}},
		{"two ticks are garbled", with(func(ticks []uint64) { ticks[700], ticks[701] = 1<<60, 17 }), []string{whole, fmt.Sprintf("bad ticks at row 700, 2 rows, %d after %d, then %d", uint64(1<<60), at(699), at(702))}},
		{"it jumps 20 days ahead", slices.Concat(plain[:700], even(first+20*86400*250e6, 700)), []string{fmt.Sprintf("rows 0 to 700, ticks %d to %d", at(0), at(699)),
			fmt.Sprintf("rows 700 to 1400, ticks %d to %d", uint64(first+20*86400*250e6), uint64(first+20*86400*250e6)+8333*699),
			fmt.Sprintf("jump at row 700, 0 rows, %d after %d, then %d", uint64(first+20*86400*250e6), at(699), uint64(first+20*86400*250e6))}},
		{"no tick is good", make([]uint64, 500), []string{"bad ticks at row 0, 500 rows, 0 after 0, then 0"}},
		{"one row", []uint64{7}, []string{"rows 0 to 1, ticks 7 to 7"}},
		{"two rows", []uint64{7, 20}, []string{"rows 0 to 2, ticks 7 to 20"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, perBatch := range []int{50, 100, 768, 999, 5000} {
				tr := follow(c.ticks, perBatch)
				if got := append(said(tr), gaps(tr)...); !slices.Equal(got, c.want) {
					t.Errorf("batches of %d rows:\n%q\nwant\n%q", perBatch, got, c.want)
				}
			}
		})
	}
}

func TestASawtoothHasASegmentForEachTooth(t *testing.T) {
	var ticks []uint64
	for range 7 {
		ticks = append(ticks, even(4000, 800)...)
	}
	for _, perBatch := range []int{100, 1000, 333} {
		tr := follow(ticks, perBatch)
		if len(tr.Segments) != 7 || len(tr.Breaks) != 6 {
			t.Fatalf("%q", said(tr))
		}
		for i, s := range tr.Segments {
			if s.Start != int64(800*i) || s.End != s.Start+800 || s.First != 4000 || s.Period != 8333 {
				t.Errorf("%+v", s)
			}
		}
		for i, b := range tr.Breaks {
			if b.Kind != Restart || b.Row != int64(800*(i+1)) || b.Inside != (b.Row%int64(perBatch) != 0) {
				t.Errorf("%+v", b)
			}
		}
	}
}

// Events have no pace: only where the clock falls is told.
func TestEventsThatRestart(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	events := func(tick uint64, n int) (list []uint64) {
		for range n {
			tick += 1 + uint64(1e6*random.ExpFloat64())
			list = append(list, tick)
		}
		return list
	}
	a, b := events(1e12, 200), events(100, 300)
	for _, perBatch := range []int{1, 7, 64, 1000} {
		tr := follow(slices.Concat(a, b), perBatch)
		if len(tr.Segments) != 2 || tr.Segments[1].Start != 200 || len(tr.Breaks) != 1 || tr.Breaks[0].Kind != Restart {
			t.Errorf("batches of %d: %q", perBatch, said(tr))
		}
		garbled := slices.Clone(a)
		garbled[120] = 1 << 55
		garbled[150] = 3
		tr = follow(garbled, perBatch)
		if len(tr.Segments) != 1 || len(tr.Breaks) != 2 || tr.Breaks[0].Row != 120 || tr.Breaks[1].Row != 150 || tr.Segments[0].End != 200 {
			t.Errorf("batches of %d: %q", perBatch, said(tr))
		}
	}
}

// What a track says does not depend on how rows were put into batches.
func TestATrackDoesNotDependOnBatches(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		ticks := even(uint64(random.IntN(1e9)), 3000)
		for range 1 + random.IntN(4) {
			at := 1 + random.IntN(2500)
			switch random.IntN(6) {
			case 0:
				clear(ticks[at : at+1+random.IntN(300)])
			case 1:
				ticks[at] = random.Uint64()
			case 2:
				copy(ticks[at:], even(uint64(random.IntN(1e9)), len(ticks)-at))
			case 3:
				n := min(at, 1+random.IntN(60))
				ticks = slices.Concat(ticks[:at], ticks[at-n:])
			case 4:
				ticks = slices.Delete(ticks, at, at+1+random.IntN(200))
			case 5:
				ticks[at] ^= 1 << random.IntN(64)
			}
		}
		want := said(follow(ticks, 100000))
		rows := int64(0)
		for _, s := range follow(ticks, 100000).Segments {
			rows += s.End - s.Start
		}
		if rows > int64(len(ticks)) || rows < int64(len(ticks))/3 {
			t.Errorf("seed %d: %d rows of %d in segments: %q", seed, rows, len(ticks), want)
		}
		for _, perBatch := range []int{64, 100, 1000} {
			if got := said(follow(ticks, perBatch)); !slices.Equal(got, want) {
				t.Errorf("seed %d, batches of %d rows:\n%q\nwant\n%q", seed, perBatch, got, want)
			}
		}
	}
}
