package command

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/oniscope/oniscope/recorder/internal/store"
)

// maxClientBytes is what one client may cost.
const maxClientBytes = 16 << 20

// TestNoClientTouchesTheRecording: a recorder in real time, and clients that read
// nothing, read slowly, vanish, send garbage, and come from a foreign page. Nothing
// is lost, and each costs a bounded share of memory. ONISCOPE_CALM=1 takes two probes
// and more than a minute; without it, one probe and some seconds.
func TestNoClientTouchesTheRecording(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 4 s in real time")
	}
	ports, seconds := "{a: {headstage: neuropixels-1.0e}}", 4
	calm := os.Getenv("ONISCOPE_CALM") != ""
	if calm {
		ports, seconds = "{a: {headstage: neuropixels-1.0e}, b: {headstage: neuropixels-1.0e}}", 80
	}
	const probe = "port-a-neuropixels-1.0e"
	p := recorder(t, "ports: "+ports+"\ndevices: {heartbeat: {rate_hz: 100}}\n", "--listen", "127.0.0.1:0", "--duration", fmt.Sprintf("%ds", seconds), "--quiet")
	words, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(words)
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, lines)
	_, at, _ := strings.Cut(line, "http://")
	at, _, _ = strings.Cut(at, "/")
	warm := time.Second / 2
	if calm {
		warm = 12 * time.Second // until its own buffers have their size
	}
	p.grown(probe+"_0.arrow", 1<<20)
	time.Sleep(warm)
	resident := func(during time.Duration) int64 { // the median: a batch more while the disk is busy is the recorder's own
		var all []int64
		for until := time.Now().Add(during); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
			all = append(all, residentBytes(t, p.Process.Pid))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	before := resident(warm)

	var open []io.Closer
	dial := func() *websocket.Conn {
		t.Helper()
		conn, _, err := websocket.DefaultDialer.Dial("ws://"+at+"/socket", nil)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, conn)
		all := make([]int, 700)
		for i := range all {
			all[i] = i + 1
		}
		if err := conn.WriteJSON(map[string]any{"type": "show", "streams": []any{map[string]any{"stream": probe, "columns": all, "bin": 0}}}); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	get := func(path string) net.Conn {
		t.Helper()
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, conn)
		if _, err := conn.Write([]byte("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	// Of each way to ask, one that reads nothing.
	dial()
	get("/live/" + probe + ".arrows?from=start")
	get("/files/" + probe + "_0.arrow")
	slow := get("/live/" + probe + ".arrows?from=start")
	end := make(chan struct{})
	defer close(end)
	go func() { // 1 MB a second
		part := make([]byte, 50_000)
		for {
			if _, err := io.ReadFull(slow, part); err != nil {
				return
			}
			select {
			case <-end:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	dial().NetConn().Close()
	garbage := dial()
	_ = garbage.WriteMessage(websocket.TextMessage, []byte(strings.Repeat("{", 1000)))
	noise, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	open = append(open, noise)
	_, _ = noise.Write(bytes.Repeat([]byte{0, 0xff}, 5000))
	if foreign, answer, err := websocket.DefaultDialer.Dial("ws://"+at+"/socket", http.Header{"Origin": {"http://evil.example"}}); err == nil || answer == nil || answer.StatusCode != http.StatusForbidden {
		t.Errorf("a foreign page gets %v, %v", foreign, answer)
	}
	const held = 4
	more := resident(time.Duration(seconds)*time.Second-2*warm-time.Second) - before
	t.Logf("%d clients: %.1f MB each; the recorder has %.0f MB without them", held, float64(more)/held/1e6, float64(before)/1e6)
	limit := int64(held * maxClientBytes)
	if !calm {
		limit += 48 << 20 // a recorder that has begun takes one batch more
	}
	if more > limit {
		t.Errorf("%d clients cost %d MB", held, more>>20)
	}
	for _, conn := range open { // or they would be waited for
		conn.Close()
	}
	if code := p.ends(time.Duration(seconds)*time.Second + patience); code != 0 {
		t.Errorf("exit code %d", code)
	}
	text, err := os.ReadFile(filepath.Join(p.dir, "recording_0.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s store.Summary
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	if s.State != store.StateComplete {
		t.Errorf("the run is %s", s.State)
	}
	for _, f := range s.Streams {
		if f.LostRows != 0 || f.DroppedRows != 0 {
			t.Errorf("%s lost %d rows", f.Name, f.LostRows)
		}
	}
}

// residentBytes is the memory of a process that is in RAM.
func residentBytes(t *testing.T, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
