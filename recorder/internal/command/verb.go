package command

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A verb is a command: its texts, which of the flags that several commands have
// it has, its own flags, and what it does.
type verb struct {
	use, short, long, example string
	args                      cobra.PositionalArgs

	quiet, json string                  // what --quiet and --json do; "": it has no such flag
	findings    bool                    // it lists findings: has --all
	flags       func(fl *pflag.FlagSet) // adds its own; nil: none
	run         func(ctx context.Context, args []string) error
}

// add makes a command of a verb.
func (a *app) add(v verb) *cobra.Command {
	cmd := &cobra.Command{
		Use: v.use, Short: v.short, Long: v.long + "\n\n" + exitHelp, Example: v.example, Args: v.args,
		RunE: func(cmd *cobra.Command, args []string) error { return v.run(cmd.Context(), args) },
	}
	fl := cmd.Flags()
	if v.flags != nil {
		v.flags(fl)
	}
	if v.quiet != "" {
		fl.BoolVar(&a.quiet, "quiet", false, v.quiet)
	}
	if v.json != "" {
		fl.BoolVar(&a.json, "json", false, v.json)
	}
	if v.findings {
		fl.BoolVar(&a.all, "all", false, "list every finding, not only the first 20")
	}
	return cmd
}

// What --quiet and --json do in most commands.
const (
	noProgress  = "no progress"
	jsonReport  = "print the report as JSON"
	jsonPerFile = "print an array, one object a file"
)

// addOutput adds -o, of commands that make a new file.
func addOutput(fl *pflag.FlagSet, out *string, help string) {
	fl.StringVarP(out, "output", "o", "", "the new `FILE`"+help)
}

// addCodec adds --compression, of commands that copy bodies.
func addCodec(fl *pflag.FlagSet, codec *string) {
	fl.StringVar(codec, "compression", keepCodec, "`CODEC`: keep, none, zstd or lz4")
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasParent() {
		return usagef("command %q is not known%s", args[0], meantCommand(cmd, args[0]))
	}
	return usagef("%s takes no arguments, but got %q%s", cmd.Name(), args[0], strayHint(args[0]))
}

// oneFile is the cobra.PositionalArgs of commands that take one file.
func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("%s takes one file, but got %d", cmd.Name(), len(args))
	}
	return nil
}

// someFiles is the cobra.PositionalArgs of commands that take one file or more.
func someFiles(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef("%s needs a file", cmd.Name())
	}
	return nil
}
