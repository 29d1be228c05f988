package pagetest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/chromedp/chromedp"
)

// Memory returns how many bytes the process of the tab has of its own: the heaps
// of JavaScript and WebAssembly of page and workers, and whatever else the browser
// keeps there. It is known on Linux only; elsewhere, or if there is no such process,
// it is an error.
func (p *Page) Memory() (int64, error) {
	browser := chromedp.FromContext(p.ctx).Browser.Process()
	if browser == nil {
		return 0, fmt.Errorf("pagetest: the process of the browser is not known")
	}
	parents, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		return 0, err
	}
	parent, own := map[int]int{}, map[int]int64{}
	for _, file := range parents {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		fields := map[string]string{}
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(line, ":")
			fields[name] = strings.TrimSpace(value)
		}
		pid, _ := strconv.Atoi(fields["Pid"])
		parent[pid], _ = strconv.Atoi(fields["PPid"])
		kilobytes, _ := strconv.ParseInt(strings.TrimSuffix(fields["RssAnon"], " kB"), 10, 64)
		own[pid] = kilobytes << 10
	}
	most := int64(0)
	for pid := range own {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil || !strings.Contains(string(line), "--type=renderer") {
			continue
		}
		for up := pid; up > 1; up = parent[up] {
			if up == browser.Pid {
				most = max(most, own[pid]) // the others are spare ones
			}
		}
	}
	if most == 0 {
		return 0, fmt.Errorf("pagetest: no process of a tab found below %d", browser.Pid)
	}
	return most, nil
}
