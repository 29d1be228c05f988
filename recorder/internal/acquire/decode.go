package acquire

import (
	"math"
	"sync"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/recording"
)

// pollEvery is how long the decoder sleeps when the queue is empty: a wake-up
// a frame would cost more than decoding it.
const pollEvery = 2 * time.Millisecond

// decodeAll is the goroutine that owns the decoders.
func (a *Acquisition) decodeAll() {
	defer close(a.done)
	nextFlush := a.cfg.FlushTicks
	lastFrame := time.Now()
	idle := time.Duration(float64(a.cfg.FlushTicks) / float64(max(1, a.clockHz)) * float64(time.Second))
	for {
		b, ended := a.queue.take()
		if b == nil {
			if ended {
				break
			}
			if !a.cfg.Wait && time.Since(lastFrame) > idle {
				a.flush() // a source that stalls must not keep rows in memory
				lastFrame = time.Now()
			}
			time.Sleep(pollEvery)
			continue
		}
		for i := range b.frames {
			f := &b.frames[i]
			if f.clock >= nextFlush {
				a.flush()
				nextFlush = (f.clock/a.cfg.FlushTicks + 1) * a.cfg.FlushTicks
			}
			a.decode(&oni.Frame{Clock: f.clock, Address: f.address, Data: b.data[f.from:f.to]})
		}
		a.queue.give(b)
		a.publish()
		lastFrame = time.Now()
		if a.allFailed() {
			a.Stop()
		}
	}
	a.finish()
}

// decode appends the rows of one frame and hands over the batches that it
// fills.
func (a *Acquisition) decode(f *oni.Frame) {
	src := a.at[f.Address]
	if src.decoder == nil && src.broken == nil {
		if src.broken = a.prepare(src); src.broken == nil {
			a.open(src)
		}
	}
	if src.broken != nil {
		src.dropped.Add(1)
		return
	}
	a.takeRefused(src, f.Clock)
	if err := src.decoder.Decode(f, src.batches); err != nil {
		return // counted by the decoder
	}
	for i, b := range src.batches {
		full := src.outputs[i].stream.RowsPerBatch
		if full == 0 {
			full = maxPendingRows
		}
		if b.Rows >= full {
			src.batches[i] = src.outputs[i].put(b)
		}
	}
}

// flush hands over what the streams without a fixed batch size have. Streams
// with one never get a short batch but at the end: readers count on it
// (onix-devices 4.6).
func (a *Acquisition) flush() {
	for _, src := range a.devices {
		for i, o := range src.outputs {
			if o.stream.RowsPerBatch == 0 {
				src.batches[i] = o.put(src.batches[i])
			}
		}
	}
}

// finish writes what is left and completes the files, side by side.
func (a *Acquisition) finish() {
	var all sync.WaitGroup
	for _, src := range a.devices {
		for i, o := range src.outputs {
			src.batches[i] = o.put(src.batches[i])
			all.Go(o.close)
		}
		a.takeRefused(src, math.MaxUint64) // no batch follows them
	}
	all.Wait()
	a.gaps.close()
	a.publish()
}

// publish lets Status see the decoders' counts.
func (a *Acquisition) publish() {
	for _, src := range a.devices {
		if src.decoder != nil {
			stats := src.decoder.Stats()
			src.mu.Lock()
			src.stats = stats
			src.mu.Unlock()
		}
	}
}

func (a *Acquisition) allFailed() bool {
	n := 0
	for _, src := range a.devices {
		for _, o := range src.outputs {
			if o.err() == nil {
				return false
			}
			n++
		}
	}
	return n > 0
}

// A Status is what an acquisition did so far.
type Status struct {
	FirstClock, LastClock uint64 // ticks
	Frames                uint64
	Strays                uint64 // frames from addresses that are not in the device table
	Devices               []DeviceStatus
	Streams               []StreamStatus
}

// A DeviceStatus counts what came from one device.
type DeviceStatus struct {
	Device  oni.Device
	Name    string
	Frames  uint64 // from the source
	Dropped uint64 // of them, refused by the full queue
	Lost    uint64 // never came, beyond those dropped here
	Stats   device.Stats
	Gaps    []Gap // the first ones
}

// A StreamStatus says how far one file is.
type StreamStatus struct {
	Name        string
	Address     oni.Address // of its device
	Rows        int64
	Batches     int
	Bytes       int64
	DroppedRows uint64
	Last        recording.Block // written; zero before the first
	Err         error           // why it takes no more rows
}

// Status may be called from any goroutine, during an acquisition and after it.
func (a *Acquisition) Status() Status {
	st := Status{LastClock: a.clock.Load(), Frames: a.frames.Load(), Strays: a.strays.Load()}
	if first := a.first.Load(); first > 0 {
		st.FirstClock = first - 1
	}
	for _, src := range a.devices {
		src.mu.Lock()
		d := DeviceStatus{
			Device: src.Device.Device, Name: src.name,
			Frames: src.frames.Load(), Dropped: src.dropped.Load(),
			Stats: src.stats, Gaps: append([]Gap(nil), src.gaps...),
		}
		src.mu.Unlock()
		// Frames dropped here leave a gap that the decoder finds as well.
		if d.Stats.Lost > d.Dropped {
			d.Lost = d.Stats.Lost - d.Dropped
		}
		st.Devices = append(st.Devices, d)
	}
	a.mu.Lock()
	outputs := a.outputs
	a.mu.Unlock()
	for _, o := range outputs {
		f := StreamStatus{Name: o.stream.Name, Address: oni.Address(o.stream.DeviceAddress), DroppedRows: o.dropped.Load(), Err: o.err()}
		f.Rows, f.Batches, f.Bytes = o.writer.Progress()
		if last := o.last.Load(); last != nil {
			f.Last = *last
		}
		st.Streams = append(st.Streams, f)
	}
	if f, ok := a.gaps.status(); ok {
		st.Streams = append(st.Streams, f)
	}
	return st
}
