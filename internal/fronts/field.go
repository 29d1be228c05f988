package fronts

import (
	"cmp"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/oniscope/oniscope/shared/recording"
)

// A Situation is a file as people have it, from testdata/field, and what every
// front has to say of it: the file NAME.* with its twin NAME.json. What the twin
// leaves out is not said.
type Situation struct {
	Name string `json:"name"` // that people gave the file; left out, as it is in the folder
	Data []byte `json:"-"`
	Of   string `json:"of"` // the file in the folder, where it is not called as its twin

	CSV *CSV `json:"csv"` // a start-time CSV beside it, which gives its clock

	About   string `json:"about"`    // how people come by it, and who wrote this one
	ClockHz uint64 `json:"clock_hz"` // given with the file; 0: nothing

	Error string `json:"error"` // words of the refusal to open it; "": it opens

	State    recording.State `json:"state"`
	Format   string          `json:"format"`
	Rows     *int64          `json:"rows"`
	Batches  *int            `json:"batches"`
	RateHz   *float64        `json:"rate_hz"`
	Segments []Segment       `json:"segments"`  // nil: not said
	Times    []Times         `json:"times"`     // selections by seconds, of all segments
	Info     []Expected      `json:"info"`      // findings of `info` and of the page, those with severity info too
	Verify   []Expected      `json:"verify"`    // of verification, without those of severity info
	Outcome  string          `json:"outcome"`   // of a recovery
	Kept     *int64          `json:"kept"`      // rows of its output
	LostRows *int64          `json:"lost_rows"` // sum of all findings of verification

	Columns  []string          `json:"columns"`  // their names, as every front has them
	Exported string            `json:"exported"` // all rows as CSV
	Parquet  map[string]string `json:"parquet"`  // types by column, as pyarrow reads them; the interop tests compare them
}

// A CSV is a file beside a recording.
type CSV struct {
	Name string `json:"name"`
	Data []byte `json:"base64"`
}

// Write puts a situation into a folder as people have it, and returns where the
// recording is.
func (s *Situation) Write(folder string) (path string, err error) {
	if s.CSV != nil {
		if err := os.WriteFile(filepath.Join(folder, s.CSV.Name), s.CSV.Data, 0o600); err != nil {
			return "", err
		}
	}
	path = filepath.Join(folder, s.Name)
	return path, os.WriteFile(path, s.Data, 0o600)
}

// A Segment is rows [Start, End) whose Clock rises.
type Segment struct {
	Start      int64  `json:"start"`
	End        int64  `json:"end"`
	ClockFirst uint64 `json:"clock_first"`
	ClockLast  uint64 `json:"clock_last"`

	RateHz *float64 `json:"rate_hz"` // nil: as of all rows
}

// Times are seconds, as text, and how many rows have them.
type Times struct {
	From, To string
	Rows     int64
}

// DifferSegments says how segments differ from those of the twin; "": they do not.
func (s *Situation) DifferSegments(got []recording.Segment) string {
	if s.Segments == nil {
		return ""
	}
	same := len(got) == len(s.Segments)
	for i := 0; same && i < len(got); i++ {
		g, want := &got[i], s.Segments[i]
		rate := cmp.Or(want.RateHz, s.RateHz)
		want.RateHz = nil
		same = want == Segment{g.Start, g.End, g.ClockFirst, g.ClockLast, nil} && (rate == nil || math.Abs(g.RateHz-*rate) < 1e-6)
	}
	if same {
		return ""
	}
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(s.Segments)
	return "segments are\n" + string(a) + "\nwant\n" + string(b)
}

// An Expected is a finding; nil is not compared, Reason is a part of the words.
type Expected struct {
	Severity  string `json:"severity"`
	Reason    string `json:"reason"`
	Offset    *int64 `json:"offset"`
	Length    *int64 `json:"length"`
	Batch     *int   `json:"batch"`
	BeforeRow *int64 `json:"before_row"`
	LostRows  *int64 `json:"lost_rows"`
}

// Is reports whether a finding is the expected one.
func (e *Expected) Is(f *recording.Finding) bool {
	return (e.Severity == "" || e.Severity == f.Severity.String()) && strings.Contains(f.Reason, e.Reason) &&
		is(e.Offset, f.Offset) && is(e.Length, f.Length) && is(e.Batch, f.Batch) && is(e.BeforeRow, f.BeforeRow) && is(e.LostRows, f.LostRows)
}

func is[T comparable](want *T, got T) bool { return want == nil || *want == got }

// Differ says how findings differ from those that are expected, in order; "":
// they do not.
func Differ(want []Expected, got []recording.Finding) string {
	same := len(want) == len(got)
	for i := 0; same && i < len(want); i++ {
		same = want[i].Is(&got[i])
	}
	if same {
		return ""
	}
	a, _ := json.Marshal(want)
	b, _ := json.Marshal(got)
	return "findings are\n" + string(b) + "\nwant\n" + string(a)
}

// Situations reads the files of a folder that have a twin, in the order of
// their names.
func Situations(folder string) ([]Situation, error) {
	twins, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	var list []Situation
	for _, twin := range twins {
		text, err := os.ReadFile(twin)
		if err != nil {
			return nil, err
		}
		s := Situation{}
		if err := json.Unmarshal(text, &s); err != nil {
			return nil, err
		}
		files := []string{s.Of}
		if stem := strings.TrimSuffix(filepath.Base(twin), ".json"); s.Of == "" {
			files = []string{stem + ".arrow", stem + ".arrows", stem + ".feather"}
		}
		for _, file := range files {
			if s.Data, err = os.ReadFile(filepath.Join(folder, file)); err == nil {
				s.Name = cmp.Or(s.Name, file)
				break
			}
		}
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}
