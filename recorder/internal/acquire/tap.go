package acquire

import (
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/shared/stream"
)

// tapEvery is how often rows are shown that no batch has taken yet: a picture of
// a screen that is drawn 30 times a second.
const tapEvery = 33 * time.Millisecond

// A tap shows rows as they are decoded. It belongs to the decoder's goroutine.
type tap struct {
	to   func(s *stream.Stream, b *device.Batch, from int)
	next time.Time
}

// tapAll shows what has come of every stream, each so often.
func (a *Acquisition) tapAll() {
	if a.tap.to == nil {
		return
	}
	now := time.Now()
	if now.Before(a.tap.next) {
		return
	}
	a.tap.next = now.Add(tapEvery)
	for _, src := range a.devices {
		for i, o := range src.outputs {
			o.show(src.batches[i])
		}
	}
}

// show gives the tap the rows of the batch in hand that it has not seen.
func (o *output) show(b *device.Batch) {
	if o.tap == nil || b.Rows <= o.tapped {
		return
	}
	o.tap(o.stream, b, o.tapped)
	o.tapped = b.Rows
}
