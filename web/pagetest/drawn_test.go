package pagetest

import "testing"

// What data-drawn promises: at the moment it first grows, the traces are on the
// screen and stand on every sample. A count that comes with an empty canvas
// would make scripts read, and benchmarks time, a page without data.
func TestTheFirstCountedRedrawShowsTraces(t *testing.T) {
	page := open(t, desk)
	check(t, page.Eval(`globalThis.first = new Promise((resolve) => {
		const root = document.documentElement;
		new MutationObserver((_, observer) => {
			if (!(Number(root.dataset.drawn) > 0)) return;
			observer.disconnect();
			const canvas = document.getElementById("traces");
			const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
			let inked = 0;
			for (let i = 3; i < data.length; i += 4) if (data[i] > 0) inked++;
			resolve({ inked, hidden: canvas.hidden, read: Number(root.dataset.bytesRead), status: document.getElementById("status").innerText });
		}).observe(root, { attributes: true, attributeFilter: ["data-drawn"] });
	}), 0`, new(int)))
	check(t, page.Drop(foreign(t, "new_NeuropixelsV1.arrow")))
	var first struct {
		Inked  int    `json:"inked"`
		Hidden bool   `json:"hidden"`
		Status string `json:"status"`
	}
	check(t, page.Eval(`first`, &first))
	if first.Hidden || first.Inked < 10_000 {
		t.Errorf("at the first counted redraw %d pixels of the traces are inked (hidden: %v); status %q", first.Inked, first.Hidden, first.Status)
	}
}
