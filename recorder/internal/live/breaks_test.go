package live

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/oniscope/oniscope/recorder/internal/run"
	"github.com/oniscope/oniscope/shared/recording"
)

// length is how long the file is.
func (r *recorder) length() int64 {
	r.t.Helper()
	info, err := r.file.Stat()
	if err != nil {
		r.t.Fatal(err)
	}
	return info.Size()
}

// cut shortens the file; what is written next comes there.
func (r *recorder) cut(size int64) {
	r.t.Helper()
	if err := r.file.Truncate(size); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.file.Seek(0, io.SeekEnd); err != nil {
		r.t.Fatal(err)
	}
}

// A program that follows takes the end mark for the end of what it asked for: a stream
// that breaks off must not have it.
func TestAStreamThatBreaksOffIsNotWhole(t *testing.T) {
	t.Run("its file was cut", func(t *testing.T) {
		r := newRecorder(t, nil)
		r.decode(50)
		first := r.write()
		r.decode(50)
		r.write()
		if err := os.Truncate(filepath.Join(r.dir, "probe_0.arrow"), first.Offset+first.Length+10); err != nil {
			t.Fatal(err)
		}
		r.finish()
		got := r.get("/live/probe.arrows?from=start", nil)
		data, err := io.ReadAll(got.Body)
		if err == nil || bytes.HasSuffix(data, endMark) {
			t.Errorf("%d bytes that end with % x, and then: %v", len(data), data[max(0, len(data)-8):], err)
		}
	})
	t.Run("the recording was aborted", func(t *testing.T) {
		r := newWritten(t, recording.WriterOptions{})
		defer r.end()
		r.begin()
		r.decode(50)
		r.write()
		var out bytes.Buffer
		done := make(chan error, 1)
		go func() { done <- r.hub.Follow(t.Context(), "probe", Following{From: "start"}, &out, nil) }()
		time.Sleep(20 * time.Millisecond)
		r.hub.Close()
		if err := <-done; !errors.Is(err, errCut) || bytes.HasSuffix(out.Bytes(), endMark) {
			t.Errorf("%v; it ends with % x", err, out.Bytes()[max(0, out.Len()-8):])
		}
	})
}

// ticksFrom are n rows of Clock.
func ticksFrom(first uint64, n int) (ticks []uint64) {
	for i := range uint64(n) {
		ticks = append(ticks, first+i*10)
	}
	return ticks
}

// Rows are wanted from the first one at or after a tick on, in the order of the file.
func TestAWindowIsInTheOrderOfTheFile(t *testing.T) {
	with := func(ticks []uint64, at int, tick uint64) []uint64 {
		ticks[at] = tick
		return ticks
	}
	for name, c := range map[string]struct {
		from, ticks uint64
		batches     [][]uint64
		want        []uint64 // Clock of the first and the last wanted row
		rows        int
		over        bool
	}{
		"all":                             {0, 0, [][]uint64{ticksFrom(0, 10), ticksFrom(100, 10)}, []uint64{0, 190}, 20, false},
		"from a tick on":                  {95, 0, [][]uint64{ticksFrom(0, 10), ticksFrom(100, 10)}, []uint64{100, 190}, 10, false},
		"for a while":                     {35, 100, [][]uint64{ticksFrom(0, 10), ticksFrom(100, 10)}, []uint64{40, 130}, 10, true},
		"to the end of a batch":           {0, 100, [][]uint64{ticksFrom(0, 10), ticksFrom(100, 10)}, []uint64{0, 90}, 10, true},
		"a tick in a gap":                 {500, 30, [][]uint64{ticksFrom(0, 10), ticksFrom(1000, 10)}, []uint64{1000, 1020}, 3, true},
		"a restart at a border":           {50, 0, [][]uint64{ticksFrom(0, 10), ticksFrom(0, 10)}, []uint64{50, 90}, 15, false},
		"a restart inside a batch":        {50, 0, [][]uint64{append(ticksFrom(0, 10), ticksFrom(0, 10)...)}, []uint64{50, 90}, 15, false},
		"a restart, for a while":          {50, 100, [][]uint64{ticksFrom(0, 10), ticksFrom(0, 20)}, []uint64{50, 50}, 11, true},
		"for a while, restart inside":     {50, 100, [][]uint64{append(ticksFrom(0, 10), ticksFrom(0, 20)...)}, []uint64{50, 50}, 11, true},
		"a tick of the later segment":     {195, 0, [][]uint64{ticksFrom(0, 10), ticksFrom(0, 30)}, []uint64{200, 290}, 10, false},
		"a tick that cannot be, high":     {50, 100, [][]uint64{with(ticksFrom(0, 10), 7, 1<<40), ticksFrom(100, 10)}, []uint64{50, 140}, 10, true},
		"a tick that cannot be, low":      {50, 100, [][]uint64{with(ticksFrom(0, 10), 7, 3), ticksFrom(100, 10)}, []uint64{50, 140}, 10, true},
		"one at the end of a batch":       {50, 100, [][]uint64{with(ticksFrom(10, 10), 9, 3), ticksFrom(110, 10)}, []uint64{50, 140}, 10, true},
		"a high one is not the beginning": {150, 0, [][]uint64{with(ticksFrom(0, 10), 7, 1<<40), ticksFrom(100, 10)}, []uint64{150, 190}, 5, false},
		"nothing":                         {1000, 0, [][]uint64{ticksFrom(0, 10), ticksFrom(100, 10)}, nil, 0, false},
		"the last ticks there are":        {math.MaxUint64 - 5, 50, [][]uint64{ticksFrom(0, 10), {math.MaxUint64 - 5, math.MaxUint64 - 4}}, []uint64{math.MaxUint64 - 5, math.MaxUint64 - 4}, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			w, over := window{from: c.from, ticks: c.ticks}, false
			var got []uint64
			for _, ticks := range c.batches {
				b := recording.Block{Rows: int64(len(ticks)), FirstClock: ticks[0], LastClock: ticks[len(ticks)-1]}
				from, to := int64(0), b.Rows
				if over || w.before(&b) {
					continue
				}
				if !w.all(&b) {
					from, to, over = w.within(ticks)
				}
				got = append(got, ticks[from:to]...)
			}
			if len(got) != c.rows || over != c.over || c.rows > 0 && (got[0] != c.want[0] || got[len(got)-1] != c.want[1]) {
				t.Errorf("%v, over %v; want %d rows, %v, over %v", got, over, c.rows, c.want, c.over)
			}
		})
	}
}

// What is asked for from a moment to come is waited for, and so are rows that wait for
// the disk; a stream of events that has nothing more to say is not.
func TestHowLongAPieceIsWaitedFor(t *testing.T) {
	follow := func(t *testing.T, from string, later func(r *recorder)) (rows int, took time.Duration) {
		r := newWritten(t, recording.WriterOptions{})
		defer r.end()
		r.begin()
		r.decode(50)
		r.write()
		var out bytes.Buffer
		began := time.Now()
		if later != nil {
			go later(r)
		}
		if err := r.hub.Follow(t.Context(), "probe", Following{From: from, For: 100 * time.Millisecond}, &out, nil); err != nil {
			t.Fatal(err)
		}
		took = time.Since(began)
		_, rows, _ = rowsOf(t, out.Bytes(), "SpikeDataCh0", 0)
		return rows, took
	}
	more := func(r *recorder) {
		time.Sleep(time.Minute)
		r.decode(450)
		r.write()
	}
	synctest.Test(t, func(t *testing.T) {
		if rows, took := follow(t, "start", nil); rows != 50 || took < patience || took > 2*patience {
			t.Errorf("nothing comes: %d rows in %v", rows, took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		if rows, took := follow(t, "300000", more); rows != 100 || took != time.Minute {
			t.Errorf("a tick to come: %d rows in %v", rows, took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		if rows, took := follow(t, "start", func(r *recorder) {
			r.hub.Status(&run.Snapshot{Streams: []run.StreamSnapshot{{Name: "probe", QueueS: 3}}}, nil)
			more(r)
		}); rows != 100 || took != time.Minute {
			t.Errorf("the disk stands still: %d rows in %v", rows, took)
		}
	})
}

// A stuck writer is a reader that takes nothing.
type stuck struct {
	bytes.Buffer
	free chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	if s.Len() > 0 {
		<-s.free
	}
	return s.Buffer.Write(p)
}

// One program at a time decompresses, and none waits for how another one reads.
func TestAStuckReaderOfACompressedStreamHoldsNobodyUp(t *testing.T) {
	r := newWritten(t, recording.WriterOptions{Codec: recording.Zstd})
	defer r.end()
	r.begin()
	for range 3 {
		r.decode(500)
		r.write()
	}
	r.finish()
	held := &stuck{free: make(chan struct{})}
	first := make(chan error, 1)
	go func() { first <- r.hub.Follow(t.Context(), "probe", Following{From: "start"}, held, nil) }()
	time.Sleep(50 * time.Millisecond) // it has the schema, and is stuck in the first batch
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	second := make(chan error, 1)
	var out bytes.Buffer
	go func() { second <- r.hub.Follow(ctx, "probe", Following{From: "start"}, &out, nil) }()
	select {
	case err := <-second:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("it waits for the one that is stuck")
	}
	close(held.free)
	if err := <-first; err != nil {
		t.Error(err)
	}
	for _, data := range [][]byte{held.Bytes(), out.Bytes()} {
		if _, rows, _ := rowsOf(t, data, "SpikeDataCh1", 1); rows != 1500 {
			t.Errorf("%d rows", rows)
		}
	}
}

// While a board is made ready nobody knows which run it will be: a program that comes
// early waits, and hears what is true.
func TestWhoComesEarlyWaitsUntilTheRecordingBegins(t *testing.T) {
	r := newWritten(t, recording.WriterOptions{})
	defer r.end()
	r.serve("127.0.0.1:0", nil)
	hello := make(chan map[string]any, 1)
	go func() { hello <- r.connect(nil).next("hello") }()
	status := make(chan int, 2)
	for _, name := range []string{"probe", "none"} {
		go func() {
			answer, err := http.Get("http://" + r.at + "/live/" + name + ".arrows?for=1ms")
			if err != nil {
				status <- 0
				return
			}
			defer answer.Body.Close()
			status <- answer.StatusCode
		}()
	}
	if got := r.get("/files/probe_0.arrow", nil); got.StatusCode != 503 || got.Header.Get("Retry-After") == "" {
		t.Errorf("a file: %d", got.StatusCode)
	}
	select {
	case m := <-hello:
		t.Errorf("it is told %v", m)
	case code := <-status:
		t.Errorf("a stream is answered with %d", code)
	case <-time.After(100 * time.Millisecond):
	}
	r.begin()
	if m := <-hello; m["run"] != "2026-11-28T12:00:00Z" || m["acq_clock_hz"] != 1e6 {
		t.Errorf("hello is %v", m)
	}
	if code := <-status; code != 200 {
		t.Errorf("the stream: %d", code)
	}
	r.hub.Status(&run.Snapshot{}, nil)
	if code := <-status; code != 404 {
		t.Errorf("a stream that is not there: %d", code)
	}
}

// A recorder that ends without a recording lets those who wait go.
func TestWhoWaitsForARecordingThatNeverBeginsIsAnswered(t *testing.T) {
	r := newWritten(t, recording.WriterOptions{})
	r.serve("127.0.0.1:0", nil)
	code := make(chan int, 1)
	go func() {
		_, answer, _ := websocket.DefaultDialer.Dial("ws://"+r.at+"/socket", nil)
		if answer == nil {
			code <- 0
			return
		}
		code <- answer.StatusCode
	}()
	for end := time.Now().Add(5 * time.Second); r.server.clients() == 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	r.end()
	if got := <-code; got != 503 {
		t.Errorf("it is answered with %d", got)
	}
}

// deadlines notes how long a write may take.
type deadlines struct {
	nopWriter
	set []time.Time
}

func (d *deadlines) SetWriteDeadline(at time.Time) error {
	d.set = append(d.set, at)
	return nil
}

func (d *deadlines) Flush() {}

// Whatever a client asks for, it has not for ever to read it.
func TestNoAnswerIsWrittenForEver(t *testing.T) {
	r := newRecorder(t, nil)
	r.finish()
	for _, method := range []string{"GET", "HEAD"} {
		for _, path := range []string{"/", "/?live", "/index.html", "/none", "/status", "/files/probe_0.arrow", "/files/none", "/live/probe.arrows", "/live/none.arrows"} {
			w := &deadlines{}
			q, _ := http.NewRequest(method, "http://x"+path, nil)
			q.Host, q.RemoteAddr = r.at, "127.0.0.1:5"
			r.server.ServeHTTP(w, q)
			if len(w.set) == 0 || time.Until(w.set[len(w.set)-1]) > writeTimeout {
				t.Errorf("%s %s: deadlines %v", method, path, w.set)
			}
		}
	}
}

// What a program does not take in time from an Ephys Socket is said.
func TestWhatAnEphysSocketLeavesOutIsSaid(t *testing.T) {
	said := make(chan string, 10)
	r := newWritten(t, recording.WriterOptions{})
	defer r.end()
	r.begin()
	r.serve("127.0.0.1:0", func(o *Options) { o.Say = func(text string) { said <- text } })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.server.Ephys(l, EphysSocket{Port: 9001, Stream: "probe"})
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for r.hub.find("probe").tap.wanted.Load() == nil {
		time.Sleep(time.Millisecond)
	}
	hear := func(want string) {
		t.Helper()
		for end := time.After(10 * time.Second); ; {
			select {
			case text := <-said:
				if !strings.HasPrefix(text, "--ephys-socket 9001=probe: ") || !strings.Contains(text, want) {
					t.Errorf("said %q, want %q", text, want)
				}
				return
			case <-end:
				t.Fatalf("nothing is said of %q", want)
			case <-time.After(time.Millisecond):
				r.batch.Reset()
				r.decode(100_000)
			}
		}
	}
	hear("too slow")
	conn.Close()
	hear("were left out")
}

// A client hears that the recorder goes, which is nothing that it did.
func TestWhoFollowsHearsThatTheRecorderEnds(t *testing.T) {
	r := newRecorder(t, nil)
	v := r.connect(nil)
	v.next("hello")
	go r.server.Close(nil)
	if code, why := v.closed(); code != websocket.CloseGoingAway || why != reasonGone {
		t.Errorf("closed: %d %q", code, why)
	}
}

// A file that is being read when the recording ends is read to its end.
func TestTheEndWaitsForWhoReadsAFile(t *testing.T) {
	r := newRecorder(t, nil)
	for range 40 {
		r.decode(100_000)
		r.write()
	}
	r.finish()
	answer := r.get("/files/probe_0.arrow", nil)
	first := make([]byte, 1000)
	if _, err := io.ReadFull(answer.Body, first); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		r.server.Close(make(chan os.Signal))
		close(ended)
	}()
	time.Sleep(lastWords + lastMoment/2) // longer than who does not read files has
	rest, err := io.ReadAll(answer.Body)
	if size := r.length(); err != nil || int64(len(first)+len(rest)) != size {
		t.Errorf("%d bytes of %d: %v", len(first)+len(rest), size, err)
	}
	<-ended
}
