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
			const picture = document.querySelector("#traces .picture"), copy = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
			copy.drawImage(picture, 0, 0);
			const data = new Uint32Array(copy.getImageData(0, 0, picture.width, picture.height).data.buffer), ground = 0xff16130e;
			let inked = 0;
			for (const pixel of data) if (pixel !== ground) inked++;
			resolve({ inked, hidden: picture.hidden, read: Number(root.dataset.bytesRead), status: document.getElementById("status").innerText });
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
	var root struct {
		State     string `json:"state"`
		BytesRead string `json:"bytesRead"`
	}
	check(t, page.Eval(`({...document.documentElement.dataset})`, &root))
	if root.State != "ready" || root.BytesRead == "0" || root.BytesRead == "" {
		t.Errorf("root %+v", root)
	}
}
