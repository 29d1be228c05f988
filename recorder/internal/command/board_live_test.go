//go:build linux && (amd64 || arm64)

package command

import (
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestWhoFollowsABoardKeepsNoPortOn: a client that comes while the headstage is made
// ready is told of the run that begins then, and at the end the ports are at 0 V before
// anybody is waited for who does not read.
func TestWhoFollowsABoardKeepsNoPortOn(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	r := recordBoard(t, calibration(t)+"ports: {a: {headstage: neuropixels-1.0e}}\n", map[string]string{"A": "np1e"}, "--listen", at)
	var early *websocket.Conn
	ready := make(chan error, 1)
	hello := struct {
		Type, Run string
		Hz        uint64 `json:"acq_clock_hz"`
	}{}
	go func() {
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			conn, _, err := websocket.DefaultDialer.Dial("ws://"+at+"/socket", nil)
			if err == nil {
				early = conn
				ready <- conn.ReadJSON(&hello)
				return
			}
			if time.Now().After(end) {
				ready <- err
				return
			}
		}
	}()
	r.until("run 1")
	if err := <-ready; err != nil || hello.Type != "hello" || hello.Run == "" || hello.Hz == 0 {
		t.Fatalf("it hears %+v, %v: %s", hello, err, r.words.String())
	}
	defer early.Close()
	stalled, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer stalled.Close()
	fmt.Fprintf(stalled, "GET /live/port-a-neuropixels-1.0e.arrows?from=start HTTP/1.1\r\nHost: localhost\r\n\r\n")
	time.Sleep(3 * time.Second) // until there is more than the system keeps
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); r.voltages()["1"] != "0" && time.Now().Before(end); {
		select {
		case <-r.ended:
			t.Fatalf("nobody was waited for: %s", r.words.String())
		case <-time.After(20 * time.Millisecond):
		}
	}
	r.dark()
	since := time.Now()
	if code := r.wait(15 * time.Second); code != exitDone {
		t.Errorf("exit code %d: %s", code, r.words.String())
	}
	if waited := time.Since(since); waited < time.Second {
		t.Errorf("the ports were dark %v before the end: after a reader was waited for, who has three seconds", waited)
	}
	r.complete()
}
