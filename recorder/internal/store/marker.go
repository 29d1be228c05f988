package store

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/oniscope/oniscope/shared/stream"
)

// States of a recording and of its streams in the marker.
const (
	StateOpen     = "open"     // being written, as long as the files are locked (lock.go)
	StateComplete = "complete" // ended in order
	StateFailed   = "failed"   // a file that is not whole, a run that recorded nothing; Error says why

	// StateIncomplete is a run, or a stream, of which something is missing.
	StateIncomplete = "incomplete"
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

	Machine Machine        `json:"machine"`
	Options map[string]any `json:"options"`        // what flags made of the rig: names as those of the flags
	Plan    any            `json:"plan,omitempty"` // rates, memory, free space, as of the start

	Devices  []DeviceSummary `json:"devices"`
	Streams  []StreamSummary `json:"streams"`
	Findings []Finding       `json:"findings"`      // the first of them
	Found    int             `json:"finding_count"` // all
	Events   []RunEvent      `json:"events"`        // what happened, in order
	Errors   []string        `json:"errors"`

	HighestFIFO float64 `json:"highest_fifo_percent"` // fill of the controller's buffer
}

// A Machine is what a run was recorded on.
type Machine struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
	CPUs int    `json:"cpus"`
	Go   string `json:"go"`
}

// A Finding is a frame with which something is wrong.
type Finding struct {
	Device string `json:"device"` // name of its first stream
	Kind   string `json:"kind"`   // "garbled", "out of order", "twice", "jump", "short", "raw"
	Row    uint64 `json:"row"`    // of that stream
	Clock  uint64 `json:"clock"`  // as it came
	Before uint64 `json:"clock_before"`
	Text   string `json:"text"`
}

// A RunEvent is something that happened to a file, a device or the disk.
type RunEvent struct {
	AtS    float64 `json:"at_s"` // since start_utc
	Stream string  `json:"stream,omitempty"`
	Text   string  `json:"text"`
}

// A Missing is a stretch that a stream lacks, and what to do about it.
type Missing struct {
	Rows    int64   `json:"rows"`    // -1: not known
	Seconds float64 `json:"seconds"` // 0: not known
	FromS   float64 `json:"from_s"`  // of the acquisition clock
	Cause   string  `json:"cause"`   // as in the stream gaps, or "silent", "short", "file"
	Text    string  `json:"text"`
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
	LastClock uint64 `json:"last_clock"`

	Settings any            `json:"settings,omitempty"` // as used, keys as in a rig file
	Facts    map[string]any `json:"facts,omitempty"`    // what the hardware said: serial numbers, voltages
}

// A Gap is a place where frames of a device are missing.
type Gap struct {
	Row         uint64 `json:"row"` // of the device's first stream: the first row after the gap
	Lost        uint64 `json:"lost"`
	ClockBefore uint64 `json:"clock_before"`
	ClockAfter  uint64 `json:"clock_after"`
	Cause       string `json:"cause"` // as in the stream gaps
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

	RateHz       float64       `json:"rate_hz,omitempty"`       // rows a second that it should have
	ExpectedRows int64         `json:"expected_rows,omitempty"` // of that rate and the run's length; 0: nobody knows
	LostRows     int64         `json:"lost_rows"`               // known to be missing, for any reason
	Missing      []Missing     `json:"missing,omitempty"`       // the first of what is missing
	DurableBytes int64         `json:"durable_bytes"`           // forced to the platter
	Parts        []PartSummary `json:"parts,omitempty"`         // if there is more than the one file
}

// A PartSummary is one file of a stream.
type PartSummary struct {
	File      string `json:"file"`
	State     string `json:"state"`
	FirstRow  int64  `json:"first_row"` // of the stream
	Rows      int64  `json:"rows"`
	Batches   int    `json:"batches"`
	Bytes     int64  `json:"bytes"`
	GoodRows  int64  `json:"durable_rows"`        // forced to the platter
	GoodBytes int64  `json:"durable_bytes"`       // likewise
	LostRows  int64  `json:"lost_rows,omitempty"` // written, and taken away by another program
	Error     string `json:"error,omitempty"`

	id int
}

// Save replaces the marker in one step; what has the name is locked all the
// time (but for an instant on Windows, which renames no open file; the files of
// the streams are locked besides). A state other than open lets the lock go: the
// run is over. On a disk that is full the old marker stays.
func (r *Run) Save(s *Summary) error {
	s.UpdatedUTC = time.Now().UTC().Format(time.RFC3339Nano)
	err := r.saveMarker(s)
	if s.State != StateOpen {
		r.letMarkerGo()
	}
	return err
}

func (r *Run) saveMarker(s *Summary) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("store: marker: %w", err)
	}
	if !renamesOpenFiles {
		r.letMarkerGo()
	}
	f, err := r.dir.replace(r.name(markerStem, ".json"), append(data, '\n'), true, r.o.Sync != SyncNever)
	if err != nil {
		return fmt.Errorf("store: marker: %w", err)
	}
	r.letMarkerGo()
	r.marker = f
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

// FindStartTime returns the path of the start-time CSV of a stream's file, "" if
// there is none, and what is to be said of the choice; see
// [stream.ChooseStartTime].
func FindStartTime(file string) (path, words string) {
	dir := filepath.Dir(file)
	list, err := os.ReadDir(dir)
	if err != nil {
		return "", ""
	}
	var names []string
	for _, e := range list {
		if stream.IsStartTime(e.Name()) {
			if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.Mode().IsRegular() {
				names = append(names, e.Name())
			}
		}
	}
	name, words := stream.ChooseStartTime(file, names)
	if name == "" {
		return "", words
	}
	return filepath.Join(dir, name), words
}
