package run

import (
	"strings"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/recorder/internal/acquire"
	"github.com/oniscope/oniscope/recorder/internal/store"
)

// collect is the summary as of now. Any goroutine may call it.
func (rec *Run) collect(a *acquire.Acquisition, state string) store.Summary {
	s, st := rec.head, rec.status(a)
	s.State, s.ElapsedS = state, st.Elapsed.Seconds()
	rec.mu.Lock()
	s.StartUTC, s.EndUTC = rec.startUTC, rec.endUTC
	s.Errors = append([]string{}, rec.errors...)
	s.Events = append([]store.RunEvent{}, rec.events...)
	s.Findings, s.Found = append([]store.Finding{}, rec.findings...), rec.found
	if s.EndUTC != "" {
		s.EndReason = rec.reason
	}
	facts := map[oni.Address]map[string]any{}
	for address, list := range rec.facts {
		facts[address] = map[string]any{}
		for key, value := range list {
			facts[address][key] = value
		}
	}
	parts := map[string][]store.PartSummary{}
	for _, w := range rec.writers {
		parts[w.Stream()] = w.Parts()
	}
	rec.mu.Unlock()
	s.FirstClock, s.LastClock, s.HighestFIFO = st.FirstClock, st.LastClock, 100*st.FIFO.Highest
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
			Faults: d.Stats.Faults, Discarded: d.Stats.Pending, GapList: gaps, LastClock: d.LastClock,
			Settings: settingsAsUsed(rec.keys[d.Device.Address]), Facts: facts[d.Device.Address],
		})
	}
	for _, f := range st.Streams {
		out := store.StreamSummary{
			Name: f.Name, File: store.StreamFile(f.Name, rec.store.Suffix()), State: state, Compression: rec.codec(f.Name, f.Address).String(),
			Rows: f.Rows, Batches: f.Batches, Bytes: f.Bytes, DurableBytes: f.Durable, DroppedRows: f.DroppedRows,
			LostRows: int64(f.DroppedRows + f.MissingRows), RateHz: f.RateHz,
		}
		for _, p := range parts[f.Name] {
			out.LostRows += p.LostRows
		}
		if list := parts[f.Name]; len(list) == 1 {
			out.File = list[0].File
		} else if len(list) > 1 {
			out.File, out.Parts = list[0].File, list
		}
		if f.Err != nil {
			out.Error = f.Err.Error()
		}
		s.Streams = append(s.Streams, out)
	}
	return s
}

// Summary returns what was recorded, after Run. It is the run's own.
func (rec *Run) Summary() *store.Summary { return &rec.summary }
