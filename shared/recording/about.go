package recording

import (
	"slices"
	"strings"

	"github.com/oniscope/oniscope/shared/internal/messages"
)

// A State says how a file ends and whether it is intact.
type State string

// The states of `info --json`. A Reader never says BeingWritten: only who sees the
// recorder's lock, or is told by the recorder, knows.
const (
	Complete   State = "complete"   // footer valid, nothing damaged as far as looked
	Unfinished State = "unfinished" // no valid footer; everything that is there is intact
	Damaged    State = "damaged"

	BeingWritten State = "open"
)

// An About is what is known of a file without reading more of it.
type About struct {
	Format Format
	Size   int64 // bytes
	State  State // damage of batches is known once they were touched
	Footer bool  // valid; of a stream, its end mark

	// Codecs are those of the batches whose header has been read, in the order
	// in which they come first. Reading does not depend on them.
	Codecs   []Codec
	Metadata map[string]string // of the schema, as it is in the file
}

// About returns what is known of the file so far.
func (r *Reader) About() About {
	a := About{Format: FileFormat, Size: r.size, State: r.state(), Footer: r.footer, Codecs: r.codecs(), Metadata: make(map[string]string, len(r.schema.Metadata))}
	if r.ends.Stream {
		a.Format = StreamFormat
	}
	for _, e := range r.schema.Metadata {
		a.Metadata[e.Key] = e.Value
	}
	return a
}

// Compression names the codecs ("zstd, none"); "none" before any is known.
func (a *About) Compression() string {
	if len(a.Codecs) == 0 {
		return None.String()
	}
	names := make([]string, len(a.Codecs))
	for i, c := range a.Codecs {
		names[i] = c.String()
	}
	return strings.Join(names, ", ")
}

func (r *Reader) codecs() []Codec {
	var list []Codec
	for i := range r.batches {
		b := &r.batches[i]
		if b.checked && (i == 0 || b.codec != r.batches[i-1].codec || len(list) == 0) {
			if c := codecOf(b.codec); !slices.Contains(list, c) {
				list = append(list, c)
			}
		}
	}
	return list
}

func (r *Reader) state() State {
	for i := range r.findings {
		if r.findings[i].Severity == SeverityError {
			return Damaged
		}
	}
	if r.walked != nil {
		return stateOf(r.walked)
	}
	if r.growing {
		return Unfinished
	}
	return Complete
}

// stateOf is the state of a file by its framing.
func stateOf(l *messages.Layout) State {
	for i := range l.Verdicts {
		if v := &l.Verdicts[i]; v.Severity > messages.Info && !v.AtEnd && !v.Suspect {
			return Damaged
		}
	}
	if l.Footer != nil || l.Stream && l.Ended {
		return Complete
	}
	return Unfinished
}
