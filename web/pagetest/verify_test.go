package pagetest

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

// damagedProbe is a compressed Neuropixels file of which the second batch is
// overwritten in part.
func damagedProbe(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(foreign(t, "new_NeuropixelsV1_zstd.arrow"))
	check(t, err)
	copy(data[len(data)*3/8:], bytes.Repeat([]byte{0xa5}, 1000))
	path := filepath.Join(t.TempDir(), "probe_0.arrow")
	check(t, os.WriteFile(path, data, 0o644))
	return path
}

func TestVerifyListsItsFindingsAndGoesThere(t *testing.T) {
	path := damagedProbe(t)
	page := ready(t, desk, path, foreign(t, "start-time_0.csv"))
	click(t, page, `#verify`)
	check(t, page.WaitFor(patience, `!!document.querySelector('#findings details[data-severity="error"] li')`))

	// The page says what the package says.
	data, err := os.ReadFile(path)
	check(t, err)
	var want []recording.Finding
	for f, err := range recovery.Verify(context.Background(), bytes.NewReader(data), int64(len(data)), &recovery.VerifyOptions{AcqClockHz: 250_000_000}) {
		check(t, err)
		want = append(want, f)
	}
	var got struct {
		OK       bool                `json:"ok"`
		Findings []recording.Finding `json:"findings"`
	}
	check(t, page.Eval(`oniscope.verify("probe_0")`, &got))
	if a, b := asJSON(t, got.Findings), asJSON(t, want); a != b || got.OK {
		t.Errorf("the page found\n%s\nthe package\n%s", a, b)
	}
	errors := 0
	for _, f := range want {
		if f.Severity == recording.SeverityError {
			errors++
		}
	}
	var listed int
	check(t, page.Eval(`document.querySelectorAll('#findings details[data-severity="error"] li').length`, &listed))
	var text, row string
	check(t, page.Eval(`document.querySelector("#findings").innerText`, &text))
	check(t, page.Eval(`document.querySelector("#streams li .note").textContent`, &row))
	if listed != errors || !strings.Contains(text, "Batch 1") || !strings.Contains(row, "error") {
		t.Errorf("%d of %d errors are listed, the row says %q:\n%s", listed, errors, row, text)
	}
	for _, word := range []string{"arrowipc", "recording:", "flatbuffers", "%!"} {
		if strings.Contains(text, word) {
			t.Errorf("the findings speak of %q:\n%s", word, text)
		}
	}

	// A finding is a step away: its middle is where it is.
	check(t, page.Eval(`oniscope.view({from: 0, to: 0.002})`, nil))
	check(t, page.Eval(`document.querySelector('#findings details[data-severity="error"] .jump').click()`, nil))
	var view struct{ From, To float64 }
	check(t, page.Eval(`oniscope.view()`, &view))
	at := float64(want[0].ClockAfter) / 250e6
	if view.From > at || view.To < at {
		t.Errorf("the view is %v, the finding at %v s", view, at)
	}
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	check(t, err)
	return string(text)
}

func TestAWholeFileVerifiesByKeyAndByPalette(t *testing.T) {
	page := ready(t, desk, foreign(t, "new_NeuropixelsV1_zstd.arrow"))
	press(t, page, "v")
	check(t, page.WaitFor(patience, `document.querySelector("#findings .ok")?.textContent.includes("nothing is damaged")`))

	// The palette finds the action and runs it.
	again(t, page, foreign(t, "new_NeuropixelsV1.arrow"))
	check(t, page.WaitFor(patience, `!document.querySelector("#findings")`))
	check(t, page.Eval(`document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "k", ctrlKey: true, bubbles: true})), 0`, nil))
	check(t, page.WaitFor(patience, `!!document.querySelector("#palette[open]")`))
	for _, key := range "verif" {
		press(t, page, string(key))
	}
	press(t, page, "\r")
	check(t, page.WaitFor(patience, `!!document.querySelector("#findings .ok") && !document.querySelector("#palette")`))
}

func TestVerificationCanBeCancelled(t *testing.T) {
	page := ready(t, desk, slowFile(t, "slow_0.arrow", 1000))
	// Both in one script: the file may be verified before another is heard.
	check(t, page.Eval(`(async () => {
		document.querySelector("#verify").click();
		while (!document.querySelector("#verify-cancel")) await new Promise((resolve) => setTimeout(resolve));
		document.querySelector("#verify-cancel").click();
	})()`, nil))
	check(t, page.WaitFor(patience, `document.querySelector("#health-panel").innerText.includes("cancelled") && !!document.querySelector("#verify")`))
	check(t, page.Eval(`oniscope.view({from: 0.1, to: 0.2})`, nil))
}
