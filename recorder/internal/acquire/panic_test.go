package acquire

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A faulty decoder panics in the middle of a row, once it has some.
type faulty struct {
	device.Decoder
	at int // frame
	n  int
}

func (d *faulty) Decode(f *oni.Frame, out []*device.Batch) error {
	if d.n++; d.n > d.at {
		out[0].Columns[0] = append(out[0].Columns[0], 1, 2, 3)
		var none []byte
		_ = none[d.n]
	}
	return d.Decoder.Decode(f, out)
}

// TestADecoderThatPanicsMakesItsDeviceRaw: what it decoded stays, from that frame
// on samples are kept as they came, and other devices go on.
func TestADecoderThatPanicsMakesItsDeviceRaw(t *testing.T) {
	other := oni.Device{Address: 0x101, ID: device.IDHeartbeat, Version: 1, ReadSize: 8}
	for _, buffered := range []bool{true, false} {
		d := &disk{}
		src := &scripted{end: io.ErrNoProgress}
		for i := range uint64(300) {
			f := heartbeatFrame(10 * i)
			src.frames = append(src.frames, f)
			f.Clock++
			f.Address = other.Address
			src.frames = append(src.frames, f)
		}
		var found []Finding
		hub := device.Config{AcqClockHz: 1000, Hub: oni.Hub{ClockHz: 1000}}
		a, err := New(Config{
			Source: src, AcqClockHz: 1000, Open: d.open, Wait: true, Find: func(f Finding) { found = append(found, f) },
			Devices: []Device{{Device: heartbeatDevice, Config: hub, Buffered: buffered}, {Device: other, Config: hub, Buffered: buffered}},
		})
		if err != nil {
			t.Fatal(err)
		}
		a.devices[0].decoder = &faulty{Decoder: a.devices[0].decoder, at: 120}
		if err := a.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Wait(); !errors.Is(err, io.ErrNoProgress) {
			t.Fatal(err)
		}
		if len(found) != 1 || found[0].Kind != Raw || found[0].Row != 120 || found[0].Clock != 1200 || !strings.Contains(found[0].Text, "index out of range") {
			t.Errorf("findings %+v", found)
		}
		beats, raw := d.files["heartbeat"], (*memory)(nil)
		for _, m := range d.files {
			if m.stream.Column("Sample") >= 0 {
				raw = m
			}
		}
		if beats == nil || raw == nil || !beats.closed || !raw.closed {
			t.Fatalf("files %v", d.files)
		}
		clocks := append(beats.column("Clock"), raw.column("Clock")...)
		for i, clock := range clocks {
			if clock != uint64(10*i) {
				t.Fatalf("row %d has Clock %d", i, clock)
			}
		}
		if beats.rows != 120 || raw.rows != 180 || d.files["hub-1-heartbeat"] == nil && d.files["port-a-heartbeat"] == nil {
			t.Errorf("%d rows, %d raw, files %v", beats.rows, raw.rows, len(d.files))
		}
		if st := a.Status().Devices[0]; st.Frames != 300 || st.Dropped != 0 || st.Stats.Frames < 300 {
			t.Errorf("%+v", st)
		}
	}
}

// TestAStreamWithoutAFileHoldsUpNoOther: what its disk does not take is counted,
// and the reader goes on.
func TestAStreamWithoutAFileHoldsUpNoOther(t *testing.T) {
	d := &disk{}
	src := &scripted{end: io.ErrNoProgress}
	for i := range uint64(5000) {
		src.frames = append(src.frames, heartbeatFrame(10*i))
	}
	full := &fullWriter{}
	open := func(s *stream.Stream) (Writer, error) {
		if s.Name == recording.GapStreamName {
			return d.open(s)
		}
		return full, nil
	}
	a, err := New(Config{Source: src, AcqClockHz: 1000, Open: open, Buffer: func(*stream.Stream) int64 { return 4 << 10 }, FlushTicks: 100, Wait: false,
		Devices: []Device{{Device: heartbeatDevice, Buffered: true}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Wait(); !errors.Is(err, io.ErrNoProgress) {
		t.Fatal(err)
	}
	lost := int64(0)
	for _, g := range d.gaps(t) {
		if g.Cause != recording.CauseDisk {
			t.Errorf("gap %+v", g)
		}
		lost += g.Rows
	}
	if dropped := a.Status().Streams[0].DroppedRows; lost != 5000 || dropped != 5000 {
		t.Errorf("%d rows are recorded as lost, %d counted", lost, dropped)
	}
}

// A fullWriter has no room, and never will.
type fullWriter struct{ memory }

type laterError struct{ error }

func (laterError) Later() bool { return true }

func (*fullWriter) WriteBatch(int, []recording.Vector, []recording.LostRows) (recording.Block, error) {
	return recording.Block{}, laterError{errDiskFull}
}
func (*fullWriter) Progress() Progress { return Progress{} }
