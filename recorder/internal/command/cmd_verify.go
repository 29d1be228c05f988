package command

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oniscope/oniscope/recorder/internal/files"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
	"github.com/oniscope/oniscope/shared/stream"
)

const verifyHelp = `Verify reads recordings whole and lists everything that is wrong with them, with
offset, batch, row and time: framing, footer against messages, buffers,
checksums of compressed batches, padding, run ends and dictionary indices, rows
that the clock misses, and channels that are constant or clipped.

An error is damage or lost rows: also a missing end ("oniscope recover" mends
it) and a gap, that is rows that were lost before they were recorded (nothing
brings those back). A warning looks wrong and cannot be proved, as zeros in a
plain body where a block of the disk would begin and end. Either makes a file
not ok, and the exit code 3. An info, as a channel that is constant, does not.
A file that a recorder is writing is not blamed for its missing end. Plain
bodies carry no checksum: nobody can find a changed value in them; zstd bodies
that oniscope wrote have one a column.`

// A verification is one object of `verify --json`.
type verification struct {
	Path     string              `json:"path"`
	OK       bool                `json:"ok"`
	Findings []recording.Finding `json:"findings"`
}

func (a *app) verifyCommand() *cobra.Command {
	c := &clockFlags{}
	return a.add(verb{
		use: "verify FILE...", short: "Read recordings whole and list all that is wrong", long: verifyHelp,
		example: `  oniscope verify --json run/*.arrow`,
		args:    someFiles, quiet: noProgress, json: jsonPerFile, findings: true,
		flags: c.add,
		run:   func(ctx context.Context, args []string) error { return a.verify(ctx, args, c) },
	})
}

func (a *app) verify(ctx context.Context, paths []string, c *clockFlags) error {
	ctx, stop := a.interruptible(ctx)
	defer stop()
	paths, err := files.Expand(paths)
	if err != nil {
		return err
	}
	list := []verification{}
	failed, bad := 0, 0
	for _, path := range paths {
		v, err := a.verifyFile(ctx, path, c)
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w", path, ctx.Err())
		}
		if err != nil {
			fmt.Fprintf(a.stderr, "oniscope: %s\n", oneLine(err))
			failed++
			continue
		}
		if !v.OK {
			bad++
		}
		list = append(list, v)
	}
	if a.json {
		if err := a.writeJSON(list); err != nil {
			return err
		}
	}
	switch {
	case failed > 0:
		return errSaid
	case bad > 0:
		return lossf("%d of %d files are not as they should be; of missing ends and damage, oniscope recover saves what is intact", bad, len(paths))
	}
	return nil
}

// verifyFile verifies one file and prints what it found, unless as JSON.
func (a *app) verifyFile(ctx context.Context, path string, c *clockFlags) (verification, error) {
	in, err := openRaw(path)
	if err != nil {
		return verification{}, err
	}
	defer in.Close()
	rows := int64(0)
	o := recovery.VerifyOptions{AcqClockHz: c.clockHz, Open: in.Open}
	if r, err := a.openReader(ctx, in, c.file); err == nil {
		if err := a.setClock(path, r, c); err != nil {
			return verification{}, fmt.Errorf("%s: %w", path, err)
		}
		o.AcqClockHz = r.Stream().AcqClockHz
	}
	o.Rows = func(kept int64) { rows = kept }
	p := a.newProgress("verifying "+path, in.Size, true)
	o.Progress = p.set
	v := verification{Path: path, OK: true, Findings: []recording.Finding{}}
	for f, e := range recovery.Verify(ctx, in.Data, in.Size, &o) {
		if err = e; err != nil {
			break
		}
		v.Findings = append(v.Findings, f)
		v.OK = v.OK && f.Severity == recording.SeverityInfo
	}
	p.end()
	if !a.json {
		a.printVerification(&v, err, in.Open, rows, o.AcqClockHz)
	}
	if err != nil {
		return verification{}, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

// printVerification writes what was found, also before a failure.
func (a *app) printVerification(v *verification, failed error, open bool, rows int64, clockHz uint64) {
	count := map[recording.Severity]int{}
	for i := range v.Findings {
		count[v.Findings[i].Severity]++
	}
	switch {
	case failed != nil && len(v.Findings) == 0:
		return
	case failed != nil:
		fmt.Fprintf(a.stdout, "%s  not verified to its end\n", v.Path)
	case v.OK && open:
		fmt.Fprintf(a.stdout, "%s  ok so far: a recorder is writing it\n", v.Path)
	case v.OK:
		fmt.Fprintf(a.stdout, "%s  ok\n", v.Path)
	default:
		fmt.Fprintf(a.stdout, "%s  not ok: %s, %s\n", v.Path, plural(count[recording.SeverityError], "error"), plural(count[recording.SeverityWarning], "warning"))
	}
	if summary := recording.Summarize(v.Findings, rows); summary != "" {
		fmt.Fprintf(a.stdout, "  %s\n", summary)
	}
	a.eachFinding(a.stdout, v.Findings, func(f *recording.Finding) {
		where := fmt.Sprintf("byte %d", f.Offset)
		if f.Batch >= 0 {
			where += fmt.Sprintf(", batch %d", f.Batch)
		}
		if f.Severity != recording.SeverityInfo {
			where += fmt.Sprintf(", row %d", f.BeforeRow)
			if f.ClockBefore > 0 && clockHz > 0 {
				where += fmt.Sprintf(", %.6f s", stream.Seconds(f.ClockBefore, float64(clockHz)))
			}
		}
		fmt.Fprintf(a.stdout, "  %-8s%s: %s%s\n", f.Severity, where, f.Reason, repeated(f))
	})
}

// plural writes a number of things as people do.
func plural[N int | int64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	if strings.HasSuffix(thing, "h") {
		thing += "e"
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
