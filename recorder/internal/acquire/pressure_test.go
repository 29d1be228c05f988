package acquire

import (
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A paced source has two devices that send at the same rate, by the host's
// clock, into a buffer of some seconds which ends acquisition when it is full.
type paced struct {
	begin   time.Time
	next    atomic.Uint64 // frame of both
	size    float64       // seconds of its buffer
	stopped atomic.Bool
	data    [sampleBytes]byte
}

const (
	pacedHz     = 1000 // frames a second of each device; ticks too
	sampleBytes = 1000
)

func (p *paced) Start() error {
	p.begin = time.Now()
	return nil
}

func (p *paced) Stop() error {
	p.stopped.Store(true)
	return nil
}

func (p *paced) ReadInto(f *oni.Frame) error {
	n := p.next.Load()
	at := p.begin.Add(time.Duration(n/2) * time.Second / pacedHz)
	if p.stopped.Load() {
		return io.EOF
	}
	time.Sleep(time.Until(at))
	if fill, _ := p.fill(); fill.Used >= fill.Total {
		return io.ErrUnexpectedEOF
	}
	p.next.Add(1)
	binary.LittleEndian.PutUint64(p.data[:], n/2)
	*f = oni.Frame{Clock: n / 2, Address: oni.Address(0x105 + n%2), Data: p.data[:]}
	return nil
}

func (p *paced) fill() (oni.Fill, error) {
	total := uint64(p.size * 2 * pacedHz * sampleBytes)
	behind := time.Since(p.begin).Seconds() - float64(p.next.Load()/2)/pacedHz
	return oni.Fill{Used: min(total, uint64(max(0, behind)*2*pacedHz*sampleBytes)), Total: total}, nil
}

// A gate holds up the writer of one stream while somebody is in it.
type gate struct {
	memory
	in chan struct{} // has room for one
}

func (g *gate) WriteBatch(rows int, columns []recording.Vector, lost []recording.LostRows) (recording.Block, error) {
	g.in <- struct{}{}
	defer func() { <-g.in }()
	return g.memory.WriteBatch(rows, columns, lost)
}

// inScriptedTime runs a test in parallel with others, on a clock that goes on
// only when every goroutine waits for it.
func inScriptedTime(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		defer time.Sleep(time.Minute) // every goroutine must end
		test(t)
	})
}

// TestAStalledStreamStarvesNoOther: one of two equal streams is still for
// longer than its buffer and the controller's. It has one gap, of exactly what
// is missing; the other has every row.
func TestAStalledStreamStarvesNoOther(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		src := &paced{size: 2}
		d := &disk{}
		held := &gate{in: make(chan struct{}, 1)}
		names := map[string]bool{}
		var mu sync.Mutex
		a, err := New(Config{
			Source: src, AcqClockHz: pacedHz, FIFO: src.fill, WireRate: 2 * pacedHz * sampleBytes, FlushTicks: pacedHz / 5, QueueBytes: 400_000,
			Buffer:        func(*stream.Stream) int64 { return 600_000 }, // 0.6 s
			DurationTicks: 9 * pacedHz,
			Open: func(s *stream.Stream) (Writer, error) {
				mu.Lock()
				defer mu.Unlock()
				if s.Name != recording.GapStreamName && len(names) == 0 {
					names[s.Name] = true
					held.stream = *s
					return held, nil
				}
				return d.open(s)
			},
			Devices: []Device{
				{Device: oni.Device{Address: 0x105, ID: 990, Version: 1, ReadSize: sampleBytes}, Buffered: true},
				{Device: oni.Device{Address: 0x106, ID: 991, Version: 1, ReadSize: sampleBytes}, Buffered: true},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		held.in <- struct{}{}
		time.Sleep(5 * time.Second)
		<-held.in
		if reached, err := a.Wait(); !reached || err != nil {
			t.Fatalf("reached %v, %v", reached, err)
		}
		var healthy *memory
		for name, m := range d.files {
			if name != recording.GapStreamName {
				healthy = m
			}
		}
		if n := healthy.rows; n != 9*pacedHz {
			t.Errorf("the healthy stream has %d rows", n)
		}
		gaps := d.gaps(t)
		if len(gaps) != 1 || gaps[0].Cause != recording.CauseFIFO || gaps[0].Device != held.stream.Name || gaps[0].Rows+held.rows != 9*pacedHz || gaps[0].LastClock-gaps[0].FirstClock != uint64(gaps[0].Rows-1) {
			t.Fatalf("gaps %+v, %d rows", gaps, held.rows)
		}
		next := uint64(0)
		for i, clock := range held.column("Clock") {
			if next == gaps[0].FirstClock {
				next = gaps[0].LastClock + 1
			}
			if clock != next {
				t.Fatalf("row %d has Clock %d, want %d; gap %+v", i, clock, next, gaps[0])
			}
			next++
		}
		if len(held.lost) != 1 || held.lost[0] != gaps[0].LostRows {
			t.Errorf("the batch after the gap says %+v", held.lost)
		}
	})
}

// A sluggish decoder takes a millisecond a frame, for a while.
type sluggish struct {
	device.Decoder
	until time.Time
}

func (d *sluggish) Decode(f *oni.Frame, out []*device.Batch) error {
	if time.Now().Before(d.until) {
		time.Sleep(time.Millisecond)
	}
	return d.Decoder.Decode(f, out)
}

// TestAMachineThatIsTooSlowCostsGapsAndNotTheRun: the decoder has half the speed
// that is needed for longer than the controller's buffer lasts. Acquisition goes
// on, and what is missing is counted to the frame.
func TestAMachineThatIsTooSlowCostsGapsAndNotTheRun(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		src := &paced{size: 2}
		d := &disk{}
		const seconds = 8
		a, err := New(Config{
			Source: src, AcqClockHz: pacedHz, FIFO: src.fill, WireRate: 2 * pacedHz * sampleBytes, FlushTicks: pacedHz / 5, QueueBytes: 400_000,
			Buffer:        func(*stream.Stream) int64 { return 600_000 },
			DurationTicks: seconds * pacedHz, Open: d.open,
			Devices: []Device{
				{Device: oni.Device{Address: 0x105, ID: 990, Version: 1, ReadSize: sampleBytes}, Buffered: true},
				{Device: oni.Device{Address: 0x106, ID: 991, Version: 1, ReadSize: sampleBytes}, Buffered: true},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, src := range a.devices {
			if err := a.prepare(src); err != nil {
				t.Fatal(err)
			}
			src.decoder = &sluggish{src.decoder, time.Now().Add((seconds - 2) * time.Second)}
		}
		if err := a.Start(); err != nil {
			t.Fatal(err)
		}
		if reached, err := a.Wait(); !reached || err != nil {
			t.Fatalf("reached %v, %v", reached, err)
		}
		lost := map[string]int64{}
		for _, g := range d.gaps(t) {
			if g.Cause != recording.CauseFIFO || g.LastClock-g.FirstClock != uint64(g.Rows-1) {
				t.Errorf("gap %+v", g)
			}
			lost[g.Device] += g.Rows
		}
		for name, m := range d.files {
			if name != recording.GapStreamName && (lost[name] == 0 || m.rows+lost[name] != seconds*pacedHz) {
				t.Errorf("%s: %d rows and %d lost, of %d", name, m.rows, lost[name], seconds*pacedHz)
			}
		}
	})
}

// TestMemoryIsBoundedInBytes: what waits of a stream whose file is still.
func TestMemoryIsBoundedInBytes(t *testing.T) {
	inScriptedTime(t, func(t *testing.T) {
		src := &paced{size: 100}
		gaps := &disk{}
		held := &gate{in: make(chan struct{}, 1)}
		a, err := New(Config{
			Source: src, AcqClockHz: pacedHz, FIFO: src.fill, WireRate: 2 * pacedHz * sampleBytes, FlushTicks: pacedHz / 5, QueueBytes: 400_000,
			Buffer: func(*stream.Stream) int64 { return 500_000 },
			Open: func(s *stream.Stream) (Writer, error) {
				if s.Name == recording.GapStreamName {
					return gaps.open(s)
				}
				held.stream = *s
				return held, nil
			},
			Devices: []Device{
				{Device: oni.Device{Address: 0x105, ID: 990, Version: 1, ReadSize: sampleBytes}, Buffered: true},
				{Device: oni.Device{Address: 0x106, ID: 991, Version: 1, ReadSize: sampleBytes}, Ignore: true},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		held.in <- struct{}{}
		if err := a.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2500 * time.Millisecond)
		o := a.outputs[0]
		o.mu.Lock()
		bytes, waits := o.bytes, a.queue.waits()
		o.mu.Unlock()
		if bytes > 900_000 || bytes < 300_000 || waits > 500_000 || !a.Status().Waiting {
			t.Errorf("%d bytes wait, %d in the queue, waiting %v", bytes, waits, a.Status().Waiting)
		}
		<-held.in
		a.Stop()
		if _, err := a.Wait(); err != nil {
			t.Fatal(err)
		}
		clocks := held.column("Clock")
		if lost := gaps.gaps(t); len(lost) != 0 {
			t.Errorf("gaps %+v", lost)
		}
		for i, clock := range clocks {
			if clock != uint64(i) {
				t.Fatalf("row %d has Clock %d", i, clock)
			}
		}
		if len(clocks) < 2400 {
			t.Errorf("%d rows", len(clocks))
		}
	})
}
