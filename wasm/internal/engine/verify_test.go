package engine

import (
	"context"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
)

// Gaps are known of a file that was killed, too; what verification finds is in the
// facts of the stream from then on.
func TestFactsHaveWhatWasFound(t *testing.T) {
	whole := testRecording(t, recording.None)
	killed := whole[:len(whole)-400] // without its footer
	e, info := openTest(t, killed)
	if info.State != string(recording.Unfinished) {
		t.Fatalf("state %s", info.State)
	}
	info, err := e.Index(context.Background(), "np_0", nil)
	if err != nil {
		t.Fatal(err)
	}
	if gaps := kinds(info, "gap"); gaps != 2 {
		t.Errorf("%d gaps in the coverage of a killed file, want 2", gaps)
	}

	e, info = openTest(t, whole)
	if info.State != string(recording.Complete) {
		t.Fatalf("state %s", info.State)
	}
	report, err := e.Verify(context.Background(), "np_0", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	info, err = e.Info("np_0")
	if err != nil || len(info.Findings) != len(report.Findings) || kinds(info, "gap") != 2 || info.State != string(recording.Complete) {
		t.Errorf("verified, a file with gaps is %s with %d findings (%d reported), %d gaps: %v", info.State, len(info.Findings), len(report.Findings), kinds(info, "gap"), err)
	}

	// A wrong checksum shows when the bytes are read, and never before.
	packed := testRecording(t, recording.Zstd)
	for at := len(packed) / 2; at < len(packed)*3/5; at++ {
		packed[at] ^= 0xa5
	}
	e, _ = openTest(t, packed)
	before, err := e.Index(context.Background(), "np_0", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Verify(context.Background(), "np_0", nil, nil); err != nil {
		t.Fatal(err)
	}
	info, err = e.Info("np_0")
	if err != nil || info.State != string(recording.Damaged) || kinds(info, "damaged")+kinds(info, "missing") == 0 {
		t.Errorf("%s before (%d damaged), %s after with coverage %v: %v", before.State, kinds(before, "damaged"), info.State, info.Coverage, err)
	}
}

// kinds is how many spans of a kind the coverage has.
func kinds(info *StreamInfo, kind string) (n int) {
	for _, span := range info.Coverage {
		if span.Kind == kind {
			n++
		}
	}
	return n
}
