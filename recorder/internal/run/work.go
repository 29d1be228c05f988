package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/acquire"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/stream"
)

// work is the worker: it opens the controller, records, and completes the
// files. ctx ends with the first signal. Whatever happens in it, the way out is
// taken.
func (rec *Run) work(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("recorder: panic: %v; oniscope recover completes the files", p)
		}
		if out := rec.leave(); out != nil {
			err = errors.Join(err, out)
		}
	}()
	a, err := rec.open(ctx)
	if err != nil {
		return err
	}
	return rec.record(ctx, a)
}

// errEarly ends a run that was asked to end before it began.
var errEarly = errors.New("interrupted before the recording began; nothing was recorded")

// open makes everything ready for Start: controller, decoders, names on disk.
// After an error nothing is left.
func (rec *Run) open(ctx context.Context) (_ *acquire.Acquisition, err error) {
	rec.source, err = rec.openController(ctx, &rec.out)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, rec.leave(), rec.source.Close())
		}
	}()
	devices, overwrite, err := rec.devices()
	if err != nil {
		return nil, err
	}
	clockHz := rec.source.AcqClockHz()
	config := acquire.Config{
		Source: rec.source, AcqClockHz: clockHz, Devices: devices,
		Begun: rec.commit, Open: rec.openStream, Describe: rec.describe, Find: rec.findFrame,
		Tap:        rec.tap(),
		Panicked:   func() { _ = rec.leave() },
		Buffer:     func(s *stream.Stream) int64 { return rec.plan.buffer(s) },
		FlushTicks: ticksFromDuration(rec.o.Flush, clockHz),
		Wait:       rec.untimed(),
	}
	if rec.o.Duration > 0 {
		config.DurationTicks = max(1, ticksFromDuration(rec.o.Duration, clockHz))
	}
	if _, err := rec.source.FIFOFill(); err == nil {
		config.FIFO = rec.source.FIFOFill
	}
	streams, err := acquire.StreamsOf(devices)
	if err != nil {
		return nil, &UsageError{fmt.Errorf("%s: %w", rec.rig.File, err)}
	}
	for _, need := range rec.o.Needs {
		i := slices.IndexFunc(streams, func(s stream.Stream) bool { return s.Name == need.Stream })
		if i < 0 {
			return nil, &UsageError{fmt.Errorf("there is no stream %q in this rig; there are: %s", need.Stream, strings.Join(streamNames(streams), ", "))}
		}
		if need.Check != nil {
			if err := need.Check(&streams[i]); err != nil {
				return nil, &UsageError{err}
			}
		}
	}
	rec.plan = newPlan(streams, rec.o.Buffer, rec.o.BufferMemory)
	rec.wire = rec.wireRate(streams)
	config.WireRate = rec.wire
	if !rec.untimed() {
		config.QueueBytes = int(min(max(queueSeconds*rec.wire, minQueue), maxQueue))
	}
	acquisition, err := acquire.New(config)
	if err != nil {
		return nil, &UsageError{fmt.Errorf("%s: %w", rec.rig.File, err)}
	}
	if rec.o.Controller == nil {
		if err := setBlockSizes(rec.source, rec.wire); err != nil {
			return nil, err
		}
	}
	if rec.report != nil {
		if err := rec.report.Ready(rec.source); err != nil {
			return nil, err
		}
	}
	if ctx.Err() != nil {
		return nil, errEarly
	}
	if err := rec.begin(acquisition, overwrite); err != nil {
		return nil, err
	}
	rec.sayPlan()
	return acquisition, nil
}

func streamNames(streams []stream.Stream) (names []string) {
	for i := range streams {
		names = append(names, streams[i].Name)
	}
	return names
}

// The queue between reader and decoder holds what the decoder needs to wake up;
// what waits for the disk waits after it.
const (
	queueSeconds = 1.0
	minQueue     = 4 << 20
	maxQueue     = 64 << 20
)

// commit makes the run the one of its names, once the controller delivers.
func (rec *Run) commit(started time.Time) error {
	rec.mu.Lock()
	rec.startUTC = started.UTC().Format(time.RFC3339Nano)
	rec.mu.Unlock()
	first := rec.head
	first.StartUTC = rec.startUTC
	first.Devices, first.Streams, first.Findings, first.Events, first.Errors = []store.DeviceSummary{}, []store.StreamSummary{}, []store.Finding{}, []store.RunEvent{}, []string{}
	if err := rec.store.Commit(&first); err != nil {
		return err
	}
	if l := rec.o.Listen; l != nil {
		l.Begun(Begun{Dir: rec.o.Dir, Suffix: rec.store.Suffix(), StartUTC: rec.startUTC, AcqClockHz: rec.head.AcqClockHz, Simulated: rec.head.Simulated})
	}
	return nil
}

// record acquires until something ends it, and completes the files.
func (rec *Run) record(ctx context.Context, a *acquire.Acquisition) error {
	if err := a.Start(); err != nil {
		err = errors.Join(err, rec.leave(), rec.source.Close())
		rec.store.Abandon()
		return err
	}
	rec.acquisition.Store(a)
	if ctx.Err() != nil {
		a.Stop()
	}
	go func() {
		defer rec.dark()
		<-a.Read()
		rec.completing.Store(true)
		if err := rec.leave(); err != nil {
			rec.warn(err)
		}
		rec.sayCompleting(a)
	}()
	rec.startPollers()
	read, write := rec.source.BlockSizes()
	if err := rec.store.WriteStartTime(stream.StartTime{
		Time: a.Started(), AcqClockHz: rec.source.AcqClockHz(), BlockReadSize: uint64(read), BlockWriteSize: uint64(write),
	}); err != nil {
		rec.warn(err)
	}
	rec.writeProbes()
	marker := make(chan struct{})
	go rec.keepMarker(marker, a)
	reached, err := a.Wait()
	marker <- struct{}{}
	if reached {
		rec.finish(a, "duration", err)
	} else {
		rec.finish(a, "error", err)
	}
	return nil
}

// markerEvery is how often the marker is saved: it is forced to the platter.
const markerEvery = 5 * time.Second

// keepMarker saves the marker each so often until it is ended.
func (rec *Run) keepMarker(end <-chan struct{}, a *acquire.Acquisition) {
	defer rec.dark()
	tick := time.NewTicker(markerEvery)
	defer tick.Stop()
	for {
		select {
		case <-end:
			return
		case <-tick.C:
			s := rec.collect(a, store.StateOpen)
			if err := rec.store.Save(&s); err != nil {
				rec.alarm("", err.Error())
			}
		}
	}
}

// finish completes the summary after the files are complete.
func (rec *Run) finish(a *acquire.Acquisition, reason string, err error) {
	rec.endFor(reason)
	if err != nil {
		rec.mu.Lock()
		rec.failed = err
		rec.errors = append(rec.errors, err.Error())
		rec.mu.Unlock()
	}
	if err := rec.notes.close(); err != nil {
		rec.warn(err)
	}
	if err := rec.store.Close(); err != nil {
		rec.warn(err)
	}
	if err := rec.leave(); err != nil {
		rec.warn(err)
	}
	if !errors.Is(err, acquire.ErrNoAnswer) { // then a read is still inside, and closing would pull the ground from under it
		if err := rec.source.Close(); err != nil {
			rec.warn(err)
		}
	}
	if n := a.Status().Strays; n > 0 {
		rec.warn(fmt.Errorf("%d frames came from addresses that are not in the device table", n))
	}
	rec.mu.Lock()
	rec.endUTC = time.Now().UTC().Format(time.RFC3339Nano)
	rec.mu.Unlock()
	rec.summary = rec.judged(a)
	if err := rec.store.Save(&rec.summary); err != nil {
		rec.warn(err)
		rec.summary = rec.judged(a)
	}
	if l := rec.o.Listen; l != nil {
		l.Ended(&rec.summary)
	}
}
