package pagetest

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// What axe-core finds is minor at most, in the states that a person meets, in both
// themes.
func TestThePageCanBeUsedByAll(t *testing.T) {
	axe, err := os.ReadFile("../node_modules/axe-core/axe.min.js")
	if err != nil {
		if required {
			t.Fatal(err)
		}
		t.Skip("no axe-core here: npm ci in web")
	}
	page := open(t, View{Width: 1280, Height: 800})
	check(t, page.Eval(`(0, eval)(`+asJSON(t, string(axe))+`), 1`, nil))
	check(t, page.Eval(`document.documentElement.style.setProperty("--quick", "0ms"), 1`, nil)) // a theme that is half there has no contrast
	audit := func(state string) {
		t.Helper()
		for _, theme := range []string{"dark", "light"} {
			var found []string
			check(t, page.Eval(fmt.Sprintf(`(async () => {
				document.documentElement.dataset.theme = %q;
				await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)));
				const { violations } = await axe.run(document, { resultTypes: ["violations"] });
				return violations.filter((v) => ["moderate", "serious", "critical"].includes(v.impact)).map((v) => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + " " + (n.any[0]?.message ?? "")).join(" | "));
			})()`, theme), &found))
			for _, f := range found {
				t.Errorf("%s, %s: %s", state, theme, f)
			}
		}
	}
	drawn := func(files ...string) {
		t.Helper()
		check(t, page.Drop(files...))
		check(t, page.WaitDrawn(0))
	}
	dialog := func(id string) { check(t, page.WaitFor(patience, `document.querySelector("#`+id+`")?.open`)) }

	audit("nothing open")
	drawn(gapsFile(t, t.TempDir(), "np_0.arrow"))
	check(t, page.WaitFor(patience, `document.querySelector("#state").textContent.includes("gap")`))
	check(t, page.Eval(`(document.querySelector("#metadata").open = true)`, nil))
	press(t, page, "i")
	audit("traces with gaps and a selection")
	press(t, page, "?")
	dialog("help")
	audit("the list of keys")
	press(t, page, kb.Escape)
	press(t, page, "g")
	dialog("goto")
	audit("going to a moment")
	press(t, page, kb.Escape)
	press(t, page, "k", kb.ModifierCtrl)
	dialog("palette")
	audit("the palette")
	press(t, page, kb.Escape)
	check(t, page.Eval(`document.querySelector("#save-slice").click()`, nil))
	dialog("slice")
	audit("saving")
	press(t, page, kb.Escape)
	press(t, page, "t")
	check(t, page.WaitFor(patience, `!!document.querySelector("#row-3 .rest span")?.textContent`))
	audit("a table")
	press(t, page, "t")
	drawn(damagedProbe(t))
	check(t, page.Eval(`oniscope.view({stream: "probe_0"}).then(() => oniscope.verify("probe_0"))`, nil))
	check(t, page.WaitFor(patience, `!!document.querySelector("#findings")`))
	audit("a damaged file that was verified, beside another run")
	check(t, page.Drop(foreign(t, "start-time_0.csv")))
	wrong := strings.TrimSuffix(foreign(t, "start-time_0.csv"), "start-time_0.csv") + "README.md"
	check(t, page.Drop(wrong))
	check(t, page.WaitFor(patience, `document.querySelectorAll(".notice").length > 0`))
	audit("notices")
	check(t, page.Eval(`(document.querySelectorAll(".notice .close").forEach((b) => b.click()))`, nil))
	drawn(foreign(t, "new_Bno055.arrow"), foreign(t, "new_MemoryMonitor.arrow"))
	check(t, chromedp.Do(page.Context(), chromedp.EmulateViewport(700, 400)))
	check(t, page.Eval(`oniscope.view({stream: "new_Bno055"})`, nil))
	audit("slow signals in a small window")

	// In a small window, or at 200 %, all that has no button is in Find, which has one.
	drawn(foreign(t, "new_NeuropixelsV1.arrow"))
	for _, width := range []int64{360, 480, 640, 890} {
		check(t, chromedp.Do(page.Context(), chromedp.EmulateViewport(width, 400)))
		var outside []string
		check(t, page.Eval(`[...document.querySelectorAll("#tools > *, #state")].filter((n) => n.checkVisibility()).flatMap((n) => {
			const { left, right, top, bottom } = n.getBoundingClientRect(), seen = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
			return left >= 0 && right <= innerWidth && n.contains(seen) ? [] : [n.id || n.className];
		})`, &outside))
		if len(outside) > 0 {
			t.Errorf("in %d pixels these cannot be met: %v", width, outside)
		}
		var mode string
		check(t, page.Eval(`(async () => {
			document.querySelector("#find").click();
			const field = document.querySelector("#palette input");
			field.value = "Heat map: how strong";
			field.dispatchEvent(new Event("input"));
			field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
			await oniscope.view();
			return document.querySelector("#heatscale").hidden ? "traces" : "heat map";
		})()`, &mode))
		if want := []string{"heat map", "traces"}[slices.Index([]int64{360, 480, 640, 890}, width)%2]; mode != want {
			t.Errorf("in %d pixels Find leads to %s, want %s", width, mode, want)
		}
	}
}
