package acquire

import (
	"encoding/binary"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A replay delivers frames that were taken from the simulator before, over and
// over, with the clocks going on.
type replay struct {
	frames []oni.Frame
	span   uint64 // ticks of one round
	left   int
	next   int
	shift  uint64
	bytes  int64
}

func (r *replay) Start() error { return nil }
func (r *replay) Stop() error  { r.left = 0; return nil }

func (r *replay) ReadInto(f *oni.Frame) error {
	if r.left == 0 {
		return io.EOF
	}
	r.left--
	from := &r.frames[r.next]
	f.Clock, f.Address, f.Data = from.Clock+r.shift, from.Address, from.Data
	if r.shift > 0 { // the hub clock of the sample, in place: nobody else has it
		binary.LittleEndian.PutUint64(f.Data, binary.LittleEndian.Uint64(f.Data)+r.span)
	}
	r.bytes += int64(len(f.Data))
	if r.next++; r.next == len(r.frames) {
		r.next = 0
		r.shift += r.span
	}
	return nil
}

// nowhere is a disk without a limit.
type nowhere struct{ rows int64 }

func (n *nowhere) WriteBatch(rows int, _ []recording.Vector, _ []recording.LostRows) (recording.Block, error) {
	n.rows += int64(rows)
	return recording.Block{Rows: int64(rows)}, nil
}
func (*nowhere) Tend(time.Time) error { return nil }
func (*nowhere) Close() error         { return nil }
func (n *nowhere) Progress() Progress { return Progress{Rows: n.rows} }

// taken is one second of frames of a rig.
func takenFrames(b *testing.B, only oni.Address) (oni.Controller, *replay) {
	b.Helper()
	src, err := sim.New(sim.Config{Signal: sim.Pattern, Ports: [2]string{device.HeadstageNeuropixelsV1e}})
	if err != nil {
		b.Fatal(err)
	}
	if err := src.Start(); err != nil {
		b.Fatal(err)
	}
	r := &replay{span: sim.ClockHz}
	var f oni.Frame
	for {
		if err := src.ReadInto(&f); err != nil {
			b.Fatal(err)
		}
		if f.Clock >= sim.ClockHz {
			return src, r
		}
		if only == 0 || f.Address == only {
			r.frames = append(r.frames, oni.Frame{Clock: f.Clock, Address: f.Address, Data: append([]byte(nil), f.Data...)})
		}
	}
}

// BenchmarkPipeline is the recorder without simulator and disk: frames are read,
// queued, judged, decoded and handed over. Bytes are those of the samples.
func BenchmarkPipeline(b *testing.B) {
	for _, c := range []struct {
		name string
		only oni.Address
	}{{"neuropixels-1.0e", 8}, {"neuropixels-1.0e+breakout", 0}} {
		b.Run(c.name, func(b *testing.B) {
			src, frames := takenFrames(b, c.only)
			defer src.Close()
			config := Config{Source: frames, AcqClockHz: sim.ClockHz, Open: func(*stream.Stream) (Writer, error) { return &nowhere{}, nil }, Wait: true}
			for _, dev := range src.Table() {
				if dev.ReadSize == 0 || c.only != 0 && dev.Address != c.only {
					continue
				}
				if k := device.KindOf(dev, ""); k != nil && k.Optional {
					continue
				}
				hub, _ := src.Hub(0)
				dc := device.Config{AcqClockHz: sim.ClockHz, Hub: hub}
				if dev.ID == device.IDPassthrough {
					dc.Headstage = device.HeadstageNeuropixelsV1e
				}
				config.Devices = append(config.Devices, Device{Device: dev, Config: dc, Buffered: true})
			}
			frames.left = len(frames.frames) * b.N
			n := frames.left
			a, err := New(config)
			if err != nil {
				b.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			b.ResetTimer()
			if err := a.Start(); err != nil {
				b.Fatal(err)
			}
			_, _ = a.Wait() // the end of the frames is the end of the source
			b.StopTimer()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(frames.bytes)/b.Elapsed().Seconds()/1e9, "GB/s")
			b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(n), "allocs/frame")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/frame")
			for _, d := range a.Status().Devices {
				if d.Lost+d.Dropped+d.Stats.BadFrames > 0 {
					b.Errorf("%+v", d)
				}
			}
		})
	}
}
