package recording_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/oniscope/oniscope/shared/recording"
)

// A file that is in memory, or mapped into it, is read without copying: values
// are where they lie in the file.
func ExampleBytes() {
	file, err := os.ReadFile("../../testdata/foreign/bonsai/old_Rhd2164.arrow")
	if err != nil {
		log.Fatal(err)
	}
	r, err := recording.NewReader(recording.Bytes(file), int64(len(file)))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	rows, err := r.CountRows(ctx) // without reading all headers
	if err != nil {
		log.Fatal(err)
	}
	excerpt, err := r.Select(ctx, recording.Selection{Columns: []string{"AuxDataCh1"}})
	if err != nil {
		log.Fatal(err)
	}
	highest := uint16(0)
	for batch, err := range excerpt.Batches(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		for _, x := range recording.Values[uint16](&batch.Columns[0]) {
			highest = max(highest, x)
		}
	}
	fmt.Println(rows, "rows, at most", highest)
	// Output: 1350 rows, at most 1354
}
