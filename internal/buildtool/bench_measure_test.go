package buildtool

import "testing"

func TestARowSaysWhetherItsTargetsAreHeld(t *testing.T) {
	ours, peer := contender{name: "oniscope"}, contender{name: "cp"}
	for name, c := range map[string]struct {
		job     job
		medians []measured
		want    string
	}{
		"fast enough compared with the first peer": {job{name: "copy", ours: ours, peers: []contender{peer}, ratio: 0.8}, []measured{{seconds: 1.2, bytes: 3e9}, {seconds: 1}},
			"| copy | 0.8 x cp | 1.2 s, 2.5 GB/s | cp 1 s: 0.833 x | held |"},
		"too slow compared with the first peer": {job{name: "copy", ours: ours, peers: []contender{peer}, ratio: 0.8}, []measured{{seconds: 1.3}, {seconds: 1}},
			"| copy | 0.8 x cp | 1.3 s | cp 1 s: 0.769 x | missed |"},
		"bytes a second": {job{name: "scan", ours: ours, bytesPerSecond: 5e9}, []measured{{seconds: 0.001, bytes: 6e6}}, "| scan | 5 GB/s | 1 ms, 6 GB/s |  | held |"},
		"soon enough, too much read": {job{name: "open", ours: ours, seconds: 0.02, read: 8e6}, []measured{{seconds: 0.0123, read: 9e6}},
			"| open | 20 ms, 8 MB read | 12.3 ms, 9.0 MB read |  | missed |"},
		"no target": {job{name: "more", ours: ours, peers: []contender{peer}}, []measured{{seconds: 0.0005}, {seconds: 0.001}}, "| more | - | 500 µs | cp 1 ms: 2 x | - |"},
	} {
		if got := c.job.row(c.medians); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}
