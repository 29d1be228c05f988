package pagetest

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

type box struct {
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

func boxOf(t *testing.T, page *Page, selector string) box {
	t.Helper()
	var b *box
	check(t, page.Eval(fmt.Sprintf(`(() => {
		const r = document.querySelector(%q)?.getBoundingClientRect();
		return r && {x: r.x, y: r.y, width: r.width, height: r.height};
	})()`, selector), &b))
	if b == nil {
		t.Fatalf("no %s", selector)
	}
	return *b
}

// The places of design/README: top bar 40 px, left 236, right 268, ruler 26,
// status bar 24, gutter of the traces 64.
func TestTheGridHasTheMeasuresOfTheDesign(t *testing.T) {
	page := ready(t, desk, foreign(t, "new_NeuropixelsV1.arrow"))
	for selector, want := range map[string]box{
		"#top":    {0, 0, 1600, 40},
		"#left":   {0, 40, 236, 936},
		"#right":  {1332, 40, 268, 936},
		"#centre": {236, 40, 1096, 936},
		"#ruler":  {236, 40, 1096, 26},
		"#status": {0, 976, 1600, 24},
	} {
		if got := boxOf(t, page, selector); got != want {
			t.Errorf("%s is at %+v, want %+v", selector, got, want)
		}
	}
	var gutter string
	check(t, page.Eval(`getComputedStyle(document.documentElement).getPropertyValue("--gutter").trim()`, &gutter))
	if gutter != "64px" {
		t.Errorf("gutter %q", gutter)
	}
	var overflow bool
	check(t, page.Eval(`document.documentElement.scrollWidth > innerWidth || document.documentElement.scrollHeight > innerHeight`, &overflow))
	if overflow {
		t.Error("the page scrolls")
	}
}

// tokens are the colours of design/README, as browsers compute them.
var tokens = map[string][2]string{ // dark, light
	"bg":        {"#0e1316", "#f4f6f7"},
	"pane":      {"#12181c", "#fbfcfc"},
	"pane-2":    {"#171e23", "#eef2f4"},
	"line":      {"#232d34", "#dde3e7"},
	"line-2":    {"#2f3b43", "#c8d1d7"},
	"text":      {"#d5dde2", "#17212a"},
	"dim":       {"#93a2ac", "#566672"},
	"faint":     {"#5c6a74", "#8a98a3"},
	"accent":    {"#5cc8e8", "#096a86"},
	"accent-bg": {"#123642", "#d8eef4"},
	"ok":        {"#5cbf8a", "#1f7a4d"},
	"warn":      {"#e6b450", "#94650a"},
	"bad":       {"#f0705f", "#b93a2b"},
	"trace-a":   {"#8fc7e0", "#1d5f7d"},
	"trace-b":   {"#e0c08f", "#8a5a12"},
	"digital":   {"#b8a2e3", "#5f45a8"},
	"slow":      {"#5cbf8a", "#1f7a4d"},
}

func rgb(hex string) string {
	var r, g, b int
	fmt.Sscanf(hex, "#%02x%02x%02x", &r, &g, &b)
	return fmt.Sprintf("rgb(%d, %d, %d)", r, g, b)
}

func TestTheColoursAreThoseOfTheDesignInBothThemes(t *testing.T) {
	for theme, view := range []View{{Width: 1600, Height: 1000}, {Width: 1600, Height: 1000, Light: true}} {
		t.Run([]string{"dark", "light"}[theme], func(t *testing.T) {
			page := ready(t, view, foreign(t, "new_NeuropixelsV1.arrow"))
			var names []string
			for name := range tokens {
				names = append(names, name)
			}
			list, err := json.Marshal(names)
			check(t, err)
			got := map[string]string{}
			check(t, page.Eval(fmt.Sprintf(`(() => {
				const probe = document.body.appendChild(document.createElement("i"));
				const seen = {};
				for (const name of %s) { probe.style.color = "var(--" + name + ")"; seen[name] = getComputedStyle(probe).color; }
				probe.remove();
				return seen;
			})()`, list), &got))
			for name, want := range tokens {
				if got[name] != rgb(want[theme]) {
					t.Errorf("--%s is %s, want %s", name, got[name], rgb(want[theme]))
				}
			}
			for selector, c := range map[string]struct{ property, token string }{
				"body":    {"backgroundColor", "bg"},
				"#top":    {"backgroundColor", "pane"},
				"#left":   {"backgroundColor", "pane"},
				"#right":  {"backgroundColor", "pane"},
				"#status": {"backgroundColor", "pane"},
				"#run":    {"color", "text"},
			} {
				var colour string
				check(t, page.Eval(fmt.Sprintf(`getComputedStyle(document.querySelector(%q)).%s`, selector, c.property), &colour))
				if want := rgb(tokens[c.token][theme]); colour != want {
					t.Errorf("%s of %s is %s, want %s (--%s)", c.property, selector, colour, want, c.token)
				}
			}
			// The painter has the tokens too: the ground of the traces is the
			// commonest colour of its picture.
			var pixel []int
			check(t, page.Eval(`(() => {
				const picture = document.querySelector("#traces .picture"), copy = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
				copy.drawImage(picture, 0, 0);
				const counts = new Map();
				for (const pixel of new Uint32Array(copy.getImageData(0, 0, picture.width, picture.height).data.buffer)) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
				const [[ground]] = [...counts].sort((a, b) => b[1] - a[1]);
				return [ground & 255, (ground >> 8) & 255, (ground >> 16) & 255];
			})()`, &pixel))
			if want := rgb(tokens["bg"][theme]); len(pixel) != 3 || fmt.Sprintf("rgb(%d, %d, %d)", pixel[0], pixel[1], pixel[2]) != want {
				t.Errorf("the ground of the traces is %v, want %s", pixel, want)
			}
		})
	}
}

func TestTheEmptyPageSaysWhatToDo(t *testing.T) {
	page := open(t, desk)
	check(t, page.WaitState("empty"))
	var visible bool
	check(t, page.Eval(`document.querySelector("#drop").checkVisibility() && document.querySelector("#choose").checkVisibility()`, &visible))
	if !visible {
		t.Error("the empty page shows no place to drop files on")
	}
	var notice bool
	check(t, page.Eval(`!!document.querySelector("#file-notice")?.checkVisibility()`, &notice))
	if notice {
		t.Error("the notice for pages opened from a file is still there")
	}
}

var everyLook = flag.Bool("screens", false, "take the screenshots for a person, in both themes and two widths")

// Screenshots of the states that a person should look at, in out/screenshots, with
// -screens: what those states are, other tests check.
func TestScreenshotsForAPersonToLookAt(t *testing.T) {
	if !*everyLook {
		t.Skip("pictures for a person: -screens takes them")
	}
	dir, err := filepath.Abs("../../out/screenshots")
	check(t, err)
	check(t, os.MkdirAll(dir, 0o755))
	all := []View{{Width: 1280, Height: 800}, {Width: 1280, Height: 800, Light: true}, {Width: 2560, Height: 1440}, {Width: 2560, Height: 1440, Light: true}}
	two := []View{{Width: 1280, Height: 800}, {Width: 2560, Height: 1440, Light: true}}
	wait := func(condition string) func(*Page) error {
		return func(page *Page) error { return page.WaitFor(patience, condition) }
	}
	drawn := func(page *Page) error {
		if err := page.WaitDrawn(0); err != nil {
			return err
		}
		return page.WaitQuiet()
	}
	do := func(script, condition string) func(*Page) error {
		return func(page *Page) error {
			if err := drawn(page); err != nil {
				return err
			}
			if err := page.Eval(script, nil); err != nil {
				return err
			}
			return wait(condition)(page)
		}
	}
	probe := foreign(t, "new_NeuropixelsV1.arrow")
	for _, c := range []struct {
		name  string
		files []string
		views []View
		until func(*Page) error // the page shows what it is about
	}{
		{"empty", nil, all, wait(`true`)},
		{"damaged", []string{truncated(t, probe, "damaged.arrow", func(whole int) int { return whole - 100_000 })}, all, drawn},
		{"heartbeat", []string{foreign(t, "new_Heartbeat.arrow")}, all, drawn},
		{"opening", []string{slowFile(t, "port-a-neuropixels_0.arrow", 20_000)}, two, wait(`document.querySelector("#streams .opening .note")?.textContent.includes("%")`)},
		{"table", []string{notesFile(t, 5000)}, two, do(`document.querySelector("#row-12 .rest span").click()`, `document.querySelector('#row-12[aria-selected="true"]')`)},
		{"verified", []string{damagedProbe(t), foreign(t, "start-time_0.csv")}, two, do(`document.querySelector("#verify").click()`, `document.querySelector("#findings")`)},
		{"save", []string{probe}, two, do(`document.querySelector("#save").click()`, `document.querySelector("#slice[open]")`)},
	} {
		for _, v := range c.views {
			page := open(t, v)
			if c.files != nil {
				check(t, page.Drop(c.files...))
			}
			check(t, c.until(page))
			theme := "dark"
			if v.Light {
				theme = "light"
			}
			path := filepath.Join(dir, fmt.Sprintf("%s-%s-%d.png", c.name, theme, v.Width))
			check(t, page.Screenshot(path))
			if info, err := os.Stat(path); err != nil || info.Size() < 10_000 {
				t.Errorf("%s: %v, %d bytes", path, err, info.Size())
			}
			page.Close()
		}
	}
}

// simulatedRun records two seconds of the simulated rig with the binary.
func simulatedRun(t *testing.T) []string {
	t.Helper()
	if _, err := os.Stat("../../bin/oniscope"); err != nil {
		if required {
			t.Fatal(err)
		}
		t.Skip("no bin/oniscope: run go tool mage build")
	}
	dir := filepath.Join(t.TempDir(), "run")
	out, err := exec.Command("../../bin/oniscope", "record", "--driver", "sim", "--rig", "../../testdata/rigs/np1e-sim.yaml",
		"--pace", "max", "--duration", "2s", "--out", dir, "--quiet").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.*"))
	check(t, err)
	var dropped []string
	for _, f := range files {
		if ext := filepath.Ext(f); ext == ".arrow" || ext == ".csv" {
			dropped = append(dropped, f)
		}
	}
	return dropped
}
