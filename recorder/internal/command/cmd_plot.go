package command

import (
	"bufio"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oniscope/oniscope/recorder/internal/files"
	"github.com/oniscope/oniscope/recorder/internal/picture"
	"github.com/oniscope/oniscope/recorder/internal/plot"
	"github.com/oniscope/oniscope/shared/recording"
)

const plotHelp = `Plot draws the selection as a picture, PNG or SVG by the name of the output: one
panel for each signal, seconds across, units upwards. Every pixel column shows
the true extremes of its rows, however many there are, and gaps stay empty. A
signal whose gain is not known is drawn in codes.

` + selectionHelp + `

Without --columns, all columns with numbers are drawn but clocks and counters.
The output is written under a temporary name and renamed at the end. Nothing is
overwritten. Exit code 3 means that some of the rows were damaged; the picture
has the others.`

// plotFlags are the flags of `oniscope plot`.
type plotFlags struct {
	selectionFlags
	out           string
	width, height int
	scale         float64
}

func (a *app) plotCommand() *cobra.Command {
	f := &plotFlags{}
	return a.add(verb{
		use: "plot FILE -o OUT.png|OUT.svg", short: "Draw some rows and columns as a picture", long: plotHelp,
		example: `  oniscope plot probe_0.arrow -o second.png --from 10 --to 11 --columns 'SpikeData*'`,
		args:    oneFile, quiet: noProgress, json: jsonReport, findings: true,
		flags: f.add,
		run:   func(ctx context.Context, args []string) error { return a.plot(ctx, args[0], f) },
	})
}

func (f *plotFlags) add(fl *pflag.FlagSet) {
	f.selectionFlags.add(fl)
	fl.Lookup("unique").Hidden = true // the picture is the same
	addOutput(fl, &f.out, ", .png or .svg")
	fl.IntVar(&f.width, "width", 1200, "of the picture, pixels")
	fl.IntVar(&f.height, "height", 0, "of the picture, pixels (default what the panels need)")
	fl.Float64Var(&f.scale, "scale", 1, "of a PNG: 2 gives twice the pixels, for print")
}

// check refuses what no file could satisfy.
func (f *plotFlags) check() error {
	if f.out == "" {
		return usagef("plot needs -o OUT.png or -o OUT.svg")
	}
	switch strings.ToLower(filepath.Ext(f.out)) {
	case ".png":
	case ".svg":
		if f.scale != 1 {
			return usagef("--scale is for PNG; an SVG is sharp at any size")
		}
	default:
		return usagef("-o %s: a picture ends in .png or .svg", f.out)
	}
	if f.unique {
		return usagef("--unique changes nothing in a picture; leave it out")
	}
	if err := (&picture.Figure{Width: f.width, Height: f.height, Scale: f.scale}).Check(); err != nil || f.scale == 0 {
		return usagef("--width, --height, --scale: %v", err)
	}
	return f.selectionFlags.check()
}

func (a *app) plot(ctx context.Context, path string, f *plotFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	in, x, err := a.openSelection(ctx, path, &f.selectionFlags)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := createOutput(f.out, in)
	if err != nil {
		return err
	}
	defer out.Discard()

	ctx, stop := a.interruptible(ctx)
	defer stop()
	progress := a.newProgress("reading", x.Len(), false)
	o := f.options(in)
	o.Progress = progress.set
	figure, lost, err := plot.Draw(ctx, x, o)
	progress.end()
	if err == nil {
		err = writeFigure(out, figure, o.SVG)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := out.Commit(); err != nil {
		return err
	}
	return a.reportPlot(path, f, x, figure, lost)
}

// options say how the flags want an excerpt to be drawn.
func (f *plotFlags) options(in *input) plot.Options {
	return plot.Options{Path: in.Path, Width: f.width, Height: f.height, Scale: f.scale, SVG: isSVG(f.out), From: f.from != "", To: f.to != ""}
}

func isSVG(name string) bool { return strings.EqualFold(filepath.Ext(name), ".svg") }

func writeFigure(out *files.Output, figure *picture.Figure, svg bool) error {
	w := bufio.NewWriterSize(out, 1<<16)
	draw := figure.WritePNG
	if svg {
		draw = figure.WriteSVG
	}
	if err := draw(w); err != nil {
		return err
	}
	return w.Flush()
}

// A plotReport is what plot --json prints.
type plotReport struct {
	Input  string `json:"input"`
	Output string `json:"output"`
	selected
	Panels   []plotPanel         `json:"panels"`
	Gaps     int                 `json:"gaps"`
	Findings []recording.Finding `json:"findings"`
}

type plotPanel struct {
	Name   string `json:"name"`
	Unit   string `json:"unit"`
	Traces int    `json:"traces"`
}

func (a *app) reportPlot(path string, f *plotFlags, x *recording.Excerpt, figure *picture.Figure, lost []recording.Finding) error {
	r := plotReport{Input: path, Output: f.out, selected: selectedOf(x), Gaps: len(figure.Gaps), Findings: lost}
	traces := 0
	for i := range figure.Panels {
		panel := &figure.Panels[i]
		r.Panels = append(r.Panels, plotPanel{panel.Name, panel.Unit, len(panel.Traces)})
		traces += len(panel.Traces)
	}
	if r.Findings == nil {
		r.Findings = []recording.Finding{}
	}
	if a.json {
		if err := a.writeJSON(r); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(a.stdout, "%s  %s of %s in %s\n", f.out, plural(traces, "trace"), plural(x.Len(), "row"), plural(len(r.Panels), "panel"))
	}
	return a.reportDamage(path, r.Findings)
}
