package pagetest

import (
	"fmt"
	"os"
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
	page := open(t, View{1280, 800, false})
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
}
