package command

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/oniscope/oniscope/recorder/internal/run"
)

// aSnapshot is a night with two probes behind one headstage, one of them silent.
func aSnapshot() *run.Snapshot {
	return &run.Snapshot{
		State: "recording", ElapsedS: 8*3600 + 62, LagS: 0.4, BytesPerS: 97.5e6,
		FIFO: run.FIFOSnapshot{Percent: 53, Bytes: 2e9, Level: "warning"}, Disk: run.DiskSnapshot{LastsS: 3 * 3600},
		Streams: []run.StreamSnapshot{
			{Name: "heartbeat", RateHz: 100, ExpectedHz: 100, DurableBytes: 46e6},
			{Name: "digital-io", RateHz: 65},
			{Name: "port-a-neuropixels-2.0e-probe-a", RateHz: 30000, ExpectedHz: 30000, DurableBytes: 680e9, QueueS: 12.3},
			{Name: "port-a-neuropixels-2.0e-probe-b", ExpectedHz: 30000, DurableBytes: 679e9, AgeS: 1204, Word: "SILENT 1204 s", LostRows: 36_120_000, Cause: "link"},
		},
	}
}

func TestStatusLinesFitAndTellStreamsApart(t *testing.T) {
	for _, width := range []int{40, 60, 80, 100, 120, 250} {
		lines := statusLines(aSnapshot(), width)
		names := map[string]bool{}
		for _, line := range lines[2:] {
			name := strings.Fields(line)[0]
			if names[name] {
				t.Errorf("%d columns: two streams are called %s", width, name)
			}
			names[name] = true
		}
		if width < 60 {
			continue // cut
		}
		for i, line := range lines {
			if n := utf8.RuneCountInString(line); n > width-1 && i < len(lines)-1 {
				t.Errorf("%d columns: %d in %q", width, n, line)
			}
		}
		for _, words := range []string{"8:01:02", "FIFO 53 %!", "lag 0.4 s"} {
			if !strings.Contains(lines[0], words) {
				t.Errorf("%d columns: no %q in %q", width, words, lines[0])
			}
		}
		if width >= 80 && (!strings.Contains(lines[0], "97.5 MB/s") || !strings.Contains(lines[len(lines)-1], "SILENT")) {
			t.Errorf("%d columns:\n%s", width, strings.Join(lines, "\n"))
		}
		if width < 80 && strings.Contains(lines[0], "97") && !strings.Contains(lines[0], "97.5 MB/s") {
			t.Errorf("%d columns: a number is cut: %q", width, lines[0])
		}
		if whole := strings.Contains(strings.Join(lines, "\n"), "port-a-neuropixels-2.0e-probe-b "); whole != (width >= 100) {
			t.Errorf("%d columns:\n%s", width, strings.Join(lines, "\n"))
		}
	}
	const at80 = `recording  8:01:02   FIFO 53 %!   lag 0.4 s   disk 3 h 00 min   97.5 MB/s
stream                       Hz    of Hz      synced   queue   age   lost
heartbeat                   100      100     46.0 MB   0.0 s   0.0   -
digital-io                   65        -      0.0 kB   0.0 s   0.0   -
port-a-neurop…e-probe-a   30000    30000   680.00 GB  12.3 s   0.0   -`
	if got := strings.Join(statusLines(aSnapshot(), 80)[:5], "\n"); got != at80 {
		t.Errorf("80 columns:\n%s", got)
	}
}

// TestTheWordsOfAPlainLine: where there is no terminal all is in one line.
func TestTheWordsOfAPlainLine(t *testing.T) {
	s := aSnapshot()
	if line := plainStatus(s); !strings.HasSuffix(line, "port-a-neuropixels-2.0e-probe-b SILENT 1204 s 36M rows link") {
		t.Error(line)
	}
	for i := range s.Streams {
		if f := &s.Streams[i]; f.ExpectedHz > 0 {
			f.Word, f.LostRows = "SILENT 4 s", 0
		}
	}
	if line := plainStatus(s); !strings.HasSuffix(line, "synced   all streams SILENT 4 s") {
		t.Error(line)
	}
	s.Streams = s.Streams[:2]
	s.Streams[0].Word = ""
	if line := plainStatus(s); !strings.HasSuffix(line, "lost nothing") {
		t.Error(line)
	}
}
