package command

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"syscall"
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
	duration, flush  durationFlag
	roll, buffer     durationFlag
	memory           bytesFlag
	sync             syncFlag
	statusJSON       string
	suffix           string
	overwrite        bool
	buffered         bool
	compression      string
	layout           string
	signal           string
	pace             string
	seed             uint64
	live             liveFlags

	set *pflag.FlagSet
}

func recordHelp() string { return fmt.Sprintf(recordText, rig.Example(), rig.Optional()) }

const recordText = `Record acquires from a controller and writes one Arrow file a stream into --out,
a start-time CSV and a summary in JSON, until --duration is over, Ctrl-C,
SIGTERM, or its terminal closes; then it completes the files. Only a third
Ctrl-C, two seconds and more after the second, aborts; what was written stays
readable, and "oniscope recover" completes it.

The rig file says what is connected. Example:

%s

A board is configured first: both ports to 0 V, then the voltage of each port
with a headstage, its link, its registers. A rig that cannot be configured is
refused with exit code 1. However a recording ends, both ports are at 0 V after
it; only after a kill -9, a crash or a power cut run "oniscope off".

Devices that the file does not name are recorded with their defaults, but for
%s, which must be named. Unknown keys are errors. Flags
override the rig file. All files of a run share one suffix: a count, the time,
or none. Streams with a constant rate are written in batches of constant size,
about one a second; all others once in --flush. Each batch is one write, forced
to the platter every --sync.

A link that is lost is said within a second, and what else is recorded goes on.
Frames that a full queue refused, frames that never came, and rows that a full
disk refused are counted for each device and stored in recording_<suffix>.json;
where and why they were lost is the stream gaps. Then the exit code is 3.`

func (a *app) recordCommand() *cobra.Command {
	f := &recordFlags{}
	return a.add(verb{
		use: "record --driver sim|riffa|test --rig FILE --out DIR", short: "Acquire and write one file a stream", long: recordHelp(),
		example: `  oniscope record --driver sim --rig rig.yaml --out today --duration 10s`,
		args:    noArguments, quiet: "no status lines", json: "print the summary as JSON",
		flags: f.add,
		run:   func(context.Context, []string) error { return a.record(f) },
	})
}

func (f *recordFlags) add(fl *pflag.FlagSet) {
	f.set = fl
	f.addRig(fl)
	fl.StringVar(&f.out, "out", "", "folder `DIR` of the recording; made if it is missing")
	fl.Var(&f.duration, "duration", "how long: 10s, 2h30m, 1d, 0:10:00 (default until Ctrl-C)")
	fl.StringVar(&f.suffix, "suffix", "", "`SUFFIX` of the files: FileCount, Timestamp or None (default FileCount)")
	fl.BoolVar(&f.overwrite, "overwrite", false, "replace existing files, with suffix None")
	fl.BoolVar(&f.buffered, "buffered", true, "write in the background; without it a slow disk delays decoding")
	fl.StringVar(&f.compression, "compression", "", "`CODEC`: none, zstd or lz4 (default none)")
	fl.StringVar(&f.layout, "layout", "", "`LAYOUT` of LFP that is stored with AP: repeat, each value in 12 rows (default repeat)")
	f.flush.Duration, f.sync.Duration = defaultFlush, defaultSync
	fl.Var(&f.flush, "flush", "how often streams without a constant rate are written")
	fl.Var(&f.sync, "sync", "how often files are forced to the platter, after the first batch at once: a duration, batch, or none (when they are complete)")
	fl.Var(&f.roll, "roll", "go on in a next file (_000, _001, ...) after so long")
	f.addBuffer(fl)
	f.live.add(fl)
	fl.StringVar(&f.statusJSON, "status-json", "", "write the state each second as JSON to `FILE`, or - for standard output")
}

// Defaults of flags.
const (
	defaultFlush  = time.Second
	defaultSync   = 5 * time.Second
	defaultBuffer = 40 * time.Second
)

// addRig adds the flags that say what is recorded.
func (f *recordFlags) addRig(fl *pflag.FlagSet) {
	fl.StringVar(&f.driver, "driver", "", "`DRIVER` that acquires: riffa (the PCIe host), sim (simulated data), or test (liboni without hardware)")
	fl.StringVar(&f.liboni, "liboni", "", liboniHelp)
	fl.StringVar(&f.rig, "rig", "", "YAML `FILE` that says what is connected")
	fl.StringVar(&f.signal, "signal", "", "`SIGNAL` of the simulator: neural or pattern (default neural)")
	fl.StringVar(&f.pace, "pace", "", "`PACE` of the simulator: real-time or max (default real-time)")
	fl.Uint64Var(&f.seed, "seed", 0, "simulator: what random data are made from")
}

// addBuffer adds the flags that say what may wait in memory.
func (f *recordFlags) addBuffer(fl *pflag.FlagSet) {
	f.buffer.Duration = defaultBuffer
	fl.Var(&f.buffer, "buffer", "how long the disk may stop: what may wait in memory of each large stream")
	fl.Var(&f.memory, "buffer-memory", "what all that may take, such as 4GB (default half of the free memory)")
}

// liboniHelp is the help of --liboni.
const liboniHelp = "`FILE` of the library that drives hardware (default " + liboni.LibraryVariable + ", then next to oniscope, then the system's)"

// garbagePercent is how much garbage there may be, of what is in use. That is
// hundreds of megabytes of batches that are used again and hold no pointers:
// collecting costs next to nothing, and with Go's 100 memory would grow for
// minutes to twice of it.
const garbagePercent = 5

func (a *app) record(f *recordFlags) error {
	r, err := f.load()
	if err != nil {
		return err
	}
	if f.statusJSON == "-" && a.json {
		return usagef("--status-json - and --json both write to standard output; give --status-json a file")
	}
	if f.live.stream != "" && (a.json || f.statusJSON == "-") {
		return usagef("--stream writes to standard output, as --json and --status-json - do; give --status-json a file")
	}
	view, err := f.live.newLiveView()
	if err != nil {
		return err
	}
	defer debug.SetGCPercent(debug.SetGCPercent(garbagePercent))
	defer survivePipes()()
	signals, stop := a.signals()
	defer stop()
	closed := func() {
		select {
		case signals <- syscall.SIGPIPE:
		default:
		}
	}
	stdout, stderr := a.stdout, a.stderr
	a.stdout, a.stderr = &goneWriter{Writer: stdout, gone: closed}, &goneWriter{Writer: stderr, gone: closed}
	defer func() { a.stdout, a.stderr = stdout, stderr }()
	sink, err := a.newStatusSink(f.statusJSON)
	if err != nil {
		return err
	}
	screen := a.newScreen()
	warn := func(err error) { screen.say("oniscope: " + oneLine(err)) }
	rec, err := run.New(run.Options{
		Listen: view.listener(), Needs: view.needs(),
		Rig: r, Liboni: f.liboni, Writer: f.writer(), Dir: f.out,
		Duration: f.duration.Duration, Flush: f.flush.Duration, Sync: f.sync.Duration, Roll: f.roll.Duration,
		Buffer: f.buffer.Duration, BufferMemory: f.memory.bytes, Wrap: a.wrap,
		Signals: signals,
		Say: func(text string) {
			if !a.quiet {
				screen.say(text)
			}
		},
		Warn: warn,
		Show: func(now *run.Snapshot) {
			sink.put(now)
			if !a.quiet {
				screen.show(now)
			}
		},
	})
	if err == nil {
		err = view.start(rec, stdout, screen.say)
	}
	if err == nil {
		err = rec.Run()
	}
	view.end(signals, screen.say, warn)
	sink.end()
	if f.live.stream != "" || f.statusJSON == "-" {
		a.stdout = a.stderr // the other has the stream, or the states
	}
	if err == nil {
		err = a.printRun(rec)
	}
	usage, loss, exists := (*run.UsageError)(nil), (*run.LossError)(nil), (*store.ExistsError)(nil)
	switch {
	case errors.As(err, &usage):
		return &usageError{err}
	case errors.As(err, &loss):
		return &lossError{err}
	case errors.As(err, &exists):
		return fmt.Errorf("%w; choose another --out, or --suffix FileCount, or replace it with --overwrite", err)
	case errors.Is(err, store.ErrInUse):
		return fmt.Errorf("%w; choose another --out or --suffix", err)
	}
	return err
}

// printRun prints what was recorded and returns how it is judged. Nobody may be
// there to read it: the files are complete all the same.
func (a *app) printRun(rec *run.Run) error {
	done := make(chan struct{})
	var err error
	go func() {
		defer close(done)
		if s := rec.Summary(); a.json {
			err = a.writeJSON(s)
		} else {
			writeTable(a.stdout, s, rec.Pattern())
		}
	}()
	if a.json {
		<-done // a program reads it, however slowly
		if err != nil && !isGone(err) {
			return err
		}
	} else {
		waitAMoment(done)
	}
	return rec.Judge()
}

// waitAMoment waits for words to be written, but not for ever: a pager or a
// console may be stuck.
func waitAMoment(done <-chan struct{}) {
	select {
	case <-done:
	case <-time.After(2 * time.Second):
	}
}
