package recording_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// load reads a recording of testdata into memory.
func load(name string) recording.Bytes {
	data, err := os.ReadFile("../../testdata/foreign/bonsai/" + name)
	if err != nil {
		log.Fatal(err)
	}
	return data
}

// A program opens an *os.File like this; what the file does not say, the rate
// of its clock, is filled in.
func ExampleOpen() {
	file, err := os.Open("../../testdata/foreign/bonsai/old_NeuropixelsV1_killed.arrow")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	about, err := file.Stat()
	if err != nil {
		log.Fatal(err)
	}
	r, err := recording.Open(context.Background(), file, about.Size(), nil)
	if err != nil {
		log.Fatal(err)
	}
	r.SetClock(250_000_000, time.Time{})
	rows, exact := r.Rows()
	fmt.Println(r.Stream().Title(), rows, exact, r.About().State)
	for _, f := range r.Findings() {
		fmt.Printf("byte %d, batch %d: %s\n", f.Offset, f.Batch, f.Reason)
	}
	// Output:
	// Neuropixels 1.0 120 true unfinished
	// byte 266672, batch 1: only 192512 of the 192864 bytes of its body are there
	// byte 496288, batch -1: the end mark and the footer are missing
}

// Only the columns that are asked for are read, batch by batch, and a damaged
// batch does not end the loop.
func ExampleExcerpt_Batches() {
	data := load("old_AnalogInput_S16.arrow")
	r, err := recording.NewReader(data, int64(len(data)))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	excerpt, err := r.Select(ctx, recording.Selection{Rows: &recording.Range{Start: 900, End: 2100}, Columns: []string{"Clock", "AnalogDataCh3"}})
	if err != nil {
		log.Fatal(err)
	}
	for batch, err := range excerpt.Batches(ctx) {
		var damage *recording.CorruptError
		switch {
		case errors.As(err, &damage):
			fmt.Println("left out:", damage)
			continue
		case err != nil:
			log.Fatal(err)
		}
		ticks, codes := recording.Values[uint64](&batch.Columns[0]), recording.Values[int16](&batch.Columns[1])
		fmt.Printf("batch %d: rows %d to %d, the first at tick %d with code %d\n",
			batch.Index, batch.Start, batch.Start+int64(batch.Rows), ticks[0], codes[0])
	}
	// Output:
	// batch 0: rows 900 to 1000, the first at tick 2251000 with code 161
	// batch 1: rows 1000 to 2000, the first at tick 2501000 with code 461
	// batch 2: rows 2000 to 2100, the first at tick 5001000 with code 389
}

// Values gives the numbers of a column where they lie: of a plain file in
// memory nothing is copied. Nulls are reported by Valid.
func ExampleValues() {
	data := load("old_NeuropixelsV1.arrow")
	r, err := recording.NewReader(data, int64(len(data)))
	if err != nil {
		log.Fatal(err)
	}
	lfp := r.Stream().Column("LfpDataCh7")
	batch, err := r.ReadBatch(0, []int{lfp})
	if err != nil {
		log.Fatal(err)
	}
	v := &batch.Columns[0]
	if v.Type != stream.Uint16 {
		log.Fatal(v.Type)
	}
	var sum, count int
	for row, code := range recording.Values[uint16](v) {
		if v.Valid == nil || v.Valid[row] != 0 {
			sum, count = sum+int(code), count+1
		}
	}
	fmt.Println(v.Len, "rows,", count, "values, mean", sum/count)
	// Output:
	// 120 rows, 10 values, mean 596
}

// A slower signal gives each value once, whichever of three ways its file
// stores it.
func ExampleSelection_unique() {
	ctx := context.Background()
	for name, column := range map[string]string{"old_NeuropixelsV1_zstd.arrow": "LfpDataCh7", "new_NeuropixelsV1.arrow": "LfpData7"} {
		data := load(name)
		r, err := recording.NewReader(data, int64(len(data)))
		if err != nil {
			log.Fatal(err)
		}
		excerpt, err := r.Select(ctx, recording.Selection{
			Rows: &recording.Range{Start: 0, End: 36}, Columns: []string{column, "Clock"}, Unique: true})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(excerpt.Columns()[0].Name, "one value in", excerpt.Stride(), "rows")
		for batch, err := range excerpt.Batches(ctx) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(recording.Values[uint16](&batch.Columns[0]), "rows", batch.Numbers, "ticks", recording.Values[uint64](&batch.Columns[1]))
		}
	}
	// Unordered output:
	// LfpDataCh7 one value in 12 rows
	// [547 558 569] rows [0 12 24] ticks [1000 100996 200992]
	// LfpData7 one value in 12 rows
	// [547 558 569] rows [0 12 24] ticks [1000 100996 200992]
}

// Gaps finds rows that were lost before they reached the file.
func ExampleExcerpt_Follow() {
	data := load("new_Heartbeat.arrow")
	r, err := recording.NewReader(data, int64(len(data)))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	all, err := r.Select(ctx, recording.Selection{})
	if err != nil {
		log.Fatal(err)
	}
	times, err := all.Follow(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("a row every %g ticks, %d gaps, %d segment\n", times.Period, len(times.Gaps), len(times.Segments))
	// Output:
	// a row every 2.5e+07 ticks, 0 gaps, 1 segment
}
