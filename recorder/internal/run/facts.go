package run

import (
	"fmt"
	"runtime"

	"github.com/goccy/go-yaml"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/recorder/internal/acquire"
	"github.com/oniscope/oniscope/recorder/internal/rig"
	"github.com/oniscope/oniscope/recorder/internal/store"
)

// What a run knows of itself besides rows: findings, events, settings as used.

// maxFindings bounds what a summary keeps of them; all are counted.
const maxFindings = 1000

// find keeps a finding, and says the first ones of each kind and device.
func (rec *Run) find(f store.Finding) {
	rec.mu.Lock()
	rec.found++
	said := rec.foundOf[f.Device+"\x00"+f.Kind]
	rec.foundOf[f.Device+"\x00"+f.Kind] = said + 1
	if len(rec.findings) < maxFindings {
		rec.findings = append(rec.findings, f)
	}
	rec.mu.Unlock()
	switch {
	case said < maxSaidFindings:
		rec.alarm(f.Device, f.Text)
	case said == maxSaidFindings:
		rec.alarm(f.Device, "more frames like that are only counted")
	}
}

const maxSaidFindings = 3

// findFrame is find for what the acquisition notices.
func (rec *Run) findFrame(f acquire.Finding) {
	rec.find(store.Finding{Device: f.Device, Kind: string(f.Kind), Row: f.Row, Clock: f.Clock, Before: f.Before, Text: f.Text})
}

// alarm says what a person must hear now, and keeps it with its time. stream may
// be "".
func (rec *Run) alarm(stream, text string) {
	if stream != "" {
		text = stream + ": " + text
	}
	rec.event(stream, text)
	rec.talk.say(func() { rec.o.Warn(fmt.Errorf("%s", text)) })
}

// event keeps something that happened.
func (rec *Run) event(stream, text string) {
	e := store.RunEvent{Stream: stream, Text: text}
	if a := rec.acquisition.Load(); a != nil {
		e.AtS = a.Status().Elapsed.Seconds()
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if len(rec.events) < maxEvents {
		rec.events = append(rec.events, e)
	}
}

// maxEvents bounds what a summary keeps of them.
const maxEvents = 10_000

// happened hears of a file from the store.
func (rec *Run) happened(e store.Event) {
	rec.alarm("", e.Text)
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if e.Stream != "" && e.Kind != store.GoesOn {
		rec.troubles[e.Stream] = e
	}
}

// fact keeps what the hardware said of a device: a serial number, a voltage. Any
// goroutine may call it.
func (rec *Run) fact(a oni.Address, key string, value any) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.facts[a] == nil {
		rec.facts[a] = map[string]any{}
	}
	rec.facts[a][key] = value
}

// settingsAsUsed are the settings of a device with the keys of a rig file.
func settingsAsUsed(s device.Settings) any {
	text, err := yaml.Marshal(s)
	if err != nil {
		return nil
	}
	var keys map[string]any
	if yaml.Unmarshal(text, &keys) != nil || len(keys) == 0 {
		return nil
	}
	return keys
}

// optionsAsUsed are what flags made of the rig, under the names of the flags.
func (rec *Run) optionsAsUsed() map[string]any {
	w := rec.writer(rig.Writer{})
	options := map[string]any{
		"driver": rec.rig.Driver, "suffix": *w.Suffix, "overwrite": *w.Overwrite, "buffered": *w.Buffered, "compression": *w.Compression, "layout": *w.Layout,
		"flush": rec.o.Flush.String(), "sync": syncName(rec.o.Sync), "buffer": rec.o.Buffer.String(), "buffer-memory": rec.o.BufferMemory,
	}
	if rec.rig.Driver == "sim" {
		options["pace"], options["signal"], options["seed"] = rec.rig.Pace, rec.rig.Signal, rec.rig.Seed
	}
	if rec.o.Duration > 0 {
		options["duration"] = rec.o.Duration.String()
	}
	if rec.o.Roll > 0 {
		options["roll"] = rec.o.Roll.String()
	}
	return options
}

// syncName is a value of --sync.
func syncName(s fmt.Stringer) string {
	switch s {
	case store.SyncBatch:
		return "batch"
	case store.SyncNever:
		return "none"
	}
	return s.String()
}

func machine() store.Machine {
	return store.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version()}
}
