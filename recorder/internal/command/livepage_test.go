//go:build unix

package command

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
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
	cable := newCable(t, found[2])
	browser, err := pagetest.Start(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer browser.Close()
	page, err := browser.Open(strings.Replace(found[1], found[2], cable.address, 1), pagetest.View{Width: 1280, Height: 800})
	if err != nil {
		t.Fatal(err)
	}
	defer page.Close()
	eval := func(expression string, result any) {
		t.Helper()
		if err := page.Eval(expression, result); err != nil {
			var words string
			_ = page.Eval(`document.getElementById("status").textContent + " | " + document.getElementById("live").textContent`, &words)
			t.Fatal(err, page.Problems(), words)
		}
	}
	wait := func(what, condition string) {
		t.Helper()
		for end := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
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

	var followed struct{ Width float64 }
	eval(`oniscope.live().then(({ now }) => oniscope.view({ from: now / 250e6 - 0.5, to: now / 250e6 })).then(({ from, to }) => ({ width: to - from }))`, &followed)
	if math.Abs(followed.Width-0.5) > 0.01 {
		t.Errorf("what follows is asked for half a second, and shows %.3f s", followed.Width)
	}
	wait("it follows still", `(async () => (await oniscope.live()).mode === "follow")()`)

	theRightEdgeIsNow(t, page)
	rowsEndAtNow(t, page)

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
	eval(`(document.querySelector("#notes-panel .notes .jump").click(), true)`, nil) // it may have left the view that follows
	wait("the note is a mark", `[...document.querySelectorAll("#losses .taken")].some((m) => !m.hidden && m.textContent === "light on")`)
	key("End")
	wait("the note is in its file", `(async () => (await oniscope.streams()).includes("notes_0") && (await oniscope.values("notes_0", "Text", 0, 1)).values[0] === "light on")()`)

	// A trigger on a digital line holds the picture, and is armed again.
	eval(`(document.getElementById("mode-trigger").click(), (() => {
		const select = document.querySelector("dialog select");
		select.value = [...select.options].findIndex((o) => /Din 0|Din0|D0/.test(o.textContent) && /rises/.test(o.textContent));
		select.dispatchEvent(new Event("change"));
		document.getElementById("arm").click();
	})(), true)`, nil)
	for range 2 {
		wait("the trigger holds", `(async () => (await oniscope.live()).mode === "trigger" && !document.getElementById("back-to-live").hidden && /arm again/.test(document.getElementById("back-to-live").textContent))()`)
		eval(`(document.getElementById("back-to-live").click(), true)`, nil)
	}
	key("End")

	// A connection that breaks off is made again, and nothing is twice or missing.
	cable.cut()
	wait("it is connected again", `document.documentElement.dataset.live === "open"`)
	eval(`oniscope.live()`, &first)
	wait("time goes on again", fmt.Sprintf(`(async () => (await oniscope.live()).now > %f && (await oniscope.live()).mode === "follow")()`, first.Now+400e6))
	wait("its file has what came before the cut", fmt.Sprintf(`(async () => (await oniscope.info("heartbeat_0")).rows > %d)()`, int(first.Now/2.5e6)+1))
	before := max(0, int(first.Now/2.5e6)-300) // rows: three seconds before the cut
	eval(fmt.Sprintf(`oniscope.info("heartbeat_0").then(({rows}) => oniscope.values("heartbeat_0", "Clock", %d, rows)).then(v => Array.from(v.values, Number))`, before), &clocks)
	for i := 1; i < len(clocks); i++ {
		if math.Abs(clocks[i]-clocks[i-1]-2.5e6) > 1000 {
			t.Fatalf("beat %d of %d is %.0f ticks after the one before", i, len(clocks), clocks[i]-clocks[i-1])
		}
	}
	if len(clocks) < 100 || clocks[len(clocks)-1] < first.Now {
		t.Errorf("%d beats to %.0f, before the cut it was %.0f", len(clocks), clocks[len(clocks)-1], first.Now)
	}
	for _, problem := range page.Problems() {
		if !strings.Contains(problem, "WebSocket") { // the browser's own words of a connection that broke off
			t.Error(problem)
		}
	}

	p.signal(syscall.SIGKILL)
	_ = p.Wait()
	wait("the link is lost", `document.documentElement.dataset.live === "lost" && /link lost/.test(document.getElementById("live").textContent)`)
	files, err := filepath.Glob(filepath.Join(p.dir, "*.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	wait("it says what to do", `/does not answer/.test(document.getElementById("notices").textContent) && document.getElementById("notices").textContent.includes("oniscope view --no-browser --port `+cable.port()+` `+p.dir+`")`)
	cable.Close()
	l, err := net.Listen("tcp", cable.address)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: serve.New(web.Files, files)} // as oniscope view on the same port
	go server.Serve(l)
	defer server.Close()
	wait("it goes on with the files", `document.documentElement.dataset.live === "dead" && /without closing its files/.test(document.getElementById("notices").textContent) && /oniscope recover --in-place /.test(document.getElementById("notices").textContent)`)
	var end struct{ View, Rows float64 }
	eval(`(async () => { const { stream, to } = await oniscope.view(), { rows } = await oniscope.info(stream), { values } = await oniscope.values(stream, "Clock", rows - 1, rows); return { view: to, rows: Number(values[0]) / 250e6 }; })()`, &end)
	if end.View > end.Rows+0.002 {
		t.Errorf("of the files to %.4f s the page shows what is before %.4f", end.Rows, end.View)
	}
	var report struct {
		Outcome string `json:"outcome"`
		Rows    int64  `json:"rows_recovered"`
	}
	eval(`oniscope.recover("heartbeat_0").then(r => r.report)`, &report)
	if report.Outcome != "lossless" || report.Rows < 100 {
		t.Errorf("recovered: %+v", report)
	}

	// Its folder, dropped onto a page that knows nothing of it.
	other, err := browser.Open("http://"+cable.address+"/", pagetest.View{Width: 1280, Height: 800})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.Drop(p.dir); err != nil {
		t.Fatal(err)
	}
	if err := other.WaitDrawn(0); err != nil {
		t.Fatal(err, other.Problems())
	}
	var there struct {
		Streams int
		Offered bool
	}
	if err := other.Eval(`oniscope.streams().then((list) => ({ streams: list.length, offered: !!document.getElementById("recover") }))`, &there); err != nil || there.Streams != len(files) || !there.Offered {
		t.Errorf("%d of %d recordings are open, recovery offered: %v; %v %v", there.Streams, len(files), there.Offered, err, other.Problems())
	}
}

// A cable leads to a recorder, and can be cut.
type cable struct {
	net.Listener
	address string

	mu   sync.Mutex
	ends []net.Conn
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{Listener: l, address: l.Addr().String()}
	t.Cleanup(func() {
		l.Close()
		c.cut()
	})
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			c.mu.Lock()
			c.ends = append(c.ends, near, far)
			c.mu.Unlock()
			for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
				go func() {
					_, _ = io.Copy(way[0], way[1])
					way[0].Close()
				}()
			}
		}
	}()
	return c
}

func (c *cable) port() string { return c.address[strings.LastIndex(c.address, ":")+1:] }

// cut ends all connections there are.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, end := range c.ends {
		end.Close()
	}
	c.ends = nil
}

// slowPainter has every picture take 250 ms in the painter, of its processor's time.
const slowPainter = `globalThis.quick ??= createImageBitmap, globalThis.createImageBitmap = (image) => { for (const end = performance.now() + 250; performance.now() < end;); return quick(image); }`

// slowNews has the page's own thread hear 200 ms late of what came, as when that has
// no processor.
const slowNews = `globalThis.tell ??= postMessage, globalThis.postMessage = (message, transfer) => message.op === "came" ? setTimeout(() => tell(message, transfer), 200) : tell(message, transfer)`

// theRightEdgeIsNow looks at every frame of a page that follows: as it is, while its
// painter is slow, and while its own thread hears late of what came. Traces end at the
// right edge all the time, and are late by few pictures more than on this machine as
// it is.
func theRightEdgeIsNow(t *testing.T, page *pagetest.Page) {
	t.Helper()
	asItIs := 0.0 // ms: of a machine that has much else to do
	for _, slow := range []struct {
		what, worker, script, undo string
		least                      float64 // ms that it takes
	}{
		{"nothing is slowed down", "painter.worker.js", `0`, `0`, 0},
		{"a picture takes 250 ms", "painter.worker.js", slowPainter, `globalThis.createImageBitmap = quick`, 200},
		{"the page hears 200 ms late", "live.worker.js", slowNews, `globalThis.postMessage = tell`, 0},
	} {
		if err := page.EvalIn(slow.worker, slow.script); err != nil {
			t.Fatal(err)
		}
		var seen struct {
			Away     float64 `json:"away"`
			Pictures int     `json:"pictures"`
			Each     float64 `json:"each"`
			Late     float64 `json:"late"`
		}
		err := page.Eval(`(async () => {
			const picture = document.querySelector("#traces .picture"), frame = () => new Promise((r) => requestAnimationFrame(() => setTimeout(r)));
			let away = 0, pictures = 0, was = "";
			for (let i = 0; i < 4; i++) await frame();
			const begin = performance.now();
			for (; performance.now() < begin + 1800 || (pictures < 8 && performance.now() < begin + 30000); await frame()) {
				const times = document.getElementById("ruler").toDataURL();
				if (times !== was) pictures++;
				was = times;
				away = Math.max(away, picture.hidden ? 1e6 : Math.abs(picture.parentElement.getBoundingClientRect().right - picture.getBoundingClientRect().right));
			}
			return { away, pictures, each: (performance.now() - begin) / pictures, late: (await oniscope.live()).late_p95_ms };
		})()`, &seen)
		if err != nil {
			t.Fatal(err)
		}
		if seen.Away > 1.5 || seen.Pictures < 8 {
			t.Errorf("while %s the traces end %.1f px away from the right edge, in %d pictures", slow.what, seen.Away, seen.Pictures)
		}
		if asItIs == 0 {
			asItIs = max(1, seen.Late)
		} else if most := max(1500, 6*seen.Each) + 2*asItIs; seen.Late < slow.least || seen.Late > most {
			t.Errorf("while %s, of which each takes %.0f ms, it is %.0f ms late, may be %.0f (as it is %.0f)", slow.what, seen.Each, seen.Late, most, asItIs)
		}
		if err := page.EvalIn(slow.worker, slow.undo); err != nil {
			t.Fatal(err)
		}
	}
}

// rowsEndAtNow looks at every frame of a page that follows so closely that rows are
// drawn: the last of them is at the right edge.
func rowsEndAtNow(t *testing.T, page *pagetest.Page) {
	t.Helper()
	var seen struct {
		Drawn    string    `json:"drawn"`
		Away     []float64 `json:"away"`
		Pictures int       `json:"pictures"`
	}
	err := page.Eval(`(async () => {
		const picture = document.querySelector("#traces .picture"), frame = () => new Promise((r) => requestAnimationFrame(() => setTimeout(r))), { now } = await oniscope.live();
		void oniscope.view({ from: now / 250e6 - 0.003, to: now / 250e6 });
		await frame();
		document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "End", bubbles: true })); // more may have come between
		const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true }), dpr = devicePixelRatio, away = [];
		let pictures = 0, was = "";
		let begin = performance.now();
		for (; away.length === 0 || performance.now() < begin + 1500 || (pictures < 8 && performance.now() < begin + 30000); await frame()) {
			const at = picture.getBoundingClientRect(), box = picture.parentElement.getBoundingClientRect(), times = document.getElementById("ruler").toDataURL();
			if (times !== was) pictures++;
			was = times;
			const width = Math.round(box.width * dpr), height = picture.height;
			Object.assign(context.canvas, { width, height });
			context.drawImage(picture, Math.round((at.left - box.left) * dpr), 0);
			const { data } = context.getImageData(0, 0, width, height);
			let last = -1;
			for (let x = width - 1; x >= 0 && last < 0; x--) for (let y = 0; y < height && last < 0; y++) if (data[4 * (y * width + x)] + data[4 * (y * width + x) + 1] + data[4 * (y * width + x) + 2] > 330) last = x;
			if (away.length === 0 && last < width - 8 && performance.now() < begin + 8000) continue; // rows are asked for a moment after the zoom
			if (away.length === 0) begin = performance.now();
			away.push(width - 1 - last);
		}
		return { away, pictures, drawn: document.getElementById("status-drawn").textContent };
	})()`, &seen)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(seen.Away) // one frame in ten may be of a moment in which a busy machine had no time for the page
	if most := seen.Away[len(seen.Away)*9/10]; most > 8 || seen.Pictures < 8 || !strings.Contains(seen.Drawn, "every sample") {
		t.Errorf("rows that are followed (%q) end up to %.0f px away from the right edge, in %d pictures: %v", seen.Drawn, most, seen.Pictures, seen.Away)
	}
}
