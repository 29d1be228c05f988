package acquire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"slices"
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

func (m *memory) SyncIfDue(time.Time) error { return nil }

func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

func (m *memory) Progress() (int64, int, int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rows, len(m.batches), m.rows
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

func TestEveryRowOfTheDurationReachesItsFile(t *testing.T) {
	d := &disk{}
	src := simulator(t, sim.Config{Ports: [2]string{device.HeadstageNeuropixelsV1e}})
	s, reached, err := record(t, config(t, src, d, 2.5))
	if err != nil || !reached {
		t.Fatalf("reached %v, %v", reached, err)
	}
	for name, want := range map[string][]int{
		"heartbeat":               {100, 100, 50},
		"memory-monitor":          {10, 10, 5},
		"analog-io":               {100000, 100000, 50000},
		"port-a-neuropixels-1.0e": {30024, 30024, 14940},
	} {
		m := d.files[name]
		if m == nil {
			t.Errorf("%s: no file", name)
			continue
		}
		if !m.closed {
			t.Errorf("%s: not closed", name)
		}
		last := len(want) - 1
		if len(m.batches) != len(want) || !reflect.DeepEqual(m.batches[:last], want[:last]) {
			t.Errorf("%s: batches %v, want about %v", name, m.batches, want)
			continue
		}
		// The last batch ends where Clock does, give or take a latency.
		if got := m.batches[last]; got < want[last]-12 || got > want[last]+12 {
			t.Errorf("%s: last batch %d rows, want about %d", name, got, want[last])
		}
		for i, ticks := range m.column("Clock") {
			if ticks >= 2.5*sim.ClockHz {
				t.Errorf("%s: row %d at tick %d, behind the duration", name, i, ticks)
				break
			}
		}
	}
	for _, dev := range s.Status().Devices {
		if dev.Dropped != 0 || dev.Lost != 0 || dev.Stats.BadFrames != 0 {
			t.Errorf("%s: %+v", dev.Name, dev)
		}
	}
	if n := s.Status().Strays; n != 0 {
		t.Errorf("%d strays", n)
	}
}

func TestTheSameSeedGivesTheSameBatches(t *testing.T) {
	run := func() map[string]*memory {
		d := &disk{}
		_, _, err := record(t, config(t, simulator(t, sim.Config{Seed: 7, Signal: sim.Neural}), d, 1.2))
		if err != nil {
			t.Fatal(err)
		}
		return d.files
	}
	a, b := run(), run()
	for name := range a {
		if !reflect.DeepEqual(a[name].batches, b[name].batches) || !reflect.DeepEqual(a[name].columns, b[name].columns) {
			t.Errorf("%s differs: batches %v and %v", name, a[name].batches, b[name].batches)
		}
	}
}

func TestAStreamThatFailsLeavesTheOthersAlone(t *testing.T) {
	for _, buffered := range []bool{true, false} {
		d := &disk{prepare: func(m *memory) {
			if m.stream.Name == "heartbeat" {
				m.failAt = 2
			}
		}}
		c := config(t, simulator(t, sim.Config{}), d, 3)
		for i := range c.Devices {
			c.Devices[i].Buffered = buffered
		}
		s, _, err := record(t, c)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range s.Status().Streams {
			switch f.Name {
			case "heartbeat":
				if !errors.Is(f.Err, errDiskFull) || f.Rows != 100 || f.DroppedRows != 200 {
					t.Errorf("buffered %v: heartbeat %+v, want 100 rows, 200 dropped", buffered, f)
				}
			default:
				if f.Err != nil || f.DroppedRows != 0 {
					t.Errorf("buffered %v: %+v", buffered, f)
				}
			}
		}
	}
}

func TestAFileThatCannotBeMadeIsCounted(t *testing.T) {
	d := &disk{refuse: "memory-monitor"}
	s, _, err := record(t, config(t, simulator(t, sim.Config{}), d, 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range s.Status().Streams {
		if f.Name == "memory-monitor" && (f.DroppedRows != 10 || !errors.Is(f.Err, errDiskFull)) {
			t.Errorf("got %+v", f)
		}
	}
}

func TestAnAcquisitionWithoutAnyFileLeftEnds(t *testing.T) {
	d := &disk{prepare: func(m *memory) { m.failAt = 1 }}
	c := config(t, simulator(t, sim.Config{}), d, 0)
	_, reached, err := record(t, c) // without a duration only the failures end it
	if reached || err != nil {
		t.Errorf("reached %v, %v", reached, err)
	}
}

func TestWhatASlowDiskCannotTakeIsDroppedWholeAndCounted(t *testing.T) {
	release := make(chan struct{})
	d := &disk{prepare: func(m *memory) { m.block = release }}
	src := &scripted{end: io.ErrNoProgress}
	for i := range uint64(8000) { // 80 s of 100 Hz
		src.frames = append(src.frames, heartbeatFrame(10*i))
	}
	c := Config{Source: src, AcqClockHz: 1000, Open: d.open, Devices: []Device{{Device: heartbeatDevice, Buffered: true}}}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	<-s.readerDone
	for deadline := time.Now().Add(10 * time.Second); s.Status().Streams[0].DroppedRows == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	close(release)
	if _, err := s.Wait(); !errors.Is(err, io.ErrNoProgress) {
		t.Fatal(err)
	}
	f := s.Status().Streams[0]
	disk := d.gaps(t)
	var noted []recording.LostRows
	rows := int64(0)
	for _, g := range disk {
		if g.Device != "heartbeat" || g.Cause != recording.CauseDisk || g.LastClock != g.FirstClock+10*uint64(g.Rows-1) {
			t.Errorf("record %+v", g)
		}
		rows += g.Rows
		noted = append(noted, g.LostRows)
	}
	if rows != int64(f.DroppedRows) {
		t.Errorf("records of %d rows, dropped %d", rows, f.DroppedRows)
	}
	noteRows := int64(0)
	for _, l := range d.files["heartbeat"].lost {
		noteRows += l.Rows
	}
	if noteRows > rows || noteRows == 0 && f.Batches > bufferedBatches+1 {
		t.Errorf("notes of %d rows in the stream, records %+v", noteRows, noted)
	}
	if f.DroppedRows == 0 || f.DroppedRows%100 != 0 || f.Rows%100 != 0 || f.Rows+int64(f.DroppedRows) != 8000 {
		t.Errorf("%d rows and %d dropped, want whole seconds and 8000 together", f.Rows, f.DroppedRows)
	}
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

func TestFramesOfUnknownDevicesAreKeptRaw(t *testing.T) {
	unknown := oni.Device{Address: 0x105, ID: 999, Version: 1, ReadSize: 4}
	silent := oni.Device{Address: 0x106, ID: 998, Version: 1, ReadSize: 4}
	src := &scripted{frames: []oni.Frame{
		{Clock: 1, Address: 0x105, Data: []byte("abcd")},
		{Clock: 2, Address: 0x105, Data: []byte("ef")},
		{Clock: 3, Address: 0x999, Data: []byte("zz")},
		{Clock: 4, Address: 0x105, Data: []byte("too long for it")},
	}}
	d := &disk{}
	c := Config{Source: src, AcqClockHz: 1000, Open: d.open, Devices: []Device{{Device: unknown}, {Device: silent}}}
	s, _, err := record(t, c)
	if err == nil {
		t.Error("a source that ends without being asked must be an error")
	}
	if len(d.files) != 1 {
		t.Fatalf("files %v", d.files)
	}
	for name, m := range d.files {
		sample := m.columns[m.stream.Column("Sample")]
		if !bytes.Equal(sample, []byte("abcdef\x00\x00")) {
			t.Errorf("%s: %q", name, sample)
		}
	}
	st := s.Status()
	if st.Strays != 1 || st.Devices[0].Frames != 3 || st.Devices[0].Stats.BadFrames != 1 {
		t.Errorf("got %+v", st)
	}
}

func TestAnErrorOfTheSourceEndsWithWholeFiles(t *testing.T) {
	pulled := errors.New("the cable was pulled")
	src := &scripted{end: pulled,
		frames: []oni.Frame{heartbeatFrame(10), heartbeatFrame(20), heartbeatFrame(30)}}
	d := &disk{}
	_, reached, err := record(t, Config{Source: src, AcqClockHz: 1000, Open: d.open, Devices: []Device{{Device: heartbeatDevice, Buffered: true}}})
	if !errors.Is(err, pulled) || reached {
		t.Errorf("reached %v, %v", reached, err)
	}
	if m := d.files["heartbeat"]; m.rows != 3 || !m.closed {
		t.Errorf("%d rows, closed %v", m.rows, m.closed)
	}
}

func TestASourceThatStallsKeepsNoRowsInMemory(t *testing.T) {
	src := &scripted{hang: make(chan struct{}),
		frames: []oni.Frame{heartbeatFrame(10), heartbeatFrame(20)}}
	d := &disk{}
	s, err := New(Config{Source: src, AcqClockHz: 1000, Open: d.open, FlushTicks: 50, Devices: []Device{{Device: heartbeatDevice, Buffered: true}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for s.Status().Streams[0].Rows < 2 {
		if time.Now().After(deadline) {
			t.Fatal("the rows never reached the file")
		}
		time.Sleep(time.Millisecond)
	}
	s.Stop()
	close(src.hang)
	if _, err := s.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestASourceThatNeverAnswersIsGivenUp(t *testing.T) {
	src := &scripted{hang: make(chan struct{}), frames: []oni.Frame{heartbeatFrame(10)}}
	t.Cleanup(func() { close(src.hang) })
	d := &disk{}
	s, err := New(Config{Source: src, AcqClockHz: 1000, Open: d.open, Devices: []Device{{Device: heartbeatDevice, Buffered: true}}})
	if err != nil {
		t.Fatal(err)
	}
	s.patience = 20 * time.Millisecond
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	for s.Status().Frames == 0 {
		time.Sleep(time.Millisecond)
	}
	s.Stop()
	if _, err := s.Wait(); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("got %v", err)
	}
	if m := d.files["heartbeat"]; m.rows != 1 || !m.closed {
		t.Errorf("%d rows, closed %v", m.rows, m.closed)
	}
}

func TestGapsAreCountedAndLocated(t *testing.T) {
	d := &disk{}
	src := simulator(t, sim.Config{Faults: []sim.Fault{{Kind: sim.Drop, At: sim.ClockHz, Address: 0, Count: 3}}})
	s, _, err := record(t, config(t, src, d, 2))
	if err != nil {
		t.Fatal(err)
	}
	dev := s.Status().Devices[0]
	if dev.Lost != 3 || dev.Dropped != 0 || len(dev.Gaps) != 1 || dev.Gaps[0].Lost != 3 || dev.Gaps[0].Cause != recording.CauseLink {
		t.Errorf("got %+v", dev)
	}
	// The beats at 1.00, 1.01 and 1.02 s are missing; L of a heartbeat is 40 to 55 ticks.
	records := d.gaps(t)
	if len(records) != 1 || records[0].Device != "heartbeat" || records[0].Rows != 3 || records[0].Cause != recording.CauseLink ||
		records[0].FirstClock <= 247_500_000 || records[0].FirstClock > 250e6 || records[0].LastClock < 255e6 || records[0].LastClock >= 257_500_100 {
		t.Errorf("records %+v", records)
	}
	if lost := d.files["heartbeat"].lost; len(lost) != 1 || lost[0] != records[0].LostRows {
		t.Errorf("notes %+v", lost)
	}
}

func TestAFullQueueRefusesOrWaits(t *testing.T) {
	q := newQueue(100)
	f := oni.Frame{Data: make([]byte, 60)}
	if !q.push(&f, false) {
		t.Fatal("the first frame was refused")
	}
	if q.push(&f, false) {
		t.Fatal("a frame beyond the limit was taken")
	}
	big := oni.Frame{Data: make([]byte, 1000)}
	taken := make(chan bool)
	go func() { taken <- q.push(&big, true) }()
	b, _ := q.take()
	q.give(b)
	if !<-taken {
		t.Fatal("the waiting frame was refused")
	}
	q.close()
	if q.push(&f, true) {
		t.Fatal("a closed queue took a frame")
	}
	if b, ended := q.take(); b == nil || ended || len(b.data) != 1000 {
		t.Fatal("what was in the queue is lost by closing it")
	}
	if b, ended := q.take(); b != nil || !ended {
		t.Fatal("the queue does not end")
	}
}

// TestWhatTheQueueRefusesIsRecorded: the decoder sees a gap where the queue was
// full, and where frames never came; each is written once, with its cause.
func TestWhatTheQueueRefusesIsRecorded(t *testing.T) {
	d := &disk{}
	a, err := New(Config{Source: &scripted{}, AcqClockHz: 1000, Open: d.open, Devices: []Device{{
		Device: heartbeatDevice, Config: device.Config{AcqClockHz: 1000, Hub: oni.Hub{ClockHz: 1000}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	src := a.devices[0]
	a.open(src)
	go a.gaps.run()
	for i := range uint64(40) {
		switch {
		case i >= 10 && i < 15: // refused by the queue
			src.refused.add(10 * i)
			continue
		case i >= 15 && i < 17, i >= 25 && i < 28: // never came
			continue
		case i >= 35:
			src.refused.add(10 * i) // and nothing follows
			continue
		}
		src.refused.going = false
		f := heartbeatFrame(10 * i)
		a.decode(&f)
	}
	a.finish()
	want := []recording.GapRecord{
		{Device: "heartbeat", LostRows: recording.LostRows{FirstClock: 100, LastClock: 140, Rows: 5, Cause: recording.CauseQueue}},
		{Device: "heartbeat", LostRows: recording.LostRows{FirstClock: 91, LastClock: 169, Rows: 2, Cause: recording.CauseLink}},
		{Device: "heartbeat", LostRows: recording.LostRows{FirstClock: 241, LastClock: 279, Rows: 3, Cause: recording.CauseLink}},
		{Device: "heartbeat", LostRows: recording.LostRows{FirstClock: 350, LastClock: 390, Rows: 5, Cause: recording.CauseQueue}},
	}
	if got := d.gaps(t); !slices.Equal(got, want) {
		t.Errorf("got %+v,\nwant %+v", got, want)
	}
	if got := d.files["heartbeat"].lost; len(got) != 3 || got[0] != want[0].LostRows || got[2] != want[2].LostRows {
		t.Errorf("notes %+v", got)
	}
	gaps := a.Status().Devices[0].Gaps
	if len(gaps) != 2 || gaps[0].Cause != recording.CauseQueue || gaps[1].Cause != recording.CauseLink {
		t.Errorf("gaps %+v", gaps)
	}
}

func TestARunThatLostNothingHasNoStreamOfGaps(t *testing.T) {
	d := &disk{}
	s, _, err := record(t, config(t, simulator(t, sim.Config{}), d, 1))
	if err != nil {
		t.Fatal(err)
	}
	if d.files[recording.GapStreamName] != nil {
		t.Error("a stream of gaps without a gap")
	}
	for _, f := range s.Status().Streams {
		if f.Name == recording.GapStreamName {
			t.Errorf("%+v", f)
		}
	}
}

// TestEveryFrameIsARowOrInTheStreamOfGaps: a reader that is faster than the
// decoder, through a queue of some frames.
func TestEveryFrameIsARowOrInTheStreamOfGaps(t *testing.T) {
	d := &disk{}
	src := &scripted{end: io.ErrNoProgress}
	const sent = 50_000
	for i := range uint64(sent) {
		src.frames = append(src.frames, heartbeatFrame(10*i))
	}
	s, _, err := record(t, Config{Source: src, AcqClockHz: 1000, Open: d.open, QueueBytes: 800, Devices: []Device{{
		Device: heartbeatDevice, Config: device.Config{AcqClockHz: 1000, Hub: oni.Hub{ClockHz: 1000}}, Buffered: true,
	}}})
	if !errors.Is(err, io.ErrNoProgress) {
		t.Fatal(err)
	}
	lost := map[uint64]bool{}
	for _, g := range d.gaps(t) {
		if g.Cause != recording.CauseQueue || g.LastClock != g.FirstClock+10*uint64(g.Rows-1) {
			t.Fatalf("record %+v", g)
		}
		for clock := g.FirstClock; clock <= g.LastClock; clock += 10 {
			if lost[clock] {
				t.Fatalf("%d is lost twice", clock)
			}
			lost[clock] = true
		}
	}
	clocks := d.files["heartbeat"].column("Clock")
	for _, clock := range clocks {
		if lost[clock] {
			t.Fatalf("%d is a row, and lost", clock)
		}
	}
	dropped := s.Status().Devices[0].Dropped
	if len(clocks)+len(lost) != sent || uint64(len(lost)) != dropped || dropped == 0 {
		t.Errorf("%d rows and %d lost of %d frames; %d counted as dropped", len(clocks), len(lost), sent, dropped)
	}
}
