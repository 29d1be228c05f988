package live

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/run"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// rowsOf reads an Arrow stream and checks every value of one channel; it returns
// the first row and how many there are.
func rowsOf(t *testing.T, data []byte, name string, channel int) (first uint64, rows int, r *recording.Reader) {
	t.Helper()
	r, err := recording.NewReader(recording.Bytes(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if about := r.About(); about.State != recording.Complete || about.Format != recording.StreamFormat {
		t.Errorf("it is %s, a %s", about.State, about.Format)
	}
	ticks, values := column[uint64](t, r, "Clock"), column[uint16](t, r, name)
	for i, v := range values {
		if i > 0 && ticks[i] != ticks[i-1]+tickStep {
			t.Fatalf("row %d: Clock is %d after %d", i, ticks[i], ticks[i-1])
		}
		if v != value(channel, ticks[i]/tickStep) {
			t.Fatalf("row %d is %d", i, v)
		}
	}
	if len(ticks) > 0 {
		first = ticks[0] / tickStep
	}
	return first, len(ticks), r
}

// grow writes batches until the test ends.
func (r *recorder) grow(batches, rows int) {
	done := make(chan struct{})
	r.t.Cleanup(func() { <-done })
	go func() {
		defer close(done)
		for range batches {
			time.Sleep(2 * time.Millisecond)
			r.decode(rows)
			r.write()
		}
		r.finish()
	}()
}

func TestAStreamIsFollowedFromWhereOneWants(t *testing.T) {
	for name, c := range map[string]struct {
		query       string
		first, rows int
		columns     int
	}{
		"from the start to the end":     {"?from=start", 0, 600, 4},
		"from a tick on":                {"?from=123456", 124, 476, 4},
		"from a tick on, for a while":   {"?from=123456&for=50ms", 124, 50, 4},
		"from the start, for a while":   {"?from=start&for=250ms", 0, 250, 4},
		"what is written from now on":   {"", 100, 500, 4},
		"some columns":                  {"?from=start&columns=*Ch1,Clock", 0, 600, 2},
		"some columns, twice the key":   {"?from=start&columns=Clock&columns=*Ch1", 0, 600, 2},
		"a tick that is still to come":  {"?from=500000&for=10ms", 500, 10, 4},
		"a tick beyond what is written": {"?from=99999999999", 0, 0, 4},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecorder(t, nil)
			for range 2 {
				r.decode(50)
				r.write()
			}
			got := r.get("/live/probe.arrows"+c.query, nil)
			r.grow(10, 50)
			data, err := io.ReadAll(got.Body)
			if err != nil || got.StatusCode != 200 {
				t.Fatalf("%d %s: %v", got.StatusCode, data, err)
			}
			first, rows, reader := rowsOf(t, data, "SpikeDataCh1", 1)
			if int(first) != c.first || rows != c.rows || len(reader.Stream().Columns) != c.columns {
				t.Errorf("rows %d to %d of %d columns; want %d to %d of %d", first, int(first)+rows, len(reader.Stream().Columns), c.first, c.first+c.rows, c.columns)
			}
		})
	}
}

func TestALargeBatchIsReadInParts(t *testing.T) {
	r := newRecorder(t, nil)
	const rows = 300_000 // 3 parts
	r.decode(rows)
	r.write()
	r.finish()
	data, err := io.ReadAll(r.get("/live/probe.arrows?from=start", nil).Body)
	if err != nil {
		t.Fatal(err)
	}
	_, got, reader := rowsOf(t, data, "SpikeDataCh2", 2)
	if got != rows || reader.NumBatches() < 2 {
		t.Errorf("%d rows in %d batches", got, reader.NumBatches())
	}
}

func TestWhatCannotBeFollowedIsSaid(t *testing.T) {
	r := newRecorder(t, nil)
	gaps := recording.GapStream()
	r.hub.Opened(gaps, "gaps_0.arrow")
	r.hub.Status(&run.Snapshot{}, nil)
	for path, want := range map[string]int{
		"/live/probe.arrows?columns=": 400, "/live/probe.arrows?from=": 400, "/live/probe.arrows?for=": 400, "/live/probe.arrows?columns=Clock,,": 400, "/live/probe.arrows?columns=[": 400,
		"/live/gaps.arrows?from=5": 400, "/live/gaps.arrows?for=5s": 400,
		"/live/none.arrows": 404, "/live/probe": 404, "/live/probe.arrows?from=soon": 400, "/live/probe.arrows?columns=Nothing*": 400,
		"/live/probe.arrows?for=x": 400, "/live/probe.arrows?for=%": 400, "/live/probe.arrows?for=1s;from=start": 400, "/live/probe.arrows?for=1s&for=2s": 400, "/live/probe.arrows?from=now&from=start": 400, "/live/probe.arrows?for=-1s": 400, "/live/probe.arrows?colums=x": 400, "/live/../hub.go": 404,
		"/files/hub.go": 404, "/files/..%2f..%2fetc%2fpasswd": 404, "/files/": 404,
	} {
		if got := r.get(path, nil); got.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, got.StatusCode, want)
		} else if text, _ := io.ReadAll(got.Body); bytes.Contains(text, []byte("recording:")) {
			t.Errorf("%s: a package is named in %q", path, text)
		}
	}
}

func TestAFileIsGivenUpToItsLastWholeBatch(t *testing.T) {
	r := newRecorder(t, nil)
	schema := r.length()
	half := func() {
		t.Helper()
		if _, err := r.file.Write([]byte("half of a batch")); err != nil {
			t.Fatal(err)
		}
	}
	half()
	if data, _ := io.ReadAll(r.get("/files/probe_0.arrow", nil).Body); int64(len(data)) != schema {
		t.Errorf("before the first batch %d bytes, want the schema's %d", len(data), schema)
	}
	r.cut(schema)
	r.decode(50)
	block := r.write()
	half()
	get := func(ranges string) (*http.Response, []byte) {
		got := r.get("/files/probe_0.arrow", func(q *http.Request) {
			if ranges != "" {
				q.Header.Set("Range", ranges)
			}
		})
		data, err := io.ReadAll(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		return got, data
	}
	got, data := get("")
	if end := block.Offset + block.Length; int64(len(data)) != end {
		t.Errorf("%d bytes, want %d", len(data), end)
	}
	mark := got.Header.Get("ETag")
	if got := r.get("/files/probe_0.arrow", func(q *http.Request) { q.Header.Set("If-None-Match", mark) }); got.StatusCode != 200 {
		t.Errorf("who has an earlier state of the file gets %d", got.StatusCode)
	}
	if got := r.get("/files/probe_0.arrow", func(q *http.Request) { q.Header.Set("Range", "bytes=0-5"); q.Header.Set("If-Range", mark) }); got.StatusCode != 206 {
		t.Errorf("a range of the file that was begun: %d", got.StatusCode)
	}
	if got, data := get("bytes=0-5"); got.StatusCode != 206 || string(data) != "ARROW1" {
		t.Errorf("%d %q", got.StatusCode, data)
	}
	r.cut(block.Offset + block.Length)
	r.decode(50)
	r.write()
	if got, more := get(""); len(more) <= len(data) || !bytes.Equal(more[:len(data)], data) || got.Header.Get("ETag") != mark {
		t.Errorf("after another batch %d bytes, mark %q and %q", len(more), got.Header.Get("ETag"), mark)
	}
	r.finish()
	if _, whole := get(""); string(whole[len(whole)-6:]) != "ARROW1" {
		t.Error("at the end the footer is missing")
	}
}

// An answer that goes on has no end for a program that asks for its head alone.
func TestTheHeadOfAStreamComesAtOnce(t *testing.T) {
	r := newRecorder(t, nil)
	q, _ := http.NewRequest(http.MethodHead, "http://"+r.at+"/live/probe.arrows", nil)
	answer, err := (&http.Client{Timeout: 5 * time.Second}).Do(q)
	if err != nil || answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "application/vnd.apache.arrow.stream" {
		t.Fatalf("%v, %v", answer, err)
	}
	for end := time.Now().Add(5 * time.Second); r.server.clients() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it is followed still")
		}
	}
}

func TestAnEphysSocketThatCannotBeSaysWhy(t *testing.T) {
	s := testStream()
	events := stream.Stream{Name: "beats", Columns: s.Columns[:1]}
	for want, err := range map[string]error{
		"": EphysSocket{Port: 9001, Stream: "probe", Group: "ap"}.Check(&s),
		`--ephys-socket 9001=probe: stream probe has no channels "LFP"; it has AP`:              EphysSocket{Port: 9001, Stream: "probe", Group: "LFP"}.Check(&s),
		"--ephys-socket 9001=beats: stream beats has no channels that this protocol could give": EphysSocket{Port: 9001, Stream: "beats"}.Check(&events),
	} {
		if got := fmt.Sprint(err); got != want && (err != nil || want != "") {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTheEphysSocketGivesEveryValue(t *testing.T) {
	r := newRecorder(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.server.Ephys(l, EphysSocket{Stream: "probe"})
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for r.hub.find("probe").tap.wanted.Load() == nil {
		time.Sleep(time.Millisecond)
	}
	const rows, samples, channels = 1000, 10, 3
	for range rows / 20 {
		r.decode(20)
		time.Sleep(time.Millisecond)
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for packet := range rows / samples {
		var h struct {
			Offset, Bytes                int32
			Depth                        int16
			Element, Channels, PerPacket int32
		}
		if err := binary.Read(conn, binary.LittleEndian, &h); err != nil {
			t.Fatal(err)
		}
		if h.Offset != 0 || h.Bytes != 2*samples*channels || h.Depth != 2 || h.Element != 2 || h.Channels != channels || h.PerPacket != samples {
			t.Fatalf("the header is %+v", h)
		}
		values := make([]uint16, channels*samples)
		if err := binary.Read(conn, binary.LittleEndian, values); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if row := uint64(packet*samples + i%samples); v != value(i/samples, row) {
				t.Fatalf("packet %d, value %d is %d, want %d", packet, i, v, value(i/samples, row))
			}
		}
	}
	r.finish()
	if n, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after the end of the recording: %d bytes, %v", n, err)
	}
}

func TestASlowReaderOfAStreamLosesNothing(t *testing.T) {
	r := newRecorder(t, nil)
	out := &slowly{}
	done := make(chan error, 1)
	go func() { done <- r.hub.Follow(context.Background(), "probe", Following{From: "start"}, out, nil) }()
	r.grow(50, 40)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, rows, _ := rowsOf(t, out.Bytes(), "SpikeDataCh0", 0); rows != 2000 {
		t.Errorf("%d rows", rows)
	}
	if !strings.Contains(out.String(), "SpikeDataCh0") {
		t.Error("the schema is missing")
	}
}

// slowly takes its time.
type slowly struct{ bytes.Buffer }

func (s *slowly) Write(p []byte) (int, error) {
	time.Sleep(3 * time.Millisecond)
	return s.Buffer.Write(p)
}

// TestAStalledReaderDoesNotHoldTheEndUp: the programs that do not read have a moment,
// not as long as a write may take.
func TestAStalledReaderDoesNotHoldTheEndUp(t *testing.T) {
	r := newRecorder(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.server.Ephys(l, EphysSocket{Stream: "probe"})
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for r.hub.find("probe").tap.wanted.Load() == nil {
		time.Sleep(time.Millisecond)
	}
	for range 40 { // more than the system keeps, and then more than waits here
		r.batch.Rows = 0
		for c := range r.batch.Columns {
			r.batch.Columns[c] = r.batch.Columns[c][:0]
		}
		r.decode(100_000)
	}
	began := time.Now()
	r.server.Close(nil)
	if took := time.Since(began); took > writeTimeout/2 {
		t.Errorf("the end took %.1f s", took.Seconds())
	}
}
