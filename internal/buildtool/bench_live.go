package buildtool

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oniscope/oniscope/web/pagetest"
)

// What BenchLive demands of a page that follows a recorder on the same machine.
const (
	maxFrameToPixel = 150 // ms, median
	livePulses      = 40
	liveFor         = 10 * time.Second
)

// liveRig is a probe whose first channel is marked once a second.
const liveRig = `driver: sim
seed: 1
pulse: 1s
ports: {a: {headstage: neuropixels-1.0e, voltage: auto}}
devices: {port-a/neuropixels-1.0e: {}, heartbeat: {rate_hz: 100}, memory-monitor: {rate_hz: 10}, analog-io: {}, digital-io: {}}
`

//go:embed bench_live.js
var pulseScript string

// BenchLive measures what clients cost that read nothing, and in Chromium how soon
// the page shows a recording of two hours, how late the page of a recorder is, from the frame of a pulse to its pixels, and
// how long its own thread is busy in a frame while all channels of a probe are
// followed. It needs a machine without other work.
func BenchLive() error {
	if err := Build(); err != nil {
		return err
	}
	if err := ensureChromium(); err != nil {
		return err
	}
	long := command{name: "go", args: []string{"test", "./recorder/internal/live", "./recorder/internal/command", "-run", "TestTwoHoursAreThereAtOnce|TestNoClientTouchesTheRecording", "-p=1", "-count=1", "-v"}, env: []string{"ONISCOPE_CALM=1"}}.run()
	return errors.Join(long, atRecorder("live", liveRig, func(address string) error {
		return atPage(address, pagetest.View{Width: 1600, Height: 1000}, func(p *pagetest.Page) error {
			if err := p.WaitFor(20*time.Second, `document.documentElement.dataset.live === "open" && document.documentElement.dataset.state === "ready"`); err != nil {
				return err
			}
			if err := p.Eval(followScript, nil); err != nil {
				return err
			}
			err := frameToPixel(p)
			// The other channels come back, all at once.
			if e := p.Eval(`(document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "s", bubbles: true })), document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "a", bubbles: true })), new Promise((r) => setTimeout(r, 1500)))`, nil); e != nil {
				return e
			}
			return errors.Join(err, followedFrames(p))
		})
	}))
}

// followScript looks at half a second of channel 0 up to now.
const followScript = `(async () => {
	while (!(await oniscope.live()).status?.pulse) await new Promise((resolve) => setTimeout(resolve, 50));
	const stream = (await oniscope.streams()).find((s) => s.startsWith("port-a")), now = (await oniscope.live()).now / 250e6;
	await oniscope.view({ stream, from: now - 0.5, to: now, columns: ["SpikeData0"] });
	document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "s", bubbles: true }));
	document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "End", bubbles: true }));
	await new Promise((resolve) => setTimeout(resolve, 1500));
})()`

// frameToPixel prints how late pulses are.
func frameToPixel(p *pagetest.Page) error {
	var got struct {
		Late                  []float64 `json:"late"`
		Seen, Pulses, Strange int
		FPS                   float64 `json:"fps"`
	}
	// A script that takes longer than a minute is started, and asked for later.
	if err := p.Eval("void (globalThis.pulsed = undefined, "+strings.ReplaceAll(strings.TrimSpace(afterComment(pulseScript)), "PULSES", strconv.Itoa(livePulses))+".then((r) => (globalThis.pulsed = r), (e) => (globalThis.pulsed = { failed: String(e) })))", nil); err != nil {
		return err
	}
	if err := p.WaitFor((3*livePulses+20)*time.Second, "globalThis.pulsed"); err != nil {
		return err
	}
	if err := p.Eval(`pulsed`, &got); err != nil {
		return err
	}
	if len(got.Late) < livePulses {
		return fmt.Errorf("of %d pulses %d were seen", got.Pulses, got.Seen)
	}
	slices.Sort(got.Late)
	median, p95 := medianOf(got.Late), got.Late[len(got.Late)*95/100]
	fmt.Printf("frame to pixel: median %.0f ms, p95 %.0f ms of %d pulses (%.0f pictures a second; %d pictures with a second bar)\n", median, p95, len(got.Late), got.FPS, got.Strange)
	if median > maxFrameToPixel {
		return fmt.Errorf("frame to pixel takes %.0f ms, must be at most %d", median, maxFrameToPixel)
	}
	return nil
}

// followedFrames prints how long the page's own thread is busy in a frame: by the
// clock, which has the time that others had its core, and of the processor.
func followedFrames(p *pagetest.Page) error {
	var shown int
	if err := p.Eval(`oniscope.view().then((v) => v.columns.length)`, &shown); err != nil {
		return err
	}
	if shown != frameChannels {
		return fmt.Errorf("%d channels are followed, want %d", shown, frameChannels)
	}
	frames, err := p.Frames(liveFor)
	if err != nil {
		return err
	}
	if len(frames) < 10*int(liveFor.Seconds()) {
		return fmt.Errorf("%d frames in %v", len(frames), liveFor)
	}
	var script, wall, processor []float64
	for _, f := range frames {
		script, wall, processor = append(script, f.Script), append(wall, f.Wall), append(processor, f.CPU)
	}
	slices.Sort(script)
	slices.Sort(wall)
	slices.Sort(processor)
	at := len(wall) * 95 / 100
	fmt.Printf("%d channels followed: scripts take %.1f ms a frame, p95 %.1f; with layout %.1f, p95 %.1f, most %.1f; of the processor %.1f, p95 %.1f (%d frames, %.0f a second)\n", shown, medianOf(script), script[at], medianOf(wall), wall[at], wall[len(wall)-1], medianOf(processor), processor[at], len(wall), float64(len(wall))/liveFor.Seconds())
	if script[at] > maxFrameMilliseconds {
		return fmt.Errorf("scripts of 95 frames of 100 must take at most %d ms, not %.1f", maxFrameMilliseconds, script[at])
	}
	return nil
}

// printedAddress finds where a recorder is followed.
var printedAddress = regexp.MustCompile(`live view: (\S+)`)

// atRecorder records a rig until use returns, and gives it the address of the
// live view.
func atRecorder(name, rig string, use func(address string) error, flags ...string) error {
	folder, err := outFolder(name)
	if err != nil {
		return err
	}
	file := filepath.Join(folder, "rig.yaml")
	if err := os.WriteFile(file, []byte(rig), 0o644); err != nil {
		return err
	}
	dir, err := root()
	if err != nil {
		return err
	}
	recorder := exec.Command(binary(), append([]string{"record", "--rig", file, "--out", filepath.Join(folder, "run"), "--listen", "127.0.0.1:0", "--quiet"}, flags...)...)
	recorder.Dir = dir
	words, err := recorder.StderrPipe()
	if err != nil {
		return err
	}
	if err := recorder.Start(); err != nil {
		return err
	}
	lines := bufio.NewReader(words)
	line, err := lines.ReadString('\n')
	go io.Copy(os.Stderr, lines)
	found := printedAddress.FindStringSubmatch(line)
	if found == nil {
		err = fmt.Errorf("no address in %q: %w", line, err)
	} else {
		err = use(found[1])
	}
	_ = recorder.Process.Signal(os.Interrupt) // it may have ended
	if e := recorder.Wait(); e != nil {
		err = errors.Join(err, fmt.Errorf("the recorder: %w", e))
	}
	return errors.Join(err, os.RemoveAll(filepath.Join(folder, "run")))
}

// atPage opens an address in a browser of its own, until use returns.
func atPage(address string, view pagetest.View, use func(*pagetest.Page) error) error {
	browser, err := pagetest.Start(context.Background())
	if err != nil {
		return err
	}
	defer browser.Close()
	page, err := browser.Open(address, view)
	if err != nil {
		return err
	}
	defer page.Close()
	if err := use(page); err != nil {
		return err
	}
	if wrong := page.Problems(); len(wrong) > 0 {
		return fmt.Errorf("the page did what it must not: %v", wrong)
	}
	return nil
}
