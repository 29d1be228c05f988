package engine

import (
	"fmt"
	"math"
	"time"

	"github.com/oniscope/oniscope/shared/stream"
)

// ClockArgs give a stream the rate of its clock.
type ClockArgs struct {
	Stream   string  `json:"stream"`
	Hz       float64 `json:"hz"`
	StartUTC string  `json:"start_utc,omitempty"`
}

// SetClock sets what the file does not say about its clock; the file is not
// touched.
func (e *Engine) SetClock(a ClockArgs) (*StreamInfo, error) {
	s, err := e.stream("setClock", a.Stream)
	if err != nil {
		return nil, err
	}
	if !(a.Hz > 0) || a.Hz > 1e12 {
		return nil, &ArgumentError{"setClock", fmt.Sprintf("the rate must be above 0 Hz and at most 1e12 Hz, not %v", a.Hz)}
	}
	s.mu.Lock()
	s.hz = a.Hz
	var hz uint64
	if s.clock >= 0 {
		hz = uint64(math.Round(a.Hz))
	}
	start, _ := time.Parse(time.RFC3339Nano, a.StartUTC) // what is not a time is left out
	s.reader.SetClock(hz, start)
	s.mu.Unlock()
	return s.info()
}

// StartTimeArgs have the text of a start-time CSV.
type StartTimeArgs struct {
	Text string `json:"text"`
}

// StartTime is what a start-time CSV says.
type StartTime struct {
	Hz       float64 `json:"hz"`
	StartUTC string  `json:"start_utc"`
}

// ReadStartTime reads the text of a start-time CSV.
func ReadStartTime(a StartTimeArgs) (*StartTime, error) {
	start, err := stream.ParseStartTime([]byte(a.Text))
	if err != nil {
		return nil, err
	}
	return &StartTime{float64(start.AcqClockHz), start.Time.UTC().Format("2006-01-02T15:04:05.9999999Z07:00")}, nil
}
