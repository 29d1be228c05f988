package live

import (
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/oniscope/oniscope/recorder/internal/rig"
	"github.com/oniscope/oniscope/recorder/internal/run"
	"github.com/oniscope/oniscope/recorder/internal/store"
)

// TestNoClientTouchesTheRecording: a probe in real time, and clients that read
// nothing, send garbage, vanish, and come from a foreign page.
func TestNoClientTouchesTheRecording(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 3 s in real time")
	}
	r, err := rig.Parse("rig.yaml", []byte("driver: sim\nsignal: pattern\nports: {a: {headstage: neuropixels-1.0e, voltage: auto}}\ndevices: {port-a/neuropixels-1.0e: {}, heartbeat: {rate_hz: 100}}\n"))
	if err == nil {
		err = r.Complete()
	}
	if err != nil {
		t.Fatal(err)
	}
	hub := NewHub()
	defer hub.Close()
	rec, err := run.New(run.Options{Rig: r, Dir: t.TempDir(), Duration: 3 * time.Second, Flush: time.Second, Sync: time.Second, Signals: make(chan os.Signal), Listen: hub})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, err := Serve(l, hub, Options{Token: testToken, Control: rec, Page: fstest.MapFS{}})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close(nil)
	done := make(chan error, 1)
	go func() { done <- rec.Run() }()
	const probe = "port-a-neuropixels-1.0e"
	src := hub.await(probe, t.Context().Done())
	before := heap()

	at := l.Addr().String()
	dial := func() *websocket.Conn {
		conn, _, err := websocket.DefaultDialer.Dial("ws://"+at+"/socket", nil)
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	all := []int{}
	for i := range src.stream.Columns {
		if src.stream.Columns[i].Type.Numeric() {
			all = append(all, i)
		}
	}
	show := map[string]any{"type": "show", "streams": []any{map[string]any{"stream": probe, "columns": all, "bin": 250_000}}}
	var held []net.Conn
	for range 3 { // read nothing: of the websocket, and of a stream
		still := dial()
		if err := still.WriteJSON(show); err != nil {
			t.Fatal(err)
		}
		held = append(held, still.NetConn())
		stream, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Write([]byte("GET /live/" + probe + ".arrows?from=start HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		held = append(held, stream)
	}
	killed := dial()
	if err := killed.WriteJSON(show); err != nil {
		t.Fatal(err)
	}
	killed.NetConn().Close()
	garbage := dial()
	_ = garbage.WriteMessage(websocket.TextMessage, []byte(strings.Repeat("{", 1000)))
	noise, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = noise.Write([]byte(strings.Repeat("\x00\xff", 5000)))
	foreign, answer, err := websocket.DefaultDialer.Dial("ws://"+at+"/socket", http.Header{"Origin": {"http://evil.example"}})
	if err == nil || answer.StatusCode != http.StatusForbidden {
		t.Errorf("a foreign page gets %v, %v", foreign, err)
	}

	time.Sleep(1500 * time.Millisecond)
	clients := len(held)
	if grown := heap() - before; grown > int64(clients)*16<<20 {
		t.Errorf("%d clients cost %d MB", clients, grown>>20)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for _, c := range held {
		c.Close()
	}
	s := rec.Summary()
	if s.State != store.StateComplete {
		t.Errorf("the run is %s: %v", s.State, rec.Judge())
	}
	for _, f := range s.Streams {
		if f.LostRows != 0 || f.DroppedRows != 0 {
			t.Errorf("%s lost %d rows", f.Name, f.LostRows)
		}
	}
}

// heap is what is in use, in bytes.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
