package run

import (
	"fmt"
	"strings"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/store"
)

// A status shows once a second what a recording does: rows, rate, megabytes on
// disk, and for each device what was dropped or lost. A device that should
// send and is silent is named.
type status struct {
	rec   *Run
	last  time.Time
	rows  int64
	bytes int64
	heard map[string]uint64 // frames by device, a second ago
}

func newStatus(rec *Run) *status {
	return &status{rec: rec, last: time.Now(), heard: map[string]uint64{}}
}

// show says the line, once acquisition runs.
func (st *status) show() {
	a := st.rec.acquisition.Load()
	if a == nil || st.rec.o.Status == nil {
		return
	}
	s := st.rec.collect(a, store.StateOpen)
	seconds, text := st.line(&s)
	st.rec.talk.show(func() { st.rec.o.Status.Show(seconds, text) })
}

func (st *status) line(s *store.Summary) (clockSeconds int64, text string) {
	now := time.Now()
	var rows, bytes int64
	for _, f := range s.Streams {
		rows += f.Rows
		bytes += f.Bytes
	}
	seconds := max(now.Sub(st.last).Seconds(), 1e-3)
	clock := time.Duration(float64(s.LastClock) / float64(s.AcqClockHz) * float64(time.Second)).Round(time.Second)
	text = fmt.Sprintf("%v  %d rows  %.0f rows/s  %s/s  %s on disk  %s", clock, rows,
		float64(rows-st.rows)/seconds, Megabytes(int64(float64(bytes-st.bytes)/seconds)), Megabytes(bytes), st.losses(s))
	st.last, st.rows, st.bytes = now, rows, bytes
	return int64(clock / time.Second), text
}

// losses says per device what is missing.
func (st *status) losses(s *store.Summary) string {
	var parts []string
	var dropped uint64
	for _, d := range s.Devices {
		if n := d.Dropped + d.Lost + d.Bad; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d frames", d.Name, n))
			dropped += n
		}
		if before, ok := st.heard[d.Name]; ok && before == d.Frames && st.rec.expected[d.Name] {
			parts = append(parts, d.Name+" is silent")
		}
		st.heard[d.Name] = d.Frames
	}
	for _, f := range s.Streams {
		if f.DroppedRows > 0 {
			parts = append(parts, fmt.Sprintf("%s %d rows", f.Name, f.DroppedRows))
			dropped += f.DroppedRows
		}
		if f.Error != "" {
			parts = append(parts, f.Name+" FAILED")
		}
	}
	if dropped == 0 && len(parts) == 0 {
		return "drops 0"
	}
	return "DROPS " + strings.Join(parts, ", ")
}

func (st *status) end() {
	if st.rec.o.Status != nil {
		st.rec.o.Status.End()
	}
}

// Megabytes writes a size for people: 1 MB is 10^6 bytes.
func Megabytes(bytes int64) string {
	switch {
	case bytes >= 1e9:
		return fmt.Sprintf("%.2f GB", float64(bytes)/1e9)
	case bytes >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
	}
	return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
}
