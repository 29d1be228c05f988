package pagetest

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// `oniscope view` serves the embedded page with files whose bytes come by range
// request, under its own content security policy, and ends cleanly on Ctrl-C.
func TestViewServesThePageWithItsFiles(t *testing.T) {
	needBrowser(t)
	if _, err := os.Stat("../../bin/oniscope"); err != nil {
		if required {
			t.Fatal(err)
		}
		t.Skip("no bin/oniscope: run go tool mage build")
	}
	paths := []string{foreign(t, "new_NeuropixelsV1.arrow"), foreign(t, "new_AnalogInput_S16.arrow"), foreign(t, "start-time_0.csv")}
	view := exec.Command("../../bin/oniscope", append([]string{"view", "--no-browser"}, paths...)...)
	out, err := view.StdoutPipe()
	check(t, err)
	view.Stderr = os.Stderr
	check(t, view.Start())
	ended := make(chan error, 1)
	url, err := bufio.NewReader(out).ReadString('\n')
	go func() {
		_, _ = io.Copy(io.Discard, out)
		ended <- view.Wait()
	}()
	t.Cleanup(func() { _ = view.Process.Kill() })
	check(t, err)
	url = strings.TrimSpace(url)

	page, err := chromium.Open(url, desk)
	check(t, err)
	check(t, page.WaitDrawn(0))
	var ids []string
	check(t, page.Eval(`oniscope.streams()`, &ids))
	if strings.Join(ids, " ") != "new_NeuropixelsV1 new_AnalogInput_S16" {
		t.Errorf("streams %v", ids)
	}
	compareValues(t, page, "new_NeuropixelsV1", paths[0])
	compareValues(t, page, "new_AnalogInput_S16", paths[1])
	for _, wrong := range page.Problems() {
		t.Errorf("the page did what it must not: %s", wrong)
	}
	page.Close()

	// The same file by its address, typed on the empty page.
	base, _, _ := strings.Cut(url, "?")
	page, err = chromium.Open(base, desk)
	check(t, err)
	var refused bool
	check(t, page.Eval(`(async () => {
		const [first] = await (await fetch("files.json")).json(), form = document.querySelector("#address"), field = form.elements.url;
		field.value = "http://[";
		form.requestSubmit();
		const refused = field.hasAttribute("aria-invalid");
		field.value = first.url;
		field.dispatchEvent(new Event("input"));
		form.requestSubmit();
		return refused && !field.hasAttribute("aria-invalid");
	})()`, &refused))
	if !refused {
		t.Error("what is no address is not marked, or what is one is")
	}
	check(t, page.WaitDrawn(0))
	check(t, page.Eval(`oniscope.streams()`, &ids))
	if len(ids) != 1 {
		t.Errorf("streams %v by an address", ids)
	}
	for _, wrong := range page.Problems() {
		t.Errorf("the page did what it must not: %s", wrong)
	}
	page.Close()

	for _, name := range []string{"", "src/engine.worker.js", "src/engine.worker.js?second", "gen/oniscope.wasm", "gen/second.wasm"} {
		response, err := http.Get(base + name)
		check(t, err)
		response.Body.Close()
		if policy := response.Header.Get("Content-Security-Policy"); response.StatusCode != 200 || !strings.Contains(policy, "default-src") {
			t.Errorf("%q: status %d, policy %q", name, response.StatusCode, policy)
		}
	}

	check(t, view.Process.Signal(syscall.SIGINT))
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("Ctrl-C: %v", err)
		}
	case <-time.After(patience):
		t.Error("view goes on after Ctrl-C")
	}
}
