package command

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/store"
)

var (
	soak      = flag.Duration("soak", 0, "how long TestSoak records two probes and a breakout board, once plain and once with zstd; 10m")
	soakCodec = flag.String("soak-compression", "", "one of both only")
)

// TestSoak records in real time for as long as -soak says. Files are rolled, and
// each part is verified and removed while the recording goes on, so that a small
// disk lasts. Nothing may be lost, and memory stays what it is after a minute.
func TestSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("takes as long as -soak says")
	}
	const roll = 20 * time.Second
	rig := "ports: {a: {headstage: neuropixels-1.0e}, b: {headstage: neuropixels-1.0e}}\n"
	rates := map[string]int64{"heartbeat": 100, "analog-io": 100_000, "memory-monitor": 10, "port-a-neuropixels-1.0e": 30_000, "port-b-neuropixels-1.0e": 30_000}
	for _, codec := range []string{"none", "zstd"} {
		if *soakCodec != "" && codec != *soakCodec {
			continue
		}
		p := recorder(t, rig, "--signal", "neural", "--duration", soak.String(), "--compression", codec, "--roll", roll.String(), "--json", "--quiet")
		var out, said bytes.Buffer
		p.Stdout, p.Stderr = &out, &said
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		var memory []float64 // MB, one a second
		verified, next := 0, 0
		for begin, end := time.Now(), time.Now().Add(*soak); time.Now().Before(end); {
			time.Sleep(time.Second)
			memory = append(memory, residentMB(t, p.Process.Pid))
			for ; next < int(time.Since(begin)/roll)-1; next++ {
				verified += p.consume(fmt.Sprintf("_0_%03d.arrow", next))
			}
		}
		if code := p.ends(patience); code != exitDone {
			t.Errorf("%s: exit code %d\n%s", codec, code, said.String())
		}
		verified += p.consume(".arrow")
		var s store.Summary
		if err := json.Unmarshal(out.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		for _, f := range s.Streams {
			want := rates[f.Name] * int64(*soak/time.Second)
			if f.LostRows > 0 || f.State != store.StateComplete || want > 0 && (f.Rows > want || f.Rows < want-24) { // a group of super-frames
				t.Errorf("%s: %s: %d of %d rows, %d lost, %s", codec, f.Name, f.Rows, want, f.LostRows, f.State)
			}
		}
		var minutes []float64
		for of := range slices.Chunk(memory, 60) {
			if minutes = append(minutes, slices.Max(of[max(0, len(of)-10):])); len(of) < 60 {
				minutes = minutes[:len(minutes)-1]
			}
		}
		t.Logf("%s: %d files verified; at most %.0f %% in the controller's buffer; resident memory by minute, MB: %.0f", codec, verified, s.HighestFIFO, minutes)
		if n := len(minutes); n > 1 && minutes[n-1] > 1.2*minutes[0] {
			t.Errorf("%s: memory has grown from %.0f to %.0f MB", codec, minutes[0], minutes[n-1])
		}
	}
}

// consume verifies and removes the files whose names end so.
func (p *process) consume(ending string) (verified int) {
	files, err := filepath.Glob(filepath.Join(p.dir, "*"+ending))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, path := range files {
		if code, words, errs := try("verify", path); code != exitDone {
			p.t.Errorf("verify: exit code %d: %s%s", code, words, errs)
		}
		if err := os.Remove(path); err != nil {
			p.t.Error(err)
		}
		verified++
	}
	return verified
}

var resident = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// residentMB is what of a process is in memory.
func residentMB(t *testing.T, pid int) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0 // it has ended
	}
	m := resident.FindSubmatch(status)
	if m == nil {
		return 0
	}
	kilobytes, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes / 1000
}
