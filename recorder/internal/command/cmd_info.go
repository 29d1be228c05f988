package command

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oniscope/oniscope/recorder/internal/files"
	"github.com/oniscope/oniscope/recorder/internal/run"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

const infoHelp = `Info lists what is in recordings without reading the data: columns, metadata,
rows, batches, rate, duration, compression, and whether the file is complete,
open (a recorder is writing it), unfinished (its end is missing, everything
that is there is intact) or damaged. Exit code 3 means that a file is damaged.
"oniscope recover" repairs unfinished and damaged files. A folder is the
recordings in it.`

func (a *app) infoCommand() *cobra.Command {
	c := &clockFlags{}
	return a.add(verb{
		use: "info FILE...", short: "List what is in recordings", long: infoHelp,
		example: `  oniscope info --json heartbeat_0.arrow`,
		args:    someFiles, quiet: noProgress, json: jsonPerFile, findings: true,
		flags: c.add,
		run:   func(ctx context.Context, args []string) error { return a.info(ctx, args, c) },
	})
}

// infoGC is how much garbage, in percent of what is used, is let lie: info keeps lists
// of batches, which cost little to collect and may be hundreds of thousands long.
const infoGC = 25

func (a *app) info(ctx context.Context, paths []string, c *clockFlags) error {
	defer debug.SetGCPercent(debug.SetGCPercent(infoGC))
	paths, err := files.Expand(paths)
	if err != nil {
		return err
	}
	infos := []recording.Info{}
	failed, damaged, empty := 0, 0, 0 // empty: damaged, and without a row
	for i, path := range paths {
		info, hz, err := a.infoOf(ctx, path, c)
		if err != nil {
			fmt.Fprintf(a.stderr, "oniscope: %s\n", oneLine(err))
			failed++
			continue
		}
		if info.State == recording.Damaged {
			damaged++
			if info.Rows == 0 {
				empty++
			}
		}
		infos = append(infos, info)
		if !a.json {
			if i > 0 {
				fmt.Fprintln(a.stdout)
			}
			a.printInfo(&info, hz)
		}
	}
	if a.json {
		if err := a.writeJSON(infos); err != nil {
			return err
		}
	}
	switch {
	case failed > 0:
		return errSaid
	case damaged > 0 && damaged == empty:
		return lossf("%d of %d files damaged, with no batch that can be recovered: look for a copy from before the damage", damaged, len(paths))
	case damaged > 0:
		return lossf("%d of %d files damaged; oniscope recover copies what is intact", damaged, len(paths))
	}
	return nil
}

func (a *app) infoOf(ctx context.Context, path string, c *clockFlags) (info recording.Info, hz uint64, err error) {
	in, err := a.openInput(ctx, path, c)
	if err != nil {
		return info, 0, err
	}
	defer in.Close()
	if info, err = in.reader.Info(ctx); err != nil {
		return recording.Info{}, 0, fmt.Errorf("%s: %w", path, err)
	}
	info.Path = path
	if in.Open && info.State != recording.Complete {
		info.State = recording.BeingWritten
	}
	return info, in.reader.Stream().AcqClockHz, nil
}

// printInfo writes what people ask first; --json has everything.
func (a *app) printInfo(info *recording.Info, hz uint64) {
	line := func(key, format string, args ...any) {
		fmt.Fprintf(a.stdout, "%-12s %s\n", key, fmt.Sprintf(format, args...))
	}
	line("file", "%s, %s, %s format", info.Path, run.Megabytes(info.SizeBytes), info.Format)
	line("state", "%s", info.State)
	line("rows", "%d in %s, compression %s", info.Rows, plural(info.Batches, "batch"), info.Compression)
	switch {
	case info.Start == nil:
	case info.DurationS == nil:
		line("time", "from %.0f ticks, for %d ticks (clock rate unknown: give --clock-hz or --start-time)", *info.Start, info.DurationTicks)
	default:
		line("time", "from %.6f s, for %.6f s", *info.Start, *info.DurationS)
	}
	a.printSegments(info, hz, line)
	if info.RateHz != 0 {
		line("rate", "%.6g rows/s", info.RateHz)
	}
	for _, key := range slices.Sorted(maps.Keys(info.Metadata)) {
		line("metadata", "%s = %s", key, info.Metadata[key])
	}
	for _, group := range groupColumns(info) {
		line("columns", "%s", group)
	}
	if summary := recording.Summarize(info.Findings, info.Rows); summary != "" {
		line("missing", "%s", summary)
	}
	a.eachFinding(a.stdout, info.Findings, func(f *recording.Finding) {
		line(f.Severity.String(), "byte %d: %s%s", f.Offset, f.Reason, repeated(f))
	})
}

// maxSegmentLines is how many segments are listed; --json has all.
const maxSegmentLines = 20

// printSegments lists where Clock begins anew, if it does.
func (a *app) printSegments(info *recording.Info, hz uint64, line func(key, format string, args ...any)) {
	n := len(info.Segments)
	if n < 2 {
		return
	}
	line("clock", "rises in %d segments; --segment N of slice, export, plot and cat takes one", n)
	for i, s := range info.Segments[:min(n, maxSegmentLines)] {
		rate := ""
		if s.RateHz > 0 {
			rate = fmt.Sprintf(", %.6g rows/s", s.RateHz)
		}
		line(fmt.Sprintf("segment %d", i+1), "rows %d to %d, %s%s", s.Start, s.End, clockSpan(s.ClockFirst, s.ClockLast, hz), rate)
	}
	if n > maxSegmentLines {
		line("segments", "and %d more; --json lists them", n-maxSegmentLines)
	}
}

// clockSpan is two ticks in seconds, or as they are where no rate is known.
func clockSpan(first, last, hz uint64) string {
	if hz == 0 {
		return fmt.Sprintf("ticks %d to %d", first, last)
	}
	return stream.SecondsFromTicks(first, hz) + " to " + stream.SecondsFromTicks(last, hz) + " s"
}

// groupColumns writes columns that differ only in their channel as one entry.
func groupColumns(info *recording.Info) []string {
	var groups []string
	for i := 0; i < len(info.Columns); {
		first := info.Columns[i]
		stem := strings.TrimRight(first.Name, "0123456789")
		j := i + 1
		for j < len(info.Columns) && stem != first.Name && info.Columns[j].Type == first.Type &&
			strings.TrimRight(info.Columns[j].Name, "0123456789") == stem {
			j++
		}
		text := first.Name
		if j-i > 1 {
			text += fmt.Sprintf(" .. %s (%d)", info.Columns[j-1].Name, j-i)
		}
		text += " " + first.Type
		if first.Unit != "" {
			text += " in " + first.Unit
		}
		if first.Stride > 1 {
			text += fmt.Sprintf(", one value in %d rows (%s)", first.Stride, first.Subsample)
		}
		groups = append(groups, text)
		i = j
	}
	return groups
}
