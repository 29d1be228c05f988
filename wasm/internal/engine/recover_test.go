package engine

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

func TestVerifyTellsWhatIsWrong(t *testing.T) {
	data := testRecording(t, recording.Zstd)
	e, _ := openTest(t, data)
	report, err := e.Verify(context.Background(), "np_0", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		if f.Severity == recording.SeverityError && f.LostRows == 0 {
			t.Errorf("a whole file has the finding %+v", f)
		}
	}
	whole := len(report.Findings)
	at := bytes.Index(data, []byte{0x28, 0xb5, 0x2f, 0xfd}) // the first zstd frame
	data[at+9] ^= 0xff
	e, _ = openTest(t, data)
	steps, told := 0, 0
	e.Yield = func() { steps++ }
	report, err = e.Verify(context.Background(), "np_0", func(p SliceProgress) { told++ }, nil)
	if err != nil || report.OK || report.Path != "np_0.arrow" || len(report.Findings) <= whole || report.Findings[0].Batch != 0 || report.Findings[0].Severity != recording.SeverityError {
		t.Errorf("%+v, %v", report, err)
	}
	if steps == 0 || told == 0 {
		t.Errorf("%d steps, %d progress messages", steps, told)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := e.Verify(ctx, "np_0", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestRecoverWritesWithAnotherCompression(t *testing.T) {
	data := testRecording(t, recording.None)
	for _, compression := range []string{"none", "zstd", "lz4"} {
		e, _ := openTest(t, data[:len(data)-2000])
		file := &testdata.Memory{}
		_, plan, err := e.Recover(context.Background(), RecoverArgs{Stream: "np_0", Compression: compression}, file, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.VerifyCopy(context.Background(), plan, bytes.NewReader(file.Data), int64(len(file.Data))); err != nil {
			t.Error(err)
		}
		whole, info := openTest(t, file.Data)
		if info.State != "complete" || info.Rows != plan.Report.RowsRecovered || info.Compression != compression {
			t.Errorf("%s: %s, %d rows, %s", compression, info.State, info.Rows, info.Compression)
		}
		values, _, err := collect(whole, valuesArgs("0", 0, info.Rows))
		if err != nil {
			t.Fatal(err)
		}
		for row, x := range values {
			if x != testValue(0, row) {
				t.Fatalf("%s: row %d is %v", compression, row, x)
			}
		}
		file.Data[len(file.Data)/2] ^= 0xff
		if compression == "zstd" {
			if err := e.VerifyCopy(context.Background(), plan, bytes.NewReader(file.Data), int64(len(file.Data))); err == nil {
				t.Error("a copy that was changed passed")
			}
		}
	}
	e, _ := openTest(t, data)
	if _, _, err := e.Recover(context.Background(), RecoverArgs{Stream: "np_0", Compression: "gzip"}, &testdata.Memory{}, nil, nil); err == nil || ReplyFromError(err).Name != "TypeError" {
		t.Errorf("gzip: %v", err)
	}
}
