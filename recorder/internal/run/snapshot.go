package run

import (
	"fmt"
	"math"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/acquire"
	"github.com/oniscope/oniscope/shared/recording"
)

// A Snapshot is the state of a run at one instant, for whoever shows it: the
// terminal, --status-json, the live view. It is not changed after it was
// published. Its JSON names are an interface.
type Snapshot struct {
	State     string           `json:"state"` // "recording", "completing", "ended"
	UTC       string           `json:"utc"`
	ElapsedS  float64          `json:"elapsed_s"`   // by the host's clock
	LagS      float64          `json:"lag_s"`       // how much later than that what is decoded is
	BytesPerS float64          `json:"bytes_per_s"` // into files, of late
	FIFO      FIFOSnapshot     `json:"fifo"`
	Disk      DiskSnapshot     `json:"disk"`
	WaitS     float64          `json:"wait_s"` // how much of the rig's time is read and no file's yet
	LeftS     float64          `json:"left_s"` // completing: how long that takes; -1: not known
	Streams   []StreamSnapshot `json:"streams"`
	Pulse     *Pulse           `json:"pulse,omitempty"` // the last one of a simulator that makes them
}

// A Pulse is a mark in simulated data: when its first frame was delivered, by the
// acquisition clock and by this machine's, so that the way to a screen can be timed.
type Pulse struct {
	Clock uint64 `json:"clock"`
	UTC   string `json:"utc"`
}

// pulsed is called by the simulator.
func (rec *Run) pulsed(clock uint64) {
	rec.pulse.Store(&Pulse{clock, time.Now().UTC().Format(time.RFC3339Nano)})
}

// A FIFOSnapshot is the controller's buffer.
type FIFOSnapshot struct {
	Percent float64 `json:"percent"`
	Bytes   uint64  `json:"bytes"` // its size; 0: there is none
	Known   bool    `json:"known"` // else it is estimated
	Level   string  `json:"level"` // "", "note" from 10 %, "warning" from 50 %, "alarm" from 80 %
}

// A DiskSnapshot is where the files are.
type DiskSnapshot struct {
	FreeBytes int64   `json:"free_bytes"` // -1: not known
	LastsS    float64 `json:"lasts_s"`    // at our own rate; -1: not known
}

// A StreamSnapshot is one stream.
type StreamSnapshot struct {
	Name         string  `json:"name"`
	RateHz       float64 `json:"rate_hz"`     // measured from decoded frames, by their clock
	ExpectedHz   float64 `json:"expected_hz"` // 0: rows come with events
	Rows         int64   `json:"rows"`        // in files
	Bytes        int64   `json:"bytes"`
	DurableBytes int64   `json:"durable_bytes"` // forced to the platter
	QueueS       float64 `json:"queue_s"`       // of rows that wait for their file
	AgeS         float64 `json:"age_s"`         // of the last sample; -1: there was none
	LostRows     int64   `json:"lost_rows"`     // with what a silent device did not send so far
	Cause        string  `json:"cause"`         // of the last loss, as in the stream gaps
	Word         string  `json:"word"`          // what is wrong now: "SILENT 4 s", "DISK FULL"; "" nothing
}

// An observer makes snapshots and raises alarms. It belongs to the control loop.
type observer struct {
	rec      *Run
	realTime bool

	before    acquire.Status // of the last window
	rates     map[string]float64
	moved     time.Duration // when the reference clock last went on
	reference uint64
	silent    map[string]time.Duration // since when, by the clock
	mute      bool                     // the controller is silent as a whole
	fifo      string                   // level that was said
	discards  map[string]uint64

	bytes    []bytesAt // one a second
	free     int64
	lasts    float64
	waits    []waitAt // of the last seconds of completing, one a second
	freeDone chan int64
	asked    time.Time // when the file system was asked
}

type waitAt struct {
	at      time.Duration
	seconds float64
}

type bytesAt struct {
	at    time.Duration
	bytes int64
}

func newObserver(rec *Run, realTime bool) *observer {
	return &observer{rec: rec, realTime: realTime, rates: map[string]float64{}, silent: map[string]time.Duration{}, discards: map[string]uint64{}, free: -1, lasts: -1, freeDone: make(chan int64, 1)}
}

// Marks of the controller's buffer.
const (
	fifoNote    = 0.10
	fifoWarning = 0.50
	fifoAlarm   = 0.80
)

func fifoLevel(fill float64) string {
	switch {
	case fill >= fifoAlarm:
		return "alarm"
	case fill >= fifoWarning:
		return "warning"
	case fill >= fifoNote:
		return "note"
	}
	return ""
}

// silenceSlack is what a device may be late before it is silent; with the time
// from look to look it is said within a second.
const silenceSlack = 700 * time.Millisecond

// A controller as a whole is silent later: a busy machine may delay its reader,
// and a driver takes a while to begin.
const (
	muteAfter  = time.Second
	muteBefore = 2 * time.Second // before the first frame
)

// look raises alarms about what is new. It is called some times a second.
func (ob *observer) look(st *acquire.Status) {
	ob.lookFIFO(st)
	ob.lookDiscards(st)
	if st.LastClock != ob.reference {
		ob.reference, ob.moved = st.LastClock, st.Elapsed
	}
	waits := st.Waiting || st.FIFO.Fill > 0.02
	still := st.Elapsed - ob.moved
	limit := muteAfter + ob.fastest(st)
	if st.Frames == 0 {
		limit = muteBefore + ob.fastest(st)
	}
	mute := ob.realTime && !waits && still > limit
	if mute != ob.mute {
		if ob.mute = mute; mute {
			ob.rec.alarm("", fmt.Sprintf("the controller sends nothing for %.1f s: check its cable and power", still.Seconds()))
		} else {
			ob.rec.alarm("", "the controller sends again")
		}
	}
	for i := range st.Streams {
		f := &st.Streams[i]
		if f.RateHz <= 0 {
			continue
		}
		gone := ob.silence(f, st)
		limit := silenceSlack + time.Duration(1.5/f.RateHz*float64(time.Second))
		switch _, was := ob.silent[f.Name]; {
		case gone > limit && !was && !mute:
			ob.silent[f.Name] = gone
			ob.rec.alarm(f.Name, fmt.Sprintf("silent for %.1f s: check cable and headstage", gone.Seconds()))
		case gone <= limit && was:
			delete(ob.silent, f.Name)
			ob.rec.alarm(f.Name, "sends again")
		}
	}
}

// fastest is the longest time that passes between two frames of the device
// with the highest rate.
func (ob *observer) fastest(st *acquire.Status) time.Duration {
	most := 0.0
	for i := range st.Streams {
		most = max(most, st.Streams[i].RateHz)
	}
	if most == 0 {
		return math.MaxInt64 / 2
	}
	return time.Duration(1.5 / most * float64(time.Second))
}

// silence is how long nothing came of a stream while others went on.
func (ob *observer) silence(f *acquire.StreamStatus, st *acquire.Status) time.Duration {
	last := f.LastClock
	if !f.Heard {
		last = 0
	}
	if st.LastClock <= last {
		return 0
	}
	return ob.rec.duration(st.LastClock - last)
}

func (ob *observer) lookFIFO(st *acquire.Status) {
	level := fifoLevel(st.FIFO.Fill)
	if level == "note" || level == "" {
		if ob.fifo != "" && level == "" {
			ob.fifo = ""
		}
		return
	}
	if level == ob.fifo || ob.fifo == "alarm" {
		return
	}
	ob.fifo = level
	text := fmt.Sprintf("the controller's buffer is %.0f %% full: the recorder does not keep up", 100*st.FIFO.Fill)
	if level == "alarm" {
		text += "; from 90 % on rows are lost: check the disk, end other programs"
	}
	ob.rec.alarm("", text)
}

// lookDiscards says when a stream begins to lose rows.
func (ob *observer) lookDiscards(st *acquire.Status) {
	for i := range st.Devices {
		d := &st.Devices[i]
		if before := ob.discards[d.Name]; d.Dropped > before {
			if before == 0 {
				ob.rec.alarm(d.Name, "loses rows: disk or machine is too slow, and memory and the controller's buffer are full")
			}
			ob.discards[d.Name] = d.Dropped
		}
	}
}

// snapshot is the state now. It is called once a second or more often.
func (ob *observer) snapshot(st *acquire.Status, state string) *Snapshot {
	s := &Snapshot{State: state, UTC: time.Now().UTC().Format(time.RFC3339Nano), ElapsedS: st.Elapsed.Seconds(), LeftS: -1}
	if clock := ob.rec.duration(st.LastClock); ob.realTime && st.Elapsed > clock {
		s.LagS = (st.Elapsed - clock).Seconds()
	}
	s.FIFO = FIFOSnapshot{Percent: 100 * st.FIFO.Fill, Bytes: st.FIFO.Bytes, Known: st.FIFO.Known, Level: fifoLevel(st.FIFO.Fill)}
	ob.measure(st)
	for i := range st.Streams {
		s.Streams = append(s.Streams, ob.stream(&st.Streams[i], st, state))
		s.WaitS = max(s.WaitS, st.Streams[i].Queue.Seconds())
	}
	s.BytesPerS = ob.writing(st)
	ob.disk(s)
	s.Pulse = ob.rec.pulse.Load()
	if state == stateCompleting {
		s.LeftS = ob.left(s.WaitS, st.Elapsed)
	}
	return s
}

// Silent begins the word of a stream of which nothing comes. All of them have it
// where the controller as a whole sends nothing.
const Silent = "SILENT"

// States of a snapshot.
const (
	stateRecording  = "recording"
	stateCompleting = "completing"
	stateEnded      = "ended"
)

// measure takes the rates of frames by their own clock, so that neither a
// stall nor what is made up for it shows in them.
func (ob *observer) measure(st *acquire.Status) {
	passed := ob.rec.duration(st.LastClock - min(st.LastClock, ob.before.LastClock)).Seconds()
	if st.Elapsed-ob.before.Elapsed < 900*time.Millisecond || passed < 0.5 && ob.before.Elapsed > 0 && st.LastClock > ob.before.LastClock {
		return
	}
	for i := range st.Streams {
		f := &st.Streams[i]
		var decoded uint64
		for j := range ob.before.Streams {
			if b := &ob.before.Streams[j]; b.Name == f.Name {
				decoded = b.Decoded
			}
		}
		rate := 0.0
		if passed > 0 && f.Decoded > decoded {
			rate = float64(f.Decoded-decoded) / passed
		}
		if f.RateHz > 0 && math.Abs(rate-f.RateHz) < 0.02*f.RateHz+2/max(passed, 1) {
			rate = f.RateHz // what is well is quiet: blocks of frames end where they do
		}
		ob.rates[f.Name] = rate
	}
	ob.before = *st
}

// stream is the state of one.
func (ob *observer) stream(f *acquire.StreamStatus, st *acquire.Status, state string) StreamSnapshot {
	out := StreamSnapshot{
		Name: f.Name, RateHz: ob.rates[f.Name], ExpectedHz: f.RateHz, Rows: f.Rows, Bytes: f.Bytes, DurableBytes: f.Durable,
		QueueS: f.Queue.Seconds(), AgeS: -1, LostRows: int64(f.DroppedRows + f.MissingRows),
	}
	for i := len(st.Lost) - 1; i >= 0 && out.LostRows > 0 && out.Cause == ""; i-- {
		if g := &st.Lost[i]; g.Device == f.Name {
			out.Cause = string(g.Cause)
		}
	}
	if out.LostRows > 0 && out.Cause == "" {
		out.Cause = string(recording.CauseDisk) // the gap is not over
	}
	if f.Heard {
		out.AgeS = (st.Elapsed - ob.rec.duration(f.LastClock)).Seconds()
		if !ob.realTime {
			out.AgeS = ob.silence(f, st).Seconds()
		}
		out.AgeS = max(0, out.AgeS)
	}
	_, silent := ob.silent[f.Name]
	gone := ob.silence(f, st)
	if ob.mute && f.RateHz > 0 {
		silent, gone = true, st.Elapsed-ob.moved
	}
	if silent && state == stateRecording {
		out.Word = fmt.Sprintf("%s %.0f s", Silent, gone.Seconds())
		if rows := int64(gone.Seconds()*f.RateHz) - 1; !ob.mute && rows > 0 {
			out.LostRows += rows // so far; the gap is noted when it is over
			out.Cause = string(recording.CauseLink)
		}
	}
	switch trouble, ok := ob.rec.trouble(f.Name); {
	case f.Failed:
		out.Word = "FAILED"
	case f.Err != nil && ok && trouble:
		out.Word = "DISK FULL"
	case f.Err != nil:
		out.Word = "NO FILE"
	}
	return out
}

// writing is how fast the files have grown in the last ten seconds.
func (ob *observer) writing(st *acquire.Status) float64 {
	now := bytesAt{at: st.Elapsed}
	for i := range st.Streams {
		now.bytes += st.Streams[i].Bytes
	}
	if n := len(ob.bytes); n == 0 || now.at-ob.bytes[n-1].at > 900*time.Millisecond {
		ob.bytes = append(ob.bytes, now)
	}
	if len(ob.bytes) > 11 {
		ob.bytes = ob.bytes[1:]
	}
	first := ob.bytes[0]
	if seconds := (now.at - first.at).Seconds(); seconds > 0.5 {
		return max(0, float64(now.bytes-first.bytes)/seconds)
	}
	return 0
}

// disk says how long there is room. A file system that does not answer leaves
// the last answer.
func (ob *observer) disk(s *Snapshot) {
	select {
	case ob.free = <-ob.freeDone:
	default:
	}
	if now := time.Now(); now.Sub(ob.asked) > 900*time.Millisecond {
		ob.asked = now
		ob.rec.askFree(ob.freeDone)
	}
	s.Disk = DiskSnapshot{FreeBytes: ob.free, LastsS: -1}
	if rate := s.BytesPerS; ob.free >= 0 && rate > 0 {
		ob.lasts = float64(ob.free) / rate
	}
	s.Disk.LastsS = ob.lasts
}

// left is how long what waits will take, by how fast it became less.
func (ob *observer) left(waitS float64, at time.Duration) float64 {
	if n := len(ob.waits); n == 0 || at-ob.waits[n-1].at > 900*time.Millisecond {
		ob.waits = append(ob.waits, waitAt{at, waitS})
	}
	if len(ob.waits) > 6 {
		ob.waits = ob.waits[1:]
	}
	first := ob.waits[0]
	passed := (at - first.at).Seconds()
	if passed < 0.9 {
		return -1
	}
	gone := (first.seconds - waitS) / passed // a second
	if gone <= 0 {
		return -1
	}
	return waitS / gone
}
