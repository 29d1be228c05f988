package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

func TestSliceWritesWhatOtherProgramsRead(t *testing.T) {
	e, _ := openTest(t, testRecording(t, recording.Zstd))
	slice := func(args string) (*SliceReport, []byte) {
		t.Helper()
		file := &testdata.Memory{}
		report, err := e.Slice(context.Background(), sliceArgs(args), file, nil, nil)
		if err != nil {
			t.Fatalf("%s: %v", args, err)
		}
		if report.Bytes != int64(len(file.Data)) || report.LostRows != 0 {
			t.Errorf("%s: report %+v of %d bytes", args, report, len(file.Data))
		}
		return report, file.Data
	}

	report, csv := slice(`{"format": "csv", "start": 298, "end": 302, "columns": ["SpikeData1", "Clock"]}`)
	want := "SpikeData1,Clock\n"
	for row := 298; row < 302; row++ {
		want += fmt.Sprintf("%d,%d\n", testAP(1, row), testTick(row))
	}
	if string(csv) != want || report.Rows != 4 {
		t.Errorf("csv %q, %d rows", csv, report.Rows)
	}

	if report, bin := slice(`{"format": "bin", "start": 0, "end": 10}`); report.Layout == nil || report.Layout.ReadBinary.NumChannels != 3 || len(bin) != 10*3*2 ||
		binary.LittleEndian.Uint16(bin[2*(3*7+2):]) != testAP(2, 7) || strings.Join(report.Columns, " ") != "SpikeData0 SpikeData1 SpikeData2" {
		t.Errorf("bin: %+v, %d bytes", report, len(bin))
	}

	if report, npy := slice(`{"format": "npy", "start": 5, "end": 25, "columns": ["SpikeData0"]}`); !bytes.HasPrefix(npy, []byte("\x93NUMPY")) || report.Rows != 20 ||
		!bytes.Contains(npy[:128], []byte("'<u2'")) || binary.LittleEndian.Uint16(npy[len(npy)-2:]) != testAP(0, 24) {
		t.Errorf("npy: %+v", report)
	}

	if _, stream := slice(`{"format": "stream", "start": 0, "end": 100}`); bytes.HasPrefix(stream, []byte("ARROW1")) {
		t.Error("a stream begins like a file")
	} else if _, info := openTest(t, stream); info.Format != "stream" || info.Rows != 100 {
		t.Errorf("stream: %+v", info)
	}

	if report, _ := slice(`{"format": "csv", "unique": true, "columns": ["LfpData1"]}`); report.Rows != int64(testRows()/testStride) {
		t.Errorf("unique: %d rows", report.Rows)
	}

	for args, name := range map[string]string{
		`{"format": "xls"}`:                         "TypeError",
		`{"format": "bin", "columns": ["Clock"]}`:   "FormatError",
		`{"format": "csv", "start": 5, "end": 4}`:   "RangeError",
		`{"format": "csv", "columns": ["Nothing"]}`: "ColumnError",
	} {
		if _, err := e.Slice(context.Background(), sliceArgs(args), &testdata.Memory{}, nil, nil); err == nil || ReplyFromError(err).Name != name {
			t.Errorf("%s: %v, want %s", args, err, name)
		}
	}
}
