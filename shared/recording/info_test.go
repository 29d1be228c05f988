package recording_test

import (
	"math"
	"testing"
	"time"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/recording"
)

func TestInfo(t *testing.T) {
	s := testdata.EveryType()
	s.Columns[1].Unit = "V"
	f, _ := testdata.WriteRandom(t, s, recording.Zstd, 9, 60, 60, 5)
	r := testdata.Open(t, f.Data)
	info, err := testdata.Info(r)
	if err != nil {
		t.Fatal(err)
	}
	if info.SizeBytes != int64(len(f.Data)) || info.Format != recording.FileFormat || info.State != recording.Complete || info.Rows != 125 || info.Batches != 3 || info.Compression != "zstd" {
		t.Errorf("%+v", info)
	}
	if *info.Start != 1000/250e6 || math.Abs(*info.DurationS-1250/250e6) > 1e-15 || info.RateHz != 25e6 {
		t.Errorf("start %v, duration %v, rate %v", *info.Start, *info.DurationS, info.RateHz)
	}
	if c := info.Columns[1]; c != (recording.InfoColumn{Name: "bool", Type: "bool", Unit: "V", Subsample: "none", Stride: 1}) {
		t.Errorf("column %+v", c)
	}
	if c := info.Columns[3]; c != (recording.InfoColumn{Name: "bool_ree", Type: "run_end_encoded<int32, bool>", Subsample: "run-end", Stride: 12}) {
		t.Errorf("column %+v", c)
	}
	if info.Metadata["device"] != "Test Device" || info.Metadata["lab"] != "µ 7" || len(info.Findings) != 0 || info.Findings == nil {
		t.Errorf("metadata %v, findings %v", info.Metadata, info.Findings)
	}
	r = testdata.Open(t, testdata.Foreign(t, "csharp/cs_small.arrow"))
	if info, err = testdata.Info(r); err != nil || info.DurationS != nil || info.DurationTicks != 900*8333 || info.RateHz != 0 {
		t.Errorf("without a rate: %+v, %v", info, err)
	}
	r.SetClock(250_000_000, time.Time{})
	if info, err = testdata.Info(r); err != nil || math.Abs(*info.DurationS-900*8333/250e6) > 1e-12 || math.Abs(info.RateHz-250e6/8333) > 1e-9 {
		t.Errorf("with the caller's rate: %+v, %v", info, err)
	}
}

// A few nulls are nulls; a signal that is slower than the rows has many.
func TestAFewNullsAreNoSubsampling(t *testing.T) {
	file := (&handmade{plain, 4, []arrowipc.FieldNode{{Length: 4, NullCount: 1}}, [][]byte{{0xB}, testdata.LE16(7, 8, 9, 10)}, -1}).file()
	if kind, stride, err := testdata.Open(t, file).Subsample(0); kind != "none" || stride != 1 || err != nil {
		t.Errorf("%s, %d, %v", kind, stride, err)
	}
}
