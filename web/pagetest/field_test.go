package pagetest

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/oniscope/oniscope/internal/fronts"
)

// Files as people have them, in one page: what the twin says is what the page says and
// draws; where the clock begins anew there are lines, and the times of the segments.
func TestFilesOfTheFieldInThePage(t *testing.T) {
	list, err := fronts.Situations("../../testdata/field")
	check(t, err)
	page, dir := open(t, desk), t.TempDir()
	for i := range list {
		s := &list[i]
		id := strings.TrimSuffix(s.Name, filepath.Ext(s.Name))
		if s.CSV == nil {
			id += "_0"
			s.Name = id + filepath.Ext(s.Name)
		}
		if s.ClockHz > 0 {
			s.CSV = &fronts.CSV{Name: "start-time_0.csv", Data: fmt.Appendf(nil, "Timestamp,Value.AcquisitionClockHz\n2026-05-18T21:50:02Z,%d\n", s.ClockHz)}
		}
		path, err := s.Write(dir)
		check(t, err)
		given := []string{path}
		if s.CSV != nil {
			given = append(given, filepath.Join(dir, s.CSV.Name))
		}
		check(t, page.Drop(given...))
		if s.Error != "" {
			words, _ := json.Marshal(s.Error[1:]) // it begins a sentence
			check(t, page.WaitFor(patience, fmt.Sprintf(`document.querySelector("#notices").innerText.replaceAll("\u202f", " ").includes(%s)`, words)))
			check(t, page.Eval(`document.querySelectorAll("#notices .close").forEach((b) => b.click())`, nil))
			continue
		}
		check(t, page.WaitFor(patience, fmt.Sprintf(`(await oniscope.streams()).includes(%q) && (await oniscope.info(%q)).rows_exact && document.documentElement.dataset.state === "ready"`, id, id)))
		if s.Exported != "" {
			checkExported(t, page, id, s)
		}
		check(t, page.Eval(fmt.Sprintf(`oniscope.view({stream: %q})`, id), nil))
		checkSituation(t, page, id, s)
		closeAll(t, page)
	}
}

// checkExported compares names of columns and values with the text of all rows.
func checkExported(t *testing.T, page *Page, id string, s *fronts.Situation) {
	t.Helper()
	quoted, err := json.Marshal(s.Exported)
	check(t, err)
	var text string
	check(t, page.Eval(fmt.Sprintf(`(async () => {
		const {columns, rows} = await oniscope.info(%q), want = %s;
		const values = await Promise.all(columns.map((_, c) => oniscope.values(%q, c, 0, rows)));
		const cells = (line) => [...line.matchAll(/(?:^|,)("(?:[^"]|"")*"|[^,]*)/g)].map((m) => m[1]), wanted = want.split("\n").map(cells);
		const cell = (row, c) => /^(u?int|float|utf8|decimal)/.test(columns[c].type) ? String(values[c].values[row]).replace("Infinity", "inf") : wanted[row + 1][c]; // times are numbers here
		return [columns.map((c) => c.name).join(), ...Array.from({length: rows}, (_, row) => columns.map((_, c) => cell(row, c)).join()), ""].join("\n");
	})()`, id, quoted, id), &text))
	if text != s.Exported {
		t.Errorf("%s: the page has %q, want %q", s.Name, text, s.Exported)
	}
}

func checkSituation(t *testing.T, page *Page, id string, s *fronts.Situation) {
	t.Helper()
	var info struct {
		State    string
		Rows     int64
		Segments []struct {
			Start, End  int64
			First, Last string
		}
		Axis []struct{ First, Last string }
	}
	if s.Segments != nil {
		check(t, page.WaitFor(patience, fmt.Sprintf(`(await oniscope.info(%q)).segments.length === %d`, id, len(s.Segments))))
	}
	check(t, page.Eval(fmt.Sprintf(`oniscope.info(%q).then((info) => ({...info, segments: info.segments.map((s) => ({...s, first: String(s.clock_first), last: String(s.clock_last)}))}))`, id), &info))
	if s.State != "" && info.State != string(s.State) || s.Rows != nil && info.Rows != *s.Rows {
		t.Errorf("%s: %s, %d rows", s.Name, info.State, info.Rows)
	}
	if s.RateHz != nil && *s.RateHz > 30000 {
		check(t, page.WaitFor(patience, `[...document.querySelectorAll("#stream-panel dt")].find((d) => d.textContent === "rate")?.nextSibling.textContent === "30\u202fkHz"`))
	}
	if s.Segments == nil {
		return
	}
	for k, seg := range info.Segments {
		if want := s.Segments[k]; seg.Start != want.Start || seg.End != want.End || seg.First != fmt.Sprint(want.ClockFirst) || seg.Last != fmt.Sprint(want.ClockLast) {
			t.Errorf("%s: segment %d is %+v, want %+v", s.Name, k, seg, want)
		}
	}
	for k, seg := range info.Axis {
		if want := s.Segments[k]; seg.First != fmt.Sprint(int64(want.ClockFirst)) || seg.Last != fmt.Sprint(int64(want.ClockLast)) {
			t.Errorf("%s: stretch %d is %+v, want %+v", s.Name, k, seg, want)
		}
	}
	for _, want := range s.Times {
		var rows int64
		check(t, page.Eval(fmt.Sprintf(`oniscope.slice(%q, {from: %s, to: %s}).then(({report}) => report.rows)`, id, want.From, want.To), &rows))
		if rows != want.Rows && !strings.Contains(want.From, "123456789") { // more digits than numbers have
			t.Errorf("%s: seconds %s to %s are %d rows, want %d", s.Name, want.From, want.To, rows, want.Rows)
		}
	}
	if s.Name == "timestamps-two.arrow" { // one of two is chosen
		check(t, page.Eval(`(() => { const choice = document.querySelector("#time-column"); choice.value = "saved"; choice.dispatchEvent(new Event("change")); })()`, nil))
		check(t, page.WaitFor(patience, fmt.Sprintf(`(await oniscope.info(%q)).segments.length === 1`, id)))
		var got struct {
			Start float64
			Rows  int64
			Seen  struct{ From, To float64 }
		}
		check(t, page.Eval(fmt.Sprintf(`(async () => ({Start: (await oniscope.info(%q)).start, Rows: (await oniscope.slice(%q, {from: 1774746000, to: 1774746001})).report.rows, Seen: await oniscope.view({stream: %q})}))()`, id, id, id), &got))
		if got.Start != 1774745998 || got.Rows != 100 || got.Seen.From > 1774745998 || got.Seen.To < 1774745998.5 {
			t.Errorf("%s: by the chosen column %+v", s.Name, got)
		}
	}
	if s.ClockHz == 0 {
		return
	}
	check(t, page.WaitFor(patience, fmt.Sprintf(`document.querySelectorAll(".anew:not([hidden])").length === %d`, len(s.Segments)-1)))
	if s.Segments[0].RateHz != nil {
		return // rows are not as far apart everywhere
	}
	// Three quarters of the way into the last segment the cursor has its Clock.
	last := s.Segments[len(s.Segments)-1]
	rows := float64(*s.Rows - s.Segments[0].Start)
	share := (float64(last.Start-s.Segments[0].Start) + 0.75*float64(last.End-last.Start)) / rows
	if s.Segments[0].Start > 0 {
		share = (float64(s.Segments[0].Start) + 0.75*rows) / float64(*s.Rows) // rows without a tick are before it
	}
	x, y := plotPoint(t, page, share)
	check(t, chromedp.FromContext(page.Context()).Target.Call(page.Context(), input.CommandDispatchMouseEvent, map[string]any{"type": "mouseMoved", "x": x, "y": y}, nil))
	check(t, page.WaitFor(patience, `document.querySelector("#cursor-panel dl") !== null`))
	var clock string
	check(t, page.Eval(`[...document.querySelectorAll("#cursor-panel dt")].find((d) => d.textContent === "clock").nextSibling.textContent.replaceAll("\u202f", "")`, &clock))
	var got uint64
	_, err := fmt.Sscan(clock, &got)
	if want := last.ClockFirst + (last.ClockLast-last.ClockFirst)/4*3; err != nil || max(got, want)-min(got, want) > (last.ClockLast-last.ClockFirst)/50 {
		t.Errorf("%s: the cursor is at clock %s, want about %d", s.Name, clock, want)
	}
	if strings.HasPrefix(s.Name, "restart-in-batch") { // an address says in which segment a time is
		address := fmt.Sprintf("#stream=%s/Amplifier&s=2:0.002,2:0.012", id)
		check(t, page.Eval(fmt.Sprintf(`location.hash = %q`, address), nil))
		check(t, page.WaitFor(patience, fmt.Sprintf(`oniscope.view({stream: %q}).then(({from, to}) => Math.abs(from - 0.002) < 1e-6 && Math.abs(to - 0.012) < 1e-6)`, id)))
		check(t, page.WaitFor(patience, `location.hash.includes("s=2:0.002,2:0.012")`))
		check(t, page.Eval(fmt.Sprintf(`oniscope.view({stream: %q, from: 0.001, to: 0.01})`, id), nil))
		check(t, page.WaitFor(patience, `location.hash.includes("s=1:0.001,1:0.01")`))
	}
}
