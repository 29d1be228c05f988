package command

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oniscope/oniscope/hardware/liboni"
	"github.com/oniscope/oniscope/recorder/internal/rig"
	"github.com/oniscope/oniscope/recorder/internal/run"
	"github.com/oniscope/oniscope/recorder/internal/store"
)

// recordFlags are the flags of `oniscope record`. What is given here overrides
// the rig file.
type recordFlags struct {
	driver, rig, out string
	liboni           string
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

func recordHelp() string { return fmt.Sprintf(recordText, rig.Example(), rig.Optional()) }

const recordText = `Record acquires from a controller and writes one Arrow file a stream into --out,
a start-time CSV and a summary in JSON, until --duration is over, or Ctrl-C, or
SIGTERM; then it completes the files. Only a third Ctrl-C, two seconds and more
after the second, aborts; what was written stays readable and "oniscope recover"
completes it.

The rig file says what is connected. Example:

%s

Devices that the file does not name are recorded with their defaults, but for
%s, which must be named. Unknown keys are errors. Flags
override the rig file. All files of a run share one suffix: a count, the time,
or none. Streams with a constant rate are written in batches of constant size,
about one a second; all others once in --flush. Each batch is one write, forced
to the platter every --sync.

Frames that a full queue refused, frames that never came, and rows that a full
disk refused are counted for each device and stored in recording_<suffix>.json;
where and why they were lost is the stream gaps. Then the exit code is 3.`

func (a *app) recordCommand() *cobra.Command {
	f := &recordFlags{}
	cmd := &cobra.Command{
		Use:     "record --driver sim|riffa|test --rig FILE --out DIR [--duration 10s]",
		Short:   "Acquire and write one file a stream",
		Long:    recordHelp(),
		Example: `  oniscope record --driver sim --rig rig.yaml --out today --duration 10s`,
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.record(f) },
	}
	fl := cmd.Flags()
	f.set = fl
	fl.StringVar(&f.driver, "driver", "", "what acquires: riffa (the PCIe host), sim (simulated data), or test (liboni without hardware)")
	fl.StringVar(&f.liboni, "liboni", "", liboniHelp)
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

// liboniHelp is the help of --liboni.
const liboniHelp = "`FILE` of the library that drives hardware (default " + liboni.LibraryVariable + ", then beside oniscope, then the system's)"

// Bounds of flags that would make no sense otherwise.
const (
	minFlush = 10 * time.Millisecond
	maxFlush = time.Minute
)

// load reads the rig file and puts the flags over it.
func (f *recordFlags) load() (*rig.Rig, error) {
	if f.rig == "" && f.driver != rig.DriverTest {
		return nil, usagef("record needs --rig FILE, which says what is connected; oniscope rig init makes one")
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
	name, text := "--driver "+f.driver, []byte("driver: "+f.driver)
	if f.rig != "" {
		var err error
		if name, text, err = readRig(f.rig); err != nil {
			return nil, err
		}
	}
	r, err := rig.Parse(name, text)
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
	if err := r.Complete(); err != nil {
		return nil, &usageError{err}
	}
	if err := f.writer().Check(); err != nil {
		return nil, &usageError{err}
	}
	return r, nil
}

// readRig reads a rig file.
func readRig(file string) (name string, text []byte, err error) {
	text, err = os.ReadFile(file)
	return file, text, err
}

// writer returns the settings that flags give to all streams.
func (f *recordFlags) writer() rig.Writer {
	var w rig.Writer
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

// statusBar shows the status of a run where progress is shown.
type statusBar struct {
	app   *app
	total int64     // seconds, -1: until a signal
	bar   *progress // from the first status on
}

func (s *statusBar) Show(seconds int64, text string) {
	if s.bar == nil {
		s.bar = s.app.newProgress("recording", s.total, false)
	}
	s.bar.status(seconds, text)
}

func (s *statusBar) End() {
	if s.bar != nil {
		s.bar.end()
	}
}

func (a *app) record(f *recordFlags) error {
	r, err := f.load()
	if err != nil {
		return err
	}
	bar := &statusBar{app: a, total: -1}
	if f.duration > 0 {
		bar.total = int64(f.duration / time.Second)
	}
	signals, stop := a.signals()
	defer stop()
	rec, err := run.New(run.Options{
		Rig: r, Liboni: f.liboni, Writer: f.writer(), Dir: f.out, Duration: f.duration, Flush: f.flush, Sync: f.sync, Create: a.create,
		Signals: signals, Status: bar,
		Say:  func(text string) { a.sayf("%s", text) },
		Warn: func(err error) { fmt.Fprintf(a.stderr, "oniscope: %s\n", oneLine(err)) },
	})
	if err == nil {
		err = rec.Run()
	}
	if err == nil {
		err = a.printRun(rec)
	}
	usage, loss := (*run.UsageError)(nil), (*run.LossError)(nil)
	switch {
	case errors.As(err, &usage):
		return &usageError{err}
	case errors.As(err, &loss):
		return &lossError{err}
	case errors.Is(err, store.ErrInUse):
		return fmt.Errorf("%w; choose another --out or --suffix", err)
	}
	return err
}

// printRun prints what was recorded and returns how it is judged.
func (a *app) printRun(rec *run.Run) error {
	s := rec.Summary()
	if a.json {
		if err := a.writeJSON(s); err != nil {
			return err
		}
	} else {
		for _, f := range s.Streams {
			fmt.Fprintf(a.stdout, "%s  %d rows, %s, %s\n", rec.Path(f.File), f.Rows, plural(f.Batches, "batch"), run.Megabytes(f.Bytes))
		}
	}
	return rec.Judge()
}
