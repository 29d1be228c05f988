package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
)

func TestATableHoldsRowsAsText(t *testing.T) {
	for _, codec := range []recording.Codec{recording.None, recording.Zstd, recording.LZ4} {
		e, _ := openTest(t, testRecording(t, codec))
		// Rows 295 to 705 lie in two batches and a bit of a third.
		table, err := e.Table(context.Background(), TableArgs{"np_0", []int{0, 4, 6, 7}, 295, 710})
		if err != nil {
			t.Fatal(err)
		}
		if table.Start != 295 || table.End != 710 || table.Rows != int64(testRows()) || len(table.Broken) != 0 {
			t.Errorf("%+v", table)
		}
		for i := range 415 {
			row := 295 + i
			lfp := "null"
			if row%testStride == 0 {
				lfp = fmt.Sprint(testLFP(1, row))
			}
			bit := []string{"false", "true"}[row/7%2]
			want := []string{fmt.Sprint(testAP(0, row)), lfp, bit, fmt.Sprint(testTick(row))}
			got := []string{}
			for _, cells := range table.Cells {
				if cells[i] == nil {
					got = append(got, "null")
				} else {
					got = append(got, *cells[i])
				}
			}
			if !slices.Equal(got, want) || *table.Ticks[i] != float64(testTick(row)) {
				t.Fatalf("%v: row %d shows %v at %v, want %v", codec, row, got, *table.Ticks[i], want)
			}
		}
		if behind, err := e.Table(context.Background(), TableArgs{"np_0", []int{0}, int64(testRows()) - 3, int64(testRows()) + 60}); err != nil || len(behind.Cells[0]) != 3 {
			t.Errorf("at the end: %+v, %v", behind, err)
		}
	}
}

func TestARowIsFoundByItsTicks(t *testing.T) {
	e, _ := openTest(t, testRecording(t, recording.None))
	for _, row := range []int{0, 1, 299, 300, testGapRow, testRows() - 1} {
		for before, want := range map[float64]int{0: row, 0.5: row, -1: row + 1} {
			got, err := e.RowAt(context.Background(), RowArgs{"np_0", float64(testTick(row)) - before})
			if err != nil || got != int64(want) {
				t.Errorf("%v before row %d: row %d, %v", before, row, got, err)
			}
		}
	}
}

func TestTablesThatCannotBe(t *testing.T) {
	e, _ := openTest(t, testRecording(t, recording.None))
	for _, a := range []TableArgs{{"np_0", []int{8}, 0, 1}, {"np_0", []int{-1}, 0, 1}, {"np_0", nil, 5, 4}, {"np_0", nil, -1, 4}, {"no", nil, 0, 1}, {"np_0", slices.Repeat([]int{0}, 100), 0, 1500}} {
		if _, err := e.Table(context.Background(), a); err == nil || ReplyFromError(err).Name != "TypeError" {
			t.Errorf("%+v: %v", a, err)
		}
	}
}

func TestLongTextIsCutOffBetweenCharacters(t *testing.T) {
	for n := range 4 {
		long := strings.Repeat("x", n) + strings.Repeat("µ€", 300)
		got := clipped(long)
		if len(got) > maxCellBytes+len("…") || !strings.HasPrefix(long, strings.TrimSuffix(got, "…")) || strings.ContainsRune(got, '�') {
			t.Errorf("%d: %q", n, got)
		}
	}
	if clipped("short") != "short" {
		t.Error("what is short was changed")
	}
}
