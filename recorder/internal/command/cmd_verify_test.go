package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/recorder/internal/store"
)

// A file that a recorder is writing is not blamed for its missing end; when
// the recorder is gone, it is.
func TestVerifyOfAFileThatIsOpen(t *testing.T) {
	whole := read(t, bonsai+"new_Heartbeat.arrow")
	path := write(t, "beat_0.arrow", whole[:len(whole)-1500])
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Lock(f); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := try("verify", path); code != exitDone || !strings.Contains(out, "ok so far: a recorder is writing it") || !strings.Contains(out, "  info ") {
		t.Errorf("open: exit code %d: %s", code, out)
	}
	if code, _, words := try("recover", "--in-place", path); code != exitFailed || !strings.Contains(words, "writing") {
		t.Errorf("recover of an open file: exit code %d: %s", code, words)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := try("verify", path); code != exitLoss || !strings.Contains(out, "not ok: ") {
		t.Errorf("left behind: exit code %d: %s", code, out)
	}
}

// A gap is a loss: rows, time and the clock's step are reported, and the exit code
// says so.
func TestVerifyTellsGaps(t *testing.T) {
	source := bonsai + "new_Heartbeat.arrow"
	dir := t.TempDir()
	// Two parts of a recording, one after another, lack what lay between.
	code, out, words := try("recover", cutOut(t, source, dir), "-o", filepath.Join(dir, "gap.arrow"))
	if code != exitLoss {
		t.Fatalf("%d: %s%s", code, out, words)
	}
	code, out, _ = try("verify", "--clock-hz", "250000000", filepath.Join(dir, "gap.arrow"))
	if code != exitLoss || !strings.Contains(out, "gap: about 50 rows (5 s) missing before row 250: HubClock steps by 1275000000 ticks") || !strings.Contains(out, "row 250, 24.900004 s: ") {
		t.Errorf("%d: %s", code, out)
	}
}

// cutOut makes a copy of a file of which batch 5 is zeroed.
func cutOut(t *testing.T, source, dir string) string {
	t.Helper()
	data := read(t, source)
	at := 0
	for range 7 { // schema and batches 0 to 5
		at += 8
		for ; string(data[at:at+4]) != "\xff\xff\xff\xff"; at += 8 {
		}
	}
	clear(data[at : at+400])
	path := filepath.Join(dir, "damaged.arrow")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// A plain body with the zeros of a lost block has its end and every batch, and
// is not called complete.
func TestRecoverDoesNotCallASuspectFileComplete(t *testing.T) {
	file := read(t, bonsai+"new_NeuropixelsV1.arrow")
	clear(file[409600:413696])
	path := write(t, "zeros.arrow", file)
	code, out, _ := try("recover", path, "-o", path+".out")
	if code != exitLoss || strings.Contains(out, "nothing to recover") || !strings.Contains(out, "some rows look wrong") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}
