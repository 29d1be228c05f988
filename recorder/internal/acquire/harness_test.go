package acquire

import (
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A memory is a Writer that keeps what it gets, and fails or stalls on request.
type memory struct {
	mu      sync.Mutex
	stream  stream.Stream
	batches []int
	columns [][]byte
	failAt  int           // batch that cannot be written; 0: none
	block   chan struct{} // if not nil, each write waits for it
	rows    int64
	lost    []recording.LostRows // before its batches
	texts   map[int][]string     // of columns without Data
	closed  bool
}

var errDiskFull = errors.New("no space left on device")

func (m *memory) WriteBatch(rows int, columns []recording.Vector, lost []recording.LostRows) (recording.Block, error) {
	if m.block != nil {
		<-m.block
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failAt > 0 && len(m.batches)+1 >= m.failAt {
		return recording.Block{}, errDiskFull
	}
	m.batches = append(m.batches, rows)
	m.lost = append(m.lost, lost...)
	if m.columns == nil {
		m.columns = make([][]byte, len(columns))
	}
	for i := range columns {
		m.columns[i] = append(m.columns[i], columns[i].Data...)
		if columns[i].Data == nil {
			for row := range columns[i].Len {
				text, _ := columns[i].Text(row)
				m.texts[i] = append(m.texts[i], text)
			}
		}
	}
	m.rows += int64(rows)
	return recording.Block{Offset: m.rows - int64(rows), Rows: int64(rows)}, nil
}

func (m *memory) Tend(time.Time) error { return nil }

func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

func (m *memory) Progress() Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Progress{Rows: m.rows, Batches: len(m.batches), Bytes: m.rows}
}

// column returns a uint64 column.
func (m *memory) column(name string) []uint64 {
	data := m.columns[m.stream.Column(name)]
	values := make([]uint64, len(data)/8)
	for i := range values {
		values[i] = binary.LittleEndian.Uint64(data[8*i:])
	}
	return values
}

// A disk makes and keeps the writers of an acquisition.
type disk struct {
	mu      sync.Mutex
	files   map[string]*memory
	prepare func(m *memory)
	refuse  string // stream that cannot be opened
}

func (d *disk) open(s *stream.Stream) (Writer, error) {
	if s.Name == d.refuse {
		return nil, errDiskFull
	}
	m := &memory{stream: *s, texts: map[int][]string{}}
	if d.prepare != nil {
		d.prepare(m)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.files == nil {
		d.files = map[string]*memory{}
	}
	d.files[s.Name] = m
	return m, nil
}

// gaps returns the records of the stream of gaps. (A memory keeps the numbers;
// the texts it takes from the vectors.)
func (d *disk) gaps(t *testing.T) (records []recording.GapRecord) {
	t.Helper()
	m := d.files[recording.GapStreamName]
	if m == nil {
		return nil
	}
	first, last, rows := m.column("FirstClock"), m.column("LastClock"), m.column("Rows")
	for i := range first {
		records = append(records, recording.GapRecord{Device: m.texts[0][i], LostRows: recording.LostRows{
			FirstClock: first[i], LastClock: last[i], Rows: int64(rows[i]), Cause: recording.Cause(m.texts[4][i]),
		}})
	}
	return records
}

// config is an acquisition on a source, fast as it can, for some seconds of the
// rig's time.
func config(t *testing.T, src oni.Controller, d *disk, seconds float64) Config {
	t.Helper()
	c := Config{Source: src, AcqClockHz: src.AcqClockHz(), Open: d.open, Wait: true, DurationTicks: uint64(seconds * sim.ClockHz)}
	for _, dev := range src.Table() {
		if dev.ReadSize == 0 {
			continue
		}
		if k := device.KindOf(dev, ""); k != nil && k.Optional {
			c.Devices = append(c.Devices, Device{Device: dev, Ignore: true})
			continue
		}
		hub, err := src.Hub(0)
		if err != nil {
			t.Fatal(err)
		}
		dc := device.Config{AcqClockHz: sim.ClockHz, Hub: hub}
		if dev.ID == device.IDPassthrough {
			dc.Headstage = device.HeadstageNeuropixelsV1e
		}
		c.Devices = append(c.Devices, Device{Device: dev, Config: dc, Buffered: true})
	}
	return c
}

func simulator(t *testing.T, c sim.Config) oni.Controller {
	t.Helper()
	src, err := sim.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

func record(t *testing.T, c Config) (*Acquisition, bool, error) {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	reached, err := s.Wait()
	return s, reached, err
}

// A scripted Source delivers given frames, then ends as told.
type scripted struct {
	frames  []oni.Frame
	end     error         // after the last frame; nil: io.EOF once stopped
	hang    chan struct{} // if not nil, ReadInto blocks after the last frame
	stopped bool
}

func (s *scripted) Start() error { return nil }
func (s *scripted) Stop() error  { s.stopped = true; return nil }

func (s *scripted) ReadInto(f *oni.Frame) error {
	if len(s.frames) > 0 {
		*f, s.frames = s.frames[0], s.frames[1:]
		return nil
	}
	if s.hang != nil {
		<-s.hang
	}
	if s.end != nil {
		return s.end
	}
	return io.EOF
}

func heartbeatFrame(clock uint64) oni.Frame {
	return oni.Frame{Clock: clock, Data: binary.LittleEndian.AppendUint64(nil, clock)}
}

var heartbeatDevice = oni.Device{ID: device.IDHeartbeat, Version: 1, ReadSize: 8}
