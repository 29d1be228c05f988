package run

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/acquire"
)

// Words about numbers, for every front of a run.

// Megabytes writes a size for people: 1 MB is 10^6 bytes.
func Megabytes(bytes int64) string {
	switch {
	case bytes >= 1e12:
		return fmt.Sprintf("%.2f TB", float64(bytes)/1e12)
	case bytes >= 1e9:
		return fmt.Sprintf("%.2f GB", float64(bytes)/1e9)
	case bytes >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
	}
	return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
}

// Clock writes seconds as 1:12:20.4, or 41:07.2, or 7.2 s.
func Clock(seconds float64) string {
	tenths := int64(seconds*10 + 0.5)
	h, m, s := tenths/36000, tenths/600%60, float64(tenths%600)/10
	switch {
	case h > 0:
		return fmt.Sprintf("%d:%02d:%04.1f", h, m, s)
	case m > 0:
		return fmt.Sprintf("%d:%04.1f", m, s)
	}
	return fmt.Sprintf("%.1f s", s)
}

// Lasts writes a long time: "9 h 40 min", "14 min", "2 d 3 h".
func Lasts(seconds float64) string {
	switch d := time.Duration(min(seconds, 1e9)) * time.Second; {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d d %d h", d/(24*time.Hour), d/time.Hour%24)
	case d >= time.Hour:
		return fmt.Sprintf("%d h %02d min", d/time.Hour, d/time.Minute%60)
	case d >= time.Minute:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%.0f s", seconds)
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// sayPlan says what will be recorded, before the first frame.
func (rec *Run) sayPlan() {
	p := rec.plan
	var b strings.Builder
	width := 0
	for _, s := range p.Streams {
		width = max(width, len(s.Name))
	}
	fmt.Fprintf(&b, "recording %d streams to %s\n", len(p.Streams), rec.Pattern())
	for _, s := range p.Streams {
		rate, bytes := "events", ""
		if s.RateHz > 0 {
			rate, bytes = number(s.RateHz)+" Hz", Megabytes(int64(s.BytesPerS))+"/s"
		}
		fmt.Fprintf(&b, "  %s\n", strings.TrimRight(fmt.Sprintf("%-*s  %10s  %10s", width, s.Name, rate, bytes), " "))
	}
	fmt.Fprintf(&b, "%s/s", Megabytes(int64(p.BytesPerS)))
	if p.FreeS >= 0 {
		fmt.Fprintf(&b, "; the disk has room for %s (%s)", Lasts(p.FreeS), Megabytes(p.FreeBytes))
	}
	if p.BufferBytes > 0 {
		fmt.Fprintf(&b, "\na disk that stops loses nothing for %.0f s in memory (up to %s)", p.BufferS, Megabytes(p.BufferBytes))
		if p.FIFOS > 0 {
			fmt.Fprintf(&b, " and about %.0f s in the controller's buffer", p.FIFOS)
		}
	}
	b.WriteString("\nCtrl-C ends the recording and completes the files")
	rec.say(b.String())
}

// completingAfter is how long completing may take before it is said.
const completingAfter = 300 * time.Millisecond

// sayCompleting says what waits when the last frame was read, if it takes a
// while.
func (rec *Run) sayCompleting(a *acquire.Acquisition) {
	time.Sleep(completingAfter)
	st := a.Status()
	waits := 0.0
	for i := range st.Streams {
		waits = max(waits, st.Streams[i].Queue.Seconds())
	}
	rec.mu.Lock()
	over := rec.endUTC != ""
	rec.mu.Unlock()
	if !over {
		rec.say(fmt.Sprintf("completing: %.0f s of data wait", waits))
	}
}
