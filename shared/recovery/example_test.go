package recovery_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

func ExampleExamine() {
	data, err := os.ReadFile("../../testdata/foreign/csharp/cs_bigzkill_batch1.arrow")
	if err != nil {
		log.Fatal(err)
	}
	input := bytes.NewReader(data)
	plan, err := recovery.Examine(context.Background(), input, int64(len(data)), nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := plan.Verify(input); err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan.Report.Outcome, plan.Report.BatchesRecovered, "batches", plan.Report.RowsRecovered, "rows")
	for _, f := range plan.Report.Findings {
		fmt.Println(f.Severity.String()+":", f.Reason)
	}
	for _, s := range plan.Spans {
		if s.Bytes == nil {
			fmt.Println("copy", s.Length, "bytes from", s.Offset)
		} else {
			fmt.Println("put", s.Length > 0)
		}
	}
	// Output:
	// lossless 2 batches 60000 rows
	// warning: 7 bytes of padding after the last batch are missing: added
	// warning: the end mark and the footer are missing: written anew
	// copy 897049 bytes from 0
	// put true
	// put true
}

// Verify reads everything and lists all that is wrong, not only the first.
func ExampleVerify() {
	data := load("old_MemoryMonitor_zstd.arrow")
	clear(data[20_000:20_100]) // a bad sector
	for finding, err := range recovery.Verify(context.Background(), data, int64(len(data)), &recovery.VerifyOptions{AcqClockHz: 250_000_000}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: batch %d, before row %d, %d rows lost\n", finding.Severity, finding.Batch, finding.BeforeRow, finding.LostRows)
	}
	// Output:
	// error: batch 14, before row 700, 50 rows lost
}

// load reads a recording of testdata into memory.
func load(name string) recording.Bytes {
	data, err := os.ReadFile("../../testdata/foreign/bonsai/" + name)
	if err != nil {
		log.Fatal(err)
	}
	return data
}
