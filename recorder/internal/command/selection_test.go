package command

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/oniscope/oniscope/shared/recording"
)

// resolve parses flags and finds out what they mean in a file.
func resolve(t *testing.T, in *input, args ...string) (*recording.Excerpt, error) {
	t.Helper()
	var f selectionFlags
	fl := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f.add(fl)
	if err := fl.Parse(args); err != nil {
		t.Fatal(err)
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	return f.resolve(t.Context(), in)
}

func TestSelectionMeansTheRowsAndColumns(t *testing.T) {
	in, err := (&app{quiet: true}).openInput(t.Context(), beats(t, 10, 1050), &clockFlags{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for _, c := range []struct {
		args       string
		start, end int64
		columns    []int
	}{
		{"", 0, 1050, []int{0, 1}},
		{"--start 5", 5, 1050, []int{0, 1}},
		{"--end 0", 0, 0, []int{0, 1}},
		{"--start 1050 --end 1050", 1050, 1050, []int{0, 1}},
		{"--from 10 --to 11", 0, 1, []int{0, 1}},
		{"--from 10.001 --to 12.001", 1, 3, []int{0, 1}},
		{"--from 11 --to 11", 1, 1, []int{0, 1}},
		{"--to 510", 0, 500, []int{0, 1}},
		{"--batches 1:3", 100, 300, []int{0, 1}},
		{"--batches 10:", 1000, 1050, []int{0, 1}},
		{"--batches :0", 0, 0, []int{0, 1}},
		{"--columns Cl*", 0, 1050, []int{1}},
		{"--columns Clock,Val?e", 0, 1050, []int{1, 0}},
	} {
		s, err := resolve(t, in, strings.Fields(c.args)...)
		if err != nil {
			t.Errorf("%s: %v", c.args, err)
			continue
		}
		if start, end := s.Rows(); start != c.start || end != c.end || !slices.Equal(s.Indices(), c.columns) {
			t.Errorf("%s: rows %d to %d, columns %v", c.args, start, end, s.Indices())
		}
	}
	for args, want := range map[string]string{
		"--start 5 --to 7":        "choose one of",
		"--start 7 --end 5":       "1050",
		"--start -1":              "1050",
		"--end 1051":              "1050",
		"--from soon":             `--from "soon" is not a number of seconds`,
		"--to x":                  `--to "x" is not a number of seconds`,
		"--from 700 --to 500":     "seconds 700 to 500: the recording has seconds 10 to 1059, rows 0 to 1050",
		"--from 0 --to 9":         "seconds 0 to 9: the recording has seconds 10 to 1059",
		"--from 5000":             "seconds 5000 to the end: the recording has seconds 10 to 1059",
		"--batches 2":             `--batches "2": want a:b`,
		"--batches x:2":           "want a:b",
		"--batches 2:99":          "the recording has batches 0 to 11",
		"--columns ,":             "--columns: a name is empty",
		"--columns Clock,,Value":  "--columns: a name is empty",
		"--columns Cock":          "Clock",
		"--columns [":             "columns [: it is no pattern: a [ wants its ]",
		"--unique":                "none of these columns is slower",
		"--unique --columns Val*": "none of these columns is slower",
	} {
		if s, err := resolve(t, in, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v", args, s, err)
		}
	}
}

// Seconds are found by halves, over two values of a batch: not by a scan of the
// clock.
func TestSecondsAreFoundWithoutReadingTheClock(t *testing.T) {
	const rows = 200_000 // 2000 batches
	in, err := (&app{quiet: true}).openInput(t.Context(), beats(t, 0, rows), &clockFlags{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	before := in.reader.BytesRead()
	s, err := resolve(t, in, "--from", "1234", "--to", "1300")
	if err != nil {
		t.Fatal(err)
	}
	if start, end := s.Rows(); start != 1234 || end != 1300 {
		t.Fatalf("rows %d to %d", start, end)
	}
	read := in.reader.BytesRead()
	if body := read.Body - before.Body; body > 5000 {
		t.Errorf("%d bytes of columns were read, of %d", body, 8*rows)
	}
	// 13 of the 2000 headers say which rows these are; each look of the search
	// costs another.
	if headers := read.Metadata - before.Metadata; headers > 200*400 {
		t.Errorf("%d bytes of headers were read, about %d headers", headers, headers/400)
	}
}
