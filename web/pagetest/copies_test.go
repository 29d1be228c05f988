package pagetest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// saveBlob evaluates an expression of the scripting interface that gives
// {blob, report}, writes the blob to a file, and decodes the report.
func saveBlob(t *testing.T, page *Page, expression string, report any) string {
	t.Helper()
	check(t, page.Eval(`globalThis.saved = await `+expression+`, saved.report`, report))
	data, err := page.Bytes(`saved.blob`)
	check(t, err)
	path := filepath.Join(t.TempDir(), "saved.arrow")
	check(t, os.WriteFile(path, data, 0o644))
	return path
}

type sliceReport struct {
	Start   int64    `json:"start"`
	End     int64    `json:"end"`
	Rows    int64    `json:"rows"`
	Batches int      `json:"batches"`
	Columns []string `json:"columns"`
	Bytes   int64    `json:"bytes"`
}

type recoverReport struct {
	Outcome          string `json:"outcome"`
	BatchesRecovered int    `json:"batches_recovered"`
	BatchesLost      int    `json:"batches_lost"`
	RowsRecovered    int64  `json:"rows_recovered"`
	Findings         []struct {
		Offset int64  `json:"offset"`
		Reason string `json:"reason"`
	} `json:"findings"`
}

// truncated writes the first part of a file under another name.
func truncated(t *testing.T, path, name string, size func(whole int) int) string {
	t.Helper()
	data, err := os.ReadFile(path)
	check(t, err)
	cut := filepath.Join(t.TempDir(), name)
	check(t, os.WriteFile(cut, data[:size(len(data))], 0o644))
	return cut
}

func TestASliceOpensInPyarrowWithEveryValue(t *testing.T) {
	// The two layouts: SpikeData117 with run-end encoded LFP, SpikeDataCh117 with nulls.
	page := open(t, desk)
	for name, ch := range map[string]string{"new_NeuropixelsV1": "", "old_NeuropixelsV1_zstd": "Ch"} {
		t.Run(name, func(t *testing.T) {
			path := foreign(t, name+".arrow")
			again(t, page, path)
			for _, c := range []struct{ args, start, end string }{
				{`{}`, "0", "384"},
				{`{start: 100, end: 250}`, "100", "250"},
				{`{start: 100, end: 250, compression: "zstd"}`, "100", "250"},
				{`{start: 7, end: 8, compression: "none"}`, "7", "8"},
			} {
				var report sliceReport
				part := saveBlob(t, page, fmt.Sprintf(`oniscope.slice(%q, %s)`, name, c.args), &report)
				python(t, "same.py", path, part, c.start, c.end)
				if fmt.Sprint(report.Start) != c.start || fmt.Sprint(report.End) != c.end || report.Rows != report.End-report.Start || len(report.Columns) != 771 {
					t.Errorf("%s: report %+v", c.args, report)
				}
				if info, err := os.Stat(part); err != nil || info.Size() != report.Bytes {
					t.Errorf("%s: %d bytes reported, the file has %v", c.args, report.Bytes, info.Size())
				}
			}
			columns := fmt.Sprintf(`["Clock", "SpikeData%[1]s117", "LfpData%[1]s38*"]`, ch)
			part := saveBlob(t, page, fmt.Sprintf(`oniscope.slice(%q, {start: 1, end: 383, columns: %s})`, name, columns), nil)
			wanted := []string{"Clock", "SpikeData" + ch + "117"}
			for _, n := range []string{"38", "380", "381", "382", "383"} {
				wanted = append(wanted, "LfpData"+ch+n)
			}
			python(t, "same.py", append([]string{path, part, "1", "383"}, wanted...)...)
		})
	}
}

func TestASliceBySecondsIsTheSameAsItsRows(t *testing.T) {
	// The file has no metadata; a start-time CSV dropped with it gives the rate.
	path := foreign(t, "new_AnalogInput_S16.arrow")
	page := ready(t, desk, path, foreign(t, "start-time_0.csv"))
	// Clock = 2500 row + 1000 at 250 MHz: row 100 at 1.004 ms, row 200 at 2.004 ms.
	var report sliceReport
	part := saveBlob(t, page, `oniscope.slice("new_AnalogInput_S16", {from: 0.001004, to: 0.002004})`, &report)
	if report.Start != 100 || report.End != 200 {
		t.Fatalf("report %+v", report)
	}
	python(t, "same.py", path, part, "100", "200")
}

func TestATruncatedCopyRecoversEveryWholeBatch(t *testing.T) {
	page := open(t, desk)
	for _, c := range []struct {
		file    string
		size    func(int) int
		rows    int64
		batches int
	}{
		// Four batches of 120, 120, 120 and 24 rows; the footer has 72 kB.
		{"new_NeuropixelsV1", func(whole int) int { return whole - 100_000 }, 360, 3},
		{"new_NeuropixelsV1_zstd", func(whole int) int { return whole / 2 }, 120, 1},
		{"old_NeuropixelsV1", func(whole int) int { return whole - 100 }, 384, 4},
		{"new_MemoryMonitor", func(whole int) int { return whole - 10_000 }, 0, 0},
	} {
		t.Run(c.file, func(t *testing.T) {
			path := foreign(t, c.file+".arrow")
			cut := truncated(t, path, "cut.arrow", c.size)
			again(t, page, cut)
			var state string
			check(t, page.Eval(`(await oniscope.info("cut")).state`, &state))
			if state == "complete" {
				t.Error("a file without its end passes for complete")
			}
			var report recoverReport
			recovered := saveBlob(t, page, `oniscope.recover("cut")`, &report)
			python(t, "same.py", cut, recovered)
			if c.rows > 0 && (report.RowsRecovered != c.rows || report.BatchesRecovered != c.batches) {
				t.Errorf("report %+v, want %d rows in %d batches", report, c.rows, c.batches)
			}
			if r, err := recordingAt(recovered); err != nil {
				t.Error(err)
			} else if rows, _ := r.Rows(); rows != report.RowsRecovered {
				t.Errorf("%d rows in the file, %d in the report", rows, report.RowsRecovered)
			}
		})
	}
}

func TestADamagedBatchIsLeftOutAndReported(t *testing.T) {
	path := foreign(t, "new_NeuropixelsV1_zstd.arrow")
	data, err := os.ReadFile(path)
	check(t, err)
	// The second batch begins at about a third; its body is overwritten.
	at := len(data) * 3 / 8
	copy(data[at:], bytes.Repeat([]byte{0xa5}, 1000))
	damaged := filepath.Join(t.TempDir(), "damaged.arrow")
	check(t, os.WriteFile(damaged, data, 0o644))
	page := ready(t, desk, damaged)
	var report recoverReport
	recovered := saveBlob(t, page, `oniscope.recover("damaged")`, &report)
	if report.Outcome != "lossy" || report.BatchesLost != 1 || report.RowsRecovered != 384-120 || len(report.Findings) == 0 {
		t.Fatalf("report %+v", report)
	}
	// Rows 0 to 119 and 240 to 383 of the original, in this order.
	head := saveBlob(t, page, `oniscope.slice("damaged", {start: 0, end: 120})`, nil)
	python(t, "same.py", path, head, "0", "120")
	r, err := recordingAt(recovered)
	check(t, err)
	if rows, _ := r.Rows(); rows != 264 {
		t.Errorf("%d rows recovered, want 264", rows)
	}
}
