package command

import (
	"bufio"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oniscope/oniscope/recorder/internal/picture"
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
	cmd := &cobra.Command{
		Use:     "plot FILE -o OUT.png|OUT.svg",
		Short:   "Draw some rows and columns as a picture",
		Long:    plotHelp,
		Example: `  oniscope plot probe_0.arrow -o second.png --from 10 --to 11 --columns 'SpikeData*'`,
		Args:    oneFile,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.plot(cmd.Context(), args[0], f) },
	}
	fl := cmd.Flags()
	f.add(fl)
	fl.Lookup("unique").Hidden = true // the picture is the same
	fl.StringVarP(&f.out, "output", "o", "", "the new `FILE`, .png or .svg")
	fl.IntVar(&f.width, "width", 1200, "of the picture, pixels")
	fl.IntVar(&f.height, "height", 0, "of the picture, pixels (default what the panels need)")
	fl.Float64Var(&f.scale, "scale", 1, "of a PNG: 2 gives twice the pixels, for print")
	fl.BoolVar(&a.quiet, "quiet", false, "no progress")
	fl.BoolVar(&a.json, "json", false, "print a report as JSON")
	return cmd
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
	defer in.close()
	title := in.reader.Stream().Title()
	out, err := createOutput(f.out, in)
	if err != nil {
		return err
	}
	defer out.discard()

	ctx, stop := a.interruptible(ctx)
	defer stop()
	progress := a.newProgress("reading", x.Len(), false)
	p := newPlotter(in, x, f)
	p.progress = progress.set
	err = p.collect(ctx, f, title)
	progress.end()
	if err == nil {
		err = p.write(out, f)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := out.commit(); err != nil {
		return err
	}
	return a.reportPlot(path, f, p)
}

func newPlotter(in *input, x *recording.Excerpt, f *plotFlags) *plotter {
	return &plotter{in: in, x: x, figure: &picture.Figure{Width: f.width, Height: f.height, Scale: f.scale},
		from: f.from != "", to: f.to != "", progress: func(int64, int64) {}}
}

// collect makes the figure.
func (p *plotter) collect(ctx context.Context, f *plotFlags, title string) error {
	if err := p.choose(p.x.Named()); err != nil {
		return err
	}
	if err := p.span(ctx); err != nil {
		return err
	}
	p.figure.Bins = p.figure.Columns()
	if isSVG(f.out) {
		p.figure.Bins = max(1, min(p.figure.Bins, maxSVGBins/len(p.sources)))
	}
	if err := p.figure.Check(); err != nil {
		return err
	}
	if err := p.read(ctx); err != nil {
		return err
	}
	p.physical()
	p.words(title)
	return nil
}

func isSVG(name string) bool { return strings.EqualFold(filepath.Ext(name), ".svg") }

func (p *plotter) write(out *output, f *plotFlags) error {
	w := bufio.NewWriterSize(out, 1<<16)
	draw := p.figure.WritePNG
	if isSVG(f.out) {
		draw = p.figure.WriteSVG
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

func (a *app) reportPlot(path string, f *plotFlags, p *plotter) error {
	r := plotReport{Input: path, Output: f.out, selected: selectedOf(p.x), Gaps: len(p.figure.Gaps), Findings: p.damaged}
	traces := 0
	for i := range p.figure.Panels {
		panel := &p.figure.Panels[i]
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
		fmt.Fprintf(a.stdout, "%s  %s of %d rows in %s\n", f.out, plural(traces, "trace"), p.x.Len(), plural(len(r.Panels), "panel"))
	}
	return a.reportDamage(path, r.Findings)
}
