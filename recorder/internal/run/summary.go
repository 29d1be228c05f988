package run

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/acquire"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
)

// collect is the summary as of now. Any goroutine may call it.
func (rec *Run) collect(a *acquire.Acquisition, state string) store.Summary {
	s, st := rec.head, a.Status()
	s.State = state
	if started := a.Started(); !started.IsZero() {
		s.ElapsedS = time.Since(started).Seconds()
	}
	rec.mu.Lock()
	s.StartUTC, s.EndUTC, s.Errors = rec.startUTC, rec.endUTC, append([]string{}, rec.errors...)
	if s.EndUTC != "" {
		s.EndReason = rec.reason
	}
	rec.mu.Unlock()
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
	return s
}

// Summary returns what was recorded, after Run. It is the run's own.
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
	case failed > 0 && failed >= ofDevices, rec.failed != nil:
		return errors.New(strings.Join(losses, "; "))
	case s.Loss() || len(losses) > 0:
		return &LossError{fmt.Errorf("recorded, but data were lost: %s", strings.Join(losses, "; "))}
	}
	return nil
}
