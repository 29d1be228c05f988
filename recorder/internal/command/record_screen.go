package command

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/oniscope/oniscope/recorder/internal/run"
)

// A screen shows a recording: on a terminal one line a stream, rewritten in
// place, otherwise one line a second. Every number keeps its column; what is
// well is quiet, what is not has a word. Any goroutine may use it.
type screen struct {
	mu    sync.Mutex
	to    io.Writer
	size  func() (width, height int) // of the terminal; nil: it is not a terminal
	lines int                        // that are there to be rewritten
}

func (a *app) newScreen() *screen {
	s := &screen{to: a.stderr}
	if f, ok := a.stderr.(interface{ Fd() uintptr }); ok && term.IsTerminal(int(f.Fd())) && enableEscapes(f.Fd()) {
		s.size = func() (int, int) {
			width, height, err := term.GetSize(int(f.Fd()))
			if err != nil || width < 1 {
				return 80, 24
			}
			return width, height
		}
	}
	return s
}

// say writes words where the status was, which comes again below them.
func (s *screen) say(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	fmt.Fprintln(s.to, text)
}

// clear takes the status away.
func (s *screen) clear() {
	if s.lines > 0 {
		fmt.Fprintf(s.to, "\r\x1b[%dA\x1b[J", s.lines)
		s.lines = 0
	}
}

// show writes the state.
func (s *screen) show(now *run.Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.State == "ended" {
		s.clear()
		return
	}
	if s.size == nil {
		fmt.Fprintln(s.to, plainStatus(now))
		return
	}
	width, height := s.size()
	lines := statusLines(now, width)
	if len(lines) >= height {
		lines = lines[:1]
		if trouble := troubles(now); trouble != "" {
			lines = append(lines, trouble)
		}
	}
	var b strings.Builder
	if s.lines > 0 {
		fmt.Fprintf(&b, "\r\x1b[%dA", s.lines)
	}
	for _, line := range lines {
		b.WriteString(cutTo(line, width-1) + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	io.WriteString(s.to, b.String())
	s.lines = len(lines)
}

// cutTo shortens a line so that a terminal does not wrap it.
func cutTo(line string, width int) string {
	runes := []rune(line)
	if len(runes) <= width || width < 1 {
		return line
	}
	return string(runes[:width])
}

// Widths: the least of the column of names, what follows it with some room for
// what is lost, and from where on all columns fit.
const (
	leastName  = 23
	besideName = 57
	fullWidth  = 78
)

// statusLines are the head, the titles, and one line a stream.
func statusLines(s *run.Snapshot, width int) []string {
	lines := []string{headLine(s, width-1)}
	full := width >= fullWidth
	nameWidth := leastName
	for i := range s.Streams {
		nameWidth = max(nameWidth, utf8.RuneCountInString(s.Streams[i].Name))
	}
	nameWidth = min(nameWidth, max(leastName, width-besideName))
	if full {
		lines = append(lines, fmt.Sprintf("%-*s %7s %8s %11s %7s %5s   %s", nameWidth, "stream", "Hz", "of Hz", "synced", "queue", "age", "lost"))
	} else {
		lines = append(lines, fmt.Sprintf("%-*s %7s %9s   %s", nameWidth, "stream", "Hz", "synced", "lost"))
	}
	for i := range s.Streams {
		f := &s.Streams[i]
		name := shortName(f.Name, nameWidth)
		if full {
			lines = append(lines, fmt.Sprintf("%-*s %7s %8s %11s %7s %5s   %s", nameWidth, name, hertz(f.RateHz), expectedHertz(f.ExpectedHz),
				run.Megabytes(f.DurableBytes), fmt.Sprintf("%.1f s", f.QueueS), age(f.AgeS), lossWord(f)))
		} else {
			lines = append(lines, fmt.Sprintf("%-*s %7s %9s   %s", nameWidth, name, hertz(f.RateHz), run.Megabytes(f.DurableBytes), lossWord(f)))
		}
	}
	return lines
}

// shortName leaves out of the middle of a name: two probes of a headstage differ
// at its end.
func shortName(name string, width int) string {
	const end = 9
	runes := []rune(name)
	if len(runes) <= width {
		return name
	}
	return string(runes[:width-1-end]) + "…" + string(runes[len(runes)-end:])
}

// headLine is the run as a whole, as far as it fits; a width below 1 is none.
func headLine(s *run.Snapshot, width int) string {
	if s.State == "completing" {
		text := fmt.Sprintf("completing: %.0f s of data wait", s.WaitS)
		if s.LeftS >= 0 {
			text += fmt.Sprintf(", about %.0f s left", s.LeftS)
		}
		return text
	}
	line := fmt.Sprintf("recording  %7s", elapsedClock(s.ElapsedS))
	add := func(format string, args ...any) {
		if cell := "   " + fmt.Sprintf(format, args...); width < 1 || len(line)+len(cell) <= width {
			line += cell
		}
	}
	if s.FIFO.Bytes > 0 {
		mark := ""
		if s.FIFO.Level == "alarm" || s.FIFO.Level == "warning" {
			mark = "!"
		}
		add("FIFO %2.0f %%%s", s.FIFO.Percent, mark)
	}
	add("lag %.1f s", s.LagS)
	if s.Disk.LastsS >= 0 {
		add("disk %s", run.Lasts(s.Disk.LastsS))
	}
	add("%s/s", run.Megabytes(int64(s.BytesPerS)))
	return line
}

// elapsedClock writes whole seconds as 0:07, 41:07 or 1:12:20.
func elapsedClock(seconds float64) string {
	n := int64(seconds)
	if n >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", n/3600, n/60%60, n%60)
	}
	return fmt.Sprintf("%d:%02d", n/60, n%60)
}

func hertz(hz float64) string { return strconv.FormatFloat(hz, 'f', 0, 64) }

func expectedHertz(hz float64) string {
	if hz == 0 {
		return "-"
	}
	if hz < 10 {
		return strconv.FormatFloat(hz, 'g', 3, 64)
	}
	return hertz(hz)
}

func age(seconds float64) string {
	switch {
	case seconds < 0:
		return "-"
	case seconds >= 1000:
		return fmt.Sprintf("%.0f", seconds)
	}
	return fmt.Sprintf("%.1f", seconds)
}

// lossWord says what is wrong with a stream, now or so far.
func lossWord(f *run.StreamSnapshot) string {
	lost := ""
	if f.LostRows > 0 {
		lost = strings.TrimSpace(fmt.Sprintf("%s rows %s", short(f.LostRows), f.Cause))
	}
	switch {
	case f.Word != "" && lost != "":
		return f.Word + " " + lost
	case f.Word != "":
		return f.Word
	case lost != "":
		return lost
	}
	return "-"
}

// short writes a count in few characters.
func short(n int64) string {
	switch {
	case n >= 10_000_000:
		return fmt.Sprintf("%dM", n/1_000_000)
	case n >= 100_000:
		return fmt.Sprintf("%dk", n/1000)
	}
	return strconv.FormatInt(n, 10)
}

// troubles are the streams with which something is wrong, in one line.
func troubles(s *run.Snapshot) string {
	var list []string
	expected, silent, word := 0, 0, ""
	for i := range s.Streams {
		f := &s.Streams[i]
		if f.ExpectedHz > 0 {
			expected++
		}
		if strings.HasPrefix(f.Word, run.Silent) {
			silent, word = silent+1, f.Word
		}
		if word := lossWord(f); word != "-" {
			list = append(list, f.Name+" "+word)
		}
	}
	if silent > 1 && silent == expected {
		return "all streams " + word
	}
	return strings.Join(list, ", ")
}

// plainStatus is the state in one line, where there is no terminal.
func plainStatus(s *run.Snapshot) string {
	var rows, synced int64
	for i := range s.Streams {
		rows += s.Streams[i].Rows
		synced += s.Streams[i].DurableBytes
	}
	line := headLine(s, 0) + fmt.Sprintf("   %s synced", run.Megabytes(synced))
	if trouble := troubles(s); trouble != "" {
		return line + "   " + trouble
	}
	return line + "   lost nothing"
}
