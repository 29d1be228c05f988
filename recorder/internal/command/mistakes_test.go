package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/store"
)

func TestDurationsAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"10s": 10 * time.Second, "10 s": 10 * time.Second, "10sec": 10 * time.Second, "2h30m": 150 * time.Minute, "1h30": 90 * time.Minute, "1d": 24 * time.Hour,
		"00:10:00": 10 * time.Minute, "1:00:00.5": time.Hour + 500*time.Millisecond, "0.5h": 30 * time.Minute, "250ms": 250 * time.Millisecond, "1d12h": 36 * time.Hour,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", text, got, err, want)
		}
	}
	for text, why := range map[string]string{"10": "has no unit", "": "not a length", "ten": "not a duration", "-3s": "not a duration", "0s": "not a length", "10:30": "minutes or hours", "5 parsecs": "not a duration", "9999999999d": "not a length"} {
		if got, err := parseDuration(text); err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "write it as 10s, 5m") {
			t.Errorf("%q: %v, %v, want %q and an example", text, got, err, why)
		}
	}
}

func TestOtherFlagsOfRecord(t *testing.T) {
	var size bytesFlag
	for text, want := range map[string]int64{"2GB": 2e9, "512MB": 512e6, "1.5 GiB": 3 << 29, "100k": 100e3} {
		if err := size.Set(text); err != nil || size.bytes != want {
			t.Errorf("%s: %d, %v", text, size.bytes, err)
		}
	}
	for _, text := range []string{"", "2", "much", "-1GB", "2GX"} {
		if err := size.Set(text); err == nil || !strings.Contains(err.Error(), "2GB or 512MB") {
			t.Errorf("%q: %v", text, err)
		}
	}
	var sync syncFlag
	for text, want := range map[string]time.Duration{"batch": store.SyncBatch, "none": store.SyncNever, "2s": 2 * time.Second} {
		if err := sync.Set(text); err != nil || sync.Duration != want {
			t.Errorf("%s: %v, %v", text, sync.Duration, err)
		}
	}
	if err := sync.Set("often"); err == nil || !strings.Contains(err.Error(), "or batch, or none") {
		t.Errorf("often: %v", err)
	}
}

// TestWhatWasProbablyMeantIsSaid of flags and commands.
func TestWhatWasProbablyMeantIsSaid(t *testing.T) {
	rig := write(t, "rig.yaml", []byte("driver: sim\n"))
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"reco"}, `command "reco" is not known; did you mean record?`},
		{[]string{"record", "--drivr", "sim"}, "flag --drivr is not known; did you mean --driver?"},
		{[]string{"record", "-driver", "sim"}, "flag -driver is not known; did you mean --driver?"},
		{[]string{"info", "-jsn", "x"}, "flag -jsn is not known; did you mean --json?"},
		{[]string{"info", "-x"}, "flag -x is not known"},
		{[]string{"record", "--rig", rig, "--out", "x", "--seed", "-1"}, "--seed -1: want a whole number, 0 or more"},
		{[]string{"record", "--rig", rig, "--out", "x", "--buffered", "false"}, "as in --buffered=false"},
		{[]string{"record", "--rig", rig, "--out", "x", "--duration", "10"}, `--duration "10" has no unit; write it as 10s`},
		{[]string{"record", "--rig", "nix.yaml", "--out", "x"}, "--rig nix.yaml: there is no such file"},
		{[]string{"record", "--rig", write(t, "a.arrow", []byte("ARROW1\x00\x00\x1b[31m")), "--out", "x"}, "a.arrow: this is not text, and a rig file is YAML"},
		{[]string{"record", "--rig", write(t, "large.yaml", make([]byte, maxRigBytes+1)), "--out", "x"}, "large.yaml: it has more than"},
		{[]string{"rig", "check"}, "oniscope: --rig FILE is needed"},
	} {
		if code, _, errs := try(c.args...); code != exitUsage || !strings.Contains(errs, c.want) || strings.Contains(errs, "strconv") {
			t.Errorf("%v: exit code %d: %s", c.args, code, errs)
		}
	}
}

// TestAPathComesFirstAndThenWhyItIsOfNoUse: nobody has to know what a call of the system
// is, or which temporary file was written.
func TestAPathComesFirstAndThenWhyItIsOfNoUse(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	in := beats(t, 0, 100)
	rig := write(t, "rig.yaml", []byte("driver: sim\n"))
	if err := os.Symlink("gone", at("link.arrow")); err != nil {
		t.Skip(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"info", at("none.arrow")}, at("none.arrow") + ": there is no such file"},
		{[]string{"info", at("link.arrow")}, at("link.arrow") + ": it is a link to gone, which is not there"},
		{[]string{"info", "https://lab.example/a.arrow"}, "https://lab.example/a.arrow: it is an address, and files are read here: download it first"},
		{[]string{"verify", ""}, "the name of a file is empty"},
		{[]string{"slice", at("none.arrow"), "-o", at("a.arrow")}, at("none.arrow") + ": there is no such file"},
		{[]string{"slice", in, "-o", at("no/a.arrow")}, at("no/a.arrow") + ": the folder " + at("no") + " is not there; make it first"},
		{[]string{"export", in, "-o", filepath.Join(in, "a.csv")}, filepath.Join(in, "a.csv") + ": "},
		{[]string{"record", "--rig", rig, "--out", "/dev/null/x"}, "/dev/null/x: no recording can be written there ("},
		{[]string{"recover", at("none.arrow")}, at("none.arrow") + ": there is no such file"},
		{[]string{"view", at("none.arrow"), "--no-browser"}, at("none.arrow") + ": there is no such file"},
	} {
		code, _, errs := try(c.args...)
		if code != exitFailed || !strings.HasPrefix(errs, "oniscope: "+c.want) || strings.Contains(errs, "open ") && !strings.Contains(c.want, "address") || strings.Contains(errs, "partial") {
			t.Errorf("%v: exit code %d: %s", c.args, code, errs)
		}
	}
}
