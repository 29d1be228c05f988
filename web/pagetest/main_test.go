package pagetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// required is set by the mage targets: what would make these tests skip on a
// plain clone makes them fail then.
var required = os.Getenv("ONISCOPE_PAGE") == "required"

// chromium is the one browser of all tests; nil if there is none.
var chromium *Browser

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

func runTests(m *testing.M) (int, error) {
	browser, err := Start(context.Background())
	switch {
	case err == nil:
		chromium = browser
		defer browser.Close()
	case required || !errors.Is(err, ErrNoChromium):
		return 1, err
	}
	return m.Run(), nil
}

// openBad opens the folder of a page that misbehaves, to test the harness.
func openBad(t *testing.T, fragment string) (*Server, *Page) {
	t.Helper()
	needBrowser(t)
	server, err := Serve("testdata/bad")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	page, err := chromium.Open(server.URL+"#"+fragment, View{Width: 400, Height: 300})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(page.Close)
	return server, page
}

func needBrowser(t *testing.T) {
	t.Helper()
	if chromium == nil {
		t.Skip(ErrNoChromium)
	}
}

// open opens the page itself. When the test ends, whatever the page did wrong
// fails it.
func open(t *testing.T, v View) *Page {
	t.Helper()
	_, page := openServed(t, v)
	return page
}

// openServed is open for a test that has files for the server.
func openServed(t *testing.T, v View) (*Server, *Page) {
	t.Helper()
	needBrowser(t)
	if _, err := os.Stat("../gen/oniscope.wasm"); err != nil {
		if required {
			t.Fatal(err)
		}
		t.Skip("built without the page: run go tool mage build")
	}
	server, err := Serve("..")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	page, err := chromium.Open(server.URL, v)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, wrong := range append(page.Problems(), server.Reports()...) {
			t.Errorf("the page did what it must not: %s", wrong)
		}
		page.Close()
	})
	return server, page
}

// desk is the window of most tests.
var desk = View{Width: 1600, Height: 1000}

// ready opens the page, drops files and waits for the first final redraw.
func ready(t *testing.T, v View, files ...string) *Page {
	t.Helper()
	page := open(t, v)
	check(t, page.Drop(files...))
	check(t, page.WaitDrawn(0))
	return page
}

// closeAll closes what is open, so that a page serves for the next files.
func closeAll(t *testing.T, page *Page) {
	t.Helper()
	check(t, page.Eval(`document.querySelectorAll("#streams li .close").forEach((b) => b.click())`, nil))
	check(t, page.WaitFor(patience, `(await oniscope.streams()).length === 0`))
}

// again drops files on a page that was used before, and waits for their redraw.
func again(t *testing.T, page *Page, files ...string) {
	t.Helper()
	closeAll(t, page)
	before, err := page.Drawn()
	check(t, err)
	check(t, page.Drop(files...))
	check(t, page.WaitDrawn(before))
	check(t, page.Eval(`oniscope.view()`, nil)) // what was drawn may have been the empty page
}

// patience is how long a test waits for what must come: it matters only to one that
// fails, and a busy machine is slow.
const patience = 30 * time.Second

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// python runs a script of testdata/interop with the interpreter that has
// pyarrow. Without one the test is skipped, or fails where it is required.
func python(t *testing.T, script string, args ...string) {
	t.Helper()
	interpreter := os.Getenv("ONISCOPE_PYTHON")
	if interpreter == "" {
		interpreter = "../../.venv/bin/python"
	}
	if _, err := os.Stat(interpreter); err != nil {
		if required {
			t.Fatal(err)
		}
		t.Skip("no pyarrow here: run go tool mage interop once, which makes .venv")
	}
	path := filepath.Join("..", "..", "testdata", "interop", script)
	out, err := exec.Command(interpreter, append([]string{path}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", script, args, err, out)
	}
	t.Logf("%s: %s", script, out)
}
