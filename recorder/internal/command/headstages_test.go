//go:build linux && (amd64 || arm64)

package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Serial numbers of the stand-in's probes A and B of a headstage on port A.
const (
	probeA = "20240001"
	probeB = "20240002"
)

// calibration makes a folder with the files of the stand-in's probes, and
// returns the line of a rig file that names it.
func calibration(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, from := range map[string]string{
		probeA + "_ADCCalibration.csv": "V1_ADCCalibration.csv", probeA + "_gainCalValues.csv": "V1_gainCalValues.csv", probeB + "_gainCalValues.csv": "V2B_gainCalValues.csv",
	} {
		copyCalibration(t, from, filepath.Join(dir, name))
	}
	return "calibration: " + dir + "\n"
}

// calibration2e is calibration for the two probes of a Neuropixels 2.0e headstage.
func calibration2e(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	copyCalibration(t, "V2A_gainCalValues.csv", filepath.Join(dir, probeA+"_gainCalValues.csv"))
	copyCalibration(t, "V2B_gainCalValues.csv", filepath.Join(dir, probeB+"_gainCalValues.csv"))
	return "calibration: " + dir + "\n"
}

// copyCalibration copies a file of calibration and gives it the serial number
// that its new name has.
func copyCalibration(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../../testdata/calibration", from))
	if err != nil {
		t.Fatal(err)
	}
	_, lines, _ := strings.Cut(string(text), "\n")
	serial, _, _ := strings.Cut(filepath.Base(to), "_")
	if err := os.WriteFile(to, []byte(serial+"\n"+lines), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestAHeadstageIsConfiguredAndRecorded(t *testing.T) {
	t.Parallel()
	r := recordBoard(t, calibration(t)+"ports: {a: {headstage: neuropixels-1.0e}}\n", map[string]string{"A": "np1e", "LOCK_A": "37"}, "--duration", "2s")
	if code := r.wait(60 * time.Second); code != exitDone {
		t.Fatalf("exit code %d: %s", code, r.words.String())
	}
	r.dark()
	r.complete()
	for _, f := range r.summary().Streams {
		if f.Name == "port-a-neuropixels-1.0e" && (f.Rows < 59_000 || f.Rows > 60_100) {
			t.Errorf("%d rows of %s", f.Rows, f.Name)
		}
	}
	code, out, errs := try("info", "--json", filepath.Join(r.dir, "port-a-neuropixels-1.0e_0.arrow"))
	for _, words := range []string{`"port_voltage_dv": "47"`, `"lock_voltage_dv": "37"`, `"headstage_id": "6"`, `"probe_serial": "` + probeA + `"`, `"probe": "`} {
		if code != exitDone || !strings.Contains(out, words) {
			t.Errorf("exit code %d, %s is not in the metadata: %s", code, words, errs)
		}
	}
	if _, err := os.Stat(filepath.Join(r.dir, "port-a-neuropixels-1.0e-probe_0.json")); err != nil {
		t.Error(err)
	}
}

func TestTwoProbesOfAHeadstageAreRecorded(t *testing.T) {
	t.Parallel()
	rig := calibration2e(t) + "ports: {a: {headstage: neuropixels-2.0e, voltage: 4.5}}\ndevices: {port-a/neuropixels-2.0e-probe-b: {bank: B}, analog-io: {enable: false}}\n"
	r := recordBoard(t, rig, map[string]string{"A": "np2e"}, "--duration", "2s")
	if code := r.wait(60 * time.Second); code != exitDone {
		t.Fatalf("exit code %d: %s", code, r.words.String())
	}
	r.dark()
	r.complete()
	probes := 0
	for _, f := range r.summary().Streams {
		if strings.Contains(f.Name, "probe") {
			if probes++; f.Rows < 59_990 || f.Rows > 60_010 {
				t.Errorf("%d rows of %s", f.Rows, f.Name)
			}
		}
	}
	for probe, serial := range map[string]string{"a": probeA, "b": probeB} {
		code, out, errs := try("info", "--json", filepath.Join(r.dir, "port-a-neuropixels-2.0e-probe-"+probe+"_0.arrow"))
		for _, words := range []string{`"port_voltage_dv": "45"`, `"headstage_id": "8"`, `"probe_serial": "` + serial + `"`} {
			if code != exitDone || !strings.Contains(out, words) {
				t.Errorf("probe %s: exit code %d, %s is not in the metadata: %s", probe, code, words, errs)
			}
		}
	}
	if probes != 2 {
		t.Errorf("%d probes", probes)
	}
}

func TestARefusedConfigurationLeavesThePortsDark(t *testing.T) {
	np1 := "ports: {a: {headstage: neuropixels-1.0e, voltage: 5}}\n"
	for name, c := range map[string]struct {
		rig  string
		says string
	}{
		"no folder of calibration":   {np1, "calibration"},
		"no file in that folder":     {"calibration: .\n" + np1, probeA},
		"another headstage":          {calibration2e(t) + strings.Replace(np1, "1.0e", "2.0e", 1), "the headstage says that it is"},
		"one of a later version":     {"ports: {a: {headstage: headstage-64}}\n", "later version"},
		"the voltage does not reach": {calibration(t) + strings.Replace(np1, "5", "3.5", 1), "no link"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := recordBoard(t, c.rig, map[string]string{"A": "np1e", "LOCK_A": "37", "SAVED_VOLTAGE": "60"})
			if code := r.wait(30 * time.Second); code != exitFailed || !strings.Contains(r.words.String(), c.says) {
				t.Errorf("exit code %d: %s", code, r.words.String())
			}
			r.dark()
			if files, _ := filepath.Glob(filepath.Join(r.dir, "*")); len(files) != 0 {
				t.Errorf("files are left: %v", files)
			}
		})
	}
}

func TestALostLinkIsSaidAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	r := recordBoard(t, calibration(t)+"ports: {a: {headstage: neuropixels-1.0e}}\n", map[string]string{"A": "np1e", "LOSE_A": "1500"}, "--duration", "4s")
	if code := r.wait(60 * time.Second); code != exitLoss || !strings.Contains(r.words.String(), "port A lost its link") {
		t.Errorf("exit code %d: %s", code, r.words.String())
	}
	r.dark()
	r.complete()
	s := r.summary()
	for _, f := range s.Streams {
		if f.Name == "analog-io" && f.Rows < 399_000 || f.Name == "port-a-neuropixels-1.0e" && (f.Rows < 43_000 || f.Rows > 46_000) {
			t.Errorf("%d rows of %s", f.Rows, f.Name)
		}
	}
	told := false
	for _, e := range s.Events {
		told = told || strings.Contains(e.Text, "port A lost its link") && e.AtS > 1.4 && e.AtS < 2.5
	}
	if !told {
		t.Errorf("events %+v", s.Events)
	}
	csv := filepath.Join(t.TempDir(), "gaps.csv")
	if code, _, errs := try("export", filepath.Join(r.dir, "gaps_0.arrow"), "-o", csv); code != exitDone {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	if text, err := os.ReadFile(csv); err != nil || !strings.Contains(string(text), "port-a-neuropixels-1.0e,") || !strings.Contains(string(text), ",link") {
		t.Errorf("gaps: %s, %v", text, err)
	}
}

// TestALostLinkOfTheOnlyHeadstageFails: nothing goes on.
func TestALostLinkOfTheOnlyHeadstageFails(t *testing.T) {
	t.Parallel()
	const others = "devices: {heartbeat: {enable: false}, analog-io: {enable: false}, digital-io: {enable: false}, memory-monitor: {enable: false}}\n"
	r := recordBoard(t, calibration(t)+"ports: {a: {headstage: neuropixels-1.0e}}\n"+others, map[string]string{"A": "np1e", "LOSE_A": "1500"}, "--duration", "3s")
	if code := r.wait(60 * time.Second); code != exitFailed || !strings.Contains(r.words.String(), "nothing was recorded from ") {
		t.Errorf("exit code %d: %s", code, r.words.String())
	}
	r.dark()
	r.complete()
}

func TestRigInitLooksAtTheHeadstageThatWasNamed(t *testing.T) {
	t.Parallel()
	r := onBoard(t, map[string]string{"A": "np2e", "B": "np1e", "LOCK_A": "37", "SAVED_VOLTAGE": "50"}, "rig", "init", "--port-a", "neuropixels-2.0e")
	if code := r.wait(30 * time.Second); code != exitDone {
		t.Fatalf("exit code %d: %s", code, r.words.String())
	}
	r.dark()
	for _, line := range r.journal() {
		if strings.HasPrefix(line, "w 0x0002 0x3 ") && line != "w 0x0002 0x3 0 0" {
			t.Errorf("port b, of which nothing was said: %s", line)
		}
	}
	rig := r.result.String()
	for _, words := range []string{
		"\n  a: {headstage: neuropixels-2.0e, voltage: auto}   # locks at 3.7 V, runs at 4.7 V\n",
		"files of the probes " + probeA + ", " + probeB + "\n", "\n  port-a/neuropixels-2.0e-probe-b: {", "# serial number " + probeB,
	} {
		if !strings.Contains(rig, words) {
			t.Errorf("%q is not in\n%s", words, rig)
		}
	}
	wrong := onBoard(t, map[string]string{"A": "np2e", "SAVED_VOLTAGE": "50"}, "rig", "init", "--port-b", "neuropixels-2.0e") // nothing there
	if code := wrong.wait(30 * time.Second); code != exitFailed || !strings.Contains(wrong.words.String(), "no link") {
		t.Errorf("exit code %d: %s", code, wrong.words.String())
	}
	wrong.dark()
}
