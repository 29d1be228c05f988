package engine

import (
	"bytes"
	"context"
	"math"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"testing"
	"weak"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/decimate"
	"github.com/oniscope/oniscope/shared/recording"
)

// onTiles has views made of tiles however small they are.
func onTiles(t *testing.T) {
	before := maxRowBytes
	maxRowBytes = 0
	t.Cleanup(func() { maxRowBytes = before })
}

// tiledReference is what a view made of tiles promises: bins of 2^level rows of
// each batch, each on the pixel in which its middle row is.
func tiledReference(v decimate.Bins, column, level int) []decimate.Bin {
	out := make([]decimate.Bin, v.N)
	start := 0
	for _, rows := range testBatches {
		for at := 0; at < rows; at += 1 << level {
			end := min(rows, at+1<<level)
			middle := float64(testTick(start + min(rows-1, at+1<<level/2)))
			if middle < v.From || middle >= v.To {
				continue
			}
			var values []float64
			for row := at; row < end; row++ {
				values = append(values, testValue(column, start+row))
			}
			decimate.Sum(out[v.Bin(middle):][:1], values, nil, []int{0, len(values)})
		}
		start += rows
	}
	return out
}

func TestAViewOfTilesHasEveryRowAtItsPlace(t *testing.T) {
	onTiles(t)
	first, last := float64(testTick(0)), float64(testTick(testRows()-1))
	for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
		for _, indexed := range []bool{false, true} {
			e, _ := openTest(t, testRecording(t, codec))
			if indexed {
				if _, err := e.Index(context.Background(), "np_0", nil); err != nil {
					t.Fatal(err)
				}
			}
			for _, v := range []decimate.Bins{
				{From: first - 7, To: last + 11, N: 15},
				{From: first - 5e6, To: last + 5e6, N: 9},
				{From: float64(testTick(350)) + 0.5, To: float64(testTick(1300)) + 0.5, N: 7},
				{From: first - 7, To: last + 11, N: 4}, // of the finer tiles
			} {
				columns := []int{2, 0, 3, 5, 6}
				env, err := e.Envelope(context.Background(), envelopeArgs(v.From, v.To, v.N, "exact", columns...), nil)
				if err != nil {
					t.Fatal(err)
				}
				s := e.streams["np_0"]
				span, err := e.span(s, v)
				if err != nil {
					t.Fatal(err)
				}
				level := tileLevel(span.rows / float64(v.N))
				if level < minTileLevel || env.Quality != "exact" {
					t.Fatalf("level %d, %s", level, env.Quality)
				}
				for c, column := range columns {
					for b, want := range tiledReference(v, column, level) {
						i, sd := c*v.N+b, want.SD()
						if want.Count == 0 {
							if env.Data[2*i] == env.Data[2*i] {
								t.Errorf("column %d bin %d of %d: %v where nothing is", column, b, v.N, env.Data[2*i])
							}
							continue
						}
						if env.Data[2*i] != want.Min || env.Data[2*i+1] != want.Max || math.Abs(float64(env.Mean[i])-want.Mean) > 1e-3 || math.Abs(float64(env.SD[i])-sd) > 1e-3 {
							t.Errorf("%v indexed %v: column %d bin %d of %d, level %d: %v to %v, mean %v, sd %v, want %+v, sd %v", codec, indexed, column, b, v.N, level,
								env.Data[2*i], env.Data[2*i+1], env.Mean[i], env.SD[i], want, sd)
						}
					}
				}
			}
		}
	}
}

// openCounting opens data and counts what is read from then on.
func openCounting(t *testing.T, data []byte, e *Engine) (*countingSource, *StreamInfo) {
	t.Helper()
	source := &countingSource{ReaderAt: bytes.NewReader(data)}
	info, err := e.Open(context.Background(), OpenArgs{"np_0", "np_0.arrow"}, source, int64(len(data)), nil)
	if err != nil {
		t.Fatal(err)
	}
	source.bytes = 0
	return source, info
}

func TestASecondLookReadsNothing(t *testing.T) {
	onTiles(t)
	for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
		e := &Engine{}
		source, info := openCounting(t, testRecording(t, codec), e)
		look := func(from, to float64, bins int, quality string) *Envelope {
			env, err := e.Envelope(context.Background(), envelopeArgs(from, to, bins, quality, 0, 1, 2, 4), nil)
			if err != nil {
				t.Fatal(err)
			}
			return env
		}
		from, to := info.Clock.First, info.Clock.Last+1
		first := look(from, to, 20, "exact")
		if source.bytes == 0 {
			t.Fatal("nothing was read")
		}
		source.bytes = 0
		for _, quality := range []string{"coarse", "exact"} {
			if again := look(from, to, 20, quality); again.Quality != "exact" {
				t.Errorf("%s: what was seen comes %s", quality, again.Quality)
			} else if at, ok := sameFloats(again.Data, first.Data); !ok {
				t.Errorf("the second look differs at %d", at)
			}
		}
		look(from+(to-from)/4, to-(to-from)/4, 10, "exact") // a part of it
		look(from, to, 7, "exact")                          // from farther away
		if _, err := e.Overview(context.Background(), OverviewArgs{Stream: "np_0", Columns: []int{1}, Bins: 8}, nil); err != nil {
			t.Fatal(err)
		}
		if source.bytes != 0 {
			t.Errorf("%v: %d bytes were read again", codec, source.bytes)
		}
	}
}

func TestOneColumnOfALongRecordingReadsNoClock(t *testing.T) {
	onTiles(t)
	data := largeRecording(t, 500, 200) // 2 bytes a row of column 0, 8 of Clock
	e := &Engine{}
	source, info := openCounting(t, data, e)
	if _, err := e.Index(context.Background(), "np_0", nil); err != nil {
		t.Fatal(err)
	}
	source.bytes = 0
	args := envelopeArgs(info.Clock.First, info.Clock.Last+1, 600, "exact", 0)
	env, err := e.Envelope(context.Background(), args, func(*Envelope) {})
	if err != nil || env.RowsUsed != 100_000 {
		t.Fatalf("%d rows, %v", env.RowsUsed, err)
	}
	coarse := int64(coarseBatches * 200 * 2)
	if source.bytes > 2*100_000*21/20+coarse {
		t.Errorf("%d bytes were read of a column of %d", source.bytes, 2*100_000)
	}
}

func TestTilesStayWithinTheCache(t *testing.T) {
	onTiles(t)
	e := &Engine{CacheBytes: 40_000}
	_, info := openCounting(t, largeRecording(t, 500, 200), e)
	for _, bins := range []int{500, 900, 50, 1200} {
		if _, err := e.Envelope(context.Background(), envelopeArgs(info.Clock.First, info.Clock.Last+1, bins, "exact", 0), nil); err != nil {
			t.Fatal(err)
		}
		if kept := e.Kept(); kept.CacheBytes > kept.CacheLimit || kept.CacheBytes == 0 || kept.CacheLimit != 40_000 {
			t.Errorf("%d of %d bytes are kept", kept.CacheBytes, kept.CacheLimit)
		}
	}
}

// Clock that begins anew, or goes wrong, is laid out the same whether a view is made
// of rows or of tiles.
func TestTilesFollowAClockThatBeginsAnew(t *testing.T) {
	s := testStream()
	s.Columns = append(s.Columns[:1], s.Columns[7])
	file := &testdata.Memory{}
	w, err := recording.NewWriter(file, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for b := range 8 {
		var clock, values []byte
		for i := range 320 {
			tick := uint64(b*320+i) * testPeriod
			if b >= 3 {
				tick = uint64((b-3)*320+i)*testPeriod + 5
			}
			if b == 6 && i >= 200 {
				tick += 900 * testPeriod
			}
			clock = appendUint64(clock, tick)
			values = append(values, byte(10*b), 0)
		}
		if _, err := w.WriteBatch(320, []recording.Vector{{Data: values}, {Data: clock}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	look := func() *Envelope {
		e := &Engine{}
		openCounting(t, file.Data, e)
		info, err := e.Index(context.Background(), "np_0", nil)
		if err != nil {
			t.Fatal(err)
		}
		env, err := e.Envelope(context.Background(), envelopeArgs(info.Clock.First, info.Clock.Last+1, 40, "exact", 0), nil)
		if err != nil {
			t.Fatal(err)
		}
		return env
	}
	rows := look()
	onTiles(t)
	tiles := look()
	if rows.RowsUsed != 8*320 || tiles.RowsUsed != rows.RowsUsed {
		t.Errorf("%d rows, %d of tiles", rows.RowsUsed, tiles.RowsUsed)
	}
	for b := range rows.Bins {
		if r, k := &rows.bins[0][b], &tiles.bins[0][b]; r.Count > 40 && (k.Count == 0 || k.Min < r.Min-10 || k.Max > r.Max+10) {
			t.Errorf("bin %d: %+v of rows, %+v of tiles", b, *r, *k)
		}
	}
}

// Rows of which tiles were made leave before tiles that nobody has looked at for longer.
func TestRowsThatWereSummedUpLeaveFirst(t *testing.T) {
	data := testRecording(t, recording.None)
	e := &Engine{}
	openCounting(t, data, e)
	s := e.streams["np_0"]
	old := cacheKey{stream: s, batch: 99, level: minTileLevel}
	e.cache.putOne(old, &tile{}, 100)
	if _, err := e.read(s, []int{0}, []int{0, 1}, nil, true); err != nil {
		t.Fatal(err)
	}
	if _, err := e.tiled(s, []int{0}, []int{0}, minTileLevel); err != nil {
		t.Fatal(err)
	}
	e.cache.limit, e.cache.work = e.cache.size()-1, 0
	if e.cache.room(0)(); e.cache.has(cacheKey{s, 0, 1, values}) || !e.cache.has(old) {
		t.Error("rows stay, and what was there before them does not")
	}
}

// Of fine bins a second copy would take as much as there is room for.
func TestBinsThatFillATileAreKeptAsTheyAre(t *testing.T) {
	e, _ := openTest(t, testRecording(t, recording.None))
	s := e.streams["np_0"]
	s.perBatch = 2 * tileBins << minTileLevel
	rows := int(s.perBatch) - 3
	bins := make([]tileBin, binsIn(rows, minTileLevel))
	bins[7].Count = 16
	e.keepBins(s, 2, 1, minTileLevel, rows, bins)
	if kept, n, ok := e.bins(s, 2, 1, minTileLevel); !ok || n != rows || &kept[0] != &bins[0] {
		t.Errorf("bins of %d rows are kept as %d of %d rows, %v", rows, len(kept), n, ok)
	}
	e.keepBins(s, 2, 2, minTileLevel, 500, bins[:binsIn(500, minTileLevel)])
	if kept, n, ok := e.bins(s, 2, 2, minTileLevel); !ok || n != 500 || len(kept) != 32 || kept[7] != bins[7] {
		t.Errorf("bins of 500 rows are kept as %d of %d rows, %v", len(kept), n, ok)
	}
}

// What a coarse answer took is not held until the next one: the exact one needs the room.
func TestWhatACoarseAnswerTookIsNotHeld(t *testing.T) {
	e, info := openTest(t, testRecording(t, recording.None))
	s := e.streams["np_0"]
	q, err := s.request(envelopeArgs(info.Clock.First, info.Clock.Last+1, 4, "coarse", 0))
	if err != nil {
		t.Fatal(err)
	}
	span, err := e.span(s, q.Bins)
	if err != nil {
		t.Fatal(err)
	}
	env, err := e.sampled(context.Background(), s, &q, span, 2, nil)
	if err != nil || s.coarse == nil {
		t.Fatalf("%v, nothing is shown until the exact answer is there", err)
	}
	bins := weak.Make(&env.bins[0][0])
	env = nil
	if runtime.GC(); bins.Value() != nil {
		t.Error("its bins are held")
	}
	runtime.KeepAlive(e)
}

// What requests work with is taken from the limit of what is kept.
func TestWhatIsKeptGivesWayToWork(t *testing.T) {
	c := newCache(100_000)
	s := &openStream{}
	for k := range 20 {
		c.putOne(cacheKey{stream: s, batch: k}, k, 10_000-entryBytes)
	}
	if c.size() != 80_000 {
		t.Errorf("%d bytes are kept of 100 000, of which an eighth is for garbage", c.size())
	}
	leave, another := c.room(30_000), c.room(90_000)
	if c.size() > 25_000 || c.size() < 20_000 || c.get(cacheKey{stream: s, batch: 19}) == nil {
		t.Errorf("%d bytes are kept of 100 000 next to work of 120 000; newest %v", c.size(), c.get(cacheKey{stream: s, batch: 19}))
	}
	another()
	for k := range 20 {
		c.putOne(cacheKey{stream: s, batch: k}, k, 10_000-entryBytes)
	}
	if c.size() != 50_000 {
		t.Errorf("%d bytes are kept next to work of 30 000", c.size())
	}
	leave()
	if c.most() != 87_500 {
		t.Errorf("%d bytes may be kept, when nothing works", c.most())
	}
}

// The tiles of a whole run have room beside the work on a view of as many values as the
// page asks for: one too many, and each leaves just before it is looked at.
func TestTheTilesOfAWholeRunHaveRoomBesideAView(t *testing.T) {
	page, err := os.ReadFile("../../../web/src/ui/plot.js")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`MOST_VALUES = ([\d.e]+);`).FindSubmatch(page)
	if found == nil {
		t.Fatal("plot.js does not say how many values it asks for")
	}
	most, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	e := &Engine{}
	openCounting(t, testRecording(t, recording.None), e)
	c := newCache(defaultCacheBytes)
	defer c.room(e.working(e.streams["np_0"], &request{Bins: decimate.Bins{N: int(most)}, columns: []int{0}}))()
	tiles := int64(4 * most * (tileBinBytes + 2*entryBytes/tileBins)) // of a tile half may be empty
	if tiles+stepBytes > c.most() {
		t.Errorf("%d MB of tiles and a step of rows, there is room for %d MB", (tiles+stepBytes)/1e6, c.most()/1e6)
	}
}
