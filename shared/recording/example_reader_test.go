package recording_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"

	"github.com/oniscope/oniscope/shared/recording"
)

func ExampleNewReader() {
	data, err := os.ReadFile("../../testdata/foreign/bonsai/old_MemoryMonitor.arrow")
	if err != nil {
		log.Fatal(err)
	}
	r, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	excerpt, err := r.Select(ctx, recording.Selection{Rows: &recording.Range{Start: 1498, End: 1502}, Columns: []string{"PercentUsed"}})
	if err != nil {
		log.Fatal(err)
	}
	for batch, err := range excerpt.Batches(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		for i, percent := range recording.Values[float64](&batch.Columns[0]) {
			fmt.Printf("row %d: %.3f %%\n", batch.Start+int64(i), percent)
		}
	}
	// Output:
	// row 1498: 36.274 %
	// row 1499: 36.298 %
	// row 1500: 36.323 %
	// row 1501: 36.303 %
}

func ExampleReader_Info() {
	data, err := os.ReadFile("../../testdata/foreign/bonsai/old_NeuropixelsV1_killed.arrow")
	if err != nil {
		log.Fatal(err)
	}
	r, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		log.Fatal(err)
	}
	info, err := r.Info(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.State, info.Rows, "rows", info.Columns[0].Name, info.Columns[0].Subsample, info.Columns[0].Stride)
	for _, f := range info.Findings {
		fmt.Println(f.Severity, f.Reason)
	}
	// Output:
	// unfinished 120 rows LfpDataCh0 nulls 12
	// error only 192512 of the 192864 bytes of its body are there
	// warning the end mark and the footer are missing
}

func ExampleColumnError() {
	data, err := os.ReadFile("../../testdata/foreign/bonsai/old_Rhd2164.arrow")
	if err != nil {
		log.Fatal(err)
	}
	r, err := recording.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		log.Fatal(err)
	}
	_, err = r.Select(context.Background(), recording.Selection{Columns: []string{"AuxData1"}})
	fmt.Println(err)
	// Output: recording: columns AuxData1: no column matches; did you mean AuxDataCh1, AuxDataCh0, AuxDataCh2?
}
