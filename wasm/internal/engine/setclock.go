package engine

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// ClockArgs give a stream the rate of its clock.
type ClockArgs struct {
	Stream   string  `json:"stream"`
	Hz       float64 `json:"hz"`
	StartUTC string  `json:"start_utc,omitempty"`
	Column   string  `json:"column,omitempty"` // of timestamps, that takes the place of Clock; hz is then not asked for
}

// SetClock sets what the file does not say about its clock; the file is not
// touched.
func (e *Engine) SetClock(a ClockArgs) (*StreamInfo, error) {
	s, err := e.stream("setClock", a.Stream)
	if err != nil {
		return nil, err
	}
	if a.Column != "" {
		return e.setTimeColumn(s, a.Column)
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
	if known := s.reader.Stream().AcqClockHz; known != hz { // timestamps say it
		s.hz = float64(known)
	}
	s.mu.Unlock()
	return s.info()
}

// setTimeColumn draws by a column of timestamps. The next index follows it.
func (e *Engine) setTimeColumn(s *openStream, name string) (*StreamInfo, error) {
	s.mu.Lock()
	err := s.reader.SetTimeColumn(name)
	if err == nil {
		about := s.reader.Stream()
		s.clock, _ = about.Clock()
		s.hz = float64(about.AcqClockHz)
		s.line = newTimeline(s.numBlocks(), s.readEnds)
		s.axis, s.origin, s.times, s.period, s.gaps, s.given = recording.Axis{}, 0, nil, 0, nil, false
		s.coarse, s.broken, s.ends = nil, map[int]error{}, nil
		e.cache.forget(s)
	}
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if err := e.firstEnds(context.Background(), s); err != nil {
		return nil, err
	}
	return s.info()
}

// GainArgs give a signal of a stream the gain of its amplifier.
type GainArgs struct {
	Stream string  `json:"stream"`
	Group  string  `json:"group"` // AP or LFP
	Gain   float64 `json:"gain"`  // 0: unknown again
}

// SetGain sets a gain that the file does not state: values then have a unit,
// exported ones too. The file is not touched.
func (e *Engine) SetGain(a GainArgs) (*StreamInfo, error) {
	s, err := e.stream("setGain", a.Stream)
	if err != nil {
		return nil, err
	}
	if !(a.Gain >= 0) || a.Gain > maxGain {
		return nil, &ArgumentError{"setGain", fmt.Sprintf("the gain must be above 0 and at most %v, not %v", float64(maxGain), a.Gain)}
	}
	s.mu.Lock()
	takes := s.reader.SetGain(a.Group, a.Gain)
	s.mu.Unlock()
	if !takes {
		return nil, &ArgumentError{"setGain", fmt.Sprintf("%q has no gain that is unknown", a.Group)}
	}
	return s.info()
}

// maxGain is far above what amplifiers have: Neuropixels 1.0 probes 3000.
const maxGain = 1e6

// StartTimeArgs have the bytes of a start-time CSV, in base64: they may be UTF-16.
type StartTimeArgs struct {
	Data string `json:"data"`
}

// StartTime is what a start-time CSV says.
type StartTime struct {
	Hz       float64 `json:"hz"`
	StartUTC string  `json:"start_utc"` // "" unknown
	Note     string  `json:"note"`      // why, for people
}

// ReadStartTime reads a start-time CSV.
func ReadStartTime(a StartTimeArgs) (*StartTime, error) {
	data, err := base64.StdEncoding.DecodeString(a.Data)
	if err != nil {
		return nil, &ArgumentError{"startTime", err.Error()}
	}
	start, err := stream.ParseStartTime(data)
	if err != nil {
		return nil, err
	}
	s := &StartTime{Hz: float64(start.AcqClockHz), Note: start.Note}
	if !start.Time.IsZero() {
		s.StartUTC = start.Time.UTC().Format("2006-01-02T15:04:05.9999999Z07:00")
	}
	return s, nil
}

// ChooseArgs ask which of the CSVs that were given is that of a recording.
type ChooseArgs struct {
	Name string   `json:"name"` // of the recording's file
	CSVs []string `json:"csvs"` // names
}

// A Chosen is the CSV of a recording; see stream.ChooseStartTime.
type Chosen struct {
	CSV   string `json:"csv"`   // "" none
	Words string `json:"words"` // what is to be said of it
}

// ChooseStartTime chooses by names. A CSV of another name than start-time_*.csv is
// taken if it is the only one that was given.
func ChooseStartTime(a ChooseArgs) Chosen {
	if len(a.CSVs) == 1 && !stream.IsStartTime(a.CSVs[0]) {
		return Chosen{CSV: a.CSVs[0]}
	}
	var c Chosen
	c.CSV, c.Words = stream.ChooseStartTime(a.Name, a.CSVs)
	return c
}
