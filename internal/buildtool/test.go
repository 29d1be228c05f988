package buildtool

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Test builds everything and runs every test of every language. What a part
// needs and the machine lacks is installed where we may, else the part fails.
func Test() error {
	return runStages([]stage{
		{name: "browsers and Python", do: ensureTools},
		{name: "build", do: Build},
		{name: "go vet", do: func() error { return run("go", "vet", "./...") }},
		{name: "go test, native", do: testNative},
		{name: "go test -race: acquire, run, store", do: testRace},
		{name: "pyarrow, pandas, NumPy", do: interopTests, beside: true},
		{name: "go test, WebAssembly under Node", do: testWasm},
		{name: "page modules under Node", do: testModules},
		{name: "page in Chromium", do: pageTests},
	})
}

// ensureTools comes first, so that no test skips what it could have had.
func ensureTools() error {
	if err := ensureChromium(); err != nil {
		return err
	}
	ensureFirefox()
	_, err := ensurePython()
	return err
}

// Page builds and runs the page's tests in Chromium only.
func Page() error {
	if err := Build(); err != nil {
		return err
	}
	return pageTests()
}

// Interop builds and lets the Python readers read what the recorder wrote.
func Interop() error {
	if err := Build(); err != nil {
		return err
	}
	return interopTests()
}

const pagetestPackage = "github.com/oniscope/oniscope/web/pagetest"

// liveTest is the test of a recorder and its page together: a test of the page that
// lies where its recorder is made.
const liveTest, livePackage = "TestThePageFollowsARecorderAndOutlivesIt", "./recorder/internal/command"

// racePackages have the goroutines of a recording. The detector makes everything
// ten times as slow: -short leaves out what depends on the host's clock.
var racePackages = []string{"./recorder/internal/acquire", "./recorder/internal/run", "./recorder/internal/store"}

// testRace looks for data races in a recording. The detector needs a C compiler.
func testRace() error {
	if _, err := exec.LookPath("cc"); err != nil {
		fmt.Println("skipped: the race detector needs a C compiler (cc)")
		return nil
	}
	return run("go", append([]string{"test", "-race", "-short"}, racePackages...)...)
}

// testNative leaves the page's tests to a stage of their own, where nothing
// else takes the processor.
func testNative() error {
	if os.Getuid() != 0 {
		fmt.Println("skipped: real disks that are full, freeze or fail: mounting them needs root")
	}
	list, err := output("go", "list", "./...")
	if err != nil {
		return err
	}
	args := []string{"test", "-skip", "^" + liveTest + "$"}
	for _, pkg := range strings.Fields(list) {
		if pkg != pagetestPackage {
			args = append(args, pkg)
		}
	}
	return run("go", args...)
}

// testWasm runs the packages that the page shares with the recorder as what
// the page makes of them; -short takes fewer of the mutations at random that the
// native tests do. The environment is emptied, because Go's loader under Node
// refuses a large one (golang/go#49011).
func testWasm() error {
	if _, err := exec.LookPath("node"); err != nil {
		return errors.New("the WebAssembly tests need Node 20: install it (Debian: apt-get install nodejs npm)")
	}
	lib, err := wasmLib()
	if err != nil {
		return err
	}
	under := fmt.Sprintf("env -i PATH=%s HOME=%s '%s'", os.Getenv("PATH"), os.Getenv("HOME"), filepath.Join(lib, "go_js_wasm_exec"))
	tests := command{name: "go", env: wasmEnv, args: []string{"test", "-short", "-exec", under, "./shared/...", "./wasm/..."}}
	return tests.run()
}

func testModules() error {
	dir, err := root()
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(dir, "web", "test", "*.test.js"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return errors.New("no web/test/*.test.js")
	}
	for i := range files {
		files[i], _ = filepath.Rel(dir, files[i])
	}
	return run("node", append([]string{"--test"}, files...)...)
}

// pageTests makes sure that the tests find what they would otherwise skip for.
func pageTests() error {
	if err := ensureChromium(); err != nil {
		return err
	}
	python, err := ensurePython()
	if err != nil {
		return err
	}
	dir, err := root()
	if err != nil {
		return err
	}
	if err := ensureModule(dir, "axe-core"); err != nil {
		return fmt.Errorf("the page tests need axe-core: %w", err)
	}
	tests := command{name: "go", env: []string{"ONISCOPE_PAGE=required", "ONISCOPE_PYTHON=" + python},
		args: []string{"test", "-count=1", "./web/pagetest"}}
	return errors.Join(tests.run(), run("go", "test", "-count=1", "-run", "^"+liveTest+"$", livePackage))
}

// ensureArrowJS installs arrow-js where the foreign files are made with it, and
// returns that folder.
func ensureArrowJS(root string) (string, error) {
	const below = "testdata/generate/foreign-js"
	dir := filepath.Join(root, filepath.FromSlash(below))
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "apache-arrow")); err == nil {
		return dir, nil
	}
	if err := (command{name: "npm", dir: below, args: []string{"ci", "--no-audit", "--no-fund"}}).run(); err != nil {
		return "", fmt.Errorf("arrow-js could not be installed (npm needs its registry): %w", err)
	}
	return dir, nil
}

func interopTests() error {
	python, err := ensurePython()
	if err != nil {
		return err
	}
	dir, err := root()
	if err != nil {
		return err
	}
	arrowJS, err := ensureArrowJS(dir)
	if err != nil {
		return err
	}
	tests := command{name: python, env: []string{"ONISCOPE=" + filepath.Join(dir, binary()), "ONISCOPE_ARROW_JS=" + arrowJS, "PYTHONDONTWRITEBYTECODE=1"},
		args: []string{"-m", "pytest", "-p", "no:cacheprovider", "testdata/interop"}}
	return tests.run()
}
