package command

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const bonsai = "../../../testdata/foreign/bonsai/"

// try runs a command line and returns its exit code and output.
func try(args ...string) (code int, stdout, stderr string) {
	var out, words bytes.Buffer
	a := &app{stdout: &out, stderr: &words}
	code = a.run(args...)
	return code, out.String(), words.String()
}

// write makes a file of a test.
func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestHelpFitsATerminal: of 80 columns; examples are to be copied and stay whole.
func TestHelpFitsATerminal(t *testing.T) {
	for _, verb := range []string{"", "record", "devices", "rig", "rig init", "rig check", "off", "info", "verify", "recover", "slice", "export", "cat", "plot", "view"} {
		code, out, errs := try(append(strings.Fields(verb), "--help")...)
		if code != exitDone || errs != "" || !strings.Contains(out, exitHelp) {
			t.Errorf("%s --help: exit code %d: %s", verb, code, errs)
		}
		for line := range strings.Lines(out) {
			if line = strings.TrimRight(line, "\n"); len(line) > helpColumns && !strings.HasPrefix(line, "  oniscope ") {
				t.Errorf("%s --help: %d columns: %s", verb, len(line), line)
			}
		}
	}
}

func TestExitCodes(t *testing.T) {
	beat := bonsai + "new_Heartbeat.arrow"
	whole := read(t, beat)
	damaged := bytes.Clone(whole)
	// The metadata length of a message in the middle becomes nonsense.
	middle := bytes.Index(damaged[len(damaged)/2:], []byte{0xff, 0xff, 0xff, 0xff}) + len(damaged)/2
	copy(damaged[middle+4:], []byte{0xff, 0xff, 0xff, 0x7f})
	var (
		fast   = write(t, "fast.yaml", []byte("pace: max\n"))
		wrong  = write(t, "wrong.yaml", []byte("pace: max\nspeed: 3\n"))
		broken = write(t, "broken.arrow", damaged)
		cut    = write(t, "cut.arrow", whole[:len(whole)-20])
		holed  = write(t, "holed.arrow", damaged[:len(damaged)-20])
		empty  = write(t, "empty.arrow", nil)
		dir    = t.TempDir()
	)
	out := func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct {
		name string
		code int
		args []string
	}{
		{"help", exitDone, []string{"--help"}},
		{"help of a command", exitDone, []string{"slice", "--help"}},
		{"version", exitDone, []string{"--version"}},
		{"unknown command", exitUsage, []string{"frobnicate"}},
		{"unknown flag", exitUsage, []string{"info", "--frob", beat}},
		{"flag without its value", exitUsage, []string{"slice", beat, "-o"}},
		{"a word for a number", exitUsage, []string{"slice", beat, "-o", out("x"), "--start", "one"}},

		{"record", exitDone, []string{"record", "--driver", "sim", "--rig", fast, "--out", out("run"), "--duration", "100ms"}},
		{"record without driver", exitUsage, []string{"record", "--rig", fast, "--out", out("run"), "--duration", "100ms"}},
		{"record without rig", exitUsage, []string{"record", "--driver", "sim", "--out", out("run")}},
		{"record without folder", exitUsage, []string{"record", "--driver", "sim", "--rig", fast}},
		{"record with a wrong rig", exitUsage, []string{"record", "--driver", "sim", "--rig", wrong, "--out", out("run")}},
		{"record with a missing rig", exitUsage, []string{"record", "--driver", "sim", "--rig", out("no.yaml"), "--out", out("run")}},
		{"record with a wrong signal", exitUsage, []string{"record", "--driver", "sim", "--rig", fast, "--out", out("run"), "--signal", "sine"}},
		{"record with a wrong suffix", exitUsage, []string{"record", "--driver", "sim", "--rig", fast, "--out", out("run"), "--suffix", "date"}},
		{"record for no time", exitUsage, []string{"record", "--driver", "sim", "--rig", fast, "--out", out("run"), "--duration", "0s"}},
		{"record with an argument", exitUsage, []string{"record", "x"}},
		{"record into a file", exitFailed, []string{"record", "--driver", "sim", "--rig", fast, "--out", cut, "--duration", "100ms"}},

		{"info", exitDone, []string{"info", beat}},
		{"info of an unfinished file", exitDone, []string{"info", cut}},
		{"info of a damaged file", exitLoss, []string{"info", "--json", broken}},
		{"info of an empty file", exitFailed, []string{"info", empty}},
		{"info of a damaged and a missing file", exitFailed, []string{"info", broken, out("missing")}},
		{"info of nothing", exitUsage, []string{"info"}},

		{"verify", exitDone, []string{"verify", beat}},
		{"verify of an unfinished file", exitLoss, []string{"verify", cut}},
		{"verify of a damaged file", exitLoss, []string{"verify", "--json", broken}},
		{"verify of an empty file", exitFailed, []string{"verify", empty}},
		{"verify of a damaged and a missing file", exitFailed, []string{"verify", broken, out("missing")}},
		{"verify of nothing", exitUsage, []string{"verify"}},

		{"plot", exitDone, []string{"plot", beat, "-o", out("plot.png"), "--columns", "Clock"}},
		{"plot of a damaged file without a footer", exitLoss, []string{"plot", holed, "-o", out("holed.png"), "--columns", "HubClock"}},
		{"plot of a damaged file", exitLoss, []string{"plot", broken, "-o", out("plot.svg"), "--columns", "HubClock"}},
		{"plot of counters alone", exitFailed, []string{"plot", beat, "-o", out("x.png")}},
		{"plot without output", exitUsage, []string{"plot", beat}},
		{"plot as another format", exitUsage, []string{"plot", beat, "-o", out("x.jpg")}},
		{"plot too small", exitUsage, []string{"plot", beat, "-o", out("x.png"), "--width", "10"}},
		{"plot too high", exitUsage, []string{"plot", beat, "-o", out("x.png"), "--height", "99999"}},
		{"plot of a scaled SVG", exitUsage, []string{"plot", beat, "-o", out("x.svg"), "--scale", "2"}},
		{"plot of no scale", exitUsage, []string{"plot", beat, "-o", out("x.png"), "--scale", "0"}},
		{"plot by two ways", exitUsage, []string{"plot", beat, "-o", out("x.png"), "--from", "5", "--start", "4"}},
		{"plot out of range", exitFailed, []string{"plot", beat, "-o", out("x.png"), "--end", "99999", "--columns", "Clock"}},

		{"slice", exitDone, []string{"slice", beat, "-o", out("slice.arrow"), "--end", "10"}},
		{"slice onto a file", exitFailed, []string{"slice", beat, "-o", cut}},
		{"slice without output", exitUsage, []string{"slice", beat}},
		{"slice of two files", exitUsage, []string{"slice", beat, cut, "-o", out("x")}},
		{"slice out of range", exitFailed, []string{"slice", beat, "-o", out("x"), "--end", "99999"}},
		{"slice from the future", exitUsage, []string{"slice", beat, "-o", out("x"), "--from", "5", "--to", "4", "--clock-hz", "1000"}},
		{"slice by two ways", exitUsage, []string{"slice", beat, "-o", out("x"), "--from", "5", "--start", "4"}},
		{"slice by no number", exitUsage, []string{"slice", beat, "-o", out("x"), "--from", "noon"}},
		{"slice of wrong batches", exitUsage, []string{"slice", beat, "-o", out("x"), "--batches", "3"}},
		{"slice of a column that is not there", exitFailed, []string{"slice", beat, "-o", out("x"), "--columns", "Clok"}},
		{"slice with a codec that we do not write", exitUsage, []string{"slice", beat, "-o", out("x"), "--compression", "brotli"}},
		{"slice of a damaged file", exitLoss, []string{"slice", broken, "-o", out("part.arrow")}},
		{"slice of a damaged file without a footer", exitLoss, []string{"slice", holed, "-o", out("part2.arrow")}},
		{"slice in front of the damage", exitDone, []string{"slice", holed, "-o", out("front.arrow"), "--batches", "0:3"}},
		{"slice of seconds that are lost in part", exitLoss, []string{"slice", holed, "-o", out("seconds.arrow"), "--clock-hz", "250000000", "--from", "0", "--to", "67"}},

		{"export", exitDone, []string{"export", beat, "-o", out("beat.csv"), "--end", "10"}},
		{"export of a format by name", exitDone, []string{"export", beat, "-o", out("beat"), "--format", "npy"}},
		{"export of a damaged file", exitLoss, []string{"export", broken, "-o", out("part.parquet")}},
		{"export of a damaged file without a footer", exitLoss, []string{"export", holed, "-o", out("part.csv")}},
		{"export onto a file", exitFailed, []string{"export", beat, "-o", cut, "--format", "csv"}},
		{"export of what a format cannot hold", exitFailed, []string{"export", beat, "-o", out("x.bin")}},
		{"export without output", exitUsage, []string{"export", beat}},
		{"export of an unknown format", exitUsage, []string{"export", beat, "-o", out("x"), "--format", "xlsx"}},
		{"export without a format", exitUsage, []string{"export", beat, "-o", out("x.txt")}},
		{"export in wrong units", exitUsage, []string{"export", beat, "-o", out("x.csv"), "--units", "uV"}},
		{"export of flat binary in volts", exitUsage, []string{"export", beat, "-o", out("x.bin"), "--units", "physical"}},
		{"export of compressed text", exitUsage, []string{"export", beat, "-o", out("x.csv"), "--compression", "zstd"}},
		{"export of Parquet with a codec that it has not", exitUsage, []string{"export", beat, "-o", out("x.parquet"), "--compression", "keep"}},
		{"export by a wrong key", exitUsage, []string{"export", beat, "-o", out("x"), "--partition", "minute"}},
		{"export by a key twice", exitUsage, []string{"export", beat, "-o", out("x"), "--partition", "hour,hour"}},
		{"export of text by hour", exitUsage, []string{"export", beat, "-o", out("x"), "--format", "csv", "--partition", "hour"}},
		{"export by an hour that is not known", exitFailed, []string{"export", write(t, "alone.arrow", whole), "-o", out("x"), "--partition", "hour"}},
		{"export by two ways", exitUsage, []string{"export", beat, "-o", out("x.csv"), "--from", "5", "--start", "4"}},
		{"export of a wrong glob", exitUsage, []string{"export", beat, "-o", out("x.csv"), "--columns", "[a"}},

		{"cat", exitDone, []string{"cat", beat, "--end", "10"}},
		{"cat of a damaged file", exitLoss, []string{"cat", broken}},
		{"cat of a missing file", exitFailed, []string{"cat", out("missing")}},
		{"cat of two files", exitUsage, []string{"cat", beat, cut}},
		{"cat with a wrong codec", exitUsage, []string{"cat", beat, "--compression", "gzip"}},

		{"recover without loss", exitDone, []string{"recover", cut, "-o", out("lossless.arrow")}},
		{"recover with loss", exitLoss, []string{"recover", broken, "-o", out("lossy.arrow")}},
		{"recover of nothing", exitFailed, []string{"recover", empty, "-o", out("x")}},
		{"recover with a wrong codec", exitUsage, []string{"recover", cut, "-o", out("x"), "--compression", "brotli"}},
		{"recover of two files", exitUsage, []string{"recover", cut, broken}},

		{"view of a missing file", exitFailed, []string{"view", out("missing")}},
		{"view on a wrong port", exitUsage, []string{"view", "--port", "-1"}},
	} {
		code, stdout, stderr := try(c.args...)
		if code != c.code {
			t.Errorf("%s: exit code %d, want %d\n%s%s", c.name, code, c.code, stdout, stderr)
		}
		if code != exitDone && !strings.Contains(stderr, "oniscope: ") {
			t.Errorf("%s: nothing was said: %q", c.name, stderr)
		}
	}
	for _, name := range []string{"x", "x.partial"} {
		if found, _ := filepath.Glob(filepath.Join(dir, "*"+name+"*")); len(found) > 0 {
			t.Errorf("left behind: %v", found)
		}
	}
	if found, _ := filepath.Glob(filepath.Join(dir, ".*")); len(found) > 0 {
		t.Errorf("left behind: %v", found)
	}
	if !bytes.Equal(read(t, cut), whole[:len(whole)-20]) || !bytes.Equal(read(t, broken), damaged) {
		t.Error("a command changed its input")
	}
}

// The names of the JSON documents are an interface: spec 3.
func TestJSONHasTheNamesOfTheContract(t *testing.T) {
	keys := func(text string) map[string]json.RawMessage {
		var m map[string]json.RawMessage
		if err := json.Unmarshal([]byte(strings.Trim(text, "[] \n")), &m); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		return m
	}
	need := func(what string, m map[string]json.RawMessage, names string) {
		for name := range strings.FieldsSeq(names) {
			if _, ok := m[name]; !ok {
				t.Errorf("%s has no %q: %v", what, name, m)
			}
		}
	}
	cut := read(t, bonsai+"new_Heartbeat_killbeforeend.arrow")
	path := write(t, "cut.arrow", cut[:len(cut)-300])

	_, text, _ := try("info", "--json", path)
	info := keys(text)
	need("info", info, "path size_bytes format state rows batches compression start duration_s columns metadata findings")
	var columns []map[string]json.RawMessage
	if err := json.Unmarshal(info["columns"], &columns); err != nil || len(columns) != 2 {
		t.Fatalf("%v, %s", err, info["columns"])
	}
	need("a column", columns[0], "name type nullable unit subsample")

	code, text, _ := try("recover", "--json", path, "-o", filepath.Join(t.TempDir(), "out.arrow"))
	report := keys(text)
	need("recover", report, "input output outcome batches_recovered batches_lost rows_recovered bytes_skipped findings")
	var damage []map[string]json.RawMessage
	if err := json.Unmarshal(report["findings"], &damage); err != nil || len(damage) == 0 {
		t.Fatalf("code %d: %v, %s", code, err, report["findings"])
	}
	need("findings", damage[0], "offset length batch reason")
}

func TestRecoveredNameKeepsTheExtension(t *testing.T) {
	for path, want := range map[string]string{
		"a/probe-1.0e_0.arrow": "a/probe-1.0e_0.recovered.arrow",
		"plain":                "plain.recovered",
	} {
		if got := recoveredName(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}
