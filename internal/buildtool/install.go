package buildtool

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/oniscope/oniscope/web/pagetest"
)

// ensureChromium installs Debian's Chromium if there is no browser and we may.
func ensureChromium() error {
	_, err := pagetest.FindChromium()
	if !errors.Is(err, pagetest.ErrNoChromium) {
		return err
	}
	if !canApt() {
		return fmt.Errorf("the page tests need Chromium: install it (Debian: apt-get install chromium), or name the binary in ONISCOPE_CHROMIUM")
	}
	return aptInstall("chromium", "fonts-dejavu-core")
}

// ensureFirefox installs Debian's Firefox if there is none and we may. The page's
// one test in it is skipped without: not every machine has it to offer.
func ensureFirefox() {
	if _, err := pagetest.FindFirefox(); err == nil || !canApt() {
		return
	}
	if err := aptInstall("firefox-esr"); err != nil {
		fmt.Printf("skipped: the page's test in Firefox: %v\n", err)
	}
}

// ensurePython makes .venv with exactly the packages of requirements.txt and
// returns its interpreter.
func ensurePython() (string, error) { return ensureVenv(".venv", "testdata/interop/requirements.txt") }

// ensureVenv makes a virtual environment with exactly the packages listed, and
// returns its interpreter. Paths are relative to the root.
func ensureVenv(name, requirements string) (string, error) {
	dir, err := root()
	if err != nil {
		return "", err
	}
	venv := filepath.Join(dir, name)
	python := filepath.Join(venv, "bin", "python")
	wanted, err := os.ReadFile(filepath.Join(dir, requirements))
	if err != nil {
		return "", err
	}
	stamp := filepath.Join(venv, "requirements.txt")
	if have, err := os.ReadFile(stamp); err == nil && bytes.Equal(have, wanted) {
		return python, nil
	}
	if err := makeVenv(venv); err != nil {
		return "", err
	}
	if err := run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements); err != nil {
		return "", fmt.Errorf("the Python packages could not be installed (pip needs its registry): %w", err)
	}
	return python, os.WriteFile(stamp, wanted, 0o644)
}

// makeVenv tries what a machine may offer: the standard module, the same after
// installing Debian's missing half of it, and virtualenv.
func makeVenv(venv string) error {
	const missing = "the Python readers' tests need Python 3 with venv: install it (Debian: apt-get install python3 python3-venv)"
	if _, err := exec.LookPath("python3"); err != nil {
		if !canApt() {
			return errors.New(missing)
		}
		if err := aptInstall("python3", "python3-venv"); err != nil {
			return err
		}
	}
	attempts := []func() error{
		func() error { return run("python3", "-m", "venv", "--clear", venv) },
		func() error {
			if !canApt() {
				return errors.New("not Debian as root")
			}
			if err := aptInstall("python3-venv"); err != nil {
				return err
			}
			return run("python3", "-m", "venv", "--clear", venv)
		},
		func() error {
			if err := run("python3", "-m", "pip", "install", "--quiet", "virtualenv"); err != nil {
				return err
			}
			return run("python3", "-m", "virtualenv", "--clear", venv)
		},
	}
	for _, attempt := range attempts {
		if attempt() == nil {
			return nil
		}
	}
	return errors.New(missing)
}

// canApt reports whether we are root on a machine with apt.
func canApt() bool {
	_, err := exec.LookPath("apt-get")
	return err == nil && os.Geteuid() == 0
}

func aptInstall(packages ...string) error {
	if err := run("apt-get", "-q", "update"); err != nil {
		return err
	}
	install := command{name: "apt-get", env: []string{"DEBIAN_FRONTEND=noninteractive"},
		args: append([]string{"-q", "install", "-y", "--no-install-recommends"}, packages...)}
	return install.run()
}
