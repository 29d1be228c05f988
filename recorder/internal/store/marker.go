package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// States of a recording and of its streams in the marker.
const (
	StateOpen     = "open"     // being written, if the marker is fresh
	StateComplete = "complete" // ended in order
	StateFailed   = "failed"   // a stream whose file takes no more rows; Error says why
)

// freshFor is how long a marker is believed after its last refresh; the
// recorder refreshes it every second.
const freshFor = 10 * time.Second

// maxMarkerBytes bounds what is read of a marker: 4 kB a stream is generous.
const maxMarkerBytes = 4 << 20

// A Summary is the file recording_<suffix>.json: what was recorded, what was
// lost, and, while its state is open, the marker that says so.
type Summary struct {
	Version    string `json:"oniscope_version"`
	State      string `json:"state"`
	UpdatedUTC string `json:"updated_utc"` // RFC 3339
	PID        int    `json:"pid"`
	Host       string `json:"host"`

	Driver     string `json:"driver"`
	Simulated  bool   `json:"simulated"`
	Seed       uint64 `json:"seed,omitempty"`
	Signal     string `json:"signal,omitempty"`
	RigFile    string `json:"rig_file"`
	Rig        string `json:"rig"` // its text
	AcqClockHz uint64 `json:"acq_clock_hz"`

	StartUTC   string  `json:"start_utc"`
	EndUTC     string  `json:"end_utc,omitempty"`
	EndReason  string  `json:"end_reason,omitempty"` // "duration", "interrupt", "terminated", "end of source", "error"
	ElapsedS   float64 `json:"elapsed_s"`            // by the host's monotonic clock, from start_utc
	FirstClock uint64  `json:"first_clock"`          // of the first frame, ticks
	LastClock  uint64  `json:"last_clock"`           // of the last frame, ticks

	Devices []DeviceSummary `json:"devices"`
	Streams []StreamSummary `json:"streams"`
	Errors  []string        `json:"errors"`
}

// A DeviceSummary counts what came from one device and what did not.
type DeviceSummary struct {
	Address   string `json:"address"` // "0x0106"
	ID        uint32 `json:"id"`
	Version   uint32 `json:"version"`
	Name      string `json:"name"`      // of its first stream
	Frames    uint64 `json:"frames"`    // read from the source
	Dropped   uint64 `json:"dropped"`   // frames that the full queue refused
	Lost      uint64 `json:"lost"`      // frames that never came, by counters or hub clock
	Gaps      uint64 `json:"gaps"`      // places where frames are missing
	Bad       uint64 `json:"bad"`       // frames that could not be decoded
	Faults    uint64 `json:"faults"`    // frames that contradict themselves; they are kept
	Discarded uint64 `json:"discarded"` // frames of a group that was not full at the end
	GapList   []Gap  `json:"gap_list"`  // the first of the gaps
}

// A Gap is a place where frames of a device are missing.
type Gap struct {
	Row         uint64 `json:"row"` // of the device's first stream: the first row after the gap
	Lost        uint64 `json:"lost"`
	ClockBefore uint64 `json:"clock_before"`
	ClockAfter  uint64 `json:"clock_after"`
	Cause       string `json:"cause"` // "link": they never came, "queue": the recorder was too slow
}

// A StreamSummary is one file of a run.
type StreamSummary struct {
	Name        string `json:"name"`
	File        string `json:"file"`
	State       string `json:"state"`
	Compression string `json:"compression"`
	Rows        int64  `json:"rows"` // in the file
	Batches     int    `json:"batches"`
	Bytes       int64  `json:"bytes"`
	DroppedRows uint64 `json:"dropped_rows"` // decoded, and refused by a full queue or a failed file
	Error       string `json:"error,omitempty"`
}

// Loss reports whether anything is missing that a device sent or should have
// sent.
func (s *Summary) Loss() bool {
	for _, d := range s.Devices {
		if d.Dropped+d.Lost+d.Bad > 0 {
			return true
		}
	}
	for _, f := range s.Streams {
		if f.DroppedRows > 0 || f.State == StateFailed {
			return true
		}
	}
	return false
}

// save replaces the marker in one step. On a disk so full that no second file
// fits, it writes over the old one instead.
func (s *Summary) save(path string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("store: marker: %w", err)
	}
	data = append(data, '\n')
	temporary := path + ".tmp"
	err = os.WriteFile(temporary, data, 0o644)
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err == nil {
		return nil
	}
	os.Remove(temporary)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("store: marker: %w", err)
	}
	defer f.Close()
	if _, err = f.WriteAt(data, 0); err == nil {
		err = f.Truncate(int64(len(data)))
	}
	if err != nil {
		return fmt.Errorf("store: marker: %w", err)
	}
	return nil
}

// ReadSummary reads a marker.
func ReadSummary(path string) (*Summary, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxMarkerBytes {
		return nil, fmt.Errorf("store: marker: %s: %d bytes, more than %d", path, info.Size(), maxMarkerBytes)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var s Summary
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("store: marker: %s: %w", path, err)
	}
	return &s, nil
}

// FindSummary returns the marker of the run that a stream's file belongs to,
// or an error that is fs.ErrNotExist.
func FindSummary(file string) (*Summary, error) {
	for _, name := range Companions(file, markerStem, ".json") {
		s, err := ReadSummary(filepath.Join(filepath.Dir(file), name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, f := range s.Streams {
			if f.File == filepath.Base(file) {
				return s, nil
			}
		}
	}
	return nil, fs.ErrNotExist
}

// IsOpen reports whether a recorder is writing the file at this moment: its
// marker says so, was refreshed lately, and the process lives (asked only on
// the recorder's own machine). A marker left by a killed recorder is not
// believed.
func IsOpen(file string, now time.Time) bool {
	s, err := FindSummary(file)
	if err != nil || !s.fresh(now) {
		return false
	}
	for _, f := range s.Streams {
		if f.File == filepath.Base(file) {
			return f.State == StateOpen
		}
	}
	return false
}

func (s *Summary) fresh(now time.Time) bool {
	if s.State != StateOpen {
		return false
	}
	updated, err := time.Parse(time.RFC3339Nano, s.UpdatedUTC)
	if err != nil || now.Sub(updated).Abs() > freshFor {
		return false
	}
	host, err := os.Hostname()
	return err != nil || host != s.Host || processLives(s.PID)
}

// FindStartTime returns the path of the start-time CSV beside a stream's file,
// "" if there is none.
func FindStartTime(file string) string {
	for _, name := range Companions(file, startTimeStem, ".csv") {
		path := filepath.Join(filepath.Dir(file), name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}
