package acquire

import (
	"fmt"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/recording"
)

// pollEvery is how long the decoder sleeps when the queue is empty: a wake-up
// a frame would cost more than decoding it.
const pollEvery = 2 * time.Millisecond

// A flusher says when streams without a fixed batch size are written: by the
// host's clock, or by that of a source that does not follow it.
type flusher struct {
	every uint64 // ticks
	next  uint64
}

// due reports whether the next flush is at or before now.
func (f *flusher) due(now uint64) bool {
	if f.next == 0 || f.next > now+f.every { // the first time, or the clock went back
		f.next = (now/f.every + 1) * f.every
		return false
	}
	if now < f.next {
		return false
	}
	f.next = (now/f.every + 1) * f.every
	return true
}

// decodeAll is the goroutine that owns the decoders.
func (a *Acquisition) decodeAll() {
	defer close(a.done)
	flush := flusher{every: a.cfg.FlushTicks, next: a.cfg.FlushTicks}
	var f oni.Frame
	for {
		b, ended := a.queue.take()
		a.judge.block()
		a.tapAll()
		if a.judge.timed() && flush.due(a.judge.host) {
			a.flush()
		}
		if b == nil {
			if ended {
				break
			}
			a.endIfOver()
			time.Sleep(pollEvery)
			continue
		}
		for i := range b.frames {
			at := &b.frames[i]
			f.Clock, f.Data = at.clock, b.data[at.from:at.to]
			src := a.devices[at.device]
			f.Address = src.Device.Device.Address
			a.decode(src, &f, &flush)
		}
		a.queue.give(b)
		a.publish()
		a.endIfOver()
	}
	a.finish()
}

// decode appends the rows of one frame and hands over the batches that it
// fills.
func (a *Acquisition) decode(src *source, f *oni.Frame, flush *flusher) {
	if src.decoder == nil && src.broken == nil {
		if src.broken = a.prepare(src); src.broken == nil {
			a.open(src)
		}
	}
	fits := a.judge.frame(src, f.Clock)
	if fits {
		if end := a.endTick.Load(); end > 0 && a.judge.at(f.Clock) >= end {
			return // late
		}
		if !a.judge.timed() && flush.due(a.judge.ref) {
			a.flush()
		}
		src.heard.Store(f.Clock + 1)
		a.clock.Store(a.judge.ref)
	}
	src.frames.Add(1)
	if src.broken != nil {
		src.dropped.Add(1)
		return
	}
	if a.drowns(src) || src.discarding && !a.resume(src) {
		src.discarding = true
		src.discard(f.Clock)
		return
	}
	for i, b := range src.batches {
		src.before[i] = b.Rows
	}
	was := src.now
	if !a.decodeSafely(src, f) {
		return
	}
	src.now = src.decoder.Stats()
	a.judge.placed(src, f.Clock)
	if src.now.Lost > was.Lost {
		a.judge.explained(src)
		if fits && len(src.outputs) == 1 { // the gap is noted, though its frame may be no row yet
			src.outputs[0].seen = f.Clock + 1
		}
	} else if src.now.BadFrames > was.BadFrames {
		a.short(src, f.Clock)
	}
	for i, b := range src.batches {
		if b.Rows == src.before[i] {
			continue
		}
		if o := src.outputs[i]; fits {
			if src.now.Lost == was.Lost {
				a.returned(src, i, f.Clock)
			}
			o.seen = f.Clock + 1
		}
		if b.Rows >= src.outputs[i].full() {
			a.hand(src, i)
		}
	}
}

// row is the stream and the number of the row that the frame became that was
// decoded last, or of the first one of its group that is not full.
func (src *source) row() (stream string, row uint64) {
	if len(src.outputs) == 0 {
		return src.streamName(), 0
	}
	at, pending := 0, src.now.Pending
	for i, b := range src.batches {
		if b.Rows > src.before[i] {
			at, pending = i, 0
		}
	}
	return src.outputs[at].stream.Name, src.outputs[at].handed + uint64(src.before[at]) + pending - min(pending, 1)
}

// next is the number of the next row of the device's first stream.
func (src *source) next() uint64 {
	if len(src.outputs) == 0 {
		return 0
	}
	return src.outputs[0].handed + uint64(src.batches[0].Rows) + src.now.Pending
}

// short notes a frame that is too short to be a row.
func (a *Acquisition) short(src *source, clock uint64) {
	a.judge.find(src.streamName(), Short, src.next(), clock, src.clock.last)
	if len(src.outputs) == 1 && src.rateHz == 0 { // else a counter shows that it is missing
		a.loseIn(src, 0, recording.LostRows{FirstClock: clock, LastClock: clock, Rows: 1, Cause: recording.CauseLink})
	}
}

// decodeSafely decodes a frame. It returns false if the decoder failed: then the
// device is raw from this frame on.
func (a *Acquisition) decodeSafely(src *source, f *oni.Frame) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			a.goRaw(src, f, p)
		}
	}()
	_ = src.decoder.Decode(f, src.batches) // counted by the decoder
	return true
}

// goRaw gives a device whose decoder panicked to one that keeps its samples as
// they are, from a frame on. What it decoded before is completed.
func (a *Acquisition) goRaw(src *source, f *oni.Frame, cause any) {
	name, row := src.streamName(), src.next()
	pending := int64(src.decoder.Stats().Pending)
	for i, b := range src.batches {
		b.Trim(src.decoder.Streams()[i].Columns)
		a.put(src, i)
		o := src.outputs[i]
		if pending > 0 && i == 0 {
			src.dropped.Add(uint64(pending))
			a.loseIn(src, i, recording.LostRows{FirstClock: src.clock.last, LastClock: f.Clock, Rows: pending, Cause: recording.CauseQueue})
		}
		o.note(&o.dropping)
		a.start(o.close)
	}
	src.mu.Lock()
	src.past = addStats(src.past, src.decoder.Stats())
	src.stats = device.Stats{}
	src.mu.Unlock()
	a.cfg.Find(Finding{Device: name, Kind: Raw, Row: row, Clock: f.Clock, Before: src.clock.last,
		Text: fmt.Sprintf("the decoder failed at row %d (%v): samples from here on are kept as they came, in a stream of their own", row, cause)})
	raw, err := device.NewRaw(src.Device.Device, src.Config)
	if err != nil {
		src.broken, src.decoder, src.batches, src.outputs = err, nil, nil, nil
		src.dropped.Add(1)
		return
	}
	src.use(raw)
	a.open(src)
	_ = src.decoder.Decode(f, src.batches)
	src.now = src.decoder.Stats()
}

func addStats(a, b device.Stats) device.Stats {
	return device.Stats{
		Frames: a.Frames + b.Frames, Rows: a.Rows + b.Rows, Lost: a.Lost + b.Lost, Gaps: a.Gaps + b.Gaps,
		Faults: a.Faults + b.Faults, BadFrames: a.BadFrames + b.BadFrames, Pending: b.Pending,
	}
}

func (a *Acquisition) put(src *source, i int) { src.batches[i] = src.outputs[i].put(src.batches[i]) }

// flush hands over what the streams without a fixed batch size have. Streams
// with one never get a short batch but at the end: readers count on it
// (onix-devices 4.6).
func (a *Acquisition) flush() { a.flushOthers(nil) }

// flushOthers is flush for all devices but one, which is being decoded.
func (a *Acquisition) flushOthers(but *source) {
	for _, src := range a.devices {
		if src == but {
			continue
		}
		for i, o := range src.outputs {
			if o.stream.RowsPerBatch == 0 && (o.room(src.batches[i]) || o.lacksFile()) {
				a.put(src, i)
			}
			o.tend()
		}
	}
}

// publish lets Status see the decoders' counts.
func (a *Acquisition) publish() {
	for _, src := range a.devices {
		if src.decoder != nil {
			src.mu.Lock()
			src.stats = src.now
			src.mu.Unlock()
			for i, o := range src.outputs {
				o.lastSeen.Store(o.seen)
				o.decoded.Store(o.handed + uint64(src.batches[i].Rows))
			}
		}
	}
}
