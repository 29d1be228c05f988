package liboni

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatToInstallIsSaidForEverySystem(t *testing.T) {
	for _, system := range []string{"linux", "darwin", "windows"} {
		if text := installLibrary(system); !strings.Contains(text, "--liboni") || !strings.Contains(text, "ONISCOPE_LIBONI") {
			t.Errorf("%s: %s", system, text)
		}
		for _, driver := range []string{"riffa", "test", "ft600"} {
			if text := installDriver(system, driver); text == "" || strings.Contains(text, "%!") {
				t.Errorf("%s, %s: %s", system, driver, text)
			}
		}
	}
	if text := installDriver("windows", "test"); text != "put libonidriver_test.dll next to liboni.dll" {
		t.Error(text)
	}
	if text := hardwareReasons("windows", "/", "riffa", codeInit); len(text) != 1 || !strings.Contains(text[0], "Device Manager") {
		t.Error(text)
	}
	if text := hardwareReasons("linux", "/", "test", codeInit); text != nil {
		t.Errorf("the test driver has no hardware, but: %v", text)
	}
}

// machine makes the root of a file system with these files.
func machine(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestWhyABoardCannotBeOpened(t *testing.T) {
	const otherCard, board, module = "sys/bus/pci/devices/0000:00:1f.0/vendor", "sys/bus/pci/devices/0000:01:00.0/vendor", "sys/module/riffa/version"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string // in this order
	}{
		{"nothing is there", nil, []string{"kernel module riffa is not loaded", "device node"}},
		{"no board", map[string]string{otherCard: "0x8086\n", module: "2", "dev/riffa": ""}, []string{"no board is on the PCI bus"}},
		{"no module", map[string]string{otherCard: "0x8086\n", board: "0x10ee\n"}, []string{"kernel module riffa is not loaded", "device node"}},
		{"no node", map[string]string{board: "0x10ee\n", module: "2"}, []string{"device node"}},
		{"all is there", map[string]string{board: "0x10ee\n", module: "2", "dev/riffa": ""}, nil},
	} {
		got := riffaReasons(machine(t, c.files))
		if len(got) != len(c.want) {
			t.Errorf("%s: %q", c.name, got)
			continue
		}
		for i := range got {
			if !strings.Contains(got[i], c.want[i]) {
				t.Errorf("%s: %q, want %q", c.name, got[i], c.want[i])
			}
		}
	}
}

func TestANodeThatMayNotBeOpened(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may open everything")
	}
	root := machine(t, map[string]string{"sys/module/riffa/version": "2", "dev/riffa": ""})
	if err := os.Chmod(filepath.Join(root, "dev/riffa"), 0); err != nil {
		t.Fatal(err)
	}
	if got := riffaReasons(root); len(got) != 1 || !strings.Contains(got[0], "99-riffa.rules") {
		t.Errorf("%q", got)
	}
}
