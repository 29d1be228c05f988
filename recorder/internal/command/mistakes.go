package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oniscope/oniscope/recorder/internal/rig"
)

// What is said of a command line that cannot be meant: what was probably meant,
// and no words of the program's own.

// plainFlagError says it of flags.
func plainFlagError(cmd *cobra.Command, err error) error {
	unknown, invalid := (*pflag.NotExistError)(nil), (*pflag.InvalidValueError)(nil)
	switch {
	case errors.As(err, &unknown):
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		name, dashes := unknown.GetSpecifiedName(), "--"
		if word, _, _ := strings.Cut(unknown.GetSpecifiedShortnames(), "="); word != "" {
			name, dashes = word, "-" // -driver
		}
		near := rig.Near(name, names)
		if slices.Contains(names, name) {
			near = name
		}
		if near != "" && len(name) > 1 {
			return fmt.Errorf("flag %s%s is not known; did you mean --%s?", dashes, name, near)
		}
		return fmt.Errorf("flag %s%s is not known", dashes, name)
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		want := map[string]string{"uint64": "a whole number, 0 or more", "int64": "a whole number", "int": "a whole number", "float64": "a number", "bool": "true or false"}[f.Value.Type()]
		if want != "" {
			return fmt.Errorf("--%s %s: want %s", f.Name, invalid.GetValue(), want)
		}
		return fmt.Errorf("--%s %w", f.Name, invalid.Unwrap())
	}
	return err
}

// meantCommand is what follows a command that is not known, where it is near to
// another.
func meantCommand(root *cobra.Command, word string) string {
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
		if len(word) > 2 && strings.HasPrefix(c.Name(), word) {
			return "; did you mean " + c.Name() + "?"
		}
	}
	if near := rig.Near(word, names); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

// strayHint says what a word after a flag may have been meant for.
func strayHint(word string) string {
	if word == "true" || word == "false" {
		return "; a flag that is true or false takes it after =, as in --buffered=false"
	}
	return ""
}
