package acquire

import (
	"math"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/recording"
)

// A Status is what an acquisition did so far.
type Status struct {
	Elapsed               time.Duration // by the host's clock
	FirstClock, LastClock uint64        // ticks; the last one of those that can be believed
	EndClock              uint64        // where it was asked to end; 0: it was not, yet
	Frames                uint64
	Strays                uint64 // frames from addresses that are not in the device table
	Waiting               bool   // the recorder waits for the disk, and frames wait in the controller
	FIFO                  FIFOStatus
	Devices               []DeviceStatus
	Streams               []StreamStatus
	Lost                  []recording.GapRecord // the first places where rows are missing
}

// A FIFOStatus says how full the controller's buffer is.
type FIFOStatus struct {
	Fill    float64 // 0 to 1
	Highest float64 // so far
	Bytes   uint64  // its size; 0 if the source has none
	Known   bool    // the controller said so; else it is estimated
}

// A DeviceStatus counts what came from one device.
type DeviceStatus struct {
	Device    oni.Device
	Name      string // of its first stream
	Frames    uint64 // from the source, before the end
	Dropped   uint64 // of them, those that found no room
	Lost      uint64 // never came, by the device's own counters
	LastClock uint64 // of its last frame that can be believed
	Stats     device.Stats
	Gaps      []Gap // the first ones
}

// A StreamStatus says how far one stream is.
type StreamStatus struct {
	Name    string
	Address oni.Address // of its device
	Progress
	RateHz      float64         // rows a second that it should have; 0: they come with events
	Decoded     uint64          // rows
	LastClock   uint64          // of its last row that can be believed
	Heard       bool            // there was one
	Queue       time.Duration   // of rows that are no file's yet
	Held        int64           // rows in batches that wait
	DroppedRows uint64          // that no file took
	MissingRows uint64          // that never were decoded: discarded, or never came
	Last        recording.Block // written; zero before the first
	Err         error           // why no file takes rows now
	Failed      bool            // and none will
}

// Status may be called from any goroutine, during an acquisition and after it.
func (a *Acquisition) Status() Status {
	st := Status{LastClock: a.clock.Load(), Frames: a.frames.Load(), Strays: a.strays.Load(), Waiting: a.waiting.Load()}
	if end, inOrder := a.endClock(); inOrder {
		st.EndClock = end
	}
	if !a.started.IsZero() {
		st.Elapsed = a.elapsed()
	}
	if first := a.first.Load(); first > 0 {
		st.FirstClock = first - 1
	}
	if a.cfg.FIFO != nil && !a.started.IsZero() {
		st.FIFO.Fill, st.FIFO.Bytes, st.FIFO.Known = a.fifo.fill()
		st.FIFO.Highest = math.Float64frombits(a.fifo.highest.Load())
	}
	for _, src := range a.devices {
		src.mu.Lock()
		d := DeviceStatus{
			Device: src.Device.Device, Name: src.name,
			Frames: src.frames.Load(), Dropped: src.dropped.Load(),
			Stats: addStats(src.past, src.stats), Gaps: append([]Gap(nil), src.gaps...),
		}
		src.mu.Unlock()
		if last := src.heard.Load(); last > 0 {
			d.LastClock = last - 1
		}
		// Frames that were discarded, or came short, leave a gap that the
		// decoder finds as well.
		if counted := d.Dropped + d.Stats.BadFrames; d.Stats.Lost > counted {
			d.Lost = d.Stats.Lost - counted
		}
		st.Devices = append(st.Devices, d)
	}
	a.mu.Lock()
	outputs := a.outputs
	a.mu.Unlock()
	for _, o := range outputs {
		f := StreamStatus{
			Name: o.stream.Name, Address: oni.Address(o.stream.DeviceAddress), DroppedRows: o.dropped.Load(),
			Progress: o.writer.Progress(), Held: o.held.Load(), Err: o.err(), Failed: o.failed.Load() != nil,
			RateHz: o.rateHz, Decoded: o.decoded.Load(), MissingRows: o.missing.Load(),
		}
		if last := o.lastSeen.Load(); last > 0 {
			f.LastClock, f.Heard = last-1, true
		}
		if newest, written := o.newest.Load(), o.written.Load(); f.Held > 0 && newest > written && a.clockHz > 0 {
			f.Queue = time.Duration(float64(newest-written) / float64(a.clockHz) * float64(time.Second))
		}
		if last := o.last.Load(); last != nil {
			f.Last = *last
		}
		st.Streams = append(st.Streams, f)
	}
	st.Lost = a.gaps.records()
	if f, ok := a.gaps.status(); ok {
		st.Streams = append(st.Streams, f)
	}
	return st
}
