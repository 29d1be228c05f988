package live

import (
	"encoding/binary"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/recorder/internal/run"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A recorder stands for a run: it writes a file of one stream and tells the hub.
type recorder struct {
	t      testing.TB
	hub    *Hub
	server *Server
	at     string // host:port
	dir    string
	stream stream.Stream
	file   *os.File
	writer *recording.Writer
	batch  *device.Batch
	tick   uint64
	asked  control
}

// A control notes what clients ask for.
type control struct {
	notes []recording.Note
	stops []string
}

func (c *control) Note(n recording.Note) (recording.Note, error) {
	c.notes = append(c.notes, n)
	n.About = 77
	return n, nil
}
func (c *control) Stop(reason string) { c.stops = append(c.stops, reason) }

type diskFile struct{ *os.File }

const (
	testToken = "a-token-of-the-test"
	tickStep  = 1000 // ticks from row to row: 1 kHz
)

// testStream has a Clock, 16-bit channels, and a slower signal.
func testStream() stream.Stream {
	s := stream.Stream{Name: "probe", Device: "Probe", AcqClockHz: 1_000_000}
	s.Columns = append(s.Columns, stream.Column{Name: "Clock", Type: stream.Uint64, ArrowType: "uint64", ByteWidth: 8, RateHz: 1000})
	for _, name := range []string{"SpikeDataCh0", "SpikeDataCh1", "SpikeDataCh2"} {
		s.Columns = append(s.Columns, stream.Column{Name: name, Type: stream.Uint16, ArrowType: "uint16", ByteWidth: 2, RateHz: 1000})
	}
	return s
}

// newRecorder serves a recording without rows.
func newRecorder(t testing.TB, change func(o *Options)) *recorder {
	t.Helper()
	return newRecorderAt(t, "127.0.0.1:0", change)
}

func newRecorderAt(t testing.TB, address string, change func(o *Options)) *recorder {
	t.Helper()
	r := newWritten(t, recording.WriterOptions{})
	t.Cleanup(r.end)
	r.begin()
	r.serve(address, change)
	return r
}

// newWritten writes a recording that nobody serves, and that has not begun; end ends it.
func newWritten(t testing.TB, o recording.WriterOptions) *recorder {
	t.Helper()
	r := &recorder{t: t, dir: t.TempDir(), stream: testStream(), hub: NewHub()}
	f, err := os.Create(filepath.Join(r.dir, "probe_0.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	r.file = f
	if r.writer, err = recording.NewWriter(diskFile{f}, &r.stream, o); err != nil {
		t.Fatal(err)
	}
	r.batch = device.NewBatch(&r.stream, 0)
	return r
}

func (r *recorder) begin() {
	r.hub.Begun(run.Begun{Dir: r.dir, Suffix: "0", StartUTC: "2026-11-28T12:00:00Z", AcqClockHz: r.stream.AcqClockHz})
	r.hub.Opened(&r.stream, "probe_0.arrow")
}

// serve answers until end.
func (r *recorder) serve(address string, change func(o *Options)) {
	r.t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		r.t.Fatal(err)
	}
	o := Options{Token: testToken, Control: &r.asked, Page: fstest.MapFS{"index.html": {Data: []byte("<!doctype html>page")}}}
	if change != nil {
		change(&o)
	}
	if r.server, err = Serve(l, r.hub, o); err != nil {
		r.t.Fatal(err)
	}
	r.at = l.Addr().String()
}

func (r *recorder) end() {
	if r.server != nil {
		r.server.Close(nil)
	}
	r.hub.Close()
	r.file.Close()
}

// value is what channel c has at a row.
func value(c int, row uint64) uint16 { return uint16(uint64(c)*1000 + row%997) }

// decode appends rows to the batch, as a decoder does, and shows them.
func (r *recorder) decode(rows int) {
	from := r.batch.Rows
	for range rows {
		row := r.tick
		r.tick++
		r.batch.Columns[0] = binary.LittleEndian.AppendUint64(r.batch.Columns[0], row*tickStep)
		for c := range 3 {
			r.batch.Columns[1+c] = binary.LittleEndian.AppendUint16(r.batch.Columns[1+c], value(c, row))
		}
		r.batch.Rows++
	}
	r.hub.Decoded(&r.stream, r.batch, from)
}

// write writes the batch.
func (r *recorder) write() recording.Block {
	r.t.Helper()
	var vectors []recording.Vector
	for _, c := range r.batch.Columns {
		vectors = append(vectors, recording.Vector{Data: c})
	}
	block, err := r.writer.WriteBatch(r.batch.Rows, vectors)
	if err != nil {
		r.t.Error(err)
		return block
	}
	r.batch.Reset()
	r.hub.Written("probe", "probe_0.arrow", block)
	return block
}

// finish ends the run.
func (r *recorder) finish() {
	if err := r.writer.Close(); err != nil {
		r.t.Error(err)
	}
	r.hub.Ended(&store.Summary{State: store.StateComplete})
}

// get asks with the headers of change.
func (r *recorder) get(path string, change func(q *http.Request)) *http.Response {
	r.t.Helper()
	q, err := http.NewRequest(http.MethodGet, "http://"+r.at+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if change != nil {
		change(q)
	}
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 20 * time.Second}
	answer, err := c.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { answer.Body.Close() })
	return answer
}

// A viewer is a client of the test.
type viewer struct {
	t testing.TB
	*websocket.Conn
}

func (r *recorder) connect(header http.Header) *viewer {
	r.t.Helper()
	conn, answer, err := websocket.DefaultDialer.Dial("ws://"+r.at+"/socket", header)
	if err != nil {
		status := 0
		if answer != nil {
			status = answer.StatusCode
		}
		r.t.Fatalf("%v (%d)", err, status)
	}
	r.t.Cleanup(func() { conn.Close() })
	return &viewer{r.t, conn}
}

func withToken() http.Header { return http.Header{"Authorization": {"Bearer " + testToken}} }

// next is the next text message of a type, with others passed over.
func (v *viewer) next(kind string) map[string]any {
	v.t.Helper()
	for {
		_ = v.SetReadDeadline(time.Now().Add(10 * time.Second))
		what, data, err := v.ReadMessage()
		if err != nil {
			v.t.Fatalf("waiting for %s: %v", kind, err)
		}
		if what != websocket.TextMessage {
			continue
		}
		var m map[string]any
		if err := json.Unmarshal(data, &m); err != nil {
			v.t.Fatalf("%s: %v", data, err)
		}
		if m["type"] == kind {
			return m
		}
	}
}

func (v *viewer) say(m any) {
	v.t.Helper()
	if err := v.WriteJSON(m); err != nil {
		v.t.Fatal(err)
	}
}

// binary is the next binary message: its header, and the rows of its batch.
func (v *viewer) binary(schema []byte) (header, *recording.Reader) {
	v.t.Helper()
	for {
		_ = v.SetReadDeadline(time.Now().Add(10 * time.Second))
		what, data, err := v.ReadMessage()
		if err != nil {
			v.t.Fatal(err)
		}
		if what == websocket.TextMessage {
			continue
		}
		n := binary.LittleEndian.Uint32(data)
		var h header
		if err := json.Unmarshal(data[4:4+n], &h); err != nil {
			v.t.Fatal(err)
		}
		if (4+n)%8 != 0 {
			v.t.Errorf("the batch begins at byte %d", 4+n)
		}
		whole := append(append([]byte{}, schema...), data[4+n:]...)
		r, err := recording.NewReader(recording.Bytes(whole), int64(len(whole)))
		if err != nil {
			v.t.Fatal(err)
		}
		return h, r
	}
}

// closed is the reason that the recorder gives for the end.
func (v *viewer) closed() (code int, reason string) {
	v.t.Helper()
	for {
		_ = v.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, _, err := v.ReadMessage(); err != nil {
			if c, ok := err.(*websocket.CloseError); ok {
				return c.Code, c.Text
			}
			v.t.Fatalf("closed without a reason: %v", err)
		}
	}
}
