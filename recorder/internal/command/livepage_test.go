//go:build unix

package command

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/serve"
	"github.com/oniscope/oniscope/web"
	"github.com/oniscope/oniscope/web/pagetest"
)

// A recorder and its page, from the first sample to a kill -9: the page follows,
// looks back, takes a note, says when the link is lost, and goes on with the files.
func TestThePageFollowsARecorderAndOutlivesIt(t *testing.T) {
	if !web.HasEngine() {
		t.Skip("built without the page: run go tool mage build")
	}
	if _, err := pagetest.FindChromium(); err != nil {
		t.Skip(err)
	}
	p := recorder(t, "devices: {analog-io: {}, digital-io: {}, heartbeat: {rate_hz: 100}, memory-monitor: {rate_hz: 10}}\n", "--listen", "127.0.0.1:0", "--flush", "200ms", "--quiet")
	words, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(words).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`live view: (http://([^/]+)/\?token=\S+)`).FindStringSubmatch(line)
	if found == nil {
		t.Fatalf("no address in %q", line)
	}
	browser, err := pagetest.Start(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer browser.Close()
	page, err := browser.Open(found[1], pagetest.View{Width: 1280, Height: 800})
	if err != nil {
		t.Fatal(err)
	}
	defer page.Close()
	eval := func(expression string, result any) {
		t.Helper()
		if err := page.Eval(expression, result); err != nil {
			t.Fatal(err, page.Problems())
		}
	}
	wait := func(what, condition string) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			var holds bool
			err := page.Eval("(async () => !!(await ("+condition+")))()", &holds)
			if err == nil && holds {
				return
			}
			if err != nil || time.Now().After(end) {
				var state any
				_ = page.Eval("oniscope.live()", &state)
				t.Fatalf("%s: not so: %v\n%v\n%v", what, err, state, page.Problems())
			}
		}
	}
	key := func(name string) {
		t.Helper()
		eval(`document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "`+name+`", bubbles: true})), true`, nil)
	}
	wait("it follows", `(async () => { const l = await oniscope.live(); return l.state === "open" && l.mode === "follow" && l.late_ms !== null; })()`)
	eval(`location.search + location.hash`, &line)
	if regexp.MustCompile("token").MatchString(line) {
		t.Errorf("the token is still in the address: %q", line)
	}
	var first struct {
		Now float64 `json:"now"`
	}
	eval(`oniscope.live()`, &first)
	wait("time goes on", fmt.Sprintf(`(async () => (await oniscope.live()).now > %f)()`, first.Now+25e6))
	wait("the strip has numbers", `/recording.*elapsed.*hardware buffer.*MB.*lost nothing/.test(document.getElementById("live").textContent.replaceAll("\n", " "))`)
	wait("each stream has two lines", `[...document.querySelectorAll("#streams .live-line")].length >= 4 && /100 \/ 100/.test(document.getElementById("streams").textContent)`)

	key("ArrowLeft")
	wait("a pan leaves now", `(async () => (await oniscope.live()).mode === "pause" && !document.getElementById("back-to-live").hidden)()`)
	var clocks []float64
	eval(`oniscope.values("heartbeat_0", "Clock", 0, 20).then(v => Array.from(v.values, Number))`, &clocks)
	if len(clocks) != 20 || math.Abs(clocks[19]-clocks[0]-19*2.5e6) > 1000 {
		t.Errorf("the first rows are %v", clocks)
	}
	eval(`oniscope.view({stream: "analog-io_0", from: 0, to: 0.5}).then(() => true)`, nil) // exact, and on the screen
	key("End")
	wait("End follows", `(async () => (await oniscope.live()).mode === "follow" && document.getElementById("back-to-live").hidden)()`)
	key("l")
	wait("L holds", `(async () => (await oniscope.live()).mode === "pause")()`)
	key("l")

	eval(`(document.getElementById("add-note").click(), document.querySelector("#notes-panel form input").value = "light on", document.querySelector("#notes-panel form").requestSubmit(), true)`, nil)
	wait("the note is listed", `/light on/.test(document.querySelector("#notes-panel .notes").textContent)`)
	wait("the note is in its file", `(async () => (await oniscope.streams()).includes("notes_0") && (await oniscope.values("notes_0", "Text", 0, 1)).values[0] === "light on")()`)
	for _, problem := range page.Problems() {
		t.Error(problem)
	}

	p.signal(syscall.SIGKILL)
	_ = p.Wait()
	wait("the link is lost", `document.documentElement.dataset.live === "lost" && /link lost/.test(document.getElementById("live").textContent)`)
	files, err := filepath.Glob(filepath.Join(p.dir, "*.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", found[2])
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: serve.New(web.Files, files)} // as oniscope view on the same port
	go server.Serve(l)
	defer server.Close()
	wait("it goes on with the files", `document.documentElement.dataset.live === "dead" && /without closing its files/.test(document.getElementById("notices").textContent)`)
	var report struct {
		Outcome string `json:"outcome"`
		Rows    int64  `json:"rows_recovered"`
	}
	eval(`oniscope.recover("heartbeat_0").then(r => r.report)`, &report)
	if report.Outcome != "lossless" || report.Rows < 100 {
		t.Errorf("recovered: %+v", report)
	}
}
