package run

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/recorder/internal/acquire"
	"github.com/oniscope/oniscope/recorder/internal/rig"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

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
		settings, parts := rec.settingsOf(device.KindsOf(dev, headstage), dev.Address)
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
			AcqClockHz: rec.source.AcqClockHz(), Hub: hub, Headstage: headstage, Settings: settings.Settings, Parts: parts,
			Table: rec.source.Table(),
		}
		rec.codecs[dev.Address] = codec
		if err := rec.ofParts(device.KindsOf(dev, headstage), dev.Address, replace); err != nil {
			return nil, nil, err
		}
		rec.raw = rec.raw || !device.Supported(dev, config) && !slices.Contains(quiet, dev.ID)
		rec.keys[dev.Address] = settings.Settings
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

// quiet are devices that send nothing unless they are set up: a load tester, which
// a configuration switches off, and a link without a headstage.
var quiet = []uint32{device.IDLoadTester, device.IDPassthrough}

// ofParts takes how each of several streams of one device is written.
func (rec *Run) ofParts(kinds []*device.Kind, at oni.Address, replace map[string]bool) error {
	if len(kinds) < 2 {
		return nil
	}
	for _, k := range kinds {
		key := k.KeyAt(at)
		w := rec.writer(rec.rig.Device(k, key).Writer)
		codec, err := rig.ParseCodec(*w.Compression)
		if err != nil {
			return &UsageError{err}
		}
		name := strings.ReplaceAll(key, "/", "-")
		rec.codecOf[name], replace[name] = codec, *w.Overwrite
	}
	return nil
}

// codec is that of a stream of a device.
func (rec *Run) codec(stream string, at oni.Address) recording.Codec {
	if stream == recording.GapStreamName { // of no device
		return recording.None
	}
	if codec, ok := rec.codecOf[stream]; ok {
		return codec
	}
	return rec.codecs[at]
}

// settingsOf returns what the rig says of a device; parts are the settings of
// each kind where several share it. How such a device's streams are written is
// what the rig says of the first of them that is enabled.
func (rec *Run) settingsOf(kinds []*device.Kind, at oni.Address) (settings rig.Device, parts map[string]device.Part) {
	switch len(kinds) {
	case 0:
		return rec.rig.Device(nil, ""), nil
	case 1:
		return rec.asConfigured(kinds[0], at), nil
	}
	parts = map[string]device.Part{}
	for _, k := range kinds {
		own := rec.asConfigured(k, at)
		parts[k.Key] = device.Part{Off: !own.Enable, Settings: own.Settings}
		if own.Enable && !settings.Enable {
			settings = own
			settings.Settings = nil
		}
	}
	return settings, parts
}

// asConfigured is what the rig says of a device, with what its configuration
// found: calibration, and whether it is there.
func (rec *Run) asConfigured(k *device.Kind, at oni.Address) rig.Device {
	key := k.KeyAt(at)
	d := rec.rig.Device(k, key)
	if rec.report == nil || key == "" {
		return d
	}
	if found := rec.report.Settings[key]; found != nil {
		d.Settings = found
	}
	d.Enable = d.Enable && !slices.Contains(rec.report.Absent, key)
	if d.Enable {
		for fact, value := range rec.report.Facts(key) {
			rec.fact(at, factName(k, fact), value)
		}
	}
	return d
}

// factName is the name of a fact in the summary of a device: with that of the
// probe where several share the device.
func factName(k *device.Kind, fact string) string {
	if k.Indices != nil && k.Place == device.Headstage {
		return k.Key + "/" + fact
	}
	return fact
}

// writer returns how the streams of a device are written: options over the
// device's own settings over those of the rig over the defaults.
func (rec *Run) writer(device rig.Writer) rig.Writer {
	return rec.o.Writer.Over(device).Over(rec.rig.Writer).Over(rig.DefaultWriter())
}

// begin takes the names on disk.
func (rec *Run) begin(a *acquire.Acquisition, overwrite func(string) bool) error {
	w := rec.writer(rig.Writer{})
	suffix, err := store.ParseSuffix(*w.Suffix)
	if err != nil {
		return &UsageError{err}
	}
	var names []string
	for _, s := range a.Streams() {
		names = append(names, s.Name)
	}
	if len(names) == 0 && !rec.raw {
		return &UsageError{fmt.Errorf("%s: no device is enabled", rec.rig.File)}
	}
	host, _ := os.Hostname()
	rec.head = store.Summary{
		Version: stream.Version, State: store.StateOpen, PID: os.Getpid(), Host: host,
		Driver: rec.rig.Driver, Simulated: rec.rig.Driver == "sim", Seed: rec.rig.Seed, Signal: rec.rig.Signal,
		RigFile: rec.rig.File, Rig: rec.rig.Text, AcqClockHz: rec.source.AcqClockHz(),
		Machine: machine(), Options: rec.optionsAsUsed(),
	}
	rec.store, err = store.Begin(names, store.Options{
		Dir: rec.o.Dir, Suffix: suffix, Overwrite: overwrite, Now: time.Now(), Sync: rec.o.Sync,
		Roll: ticksFromDuration(rec.o.Roll, rec.source.AcqClockHz()), Tell: rec.happened, Wrap: rec.o.Wrap, Free: rec.o.Free,
	})
	if err != nil {
		return err
	}
	if err := rec.size(a.Streams()); err != nil {
		rec.store.Abandon()
		return err
	}
	return nil
}

// tenSeconds is what must fit on the disk for a run to begin.
const tenSeconds = 10

// size finishes the plan with what the disk and the controller have.
func (rec *Run) size(streams []stream.Stream) error {
	p := rec.plan
	fill, _ := rec.source.FIFOFill() // what has none has 0 bytes
	free, err := rec.store.Free()
	p.fits(rec.wire, fill.Total, free, err)
	for i := range p.Streams {
		p.Streams[i].File = store.StreamFile(p.Streams[i].Name, rec.store.Suffix())
	}
	rec.head.Plan = p
	need := 0.0 // compressed files may be smaller, but nobody knows by how much
	for i := range streams {
		bytes := p.Streams[i].BytesPerS
		if rec.codec(streams[i].Name, oni.Address(streams[i].DeviceAddress)) != recording.None {
			bytes /= assumedCompression
		}
		need += bytes * tenSeconds
	}
	if err == nil && float64(free) < need {
		return fmt.Errorf("the disk of %s has room for %s, and ten seconds of this rig take %s: free space or choose another folder",
			rec.o.Dir, Megabytes(free), Megabytes(int64(need)))
	}
	return nil
}

// assumedCompression is the best that compression does with neural data.
const assumedCompression = 5

// describe fills in what is known only when acquisition has started.
func (rec *Run) describe(s *stream.Stream, started time.Time) {
	s.StartUTC = started.UTC().Format(time.RFC3339Nano)
	s.StartClock = 0 // Start resets the acquisition clock
	s.Simulated = rec.head.Simulated
	rec.describeFound(s)
}

func (rec *Run) openStream(s *stream.Stream) (acquire.Writer, error) {
	w, err := rec.store.OpenStream(s, rec.codec(s.Name, oni.Address(s.DeviceAddress)))
	if err != nil {
		return nil, err
	}
	rec.mu.Lock()
	rec.writers = append(rec.writers, w)
	rec.mu.Unlock()
	if l := rec.o.Listen; l != nil {
		l.Opened(s, w.File())
	}
	return writer{w, s.Name, rec.o.Listen}, nil
}

// A writer is an acquire.Writer: store knows nothing of acquisition.
type writer struct {
	*store.Writer
	stream string
	listen Listener // nil: nobody listens
}

// WriteBatch tells the listener where the batch is.
func (w writer) WriteBatch(rows int, columns []recording.Vector, lost []recording.LostRows) (recording.Block, error) {
	block, err := w.Writer.WriteBatch(rows, columns, lost)
	if err == nil && block.Rows > 0 && w.listen != nil {
		w.listen.Written(w.stream, w.File(), block)
	}
	return block, err
}

func (w writer) Progress() acquire.Progress { return acquire.Progress(w.Writer.Progress()) }
