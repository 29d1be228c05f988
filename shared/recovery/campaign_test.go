//go:build linux

package recovery_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The safety campaign: files of every writer and codec, damaged at random, are
// opened, read, recovered and verified in child processes that die when they
// take more memory or time than they may. See campaign_cases_test.go for what
// is done to the files, campaign_check_test.go for what must hold.
//
// ONISCOPE_CASES is how many cases there are, ONISCOPE_SEED what they are made
// from; both are printed. go tool mage campaign runs ten thousand.

const (
	campaignCases = 300 // in an ordinary test run
	campaignSeed  = 20
	chunkCases    = 250 // of one child

	// A case may hold 64 MiB and four times its file, everything of the process
	// counted. The kernel ends who maps much more than that.
	maxCaseBytes  = 64 << 20
	hardDataBytes = 160 << 20
	maxCaseTime   = 10 * time.Second
)

func environmentNumber(t *testing.T, name string, otherwise uint64) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// A caseResult is what a child tells of one case.
type caseResult struct {
	Case     int      `json:"case"`
	File     string   `json:"file"`
	Kind     string   `json:"kind"`
	Told     bool     `json:"told"`     // opening, reading, recovery or verify said something
	Verified bool     `json:"verified"` // verify did
	Changed  bool     `json:"changed"`  // rows came back other than they were written, or not at all
	Peak     int64    `json:"peak"`     // bytes resident at most
	Micros   int64    `json:"micros"`
	Wrong    []string `json:"wrong"` // what must not be
}

func TestDamagedFilesNeverHurtAndLoseNothingInSilence(t *testing.T) {
	if os.Getenv("ONISCOPE_CAMPAIGN") != "" {
		t.Skip("this is a child")
	}
	seed, cases := environmentNumber(t, "ONISCOPE_SEED", campaignSeed), int(environmentNumber(t, "ONISCOPE_CASES", campaignCases))
	t.Logf("ONISCOPE_SEED=%d ONISCOPE_CASES=%d", seed, cases)
	var results []caseResult
	for from := 0; from < cases; from += chunkCases {
		results = append(results, runChunk(t, seed, from, min(from+chunkCases, cases))...)
	}
	if len(results) != cases {
		t.Errorf("%d of %d cases came to their end", len(results), cases)
	}
	for _, r := range results {
		for _, wrong := range r.Wrong {
			t.Errorf("case %d, %s, %s: %s", r.Case, r.File, r.Kind, wrong)
		}
	}
	t.Log("\n" + campaignTable(results))
}

// runChunk runs some cases in a child and returns what it told of them.
func runChunk(t *testing.T, seed uint64, from, to int) (results []caseResult) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestCampaignChild$", "-test.v")
	cmd.Env = append(os.Environ(), fmt.Sprintf("ONISCOPE_CAMPAIGN=%d %d %d", seed, from, to), "GOMEMLIMIT=off", "GOTRACEBACK=all")
	var words strings.Builder
	cmd.Stderr = &words
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The child ends itself when a case takes too long; this is for one that
	// cannot even do that.
	guard := time.AfterFunc(maxCaseTime*time.Duration(to-from), func() { _ = cmd.Process.Kill() })
	defer guard.Stop()
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	started := -1
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "begin "); ok {
			started, _ = strconv.Atoi(text)
		} else if text, ok := strings.CutPrefix(lines.Text(), "end "); ok {
			var r caseResult
			if err := json.Unmarshal([]byte(text), &r); err != nil {
				t.Fatal(err)
			}
			results = append(results, r)
		} else if strings.Contains(lines.Text(), "panic") || strings.Contains(lines.Text(), "campaign") {
			fmt.Fprintln(&words, lines.Text())
		}
	}
	if err := cmd.Wait(); err != nil {
		text := words.String()
		t.Errorf("case %d ends its process: %v\n%s", started, err, text[:min(len(text), 3000)])
	}
	return results
}

// TestCampaignChild is the child: it runs the cases that ONISCOPE_CAMPAIGN
// names, under a limit of the kernel on what it may map.
func TestCampaignChild(t *testing.T) {
	var seed uint64
	var from, to int
	if _, err := fmt.Sscan(os.Getenv("ONISCOPE_CAMPAIGN"), &seed, &from, &to); err != nil {
		t.Skip("run by TestDamagedFilesNeverHurtAndLoseNothingInSilence")
	}
	limit := syscall.Rlimit{Cur: hardDataBytes, Max: hardDataBytes}
	if err := syscall.Setrlimit(syscall.RLIMIT_DATA, &limit); err != nil {
		t.Fatal(err)
	}
	files := campaignFiles(t)
	for n := from; n < to; n++ {
		fmt.Printf("begin %d\n", n)
		debug.FreeOSMemory() // what the case before left is not this one's
		forgetPeak(t)
		c := makeCase(files, seed, n)
		watchdog := time.AfterFunc(maxCaseTime, func() {
			debug.SetTraceback("all")
			panic(fmt.Sprintf("campaign: case %d (%s, %s) runs for more than %v", n, c.file.name, c.kind, maxCaseTime))
		})
		start := time.Now()
		result := c.check()
		watchdog.Stop()
		result.Case, result.File, result.Kind, result.Micros = n, c.file.name, c.kind, time.Since(start).Microseconds()
		if result.Peak = peakBytes(t); result.Peak > maxCaseBytes+4*int64(len(c.data)) {
			result.Wrong = append(result.Wrong, fmt.Sprintf("%d bytes resident for a file of %d", result.Peak, len(c.data)))
		}
		line, err := json.Marshal(result)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("end %s\n", line)
	}
}

// forgetPeak makes the kernel count the peak of resident memory anew. Source:
// proc(5), /proc/pid/clear_refs.
func forgetPeak(t *testing.T) {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
}

// peakBytes is the most that was resident since forgetPeak.
func peakBytes(t *testing.T) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	var kilobytes int64
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// campaignTable counts by kind of damage and by codec.
func campaignTable(results []caseResult) string {
	type row struct{ cases, told, changed, silent, verified int }
	rows := map[string]*row{}
	var peak, slowest int64
	for _, r := range results {
		codec := "plain"
		for _, name := range []string{"zstd", "lz4"} {
			if strings.Contains(r.File, name) {
				codec = name
			}
		}
		owner := "theirs"
		if strings.HasPrefix(r.File, "ours") {
			owner = "ours"
		}
		for _, key := range []string{fmt.Sprintf("%-6s %-5s %s", owner, codec, r.Kind), "~ all"} {
			if rows[key] == nil {
				rows[key] = &row{}
			}
			to := rows[key]
			to.cases++
			count := func(n *int, yes bool) {
				if yes {
					*n++
				}
			}
			count(&to.told, r.Told)
			count(&to.verified, r.Verified)
			count(&to.changed, r.Changed)
			count(&to.silent, r.Changed && !r.Told)
		}
		peak, slowest = max(peak, r.Peak), max(slowest, r.Micros)
	}
	keys := make([]string, 0, len(rows))
	for key := range rows {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var out strings.Builder
	fmt.Fprintf(&out, "%-44s %6s %6s %9s %8s %7s\n", "files, codec, damage", "cases", "told", "by verify", "changed", "untold")
	for _, key := range keys {
		r := rows[key]
		fmt.Fprintf(&out, "%-44s %6d %6d %9d %8d %7d\n", key, r.cases, r.told, r.verified, r.changed, r.silent)
	}
	fmt.Fprintf(&out, "at most %.1f MB resident, %.0f ms for a case", float64(peak)/1e6, float64(slowest)/1e3)
	return out.String()
}
