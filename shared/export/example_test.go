//go:build !js

package export_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/oniscope/oniscope/shared/export"
	"github.com/oniscope/oniscope/shared/recording"
)

func openExample(name string) (*os.File, *recording.Reader) {
	f, err := os.Open("../../testdata/foreign/bonsai/" + name)
	if err != nil {
		log.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		log.Fatal(err)
	}
	r, err := recording.NewReader(f, info.Size())
	if err != nil {
		log.Fatal(err)
	}
	return f, r
}

// Rows as text, into any io.Writer.
func ExampleCSV() {
	f, r := openExample("new_Heartbeat.arrow")
	defer f.Close()
	ctx := context.Background()
	excerpt, err := r.Select(ctx, recording.Selection{Rows: &recording.Range{Start: 10, End: 13}})
	if err != nil {
		log.Fatal(err)
	}
	report, err := export.CSV(ctx, os.Stdout, excerpt, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Rows, "rows")
	// Output:
	// HubClock,Clock
	// 250000017,250001000
	// 275000017,275001000
	// 300000017,300001000
	// 3 rows
}

// A flat file for a spike sorter, and what has to be told to read it.
func ExampleBin() {
	f, r := openExample("new_Rhd2164.arrow")
	defer f.Close()
	r.SetClock(250_000_000, time.Time{}) // this file does not state it
	ctx := context.Background()
	excerpt, err := r.Select(ctx, recording.Selection{Rows: &recording.Range{End: 1000}})
	if err != nil {
		log.Fatal(err)
	}
	layout, report, err := export.Bin(ctx, io.Discard, excerpt, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d rows of %d channels, %s, %g uV a code\n", report.Rows, layout.ReadBinary.NumChannels, layout.ReadBinary.DType, layout.ReadBinary.GainToUV[0])
	// Output:
	// 1000 rows of 64 channels, uint16, 0.195 uV a code
}

// Records gives arrow-go's record batches for all that is built on them.
func ExampleRecords() {
	f, r := openExample("new_Heartbeat.arrow")
	defer f.Close()
	var first uint64
	rows := int64(0)
	ctx := context.Background()
	excerpt, err := r.Select(ctx, recording.Selection{Rows: &recording.Range{Start: 100, End: 400}, Columns: []string{"Clock"}})
	if err != nil {
		log.Fatal(err)
	}
	for batch, err := range export.Records(ctx, excerpt) {
		if err != nil {
			log.Fatal(err)
		}
		if rows == 0 {
			first = batch.Column(0).(*array.Uint64).Value(0)
		}
		rows += batch.NumRows()
		batch.Release()
	}
	fmt.Println(rows, "rows from tick", first)
	// Output:
	// 300 rows from tick 2500001000
}

// A Parquet file with the types and metadata of the recording.
func ExampleParquet() {
	f, r := openExample("new_NeuropixelsV1_zstd.arrow")
	defer f.Close()
	var file bytes.Buffer
	ctx := context.Background()
	excerpt, err := r.Select(ctx, recording.Selection{Rows: &recording.Range{End: 384}})
	if err != nil {
		log.Fatal(err)
	}
	report, err := export.Parquet(ctx, &file, excerpt, nil, recording.Zstd)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Rows, "rows,", string(file.Bytes()[:4]))
	// Output:
	// 384 rows, PAR1
}
