package pagetest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The page in Firefox: it opens a file, draws, zooms, verifies, shows its palette,
// and gives the values of the file.
func TestThePageRunsInFirefox(t *testing.T) {
	program, err := FindFirefox()
	if err != nil {
		t.Skip(err)
	}
	if _, err := os.Stat("../node_modules/puppeteer-core"); err != nil {
		t.Skip("no puppeteer-core here: npm ci in web")
	}
	if _, err := os.Stat("../gen/oniscope.wasm"); err != nil {
		t.Skip("built without the page: run go tool mage build")
	}
	server, err := Serve("..")
	check(t, err)
	t.Cleanup(func() { server.Close() })
	path, err := filepath.Abs(foreign(t, "new_NeuropixelsV1.arrow"))
	check(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, "node", "firefox.mjs", program, server.URL, path)
	var stderr strings.Builder
	run.Stderr = &stderr
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var got struct {
		Problems       []string
		Lit            float64
		Before, Zoomed view
		Said           string
		Values         []int
	}
	check(t, json.Unmarshal(out, &got))
	for _, wrong := range append(got.Problems, server.Reports()...) {
		t.Errorf("the page did what it must not: %s", wrong)
	}
	if got.Lit < 0.01 || got.Lit > 0.6 {
		t.Errorf("%.1f %% of the plot is drawn", 100*got.Lit)
	}
	if a, b := got.Before.To-got.Before.From, got.Zoomed.To-got.Zoomed.From; len(got.Zoomed.Columns) < 20 || b >= a {
		t.Errorf("+ zooms from %v to %v", got.Before, got.Zoomed)
	}
	if !strings.Contains(got.Said, "nothing is damaged") {
		t.Errorf("verified: %q", got.Said)
	}
	_, columns := columnsOf(t, path)
	for _, c := range columns {
		if c.name != "SpikeData7" {
			continue
		}
		var want []int
		for row := 100; row < 104; row++ {
			want = append(want, int(c.data[2*row])|int(c.data[2*row+1])<<8)
		}
		if fmt.Sprint(got.Values) != fmt.Sprint(want) {
			t.Errorf("values %v, want %v", got.Values, want)
		}
	}
}
