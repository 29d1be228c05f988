package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oniscope/oniscope/hardware/headstage"
	"github.com/oniscope/oniscope/recorder/internal/files"
	"github.com/oniscope/oniscope/recorder/internal/rig"
	"github.com/oniscope/oniscope/recorder/internal/run"
)

func (a *app) rigCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "rig COMMAND", Short: "Make a rig file, and try a rig", Long: "Rig makes rig files and tries rigs.\n\n" + exitHelp, Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return usagef("rig needs a command: init or check") },
	}
	cmd.AddCommand(a.rigInitCommand(), a.rigCheckCommand())
	return cmd
}

const rigInitHelp = `Rig init opens a board and prints a commented rig file for it: every device of
the board, with its defaults.

Nothing is found out by giving a port a voltage. A port is powered only if its
headstage is named here, by the procedure of that headstage; then its link is
tried, its EEPROM and those of its probes are read, and the port goes back to
0 V. Headstages:
%s.`

// rigInitFlags are the flags of `oniscope rig init`.
type rigInitFlags struct {
	boardFlags
	kinds [2]string // of headstages, by port
	out   string
}

func (f *rigInitFlags) add(fl *pflag.FlagSet) {
	f.boardFlags.add(fl)
	for i, port := range rig.PortNames {
		fl.StringVar(&f.kinds[i], "port-"+port, "", "`KIND` of headstage that is plugged into port "+strings.ToUpper(port))
	}
	addOutput(fl, &f.out, ", instead of standard output")
}

func (a *app) rigInitCommand() *cobra.Command {
	f := &rigInitFlags{}
	return a.add(verb{
		use: "init [--port-a KIND] [--port-b KIND] [-o FILE]", short: "Make a rig file from what is plugged in",
		long:    fmt.Sprintf(rigInitHelp, rig.Wrapped(strings.Join(headstage.Kinds(), ", "), "")),
		example: `  oniscope rig init --port-a neuropixels-2.0e -o rig.yaml`,
		args:    noArguments, quiet: "say nothing but errors",
		flags: f.add,
		run:   func(ctx context.Context, _ []string) error { return a.rigInit(ctx, f) },
	})
}

func (a *app) rigInit(parent context.Context, f *rigInitFlags) (err error) {
	for i, kind := range f.kinds {
		if kind != "" && !slices.Contains(headstage.Kinds(), kind) {
			return usagef("--port-%s: headstage %q is not known; possible: %s", rig.PortNames[i], kind, strings.Join(headstage.Kinds(), ", "))
		}
	}
	ctx, stop := a.interruptible(parent)
	defer stop()
	c, err := f.open()
	if err != nil {
		return err
	}
	draft, err := run.Draft(ctx, c, f.driver, f.kinds[:])
	if err = errors.Join(err, c.Close()); err != nil {
		return err
	}
	text := draft.Text()
	if f.out == "" {
		_, err := a.stdout.Write([]byte(text))
		return err
	}
	file, err := files.Create(f.out, nil)
	if err != nil {
		return err
	}
	defer file.Discard()
	if _, err := file.Write([]byte(text)); err != nil {
		return err
	}
	if err := file.Commit(); err != nil {
		return err
	}
	a.sayf("%s: written; oniscope record --rig %s --out DIR records with it", f.out, f.out)
	return nil
}
