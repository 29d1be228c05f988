package store

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// States of a recording and of its streams in the marker.
const (
	StateOpen     = "open"     // being written, as long as the files are locked (lock.go)
	StateComplete = "complete" // ended in order
	StateFailed   = "failed"   // a stream whose file takes no more rows; Error says why
)

// maxMarkerBytes bounds what is read of a marker: 4 kB a stream is generous.
const maxMarkerBytes = 4 << 20

// A Summary is the file recording_<suffix>.json: what was recorded, what was
// lost, and, while the run is on, the marker that names its files.
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

// saveMarker replaces the marker in one step: the new file is locked before it
// takes the name, so that the name is locked all the time. On Windows, which
// renames no open file, and on a disk so full that no second file fits, it
// writes over the old one instead.
func (r *Run) saveMarker(s *Summary) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("store: marker: %w", err)
	}
	data = append(data, '\n')
	path := r.MarkerPath()
	if runtime.GOOS != "windows" {
		if f, err := replaceLocked(path, data); err == nil {
			r.letMarkerGo()
			r.marker = f
			return nil
		}
	}
	if r.marker == nil { // saved once more after the end
		if r.marker, err = os.OpenFile(path, os.O_WRONLY, 0); err != nil {
			return fmt.Errorf("store: marker: %w", err)
		}
	}
	if _, err = r.marker.WriteAt(data, 0); err == nil {
		err = r.marker.Truncate(int64(len(data)))
	}
	if err != nil {
		return fmt.Errorf("store: marker: %w", err)
	}
	return nil
}

// replaceLocked puts a locked file with these bytes in the place of another.
func replaceLocked(path string, data []byte) (*os.File, error) {
	temporary := path + ".tmp"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, err
	}
	err = Lock(f)
	if err == nil {
		_, err = f.Write(data)
	}
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		f.Close()
		os.Remove(temporary)
		return nil, err
	}
	return f, nil
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
