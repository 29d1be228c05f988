package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/sim"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
)

// recordFlags are the flags of `oniscope record`. What is given here overrides
// the rig file.
type recordFlags struct {
	driver, rig, out string
	duration         time.Duration
	flush, sync      time.Duration
	suffix           string
	overwrite        bool
	buffered         bool
	compression      string
	layout           string
	signal           string
	pace             string
	seed             uint64

	set *pflag.FlagSet
}

func recordHelp() string { return fmt.Sprintf(recordText, deviceHelp(), optionalHelp()) }

// deviceHelp lists every device that a rig file can name, with its defaults.
func deviceHelp() string {
	var b strings.Builder
	for _, key := range deviceKeys() {
		if strings.HasPrefix(key, "port-b/") {
			continue // as port-a
		}
		text, err := yaml.MarshalWithOptions(device.KindForKey(key).Settings(), yaml.Flow(true))
		if err != nil {
			panic(err) // settings are plain structs
		}
		fmt.Fprintf(&b, "    %s: %s\n", key, wholeFloat.ReplaceAllString(strings.TrimSpace(string(text)), "$1"))
	}
	return b.String()
}

// wholeFloat finds 10.0, which people write as 10.
var wholeFloat = regexp.MustCompile(`\b(\d+)\.0\b`)

// optionalHelp names the devices that are off if the rig file does not name them.
func optionalHelp() string {
	var keys []string
	for _, k := range device.Kinds() {
		if k.Optional {
			keys = append(keys, k.Key)
		}
	}
	if len(keys) == 0 {
		return ""
	}
	return " (but not " + strings.Join(keys, ", ") + ")"
}

const recordText = `Record acquires from a controller and writes one Arrow file a stream into --out,
a start-time CSV and a summary in JSON, until --duration is over, or Ctrl-C, or
SIGTERM. A second Ctrl-C aborts; what was written stays readable and
"oniscope recover" completes it.

The rig file says what is connected. Example:

  driver: sim            # sim: simulated data; there is no default
  seed: 1                # of the simulator
  pace: real-time        # or max: as fast as the disk takes it
  signal: neural         # or pattern: every value follows a formula
  ports:
    a: {headstage: neuropixels-1.0e, voltage: auto}
  devices:               # all have the keys enable: true, writer: {...}
%s  writer: {suffix: FileCount, overwrite: false, buffered: true, compression: none, layout: repeat}

Devices that the file does not name are recorded with their defaults%s;
unknown keys are errors. Flags override the rig file. All files of a run share one
suffix: a count, the time, or none. Streams with a constant rate are written in
batches of constant size, about one a second; all others once in --flush. Each
batch is one write, forced to the platter every --sync.

Frames that a full queue refused, frames that never came, and rows that a full
disk refused are counted for each device and stored in recording_<suffix>.json;
then the exit code is 3.`

func (a *app) recordCommand() *cobra.Command {
	f := &recordFlags{}
	cmd := &cobra.Command{
		Use:     "record --driver sim --rig FILE --out DIR [--duration 10s]",
		Short:   "Acquire and write one file a stream",
		Long:    recordHelp(),
		Example: `  oniscope record --driver sim --rig rig.yaml --out today --duration 10s`,
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.record(f) },
	}
	fl := cmd.Flags()
	f.set = fl
	fl.StringVar(&f.driver, "driver", "", "what acquires: sim (simulated data)")
	fl.StringVar(&f.rig, "rig", "", "YAML `FILE` that says what is connected")
	fl.StringVar(&f.out, "out", "", "folder of the recording; made if it is missing")
	fl.DurationVar(&f.duration, "duration", 0, "how long, by the acquisition clock: 10s, 2h30m (default until Ctrl-C)")
	fl.StringVar(&f.suffix, "suffix", "", "FileCount, Timestamp or None (default FileCount)")
	fl.BoolVar(&f.overwrite, "overwrite", false, "replace existing files, with suffix None")
	fl.BoolVar(&f.buffered, "buffered", true, "write in the background; without it a slow disk holds up decoding")
	fl.StringVar(&f.compression, "compression", "", "none, zstd or lz4 (default none)")
	fl.StringVar(&f.layout, "layout", "", "how LFP stands beside AP: repeat, each value in 12 rows (default repeat)")
	fl.StringVar(&f.signal, "signal", "", "simulator: neural or pattern (default neural)")
	fl.StringVar(&f.pace, "pace", "", "simulator: real-time or max (default real-time)")
	fl.Uint64Var(&f.seed, "seed", 0, "simulator: what random data are made from")
	fl.DurationVar(&f.flush, "flush", time.Second, "how often streams without a constant rate are written")
	fl.DurationVar(&f.sync, "sync", 5*time.Second, "how often files are forced to the platter")
	fl.BoolVar(&a.quiet, "quiet", false, "no status lines")
	fl.BoolVar(&a.json, "json", false, "print the summary as JSON")
	return cmd
}

// Bounds of flags that would make no sense otherwise.
const (
	minFlush = 10 * time.Millisecond
	maxFlush = time.Minute
)

// load reads the rig file and puts the flags over it.
func (f *recordFlags) load() (*rig, error) {
	if f.rig == "" {
		return nil, usagef("record needs --rig FILE, which says what is connected")
	}
	if f.out == "" {
		return nil, usagef("record needs --out DIR")
	}
	if f.duration < 0 || f.set.Changed("duration") && f.duration == 0 {
		return nil, usagef("--duration %v is not a duration", f.duration)
	}
	if f.flush < minFlush || f.flush > maxFlush {
		return nil, usagef("--flush %v: want %v to %v", f.flush, minFlush, maxFlush)
	}
	if f.sync <= 0 {
		return nil, usagef("--sync %v: want more than 0", f.sync)
	}
	text, err := os.ReadFile(f.rig)
	if err != nil {
		return nil, err
	}
	r, err := parseRig(f.rig, text)
	if err != nil {
		return nil, &usageError{err}
	}
	given := func(name string, to *string, value string) {
		if f.set.Changed(name) {
			*to = value
		}
	}
	given("driver", &r.Driver, f.driver)
	given("signal", &r.Signal, f.signal)
	given("pace", &r.Pace, f.pace)
	if f.set.Changed("seed") {
		r.Seed = f.seed
	}
	if err := r.checkDriver(); err != nil {
		return nil, err
	}
	if err := f.writer().check(); err != nil {
		return nil, &usageError{err}
	}
	return r, nil
}

// checkDriver completes and checks what both rig and flags may say.
func (r *rig) checkDriver() error {
	switch r.Driver {
	case "sim":
	case "":
		return usagef("no driver: say --driver sim for simulated data, or driver: in %s", r.file)
	default:
		return usagef("driver %q is not in this version; possible: sim", r.Driver)
	}
	if r.Signal == "" {
		r.Signal = "neural"
	}
	if _, ok := simSignals[r.Signal]; !ok {
		return usagef("signal %q is not known; possible: neural, pattern", r.Signal)
	}
	switch r.Pace {
	case "":
		r.Pace = paceRealTime
	case paceRealTime, paceMax:
	default:
		return usagef("pace %q is not known; possible: %s, %s", r.Pace, paceRealTime, paceMax)
	}
	return nil
}

const (
	paceRealTime = "real-time"
	paceMax      = "max"
)

var simSignals = map[string]sim.Signal{"neural": sim.Neural, "pattern": sim.Pattern}

// writer returns the settings that flags give to all streams.
func (f *recordFlags) writer() writerSettings {
	var w writerSettings
	if f.set.Changed("suffix") {
		w.Suffix = &f.suffix
	}
	if f.set.Changed("overwrite") {
		w.Overwrite = &f.overwrite
	}
	if f.set.Changed("buffered") {
		w.Buffered = &f.buffered
	}
	if f.set.Changed("compression") {
		w.Compression = &f.compression
	}
	if f.set.Changed("layout") {
		w.Layout = &f.layout
	}
	return w
}

// settings returns how the streams of a device are written: flags over the
// device's own settings over those of the rig over the defaults.
func (f *recordFlags) settings(r *rig, device writerSettings) writerSettings {
	return f.writer().over(device).over(r.Writer).over(defaultWriter())
}

func (a *app) record(f *recordFlags) error {
	r, err := f.load()
	if err != nil {
		return err
	}
	rec, err := newRecorder(a, f, r)
	if err != nil {
		if errors.Is(err, store.ErrInUse) {
			return fmt.Errorf("%w; choose another --out or --suffix", err)
		}
		return err
	}
	if err := rec.run(); err != nil {
		return err
	}
	return rec.report()
}

// report prints what was recorded and judges it.
func (rec *recorder) report() error {
	s := &rec.summary
	if rec.app.json {
		if err := rec.app.writeJSON(s); err != nil {
			return err
		}
	} else {
		for _, f := range s.Streams {
			fmt.Fprintf(rec.app.stdout, "%s  %d rows, %s, %s\n", rec.path(f.File), f.Rows, plural(f.Batches, "batch"), megabytes(f.Bytes))
		}
	}
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
		return lossf("recorded, but data were lost: %s", strings.Join(losses, "; "))
	}
	return nil
}

// megabytes writes a size for people: 1 MB is 10^6 bytes.
func megabytes(bytes int64) string {
	switch {
	case bytes >= 1e9:
		return fmt.Sprintf("%.2f GB", float64(bytes)/1e9)
	case bytes >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
	}
	return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
}
