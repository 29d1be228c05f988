package run

import (
	"time"

	"github.com/oniscope/oniscope/recorder/internal/acquire"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A Plan is what a run will record, and how long it can do without a disk or
// without a reader: known before the first frame.
type Plan struct {
	Streams      []PlannedStream `json:"streams"`
	BytesPerS    float64         `json:"bytes_per_s"`  // of all files, uncompressed, of streams with a rate
	BufferS      float64         `json:"buffer_s"`     // of the streams with the largest rates, in memory
	BufferBytes  int64           `json:"buffer_bytes"` // what that may take
	FIFOS        float64         `json:"fifo_s"`       // until the controller's buffer has no room; 0: it has none
	FreeBytes    int64           `json:"free_bytes"`   // of the disk; -1: not known
	FreeS        float64         `json:"free_s"`       // how long that lasts, uncompressed; -1: not known
	WireBytesPer float64         `json:"wire_bytes_per_s"`
}

// A PlannedStream is one of them.
type PlannedStream struct {
	Name      string  `json:"name"`
	Device    string  `json:"device"`
	RateHz    float64 `json:"rate_hz"` // rows; 0: they come with events
	BytesPerS float64 `json:"bytes_per_s"`
	File      string  `json:"-"`
	Buffer    int64   `json:"buffer_bytes"` // that may wait; -1: no bound
}

// A stream below smallStream is never dropped: minutes of it fit into any
// memory.
const smallStream = 1e6 // bytes a second

// defaultBuffer is how long a disk may stop before frames wait in the
// controller.
const defaultBuffer = 40 * time.Second

// fifoUse is the part of the controller's buffer that the recorder lets fill.
const fifoUse = 0.9

// newPlan sizes the buffers: so many seconds of each large stream, but together
// no more than memory.
func newPlan(streams []stream.Stream, buffer time.Duration, memory int64) *Plan {
	p := &Plan{BufferS: buffer.Seconds(), FreeBytes: -1, FreeS: -1}
	var want float64
	for i := range streams {
		s := &streams[i]
		rate := acquire.RowRate(s)
		bytes := rate * float64(acquire.RowBytes(s))
		p.Streams = append(p.Streams, PlannedStream{Name: s.Name, Device: s.Title(), RateHz: rate, BytesPerS: bytes, Buffer: -1})
		p.BytesPerS += bytes
		if bytes >= smallStream {
			want += bytes * p.BufferS
		}
	}
	scale := 1.0
	if memory > 0 && want > float64(memory) {
		scale = float64(memory) / want
	}
	p.BufferS *= scale
	for i := range p.Streams {
		if s := &p.Streams[i]; s.BytesPerS >= smallStream {
			s.Buffer = int64(s.BytesPerS * p.BufferS)
			p.BufferBytes += s.Buffer
		}
	}
	return p
}

// buffer is how many bytes of a stream may wait. One that nobody planned, such
// as that of an unknown device, may take what a large one takes, for nobody
// knows its rate.
func (p *Plan) buffer(s *stream.Stream) int64 {
	most := int64(64 << 20)
	for i := range p.Streams {
		if p.Streams[i].Name == s.Name {
			return p.Streams[i].Buffer
		}
		most = max(most, p.Streams[i].Buffer)
	}
	if s.Name == recording.GapStreamName {
		return -1
	}
	return most
}

// fits says how long the disk and the controller's buffer last.
func (p *Plan) fits(wire float64, fifo uint64, free int64, err error) {
	p.WireBytesPer = wire
	if wire > 0 {
		p.FIFOS = fifoUse * float64(fifo) / wire
	}
	if err == nil {
		p.FreeBytes = free
		if p.BytesPerS > 0 {
			p.FreeS = float64(free) / p.BytesPerS
		}
	}
}
