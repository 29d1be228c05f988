package pagetest

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// choose sets a field of a dialog and tells the dialog.
func choose(t *testing.T, page *Page, id, value string) {
	t.Helper()
	check(t, page.Eval(fmt.Sprintf(`(() => { const f = document.getElementById(%q); f.value = %q; f.dispatchEvent(new Event("input", {bubbles: true})); return f.value; })()`, id, value), nil))
}

func TestTheSaveDialogWritesEveryFormatAndSaysHowLarge(t *testing.T) {
	path := foreign(t, "new_AnalogInput_S16.arrow") // no start time: the clock's rate is unknown
	page := ready(t, desk, path)
	rows, columns := columnsOf(t, path)
	click(t, page, `#save`)
	check(t, page.WaitFor(patience, `!!document.querySelector("#slice-save")`))

	for _, c := range []struct{ format, codec, suffix string }{
		{"csv", "", ".csv"}, {"npy", "", ".npy"}, {"stream", "none", ".arrows"}, {"arrow", "lz4", ".arrow"}, {"arrow", "none", ".arrow"},
	} {
		choose(t, page, "slice-format", c.format)
		if c.codec != "" {
			choose(t, page, "slice-codec", c.codec)
		}
		var size string
		check(t, page.Eval(`document.querySelector("#slice-size").textContent`, &size))
		check(t, page.Eval(`document.querySelector("#slice .outcome").replaceChildren()`, nil))
		click(t, page, `#slice-save`)
		saved, err := page.WaitDownload(c.suffix)
		check(t, err)
		check(t, page.WaitFor(patience, `document.querySelector("#slice .outcome .ok")?.textContent.includes("Saved")`))
		data, err := os.ReadFile(saved)
		check(t, err)
		if estimated := bytesOfWords(t, size); estimated < float64(len(data))/1.6 || estimated > float64(len(data))*1.6 {
			t.Errorf("%s %s: %q estimated, %d bytes written", c.format, c.codec, size, len(data))
		}
		switch c.format {
		case "csv":
			lines := strings.Split(strings.TrimSpace(string(data)), "\n")
			if int64(len(lines)) != rows+1 || strings.Count(lines[0], ",") != len(columns)-1 {
				t.Errorf("csv: %d lines, head %s", len(lines), lines[0])
			}
		case "npy":
			if !strings.HasPrefix(string(data), "\x93NUMPY") {
				t.Errorf("npy begins %q", data[:10])
			}
		default:
			r, err := recordingAt(saved)
			check(t, err)
			if n, _ := r.Rows(); n != rows || compressionOf(r) != c.codec {
				t.Errorf("%s: %d rows, %s", c.format, n, compressionOf(r))
			}
		}
		check(t, os.Remove(saved))
	}
}

// bytesOfWords reads "about 12.3 kB".
func bytesOfWords(t *testing.T, words string) float64 {
	t.Helper()
	var n float64
	var unit string
	words = strings.ReplaceAll(strings.TrimPrefix(words, "about "), "\u202f", " ")
	if _, err := fmt.Sscanf(words, "%g %s", &n, &unit); err != nil {
		t.Fatalf("size %q: %v", words, err)
	}
	return n * map[string]float64{"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}[unit]
}

func TestASliceTakesARangeOfRowsOrOneEndOfIt(t *testing.T) {
	path := foreign(t, "new_AnalogInput_S16.arrow") // Clock = 2500 row + 1000
	page := ready(t, desk, path)
	var report sliceReport
	part := saveBlob(t, page, `oniscope.slice("new_AnalogInput_S16", {start: 100, end: 200, format: "arrow"})`, &report)
	python(t, "same.py", path, part, "100", "200")
	for call, want := range map[string]string{
		`{start: 100}`: "100 rest", `{end: 100}`: "0 100",
	} {
		check(t, page.Eval(`(await oniscope.slice("new_AnalogInput_S16", `+call+`)).report`, &report))
		if got := fmt.Sprint(report.Start, " ", report.End); got != want && !(strings.HasSuffix(want, "rest") && report.Start == 100 && report.Rows > 100) {
			t.Errorf("%s: rows %s, want %s", call, got, want)
		}
	}
	again(t, page, foreign(t, "new_NeuropixelsV1.arrow"), foreign(t, "start-time_0.csv"))
	flatBinaryComesWithItsLayout(t, page)
}

func flatBinaryComesWithItsLayout(t *testing.T, page *Page) {
	t.Helper()
	var report struct {
		Rows    int64
		Columns []string
		Bytes   int64
		Layout  struct {
			ReadBinary struct {
				SamplingFrequency float64 `json:"sampling_frequency"`
				DType             string  `json:"dtype"`
				NumChannels       int     `json:"num_channels"`
			} `json:"read_binary"`
		}
	}
	check(t, page.Eval(`(await oniscope.slice("new_NeuropixelsV1", {format: "bin"})).report`, &report))
	read := report.Layout.ReadBinary
	if report.Rows != 384 || len(report.Columns) != 384 || report.Bytes != 384*384*2 || read.NumChannels != 384 || read.DType != "uint16" || read.SamplingFrequency < 29_990 || read.SamplingFrequency > 30_010 {
		t.Errorf("report %d rows, %d columns, %d bytes, %+v", report.Rows, len(report.Columns), report.Bytes, read)
	}
}

func TestRecoverWithAnotherCompression(t *testing.T) {
	path := foreign(t, "new_NeuropixelsV1.arrow")
	cut := truncated(t, path, "cut.arrow", func(whole int) int { return whole - 100_000 })
	page := ready(t, desk, cut)
	var report recoverReport
	recovered := saveBlob(t, page, `oniscope.recover("cut", {compression: "lz4"})`, &report)
	r, err := recordingAt(recovered)
	check(t, err)
	if rows, _ := r.Rows(); rows != report.RowsRecovered || rows == 0 || compressionOf(r) != "lz4" {
		t.Errorf("%d rows, %s; report %+v", rows, compressionOf(r), report)
	}
	python(t, "same.py", cut, recovered)
	// The torn batch still has rows of the columns that came first.
	var salvaged recoverReport
	saveBlob(t, page, `oniscope.recover("cut", {salvage: ["SpikeData0"]})`, &salvaged)
	if salvaged.RowsRecovered < report.RowsRecovered {
		t.Errorf("with salvage %d rows, without %d", salvaged.RowsRecovered, report.RowsRecovered)
	}
}
