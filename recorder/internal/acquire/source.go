package acquire

import (
	"sync"
	"sync/atomic"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A Device is one device of the controller and how to decode it.
type Device struct {
	Device   oni.Device
	Config   device.Config // OnGap is set by the acquisition
	Buffered bool
	Ignore   bool // its frames are not wanted
}

// A source is one device and its way to the files. It may have several streams,
// as two probes that share a passthrough device; each frame is of one of them.
type source struct {
	Device
	index   int
	decoder device.Decoder // nil until the first frame of a device that is kept raw
	batches []*device.Batch
	outputs []*output
	broken  error   // why it has no decoder
	rateHz  float64 // frames a second: the rows of all its streams; 0: they come with events
	clock   clockWatch
	now     device.Stats // of the decoder, after the last frame
	before  []int        // rows of the batches before the frame that is decoded

	frames     atomic.Uint64
	dropped    atomic.Uint64        // frames that were discarded, or that no decoder took
	heard      atomic.Uint64        // Clock of the last frame, believed, + 1
	discarding bool                 // since a frame found no room
	discarded  recording.LostRows   // frames
	taken      []recording.LostRows // discarded, and not in a gap that the decoder found

	mu    sync.Mutex
	stats device.Stats // as of the last block
	past  device.Stats // of the decoder before this one
	gaps  []Gap
	name  string
}

func (src *source) use(decoder device.Decoder) {
	src.decoder, src.now = decoder, device.Stats{}
	src.batches = device.NewBatches(decoder)
	streams := decoder.Streams()
	src.rateHz = 0
	for i := range streams {
		src.rateHz += RowRate(&streams[i])
	}
	src.before = make([]int, len(streams))
	src.mu.Lock()
	src.name = streams[0].Name
	src.mu.Unlock()
}

// prepare makes the decoder of a device.
func (a *Acquisition) prepare(src *source) error {
	config := src.Config
	config.OnGap = func(g device.Gap) { a.gap(src, g) }
	decoder, err := device.New(src.Device.Device, config)
	if err != nil {
		return err
	}
	src.use(decoder)
	return nil
}

// RowRate returns how many rows a second a stream should have, 0 if its rows
// come with events.
func RowRate(s *stream.Stream) float64 {
	if clock := s.Column(stream.ClockName); clock >= 0 {
		return s.Columns[clock].RateHz
	}
	return 0
}

// RowBytes returns how many bytes a row of a stream has in memory.
func RowBytes(s *stream.Stream) (n int) {
	for i := range s.Columns {
		n += s.Columns[i].ByteWidth
	}
	return n
}

// StreamsOf returns what New's Streams will, before there is a Config.
func StreamsOf(devices []Device) ([]stream.Stream, error) {
	a, err := New(Config{Devices: devices})
	if err != nil {
		return nil, err
	}
	return a.Streams(), nil
}

// Streams returns the streams of all devices that are understood, in the order
// of Config.Devices. Others appear with their first frame.
func (a *Acquisition) Streams() []stream.Stream {
	var all []stream.Stream
	for _, src := range a.devices {
		if src.decoder != nil {
			all = append(all, src.decoder.Streams()...)
		}
	}
	return all
}
