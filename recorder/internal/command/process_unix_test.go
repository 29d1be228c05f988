//go:build unix

package command

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/run"
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
		if code := p.ends(patience); code != exitDone {
			t.Errorf("exit code %d", code)
		}
		p.complete("hangup")
	})
	t.Run("Ctrl-C that arrives twice", func(t *testing.T) {
		t.Parallel()
		p := recorder(t, "", "--compression", "zstd")
		p.begin()
		p.signal(os.Interrupt)
		time.Sleep(20 * time.Millisecond)
		p.signal(os.Interrupt)
		if code := p.ends(patience); code != exitDone {
			t.Errorf("exit code %d", code)
		}
		p.complete("interrupt")
	})
	t.Run("head reads two lines and goes", func(t *testing.T) {
		t.Parallel()
		p := recorder(t, "")
		pipe, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		p.Stdout, p.Stderr = write, write
		p.begin()
		write.Close()
		lines := bufio.NewReader(pipe)
		for range 2 {
			if _, err := lines.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		pipe.Close()
		if code := p.ends(patience); code != exitDone {
			t.Errorf("exit code %d", code)
		}
		p.complete("output closed")
	})
	t.Run("tee dies of the same Ctrl-C", func(t *testing.T) {
		t.Parallel()
		p := recorder(t, "")
		pipe, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		p.Stdout, p.Stderr = write, write
		p.begin()
		write.Close()
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
		pipe, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer pipe.Close()
		fill(t, write)
		p.Stdout, p.Stderr = write, write
		p.begin()
		write.Close()
		if code := p.ends(patience); code != exitDone {
			t.Errorf("exit code %d", code)
		}
		p.complete("duration")
	})
	t.Run("Ctrl-C while a pager reads nothing", func(t *testing.T) {
		t.Parallel()
		p := recorder(t, "")
		pipe, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer pipe.Close()
		fill(t, write)
		p.Stdout, p.Stderr = write, write
		p.begin()
		write.Close()
		p.signal(os.Interrupt)
		if code := p.ends(patience); code != exitDone {
			t.Errorf("exit code %d", code)
		}
		p.complete("interrupt")
	})
	t.Run("nohup", func(t *testing.T) {
		t.Parallel()
		p := recorder(t, "", "--duration", "3s")
		p.Path, p.Args = "/bin/sh", append([]string{"sh", "-c", `trap "" HUP; exec "$0" "$@"`, p.Path}, p.Args[1:]...)
		p.begin()
		p.signal(syscall.SIGHUP)
		if code := p.ends(patience); code != exitDone {
			t.Errorf("exit code %d", code)
		}
		p.complete("duration")
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

// TestAStoppedProcessLosesNothing and keeps its files: nobody else may take them.
func TestAStoppedProcessLosesNothing(t *testing.T) {
	t.Parallel()
	p := recorder(t, "", "--duration", "7s", "--suffix", "None", "--json")
	var out bytes.Buffer
	p.Stdout = &out
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	p.grown("heartbeat.arrow", 3000)
	p.signal(syscall.SIGSTOP)
	time.Sleep(3 * time.Second)
	if code, _, errs := try("record", "--driver", "sim", "--rig", write(t, "rig.yaml", []byte("driver: sim\n")), "--out", p.dir, "--suffix", "None", "--overwrite", "--duration", "1s"); code != exitFailed || !strings.Contains(errs, "another program is writing") {
		t.Errorf("a second recorder: exit code %d: %s", code, errs)
	}
	p.signal(syscall.SIGCONT)
	if code := p.ends(20 * time.Second); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	var s store.Summary
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	for _, f := range s.Streams {
		if f.LostRows > 0 || f.State != store.StateComplete || f.Name == "analog-io" && f.Rows != 700_000 || f.Name == "heartbeat" && f.Rows != 700 {
			t.Errorf("%+v", f)
		}
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
		for _, line := range strings.Split(text, "\n") {
			var one map[string]any
			if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &one) == nil {
				lines = append(lines, one)
			}
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

var kills = flag.Int("kills", 8, "runs that TestKilledRecordersKeepWholeBatches kills")

// TestKilledRecordersKeepWholeBatches: what is lost is at most the batch that is
// filled and the one that is written. -kills 200 -test.v prints what FORMAT.md says.
func TestKilledRecordersKeepWholeBatches(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 9))
	lost, late := map[string][]float64{}, []float64{}
	for n := range *kills {
		state := filepath.Join(t.TempDir(), "state.json")
		flags := []string{"--compression", []string{"none", "zstd"}[n%2], "--pace", []string{"real-time", "max"}[n/2%2], "--status-json", state}
		rig, most := "", 1500
		if *kills >= 100 { // so long that files are forced to the platter meanwhile
			rig, most = "ports: {a: {headstage: neuropixels-1.0e}}\n", 6500
		}
		p := recorder(t, rig, flags...)
		p.begin()
		time.Sleep(time.Duration(500+rng.IntN(most)) * time.Millisecond)
		killed := time.Now()
		p.signal(syscall.SIGKILL)
		p.Wait()
		var now run.Snapshot // at most a second old: what a busy machine was behind is no batch
		if text, err := os.ReadFile(state); err == nil && flags[3] == "real-time" {
			if err := json.Unmarshal(text, &now); err != nil {
				t.Error(err)
			}
			late = append(late, now.LagS)
		}
		s, err := store.ReadSummary(filepath.Join(p.dir, "recording_0.json"))
		if err != nil {
			t.Fatal(err)
		}
		began, err := time.Parse(time.RFC3339Nano, s.StartUTC)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"heartbeat_0.arrow", "analog-io_0.arrow", "port-a-neuropixels-1.0e_0.arrow"} {
			data, err := os.ReadFile(filepath.Join(p.dir, name))
			if os.IsNotExist(err) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			ends := wholeBatches(t, data)
			plan, err := recovery.Examine(t.Context(), bytes.NewReader(data), int64(len(data)), nil)
			if err != nil {
				if ends.rows > 0 {
					t.Errorf("%s: %v, though %d rows are there", name, err, ends.rows)
				}
				continue
			}
			if plan.Report.RowsRecovered != ends.rows {
				t.Errorf("%s: %d rows recovered, %d are there", name, plan.Report.RowsRecovered, ends.rows)
			}
			if flags[3] == "real-time" {
				key := strings.TrimSuffix(name, "_0.arrow") + " " + flags[1]
				lost[key] = append(lost[key], killed.Sub(began).Seconds()-float64(ends.last)/250e6)
			}
		}
		if err := os.RemoveAll(p.dir); err != nil { // many of them fill a disk
			t.Error(err)
		}
	}
	slices.Sort(late)
	if len(late) > 0 {
		t.Logf("the machine was %.2f s behind in the median, %.2f s at most", late[len(late)/2], late[len(late)-1])
	}
	for key, list := range lost {
		slices.Sort(list)
		t.Logf("%-32s %3d runs: lost %.2f s in the median, %.2f s at most", key, len(list), list[len(list)/2], list[len(list)-1])
		if most := list[len(list)-1]; most > 2.01+1 { // a machine that is busy is late
			t.Errorf("%s: %.2f s lost", key, most)
		}
	}
}

type whole struct {
	rows int64
	last uint64 // Clock
}

// wholeBatches reads what is whole of a file, by another way than recovery: the
// batches that a reader of the stream of messages finds one after another.
func wholeBatches(t *testing.T, data []byte) (w whole) {
	t.Helper()
	r, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return w
	}
	for i := range r.NumBatches() {
		b, err := r.ReadBatch(i, []int{r.Stream().Column("Clock")})
		if err != nil {
			break
		}
		if ticks := recording.Values[uint64](&b.Columns[0]); len(ticks) > 0 {
			w.rows, w.last = w.rows+int64(len(ticks)), ticks[len(ticks)-1]
		}
	}
	return w
}
