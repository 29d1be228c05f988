package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oniscope/oniscope/recorder/internal/run"
	"github.com/oniscope/oniscope/recorder/internal/store"
)

const rigCheckHelp = `Rig check records from a rig for thirty seconds, as record does, and says
whether the rig is fit to record: every stream against its rate, links, the
controller's buffer, how far the machine is behind, memory, and how fast the
disk of --out is and how long it lasts. What it recorded is deleted, and the
ports are at 0 V.

The exit code is 3 if something failed; a warning is something to know before a
long recording.`

// checkFor is how long a rig is tried if nobody says.
const checkFor = 30 * time.Second

// A fitReport is what `rig check --json` prints.
type fitReport struct {
	Fit           bool        `json:"fit"`
	Seconds       float64     `json:"seconds"`
	BytesPerS     float64     `json:"bytes_per_s"`      // that the rig writes
	DiskBytesPerS float64     `json:"disk_bytes_per_s"` // that the disk takes, to the platter; 0: not known
	Checks        []run.Check `json:"checks"`
}

func (a *app) rigCheckCommand() *cobra.Command {
	f := &recordFlags{}
	return a.add(verb{
		use: "check --rig FILE [--out DIR]", short: "Say in thirty seconds whether a rig is fit to record", long: rigCheckHelp,
		example: `  oniscope rig check --rig rig.yaml --out /data`,
		args:    noArguments, quiet: "no status lines, and of the report what is not well", json: jsonReport,
		flags: f.addCheck,
		run:   func(context.Context, []string) error { return a.rigCheck(f) },
	})
}

// addCheck adds the flags of record that a trial has.
func (f *recordFlags) addCheck(fl *pflag.FlagSet) {
	f.set = fl
	f.addRig(fl)
	fl.StringVar(&f.out, "out", ".", "folder `DIR` on the disk that recordings will go to")
	f.duration.Duration = checkFor
	fl.Var(&f.duration, "duration", "how long")
	fl.StringVar(&f.compression, "compression", "", "`CODEC` of the recordings to come: none, zstd or lz4 (default none)")
	f.addBuffer(fl)
	f.flush.Duration, f.sync.Duration = defaultFlush, defaultSync
}

func (a *app) rigCheck(f *recordFlags) (err error) {
	r, err := f.load()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(existing(f.out), ".oniscope-check-*")
	if err != nil {
		return fmt.Errorf("--out %s: nothing can be written there (%w); choose another folder", f.out, withoutPath(err))
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	defer survivePipes()()
	signals, stop := a.signals()
	defer stop()
	trial := &run.Trial{Buffer: f.buffer.Duration, DiskBytesPerS: diskSpeed(dir)}
	screen := a.newScreen()
	rec, err := run.New(run.Options{
		Rig: r, Liboni: f.liboni, Writer: f.writer(), Dir: dir,
		Duration: f.duration.Duration, Flush: f.flush.Duration, Sync: f.sync.Duration,
		Buffer: f.buffer.Duration, BufferMemory: f.memory.bytes, Signals: signals,
		Warn: func(err error) { screen.say("oniscope: " + oneLine(err)) },
		Show: func(now *run.Snapshot) {
			trial.See(now)
			if !a.quiet {
				screen.show(now)
			}
		},
	})
	if err == nil {
		err = rec.Run()
	}
	if usage := (*run.UsageError)(nil); errors.As(err, &usage) {
		return &usageError{err}
	}
	if err != nil {
		return err
	}
	trial.Summary = rec.Summary()
	if seconds := recordedSeconds(trial.Summary); seconds > 0 {
		for i := range trial.Summary.Streams {
			trial.BytesPerS += float64(trial.Summary.Streams[i].Bytes) / seconds
		}
	}
	return a.printFitness(trial, rec)
}

// printFitness prints the report and returns how it ends.
func (a *app) printFitness(trial *run.Trial, rec *run.Run) error {
	report := fitReport{Checks: trial.Checks(), Seconds: recordedSeconds(trial.Summary), BytesPerS: trial.BytesPerS, DiskBytesPerS: trial.DiskBytesPerS}
	report.Fit = run.IsFit(report.Checks)
	bad := 0
	for _, c := range report.Checks {
		if c.Verdict == run.Failure {
			bad++
		}
	}
	if a.json {
		if err := a.writeJSON(report); err != nil {
			return err
		}
	} else if err := writeChecks(a.stdout, report.Checks, a.quiet); err != nil {
		return err
	}
	if !report.Fit {
		return lossf("this rig is not fit to record: %s failed", plural(bad, "check"))
	}
	if judged := rec.Judge(); judged != nil {
		return &lossError{judged}
	}
	a.sayf("this rig is fit to record")
	return nil
}

// writeChecks prints a line a check.
func writeChecks(to io.Writer, checks []run.Check, onlyBad bool) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, c := range checks {
		if !onlyBad || c.Verdict != run.Fit {
			fmt.Fprintf(w, "%s\t%s\t%s\n", c.Verdict, c.What, oneLine(errors.New(c.Text)))
		}
	}
	return w.Flush()
}

// existing is a folder, or the nearest one above it that is there: on the same
// disk.
func existing(folder string) string {
	for at := filepath.Clean(folder); ; at = filepath.Dir(at) {
		if info, err := os.Stat(at); err == nil && info.IsDir() || at == filepath.Dir(at) {
			return at
		}
	}
}

// How a disk is measured: so many bytes at most, for so long, and never more than
// a part of what is free.
const (
	diskChunk   = 8 << 20
	diskMost    = 1 << 30
	diskFor     = 3 * time.Second
	diskOfRoom  = 10
	diskFewMost = 64 << 20 // less says nothing
)

// diskSpeed measures how many bytes a second the disk of a folder takes, to the
// platter; 0 if it cannot be told.
func diskSpeed(dir string) float64 {
	free, err := store.FreeBytes(dir)
	most := min(free/diskOfRoom, diskMost)
	if err != nil || most < diskFewMost {
		return 0
	}
	f, err := os.Create(filepath.Join(dir, "speed"))
	if err != nil {
		return 0
	}
	defer os.Remove(f.Name())
	defer f.Close()
	chunk := make([]byte, diskChunk)
	x := uint32(1)
	for i := range chunk { // disks that compress must not be flattered
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		chunk[i] = byte(x)
	}
	begin, bytes := time.Now(), int64(0)
	for bytes+diskChunk <= most && time.Since(begin) < diskFor {
		if _, err := f.Write(chunk); err != nil {
			return 0
		}
		if err := f.Sync(); err != nil {
			return 0
		}
		bytes += diskChunk
	}
	return float64(bytes) / time.Since(begin).Seconds()
}
