package command

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/oniscope/oniscope/recorder/internal/run"
	"github.com/oniscope/oniscope/recorder/internal/store"
)

// writeTable says what was recorded: a line a stream with rows, and what is
// missing, when, why and what to do.
func writeTable(to io.Writer, s *store.Summary, pattern string) {
	bad := 0
	_, rolled := s.Options["roll"]
	width := len("all other streams")
	for i := range s.Streams {
		width = max(width, len(s.Streams[i].Name))
		if s.Streams[i].State != store.StateComplete {
			bad++
		}
	}
	verdict := s.State
	if bad > 0 {
		verdict += ": " + plural(bad, "stream") + " short"
	}
	fmt.Fprintf(to, "recorded %s to %s   %s\n", run.Clock(recordedSeconds(s)), pattern, verdict)
	for i := range s.Streams {
		f := &s.Streams[i]
		elsewhere := !rolled && len(f.Parts) == 0 && f.File != "" && f.File != strings.Replace(filepath.Base(pattern), "*", f.Name, 1)
		if f.State == store.StateComplete && bad > 0 && !elsewhere {
			continue
		}
		fmt.Fprintf(to, "%-*s  %s\n", width, f.Name, tableCells(f))
		for k, m := range f.Missing {
			if k == 0 {
				continue // in the first line
			}
			if k == maxMissingLines {
				fmt.Fprintf(to, "%-*s  and %d places more: see the stream gaps\n", width, "", len(f.Missing)-k)
				break
			}
			fmt.Fprintf(to, "%-*s  %s\n", width, "", m.Text)
		}
		if elsewhere { // its first file was taken away
			fmt.Fprintf(to, "%-*s    %s\n", width, "", f.File)
		}
		for _, p := range f.Parts {
			fmt.Fprintf(to, "%-*s    %s  %s%s\n", width, "", p.File, countedRows(p.Rows-p.LostRows), withState(p))
		}
		if text := oneLine(errors.New(f.Error)); text != "" && !slices.ContainsFunc(f.Missing, func(m store.Missing) bool { return m.Text == text }) {
			fmt.Fprintf(to, "%-*s  %s\n", width, "", text)
		}
	}
	if bad > 0 && bad < len(s.Streams) {
		fmt.Fprintf(to, "%-*s  complete\n", width, "all other streams")
	}
	for i, f := range s.Findings {
		if i == maxMissingLines {
			fmt.Fprintf(to, "%d findings more: see %s\n", s.Found-i, "the summary")
			break
		}
		fmt.Fprintf(to, "%s: %s\n", f.Device, f.Text)
	}
}

// recordedSeconds is how long a run is: completing the files is not recording.
func recordedSeconds(s *store.Summary) float64 {
	if s.AcqClockHz > 0 && s.LastClock > 0 {
		return float64(s.LastClock) / float64(s.AcqClockHz)
	}
	return s.ElapsedS
}

// maxMissingLines bounds the lines about one stream.
const maxMissingLines = 5

// tableCells are the rows of a stream and the first thing that it lacks.
func tableCells(f *store.StreamSummary) string {
	rows := countedRows(f.Rows)
	if f.ExpectedRows > 0 && f.State != store.StateComplete {
		rows += " of " + grouped(f.ExpectedRows)
	}
	cells := fmt.Sprintf("%-28s %10s", rows, run.Megabytes(f.Bytes))
	if len(f.Missing) > 0 {
		cells += "   " + f.Missing[0].Text
	}
	return strings.TrimRight(cells, " ")
}

func withState(p store.PartSummary) string {
	if p.State == store.StateComplete {
		return ""
	}
	return ", " + p.State
}

func countedRows(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return grouped(n) + " rows"
}

// grouped writes a count with spaces between thousands.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + " " + text[i:]
	}
	return text
}
