package liboni

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Words for what is missing on a system and how to get it. The system is a
// parameter so that every text is tested on one machine.
// Source: onix-devices 1.10.

// LibraryVariable names the environment variable with the file of liboni.
const LibraryVariable = "ONISCOPE_LIBONI"

const project = "https://github.com/open-ephys/liboni"

// systemFolders says where a system's loader looks for libraries.
func systemFolders(system string) string {
	switch system {
	case "windows":
		return "in the program's folder and in System32"
	case "darwin":
		return "in the system's library folders"
	}
	return "in the system's library folders (ldconfig, LD_LIBRARY_PATH)"
}

// installLibrary says how to get liboni.
func installLibrary(system string) string {
	const or = ", or name its file with --liboni FILE or " + LibraryVariable
	switch system {
	case "windows":
		return "put liboni.dll and the driver's libonidriver_riffa.dll, as they come with Bonsai's ONIX package, next to oniscope.exe" + or
	case "darwin":
		return "build liboni 4 from " + project + " (make -f Makefile.osx, sudo make -f Makefile.osx install)" + or
	}
	return "build liboni 4 from " + project + " (in api/liboni and in its drivers/riffa: make, sudo make install, sudo ldconfig)" + or
}

// installDriver says how to get a driver library.
func installDriver(system, driver string) string {
	switch {
	case system == "windows":
		return fmt.Sprintf("put libonidriver_%s.dll next to liboni.dll", driver)
	case system == "darwin" && driver == "riffa":
		return "RIFFA, the driver of the PCIe host, is made for Linux and Windows: record there"
	case driver == "riffa":
		return "install the RIFFA package for Linux of " + project + " (libriffa.so and the kernel module), then the driver (in api/liboni/drivers/riffa: make, sudo make install, sudo ldconfig)"
	}
	return fmt.Sprintf("build it from %s (in api/liboni/drivers/%s: make, sudo make install, sudo ldconfig), or put its file next to liboni", project, driver)
}

// hardwareReasons says what is known of why a board could not be opened. root
// is the root of the file system.
func hardwareReasons(system, root, driver string, code int32) []string {
	switch {
	case driver != "riffa":
		return nil
	case code == codeRetrigger:
		return []string{"another process uses the board; end it (Bonsai, the Open Ephys GUI, another oniscope)"}
	case code != codeInit:
		return nil
	case system == "windows":
		return []string{"see whether the RIFFA device is in the Device Manager without a warning; else install the RIFFA driver of " + project + " and power the PC off and on"}
	case system != "linux":
		return nil
	}
	return riffaReasons(root)
}

// xilinx is the vendor of the host's FPGA on the PCI bus; onix-devices 1.10.
const xilinx = "0x10ee"

// riffaReasons looks at what the riffa driver needs on Linux: the board, the
// kernel module, the device node, its permissions.
func riffaReasons(root string) []string {
	var reasons []string
	devices := filepath.Join(root, "sys/bus/pci/devices")
	if entries, err := os.ReadDir(devices); err == nil {
		board := false
		for _, e := range entries {
			vendor, err := os.ReadFile(filepath.Join(devices, e.Name(), "vendor"))
			board = board || err == nil && strings.TrimSpace(string(vendor)) == xilinx
		}
		if !board {
			reasons = append(reasons, "no board is on the PCI bus (vendor "+xilinx+"): power the PC off, seat the board, power it on")
		}
	}
	if _, err := os.Stat(filepath.Join(root, "sys/module/riffa")); err != nil {
		reasons = append(reasons, "the kernel module riffa is not loaded: sudo modprobe riffa; if there is none, install the RIFFA package of "+project+", and again after an update of the kernel")
	}
	node := filepath.Join(root, "dev/riffa")
	f, err := os.OpenFile(node, os.O_RDWR, 0)
	switch {
	case err == nil:
		f.Close()
	case errors.Is(err, fs.ErrNotExist):
		reasons = append(reasons, "the device node "+node+" is missing: the module makes it when it finds a board")
	case errors.Is(err, fs.ErrPermission):
		reasons = append(reasons, node+" may not be opened: the RIFFA package brings the rule 99-riffa.rules; sudo udevadm control --reload && sudo udevadm trigger")
	default:
		reasons = append(reasons, fmt.Sprintf("%s: %v", node, cause(err)))
	}
	return reasons
}

// cause is an error of the file system without the path, which its callers say.
func cause(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}
