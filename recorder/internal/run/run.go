// Package run records one run from start to end: it joins a controller, an
// acquisition and the files on disk, and keeps their summary.
//
// It touches no terminal: words, status and signals go through Options.
package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
	"github.com/oniscope/oniscope/recorder/internal/acquire"
	"github.com/oniscope/oniscope/recorder/internal/rig"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// Options of a run. Rig and Dir are needed.
type Options struct {
	Rig    *rig.Rig   // complete
	Writer rig.Writer // what is set here goes over the rig file
	Dir    string

	Duration time.Duration // by the acquisition clock; 0: until a signal
	Flush    time.Duration // how often streams without a constant rate are written
	Sync     time.Duration // how often files are forced to the platter

	Signals <-chan os.Signal // the first ends the run, the second aborts it
	Say     func(text string)
	Warn    func(error)
	Status  Status // nil: nobody looks

	// Create makes the files of streams; nil: on disk.
	Create func(path string, overwrite bool) (store.File, error)
}

// A Status shows what a run does, once a second.
type Status interface {
	Show(seconds int64, text string) // seconds of the acquisition clock
	End()
}

// A UsageError is something that the rig file or a flag cannot mean.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UsageError) Unwrap() error { return e.Err }

// A LossError says that a run ended in order, but data were lost.
type LossError struct{ Err error }

func (e *LossError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *LossError) Unwrap() error { return e.Err }

// A Run is one recording. New, Run, then Summary and Judge.
type Run struct {
	o           Options
	rig         *rig.Rig
	source      oni.Controller
	acquisition *acquire.Acquisition
	store       *store.Run
	codecs      map[oni.Address]recording.Codec
	expected    map[string]bool // by stream: sends at least twice a second, so silence means something

	summary   store.Summary
	sourceErr error
}

// Sizes of the blocks that move from and to the hardware, if no frame is
// larger: Bonsai's defaults. Source: onix-devices 5.1.
const (
	blockReadSize  = 2048
	blockWriteSize = 2048
)

func setBlockSizes(c oni.Controller) error {
	read, write := c.BlockSizes() // after a reset: the largest frame
	return c.SetBlockSizes(max(read, blockReadSize), max(write, blockWriteSize))
}

// New checks everything that can be checked before a file is made.
func New(o Options) (*Run, error) {
	r := o.Rig
	rec := &Run{o: o, rig: r, codecs: map[oni.Address]recording.Codec{}, expected: map[string]bool{}}
	source, err := simulator(r)
	if err != nil {
		return nil, &UsageError{fmt.Errorf("%s: %w", r.File, err)}
	}
	rec.source = source
	if err := setBlockSizes(source); err != nil {
		source.Close()
		return nil, err
	}
	devices, overwrite, err := rec.devices()
	if err != nil {
		source.Close()
		return nil, err
	}
	clockHz := source.AcqClockHz()
	config := acquire.Config{
		Source: source, AcqClockHz: clockHz, Devices: devices, Open: rec.open, Describe: rec.describe,
		FlushTicks: ticksFromDuration(o.Flush, clockHz),
		Wait:       r.Pace == rig.PaceMax,
	}
	if o.Duration > 0 {
		config.DurationTicks = max(1, ticksFromDuration(o.Duration, clockHz))
	}
	if rec.acquisition, err = acquire.New(config); err != nil {
		source.Close()
		return nil, &UsageError{fmt.Errorf("%s: %w", r.File, err)}
	}
	if err := rec.begin(overwrite); err != nil {
		source.Close()
		return nil, err
	}
	return rec, nil
}

func ticksFromDuration(d time.Duration, clockHz uint64) uint64 {
	whole, rest := uint64(d/time.Second), uint64(d%time.Second)
	return whole*clockHz + rest*clockHz/uint64(time.Second)
}

// simulator makes the simulated controller that the rig describes.
func simulator(r *rig.Rig) (oni.Controller, error) {
	config := sim.Config{Seed: r.Seed, Settings: r.Settings()}
	if r.Signal == rig.SignalNeural {
		config.Signal = sim.Neural
	}
	for i, name := range rig.PortNames {
		config.Ports[i] = r.Ports[name].Headstage
	}
	if r.Pace == rig.PaceRealTime {
		config.Wait, config.Now = realTime(sim.ClockHz)
	}
	return sim.New(config)
}

// realTime returns a function that sleeps until a tick has passed since its
// first call, and one that says how many have.
func realTime(clockHz uint64) (wait func(ticks uint64), now func() uint64) {
	var start atomic.Pointer[time.Time]
	wait = func(ticks uint64) {
		if start.Load() == nil {
			begin := time.Now()
			start.Store(&begin)
		}
		whole, rest := ticks/clockHz, ticks%clockHz
		at := start.Load().Add(time.Duration(whole)*time.Second + time.Duration(rest*uint64(time.Second)/clockHz))
		time.Sleep(time.Until(at))
	}
	now = func() uint64 {
		if begin := start.Load(); begin != nil {
			return ticksFromDuration(time.Since(*begin), clockHz)
		}
		return 0
	}
	return wait, now
}

// devices lists what may send frames, with the settings of the rig, and which
// streams may replace an existing file.
func (rec *Run) devices() ([]acquire.Device, func(string) bool, error) {
	r := rec.rig
	all := rec.writer(rig.Writer{})
	replace := map[string]bool{"": *all.Overwrite}
	var devices []acquire.Device
	for _, dev := range rec.source.Table() {
		if dev.ReadSize == 0 {
			continue
		}
		headstage := r.Headstage(dev)
		kind := device.KindOf(dev, headstage)
		key := ""
		if kind != nil {
			key = kind.KeyAt(dev.Address)
		}
		settings := r.Device(kind, key)
		if !settings.Enable {
			devices = append(devices, acquire.Device{Device: dev, Ignore: true})
			continue
		}
		hub, err := rec.source.Hub(dev.Address.Hub())
		if err != nil {
			return nil, nil, err
		}
		w := rec.writer(settings.Writer)
		codec, err := rig.ParseCodec(*w.Compression)
		if err != nil {
			return nil, nil, &UsageError{err}
		}
		config := device.Config{
			AcqClockHz: rec.source.AcqClockHz(), Hub: hub, Headstage: headstage, Settings: settings.Settings,
		}
		rec.codecs[dev.Address] = codec
		devices = append(devices, acquire.Device{Device: dev, Config: config, Buffered: *w.Buffered})
		if device.Supported(dev, config) && *w.Overwrite != *all.Overwrite {
			decoder, err := device.New(dev, config)
			if err != nil {
				return nil, nil, &UsageError{fmt.Errorf("%s: %w", r.File, err)}
			}
			for _, s := range decoder.Streams() {
				replace[s.Name] = *w.Overwrite
			}
		}
	}
	overwrite := func(name string) bool {
		if yes, ok := replace[name]; ok {
			return yes
		}
		return *all.Overwrite
	}
	return devices, overwrite, nil
}

// writer returns how the streams of a device are written: options over the
// device's own settings over those of the rig over the defaults.
func (rec *Run) writer(device rig.Writer) rig.Writer {
	return rec.o.Writer.Over(device).Over(rec.rig.Writer).Over(rig.DefaultWriter())
}

// begin takes the names on disk.
func (rec *Run) begin(overwrite func(string) bool) error {
	w := rec.writer(rig.Writer{})
	suffix, err := store.ParseSuffix(*w.Suffix)
	if err != nil {
		return &UsageError{err}
	}
	var names []string
	for _, s := range rec.acquisition.Streams() {
		names = append(names, s.Name)
		rec.expected[s.Name] = slices.ContainsFunc(s.Columns, func(c stream.Column) bool { return c.RateHz >= 2 })
	}
	if len(names) == 0 {
		return &UsageError{fmt.Errorf("%s: no device is enabled", rec.rig.File)}
	}
	host, _ := os.Hostname()
	rec.summary = store.Summary{
		Version: stream.Version, State: store.StateOpen, PID: os.Getpid(), Host: host,
		Driver: rec.rig.Driver, Simulated: rec.rig.Driver == "sim", Seed: rec.rig.Seed, Signal: rec.rig.Signal,
		RigFile: rec.rig.File, Rig: rec.rig.Text, AcqClockHz: rec.source.AcqClockHz(),
		Devices: []store.DeviceSummary{}, Streams: []store.StreamSummary{}, Errors: []string{},
	}
	rec.store, err = store.Begin(names, store.Options{
		Dir: rec.o.Dir, Suffix: suffix, Overwrite: overwrite, Now: time.Now(), Sync: rec.o.Sync, Create: rec.o.Create,
	}, &rec.summary)
	return err
}

// describe fills in what only the start of acquisition tells.
func (rec *Run) describe(s *stream.Stream, started time.Time) {
	s.StartUTC = started.UTC().Format(time.RFC3339Nano)
	s.StartClock = 0 // Start resets the acquisition clock
	s.Simulated = rec.summary.Simulated
}

func (rec *Run) open(s *stream.Stream) (acquire.Writer, error) {
	codec := rec.codecs[oni.Address(s.DeviceAddress)]
	if s.Name == recording.GapStreamName { // of no device
		codec = recording.None
	}
	w, err := rec.store.OpenStream(s, codec)
	if err != nil {
		return nil, err
	}
	return w, nil
}

// Path returns the path of one of the run's files.
func (rec *Run) Path(file string) string { return filepath.Join(rec.o.Dir, file) }

// Run acquires until something ends it, with status and marker refreshed each
// second.
func (rec *Run) Run() error {
	if err := rec.acquisition.Start(); err != nil {
		rec.finish("error", err)
		return err
	}
	started := rec.acquisition.Started()
	rec.summary.StartUTC = started.UTC().Format(time.RFC3339Nano)
	read, write := rec.source.BlockSizes()
	if err := rec.store.WriteStartTime(stream.StartTime{
		Time: started, AcqClockHz: rec.source.AcqClockHz(), BlockReadSize: uint64(read), BlockWriteSize: uint64(write),
	}); err != nil {
		rec.warn(err)
	}
	rec.o.Say(fmt.Sprintf("recording to %s (Ctrl-C ends it)", rec.Path(store.FileName("*", rec.store.Suffix(), ".arrow"))))

	type result struct {
		reached bool
		err     error
	}
	ended := make(chan result, 1)
	go func() {
		reached, err := rec.acquisition.Wait()
		ended <- result{reached, err}
	}()
	st := newStatus(rec)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	reason := ""
	for {
		select {
		case end := <-ended:
			st.end()
			if end.reached {
				reason = "duration"
			} else if reason == "" {
				reason = "error"
			}
			rec.finish(reason, end.err)
			return nil
		case sig := <-rec.o.Signals:
			if reason != "" {
				return errors.New("aborted; oniscope recover completes the files")
			}
			reason = "interrupt"
			if sig != os.Interrupt {
				reason = "terminated"
			}
			rec.o.Say("ending: completing the files (Ctrl-C again aborts)")
			rec.acquisition.Stop()
		case <-tick.C:
			rec.collect(store.StateOpen)
			if err := rec.store.Save(&rec.summary); err != nil {
				rec.warn(err)
			}
			st.show()
		}
	}
}

// warn keeps a failure that does not end the recording.
func (rec *Run) warn(err error) {
	if n := len(rec.summary.Errors); n > 0 && rec.summary.Errors[n-1] == err.Error() {
		return // a full disk fails each second
	}
	rec.summary.Errors = append(rec.summary.Errors, err.Error())
	rec.o.Warn(err)
}

// finish completes the summary after the files are complete.
func (rec *Run) finish(reason string, err error) {
	if err != nil {
		rec.sourceErr = err
		rec.summary.Errors = append(rec.summary.Errors, err.Error())
	}
	if err := rec.store.Close(); err != nil {
		rec.warn(err)
	}
	if !errors.Is(err, acquire.ErrNoAnswer) { // then a read is still inside, and closing would pull the ground from under it
		if err := rec.source.Close(); err != nil {
			rec.warn(err)
		}
	}
	if n := rec.acquisition.Status().Strays; n > 0 {
		rec.warn(fmt.Errorf("%d frames came from addresses that are not in the device table", n))
	}
	now := time.Now()
	rec.summary.EndReason, rec.summary.EndUTC = reason, now.UTC().Format(time.RFC3339Nano)
	if rec.collect(store.StateComplete); rec.sourceErr != nil {
		rec.summary.State = store.StateFailed
	}
	if err := rec.store.Save(&rec.summary); err != nil {
		rec.warn(err)
	}
}

// collect brings the summary up to date.
func (rec *Run) collect(state string) {
	s, st := &rec.summary, rec.acquisition.Status()
	s.State = state
	if started := rec.acquisition.Started(); !started.IsZero() {
		s.ElapsedS = time.Since(started).Seconds()
	}
	s.FirstClock, s.LastClock = st.FirstClock, st.LastClock
	s.Devices, s.Streams = []store.DeviceSummary{}, []store.StreamSummary{}
	for _, d := range st.Devices {
		if d.Frames == 0 && strings.HasPrefix(d.Name, "device ") {
			continue // sends nothing, and nothing is expected of it
		}
		gaps := make([]store.Gap, len(d.Gaps))
		for i, g := range d.Gaps {
			gaps[i] = store.Gap{Row: g.Row, Lost: g.Lost, ClockBefore: g.ClockBefore, ClockAfter: g.ClockAfter, Cause: string(g.Cause)}
		}
		s.Devices = append(s.Devices, store.DeviceSummary{
			Address: d.Device.Address.String(), ID: d.Device.ID, Version: d.Device.Version, Name: d.Name,
			Frames: d.Frames, Dropped: d.Dropped, Lost: d.Lost, Gaps: d.Stats.Gaps, Bad: d.Stats.BadFrames,
			Faults: d.Stats.Faults, Discarded: d.Stats.Pending, GapList: gaps,
		})
	}
	for _, f := range st.Streams {
		out := store.StreamSummary{
			Name: f.Name, File: store.StreamFile(f.Name, rec.store.Suffix()), State: state, Compression: rec.codecs[f.Address].String(),
			Rows: f.Rows, Batches: f.Batches, Bytes: f.Bytes, DroppedRows: f.DroppedRows,
		}
		if f.Err != nil {
			out.State, out.Error = store.StateFailed, f.Err.Error()
		}
		s.Streams = append(s.Streams, out)
	}
}

// Summary returns what was recorded so far. It is the run's own.
func (rec *Run) Summary() *store.Summary { return &rec.summary }

// Judge returns nil if all went well, a *LossError if the run ended in order
// but data were lost, any other error if it failed.
func (rec *Run) Judge() error {
	s := &rec.summary
	var losses []string
	failed, ofDevices := 0, 0
	for _, f := range s.Streams {
		if f.Name != recording.GapStreamName {
			ofDevices++
		}
		if f.State == store.StateFailed {
			failed++
			losses = append(losses, f.Error)
		} else if f.DroppedRows > 0 {
			losses = append(losses, fmt.Sprintf("%s: %d rows found no room while the disk was slow", f.Name, f.DroppedRows))
		}
	}
	for _, d := range s.Devices {
		if d.Dropped+d.Lost+d.Bad > 0 {
			losses = append(losses, fmt.Sprintf("%s: %d frames dropped, %d lost on the way, %d not decodable", d.Name, d.Dropped, d.Lost, d.Bad))
		}
	}
	losses = append(s.Errors, losses...)
	switch {
	case failed > 0 && failed >= ofDevices, rec.sourceErr != nil:
		return errors.New(strings.Join(losses, "; "))
	case s.Loss() || len(losses) > 0:
		return &LossError{fmt.Errorf("recorded, but data were lost: %s", strings.Join(losses, "; "))}
	}
	return nil
}
