package main

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
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A recorder joins one source, one acquisition and one run on disk.
type recorder struct {
	app         *app
	flags       *recordFlags
	rig         *rig
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

// newRecorder checks everything that can be checked before a file is made.
func newRecorder(a *app, f *recordFlags, r *rig) (*recorder, error) {
	rec := &recorder{app: a, flags: f, rig: r, codecs: map[oni.Address]recording.Codec{}, expected: map[string]bool{}}
	source, err := r.simulator()
	if err != nil {
		return nil, &usageError{fmt.Errorf("%s: %w", r.file, err)}
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
		FlushTicks: ticksFromDuration(f.flush, clockHz),
		Wait:       r.Pace == paceMax,
	}
	if f.duration > 0 {
		config.DurationTicks = max(1, ticksFromDuration(f.duration, clockHz))
	}
	if rec.acquisition, err = acquire.New(config); err != nil {
		source.Close()
		return nil, &usageError{fmt.Errorf("%s: %w", r.file, err)}
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
func (r *rig) simulator() (oni.Controller, error) {
	config := sim.Config{Seed: r.Seed, Signal: simSignals[r.Signal], Settings: map[string]device.Settings{}}
	for i, name := range portNames {
		config.Ports[i] = r.Ports[name].Headstage
	}
	for key, s := range r.devices {
		config.Settings[key] = s.Settings
	}
	if r.Pace == paceRealTime {
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
func (rec *recorder) devices() ([]acquire.Device, func(string) bool, error) {
	r := rec.rig
	all := rec.flags.settings(r, writerSettings{})
	replace := map[string]bool{"": *all.Overwrite}
	var devices []acquire.Device
	for _, dev := range rec.source.Table() {
		if dev.ReadSize == 0 {
			continue
		}
		headstage := r.headstage(dev)
		kind := device.KindOf(dev, headstage)
		key := ""
		if kind != nil {
			key = kind.KeyAt(dev.Address)
		}
		settings := r.device(kind, key)
		if !settings.Enable {
			devices = append(devices, acquire.Device{Device: dev, Ignore: true})
			continue
		}
		hub, err := rec.source.Hub(dev.Address.Hub())
		if err != nil {
			return nil, nil, err
		}
		w := rec.flags.settings(r, settings.Writer)
		codec, err := parseCodec(*w.Compression)
		if err != nil {
			return nil, nil, &usageError{err}
		}
		config := device.Config{
			AcqClockHz: rec.source.AcqClockHz(), Hub: hub, Headstage: headstage, Settings: settings.Settings,
		}
		rec.codecs[dev.Address] = codec
		devices = append(devices, acquire.Device{Device: dev, Config: config, Buffered: *w.Buffered})
		if device.Supported(dev, config) && *w.Overwrite != *all.Overwrite {
			decoder, err := device.New(dev, config)
			if err != nil {
				return nil, nil, &usageError{fmt.Errorf("%s: %w", r.file, err)}
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

// headstage is the key of what is behind a passthrough device, "" for others
// and where nothing is known of it.
func (r *rig) headstage(dev oni.Device) string {
	if port := int(dev.Address.Port()); dev.ID == device.IDPassthrough && port >= 1 && port <= len(portNames) {
		return r.Ports[portNames[port-1]].Headstage
	}
	return ""
}

// begin takes the names on disk.
func (rec *recorder) begin(overwrite func(string) bool) error {
	w := rec.flags.settings(rec.rig, writerSettings{})
	suffix, err := store.ParseSuffix(*w.Suffix)
	if err != nil {
		return &usageError{err}
	}
	var names []string
	for _, s := range rec.acquisition.Streams() {
		names = append(names, s.Name)
		rec.expected[s.Name] = slices.ContainsFunc(s.Columns, func(c stream.Column) bool { return c.RateHz >= 2 })
	}
	if len(names) == 0 {
		return usagef("%s: no device is enabled", rec.rig.file)
	}
	host, _ := os.Hostname()
	rec.summary = store.Summary{
		Version: stream.Version, State: store.StateOpen, PID: os.Getpid(), Host: host,
		Driver: rec.rig.Driver, Simulated: rec.rig.Driver == "sim", Seed: rec.rig.Seed, Signal: rec.rig.Signal,
		RigFile: rec.rig.file, Rig: rec.rig.text, AcqClockHz: rec.source.AcqClockHz(),
		Devices: []store.DeviceSummary{}, Streams: []store.StreamSummary{}, Errors: []string{},
	}
	rec.store, err = store.Begin(names, store.Options{
		Dir: rec.flags.out, Suffix: suffix, Overwrite: overwrite, Now: time.Now(), Sync: rec.flags.sync, Create: rec.app.create,
	}, &rec.summary)
	return err
}

// describe fills in what only the start of acquisition tells.
func (rec *recorder) describe(s *stream.Stream, started time.Time) {
	s.StartUTC = started.UTC().Format(time.RFC3339Nano)
	s.StartClock = 0 // Start resets the acquisition clock
	s.Simulated = rec.summary.Simulated
}

func (rec *recorder) open(s *stream.Stream) (acquire.Writer, error) {
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

func (rec *recorder) path(file string) string { return filepath.Join(rec.flags.out, file) }

// run acquires until something ends it, with status and marker refreshed each
// second.
func (rec *recorder) run() error {
	signals, stopSignals := rec.app.signals()
	defer stopSignals()
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
	rec.app.sayf("recording to %s (Ctrl-C ends it)", rec.path(store.FileName("*", rec.store.Suffix(), ".arrow")))

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
		case sig := <-signals:
			if reason != "" {
				return errors.New("aborted; oniscope recover completes the files")
			}
			reason = "interrupt"
			if sig != os.Interrupt {
				reason = "terminated"
			}
			rec.app.sayf("ending: completing the files (Ctrl-C again aborts)")
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
func (rec *recorder) warn(err error) {
	if n := len(rec.summary.Errors); n > 0 && rec.summary.Errors[n-1] == err.Error() {
		return // a full disk fails each second
	}
	rec.summary.Errors = append(rec.summary.Errors, err.Error())
	fmt.Fprintf(rec.app.stderr, "oniscope: %s\n", oneLine(err))
}

// finish completes the summary after the files are complete.
func (rec *recorder) finish(reason string, err error) {
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
func (rec *recorder) collect(state string) {
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
