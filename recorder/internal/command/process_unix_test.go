//go:build unix

package command

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

// What only a process can show: signals, pipes that nobody reads, kill -9.

// A process is `oniscope record` on a breakout board, in real time.
type process struct {
	*exec.Cmd
	t   *testing.T
	dir string
}

func recorder(t *testing.T, rig string, flags ...string) *process {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	args := append([]string{"record", "--driver", "sim", "--signal", "pattern", "--rig", write(t, "rig.yaml", []byte("driver: sim\n"+rig)), "--out", dir}, flags...)
	p := &process{exec.Command("oniscope", args...), t, dir}
	t.Cleanup(func() {
		if p.Process != nil && p.ProcessState == nil {
			p.Process.Kill()
			p.Wait()
		}
	})
	return p
}

// begin starts it and waits until rows are in a file.
func (p *process) begin() {
	p.t.Helper()
	if err := p.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.grown("heartbeat_0.arrow", 3000)
}

// beginInto starts it with its words in a pipe, which may be full, and returns the
// end to read from.
func (p *process) beginInto(full bool) *os.File {
	p.t.Helper()
	pipe, write, err := os.Pipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if full {
		fill(p.t, write)
	}
	p.Stdout, p.Stderr = write, write
	p.begin()
	write.Close()
	return pipe
}

func (p *process) grown(name string, size int64) {
	p.t.Helper()
	for range 1000 {
		if info, err := os.Stat(filepath.Join(p.dir, name)); err == nil && info.Size() > size {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.t.Fatalf("%s does not grow", name)
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// patience is how long a process may take to complete its files: a sync waits for
// whatever else the disk has to write.
const patience = 40 * time.Second

// ends waits for its end, not for ever, and returns its exit code.
func (p *process) ends(within time.Duration) int {
	p.t.Helper()
	done := make(chan error, 1)
	go func() { done <- p.Wait() }()
	select {
	case err := <-done:
		exit := (*exec.ExitError)(nil)
		if errors.As(err, &exit) {
			return exit.ExitCode()
		}
		if err != nil {
			p.t.Fatal(err)
		}
		return 0
	case <-time.After(within):
		p.t.Fatalf("still running after %v", within)
	}
	return 0
}

// endsWell waits for its end, which has to be a good one for this reason.
func (p *process) endsWell(reason string) {
	p.t.Helper()
	if code := p.ends(patience); code != exitDone {
		p.t.Errorf("exit code %d", code)
	}
	p.complete(reason)
}

// complete checks that every file is complete and without findings, and why
// the run ended.
func (p *process) complete(reason string) *store.Summary {
	p.t.Helper()
	files, err := filepath.Glob(filepath.Join(p.dir, "*.arrow"))
	if err != nil || len(files) < 4 {
		p.t.Fatalf("files %v, %v", files, err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			p.t.Fatal(err)
		}
		r, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			p.t.Fatalf("%s: %v", path, err)
		}
		if about := r.About(); about.State != recording.Complete {
			p.t.Errorf("%s is %s", path, about.State)
		}
		for f, err := range recovery.Verify(p.t.Context(), bytes.NewReader(data), int64(len(data)), nil) {
			if err != nil || f.Severity != recording.SeverityInfo {
				p.t.Errorf("%s: %s, %v", path, f.Reason, err)
			}
		}
	}
	s, err := store.ReadSummary(filepath.Join(p.dir, "recording_0.json"))
	if err != nil {
		p.t.Fatal(err)
	}
	if s.State != store.StateComplete || s.EndReason != reason {
		p.t.Errorf("state %s, ended by %q, want %q", s.State, s.EndReason, reason)
	}
	return s
}

func TestEveryWayOutOfAProcessCompletesTheFiles(t *testing.T) {
	t.Parallel()
	t.Run("a terminal that closes", func(t *testing.T) {
		t.Parallel()
		if signal.Ignored(syscall.SIGHUP) {
			t.Skip("SIGHUP is ignored here, as under nohup: who asked for that wants the recording to go on")
		}
		p := recorder(t, "")
		p.begin()
		p.signal(syscall.SIGHUP)
		p.endsWell("hangup")
	})
	t.Run("Ctrl-C that arrives twice", func(t *testing.T) {
		t.Parallel()
		p := recorder(t, "", "--compression", "zstd")
		p.begin()
		p.signal(os.Interrupt)
		time.Sleep(20 * time.Millisecond)
		p.signal(os.Interrupt)
		p.endsWell("interrupt")
	})
	t.Run("head reads two lines and goes", func(t *testing.T) {
		t.Parallel()
		p := recorder(t, "")
		pipe := p.beginInto(false)
		lines := bufio.NewReader(pipe)
		for range 2 {
			if _, err := lines.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		pipe.Close()
		p.endsWell("output closed")
	})
	t.Run("tee dies of the same Ctrl-C", func(t *testing.T) {
		t.Parallel()
		p := recorder(t, "")
		pipe := p.beginInto(false)
		pipe.Close()
		p.signal(os.Interrupt)
		if code := p.ends(patience); code != exitDone {
			t.Errorf("exit code %d", code)
		}
		if s, err := store.ReadSummary(filepath.Join(p.dir, "recording_0.json")); err != nil || s.EndReason != "interrupt" && s.EndReason != "output closed" {
			t.Errorf("%+v, %v", s, err)
		} else {
			p.complete(s.EndReason)
		}
	})
	t.Run("a pager that reads nothing", func(t *testing.T) {
		t.Parallel()
		p := recorder(t, "", "--duration", "3s")
		defer p.beginInto(true).Close()
		p.endsWell("duration")
	})
	t.Run("Ctrl-C while a pager reads nothing", func(t *testing.T) {
		t.Parallel()
		p := recorder(t, "")
		defer p.beginInto(true).Close()
		p.signal(os.Interrupt)
		p.endsWell("interrupt")
	})
	t.Run("a pipe for the state that nobody opens", func(t *testing.T) {
		t.Parallel()
		pipe := filepath.Join(t.TempDir(), "state")
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		p := recorder(t, "", "--status-json", pipe)
		p.begin()
		p.signal(os.Interrupt)
		p.endsWell("interrupt")
	})
	t.Run("nohup", func(t *testing.T) {
		t.Parallel()
		p := recorder(t, "", "--duration", "3s")
		p.Path, p.Args = "/bin/sh", append([]string{"sh", "-c", `trap "" HUP; exec "$0" "$@"`, p.Path}, p.Args[1:]...)
		p.begin()
		p.signal(syscall.SIGHUP)
		p.endsWell("duration")
	})
}

// fill fills a pipe, so that the next write to it waits for a reader.
func fill(t *testing.T, pipe *os.File) {
	t.Helper()
	fd := int(pipe.Fd()) // sets it to blocking, which the child wants
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := syscall.Write(fd, make([]byte, 4096)); err != nil {
			break
		}
	}
	if err := syscall.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
}

var stops = flag.Bool("stops", false, "TestAStoppedProcessLosesNothing: also with one Neuropixels 1.0e, stopped for 20 s and 45 s; two minutes")

// TestAStoppedProcessLosesNothing and keeps its files: nobody else may take them.
func TestAStoppedProcessLosesNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rig            string
		seconds, pause int
	}{
		{"", 7, 3},
		{"ports: {a: {headstage: neuropixels-1.0e}}\n", 30, 20},
		{"ports: {a: {headstage: neuropixels-1.0e}}\n", 60, 45},
	} {
		if c.pause >= 20 && !*stops {
			continue // -stops
		}
		p := recorder(t, c.rig, "--duration", strconv.Itoa(c.seconds)+"s", "--suffix", "None", "--json")
		var out bytes.Buffer
		p.Stdout = &out
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		p.grown("heartbeat.arrow", 3000)
		p.signal(syscall.SIGSTOP)
		time.Sleep(time.Duration(c.pause) * time.Second)
		if code, _, errs := try("record", "--driver", "sim", "--rig", write(t, "rig.yaml", []byte("driver: sim\n")), "--out", p.dir, "--suffix", "None", "--overwrite", "--duration", "1s"); code != exitFailed || !strings.Contains(errs, "another program is writing") {
			t.Errorf("a second recorder: exit code %d: %s", code, errs)
		}
		p.signal(syscall.SIGCONT)
		if code := p.ends(time.Duration(c.seconds)*time.Second + patience); code != exitDone {
			t.Errorf("exit code %d", code)
		}
		var s store.Summary
		if err := json.Unmarshal(out.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		expected := map[string]int64{"analog-io": 100_000, "heartbeat": 100, "memory-monitor": 10, "port-a-neuropixels-1.0e": 30_000}
		for _, f := range s.Streams {
			want := expected[f.Name] * int64(c.seconds)
			if f.LostRows > 0 || f.State != store.StateComplete || want > 0 && (f.Rows > want || f.Rows < want-24) { // a group of super-frames
				t.Errorf("stopped for %d s: %+v, want %d rows", c.pause, f, want)
			}
		}
		t.Logf("stopped for %d s: at most %.0f %% in the controller's buffer", c.pause, s.HighestFIFO)
	}
}

// TestStatusAsJSON: a line a second on standard output, the newest in a file.
func TestStatusAsJSON(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "status.json")
	for _, to := range []string{"-", file} {
		p := recorder(t, "", "--duration", "3s", "--quiet", "--status-json", to)
		var out bytes.Buffer
		p.Stdout = &out
		p.begin()
		if code := p.ends(patience); code != exitDone {
			t.Errorf("exit code %d", code)
		}
		text := out.String()
		if to == file {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text = string(data)
		}
		var lines []map[string]any
		for line := range strings.Lines(text) { // nothing else is between them
			var one map[string]any
			if err := json.Unmarshal([]byte(line), &one); err != nil {
				t.Fatalf("--status-json %s: %q: %v", to, line, err)
			}
			lines = append(lines, one)
		}
		if len(lines) < 1 || to == "-" && len(lines) < 3 {
			t.Fatalf("--status-json %s: %s", to, text)
		}
		last := lines[len(lines)-1]
		if last["state"] != "ended" || last["streams"].([]any)[0].(map[string]any)["durable_bytes"].(float64) == 0 {
			t.Errorf("the last state: %v", last)
		}
	}
}
