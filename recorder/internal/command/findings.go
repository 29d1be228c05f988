package command

import (
	"errors"
	"fmt"
	"io"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

// findingLines is how many findings are listed without --all.
const findingLines = 20

// eachFinding calls print for the findings that are listed, and says how many
// are not.
func (a *app) eachFinding(w io.Writer, list []recording.Finding, print func(f *recording.Finding)) {
	for i := range list {
		if i == findingLines && !a.all {
			fmt.Fprintf(w, "  ... and %s more; --all lists them\n", plural(len(list)-i, "finding"))
			return
		}
		print(&list[i])
	}
}

// withHint adds to an error of a recovery which flag helps.
func withHint(err error) error {
	for cause, hint := range map[error]string{
		recording.ErrSchemaLost: "give it with --schema-from",
		recovery.ErrReplaced:    "--format stream",
		recovery.ErrMoves:       "-o OUT instead of --in-place",
	} {
		if errors.Is(err, cause) {
			return fmt.Errorf("%w (%s)", err, hint)
		}
	}
	return err
}

// repeated says of a finding about several places where the last one is.
func repeated(f *recording.Finding) string {
	if f.Count <= 1 {
		return ""
	}
	return fmt.Sprintf(" (%d places, the last at byte %d)", f.Count, f.LastOffset)
}
