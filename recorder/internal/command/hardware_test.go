package command

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/standin"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
)

// What drives hardware is tried on a stand-in of liboni.

func TestAMillionFramesOfTheTestDriver(t *testing.T) {
	library, dir := standin.Library(t), t.TempDir()
	code, out, errs := try("record", "--driver", "test", "--liboni", library, "--pace", "max", "--duration", "5ms", "--out", dir, "--json")
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	var s store.Summary
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatal(err)
	}
	rows, names := int64(0), map[string]bool{}
	for _, f := range s.Streams {
		if names[f.Name] {
			t.Errorf("two streams are called %s", f.Name)
		}
		names[f.Name] = true
		if f.Name == recording.GapStreamName || f.DroppedRows > 0 || f.State != store.StateComplete {
			t.Errorf("stream %+v", f)
		}
		rows += f.Rows
	}
	if rows != 1_000_000 || len(s.Streams) != 16 || s.LastClock != 999_999 || s.Driver != "test" || s.Simulated {
		t.Errorf("%d rows in %d streams, last clock %d, driver %s, simulated %v", rows, len(s.Streams), s.LastClock, s.Driver, s.Simulated)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.arrow"))
	if err != nil || len(files) != 16 {
		t.Fatalf("files %v, %v", files, err)
	}
	if code, _, errs := try(append([]string{"verify", "--quiet"}, files...)...); code != exitDone {
		t.Errorf("verify: exit code %d: %s", code, errs)
	}
}

func TestDevicesListsWhatABoardConsistsOf(t *testing.T) {
	library := standin.Library(t)
	code, out, errs := try("devices", "--driver", "test", "--liboni", library, "--json")
	var list []deviceEntry
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != exitDone || len(list) != 16 {
		t.Fatalf("exit code %d, %d devices, %v: %s", code, len(list), err, errs)
	}
	for i, d := range list {
		hub := uint8(i / 4)
		want := deviceEntry{
			Address: fmt.Sprintf("0x%04x", int(hub)<<8|i%4), ID: 10, Name: "test device", Version: 2, ReadSize: 12 + 4*uint32(hub), WriteSize: 32,
			Hub: hub, HubID: 5, HubName: "Headstage-64S", HubRevision: "0.5", HubFirmware: "6.64", HubClockHz: 50e6, HubFaults: []string{},
		}
		if !reflect.DeepEqual(d, want) {
			t.Errorf("device %d: %+v, want %+v", i, d, want)
		}
	}
	if !strings.Contains(errs, "driver test 2.1.0, liboni 4.6.0 ("+library+"), acquisition clock 200 MHz") {
		t.Error(errs)
	}
	code, out, errs = try("devices", "--liboni", library)
	if code != exitDone || errs != "" {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	for _, line := range []string{
		"driver riffa 1.1.0-test, liboni 4.6.0", "acquisition clock 250 MHz", "0    FMC host  1.3       2.2       250 MHz",
		"0x0006   analog inputs and outputs   22  2        32    24",
	} {
		if !strings.Contains(out, line) {
			t.Errorf("%q is not in:\n%s", line, out)
		}
	}
	if strings.Contains(out, "0x0003") {
		t.Errorf("a place holder is listed:\n%s", out)
	}
}

func TestDevicesOfTheSimulatedBoard(t *testing.T) {
	code, out, errs := try("devices", "--driver", "sim", "--json")
	var list []deviceEntry
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != exitDone || len(list) != 11 {
		t.Fatalf("exit code %d, %d devices, %v: %s", code, len(list), err, errs)
	}
	if code, _, errs := try("devices", "--driver", "xillybus"); code != exitUsage {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

func TestADriverThatCannotBeOpened(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "liboni.so")
	code, _, errs := try("record", "--driver", "test", "--liboni", missing, "--out", filepath.Join(t.TempDir(), "out"))
	if code != exitFailed || !strings.Contains(errs, missing) || !strings.Contains(errs, "no such file") {
		t.Errorf("exit code %d: %s", code, errs)
	}
	code, _, errs = try("record", "--driver", "xillybus", "--rig", write(t, "rig.yaml", []byte("seed: 1\n")), "--out", "x")
	if code != exitUsage || !strings.Contains(errs, "possible: sim, riffa, test") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}
