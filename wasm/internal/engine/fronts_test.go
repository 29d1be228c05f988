//go:build !js

package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/oniscope/oniscope/internal/fronts"
	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

// An answer is what a front makes of a selection.
type answer struct {
	Kind  string // of a refusal, "" on the command line
	Error string // without the names of packages and of the file

	Start, End, Rows, Lost int64
	Findings               []recording.Finding
	Columns                []string // of the CSV

	Output map[string][]byte // by format; what the format refuses: the words
}

// buildCommand makes the command once, for all tests of this package.
var buildCommand = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "oniscope-command-")
	if err != nil {
		return "", err
	}
	built = dir
	binary := filepath.Join(dir, "oniscope")
	if out, err := exec.Command("go", "build", "-o", binary, "github.com/oniscope/oniscope/recorder").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return binary, nil
})

// built is the folder of the command, once it was made.
var built string

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

func theCommand(t *testing.T) string {
	t.Helper()
	binary, err := buildCommand()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// formats are the outputs of both fronts.
var frontFormats = []string{"arrow", "stream", "csv", "npy", "bin"}

// The same selections through the command and through the engine: the same
// rows, columns, values, losses, findings and refusals.
func TestTheCommandAndTheEngineMakeTheSameOfASelection(t *testing.T) {
	binary := theCommand(t)
	dir := t.TempDir()
	files := fronts.Files()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name+"_0.arrow"), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range fronts.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			var wrong []string
			fail := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
			command := askCommand(t, binary, filepath.Join(dir, c.File+"_0.arrow"), &c)
			engine := askEngine(t, files[c.File], &c)
			checkAnswer("command", command, &c, fail)
			checkAnswer("engine", engine, &c, fail)
			compareAnswers(command, engine, fail)
			if len(wrong) > 0 {
				t.Error(strings.Join(wrong, "\n"))
			}
		})
	}
}

// The same of files as people have them: whole, and some seconds from the first row on.
func TestTheCommandAndTheEngineMakeTheSameOfFilesOfTheField(t *testing.T) {
	binary := theCommand(t)
	list, err := fronts.Situations("../../../testdata/field")
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		s := &list[i]
		if s.Error != "" {
			continue
		}
		path := filepath.Join(t.TempDir(), s.Name)
		if err := os.WriteFile(path, s.Data, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, c := range []fronts.Case{{Name: "everything"}, {Name: "seconds from the first row on", FromStart: true, From: "0.004", To: "0.03"}} {
			t.Run(s.Name+"/"+c.Name, func(t *testing.T) {
				c.ClockHz = s.ClockHz
				command, engine := askCommand(t, binary, path, &c), askEngine(t, s.Data, &c)
				if command.Start != engine.Start || command.End != engine.End || command.Rows != engine.Rows || command.Lost != engine.Lost || !slices.Equal(command.Columns, engine.Columns) {
					t.Errorf("the command takes %+v, the engine %+v", command, engine)
				}
				compareAnswers(command, engine, t.Errorf)
			})
		}
	}
}

// What `info` says of a recording and what the page shows of it are the same.
func TestTheCommandAndTheEngineDescribeARecordingAlike(t *testing.T) {
	binary := theCommand(t)
	type description struct {
		Rows          int64               `json:"rows"`
		Batches       int                 `json:"batches"`
		State         string              `json:"state"`
		Format        string              `json:"format"`
		Compression   string              `json:"compression"`
		Start         *float64            `json:"start"`
		DurationS     *float64            `json:"duration_s"`
		DurationTicks uint64              `json:"duration_ticks"`
		Segments      []map[string]uint64 `json:"segments"`
		Columns       []struct {
			Name, Type, Unit, Subsample string
			Stride                      int
		} `json:"columns"`
		Findings []recording.Finding `json:"findings"`
	}
	for name, data := range fronts.Files() {
		path := filepath.Join(t.TempDir(), name+"_0.arrow")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(binary, "info", "--json", path).Output()
		var exit *exec.ExitError
		if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 3) {
			t.Fatalf("%s: %v", name, err)
		}
		var command []description
		if err := json.Unmarshal(out, &command); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		e := &Engine{}
		info, err := e.Open(context.Background(), OpenArgs{name + "_0", name + "_0.arrow"}, bytes.NewReader(data), int64(len(data)), nil)
		if err == nil {
			info, err = e.Index(context.Background(), info.ID, nil)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var engine description
		if err := json.Unmarshal([]byte(asJSON(info)), &engine); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if a, b := asJSON(command[0]), asJSON(engine); a != b {
			t.Errorf("%s: info says\n%s\nthe engine\n%s", name, a, b)
		}
	}
}

// checkAnswer holds what a front says against the table.
func checkAnswer(front string, a answer, c *fronts.Case, fail func(string, ...any)) {
	want := &c.Want
	if a.Error != want.Error {
		fail("%s: error %q, want %q", front, a.Error, want.Error)
		return
	}
	if front == "engine" && a.Kind != want.Kind {
		fail("%s: the error is a %s, want %s", front, a.Kind, want.Kind)
	}
	if want.Error != "" {
		return
	}
	if a.Start != want.Start || a.End != want.End || a.Rows != want.Rows {
		fail("%s: rows [%d, %d), %d written; want [%d, %d), %d", front, a.Start, a.End, a.Rows, want.Start, want.End, want.Rows)
	}
	if !slices.Equal(a.Columns, want.Columns) {
		fail("%s: columns %q, want %q", front, a.Columns, want.Columns)
	}
	if len(a.Findings) != want.Findings || a.Lost != want.Lost {
		fail("%s: %d findings, %d lost rows, want %d, %d: %v", front, len(a.Findings), a.Lost, want.Findings, want.Lost, a.Findings)
	}
}

func compareAnswers(command, engine answer, fail func(string, ...any)) {
	if command.Error != engine.Error {
		fail("the command says %q, the engine %q", command.Error, engine.Error)
	}
	if a, b := asJSON(command.Findings), asJSON(engine.Findings); a != b {
		fail("the command finds %s, the engine %s", a, b)
	}
	for _, format := range frontFormats {
		if a, b := command.Output[format], engine.Output[format]; !bytes.Equal(a, b) {
			fail("%s: the command writes %d bytes, the engine %d: %.60q, %.60q", format, len(a), len(b), a, b)
		}
	}
}

// withoutPrefixes takes the names of packages and of a file from a refusal.
func withoutPrefixes(text string, prefixes ...string) string {
	for {
		i := slices.IndexFunc(prefixes, func(p string) bool { return strings.HasPrefix(text, p) })
		if i < 0 {
			return text
		}
		text = strings.TrimPrefix(text, prefixes[i])
	}
}

func askCommand(t *testing.T, binary, path string, c *fronts.Case) answer {
	a := answer{Output: map[string][]byte{}, Findings: []recording.Finding{}}
	for _, format := range frontFormats {
		out := filepath.Join(t.TempDir(), "out."+format)
		cmd := exec.Command(binary, append([]string{"export", path, "-o", out, "--format=" + format, "--json", "--quiet"}, c.Args()...)...)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(stderr.String(), "\n")
		if code := cmd.ProcessState.ExitCode(); code != 0 && code != 3 {
			words, _, _ := strings.Cut(withoutPrefixes(first, "oniscope: ", path+": "), "; say --")
			words, _, _ = strings.Cut(words, "; --time-column")
			words, _, _ = strings.Cut(words, " (--columns") // hints of the command
			a.Output[format] = []byte(words)
			if format == "arrow" {
				a.Error = words
			}
			continue
		} else if format == "arrow" {
			var report struct {
				Start    int64               `json:"start"`
				End      int64               `json:"end"`
				Rows     int64               `json:"rows"`
				LostRows int64               `json:"lost_rows"`
				Findings []recording.Finding `json:"findings"`
			}
			if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
				t.Fatalf("%v: %s", err, &stdout)
			}
			a.Start, a.End, a.Rows, a.Lost, a.Findings = report.Start, report.End, report.Rows, report.LostRows, report.Findings
			if lost := len(a.Findings) > 0; lost != (code == 3) {
				t.Errorf("exit code %d with %d findings", code, len(a.Findings))
			}
		}
		if a.Output[format], err = os.ReadFile(out); err != nil {
			t.Fatal(err)
		}
		if format == "bin" {
			var layout any
			text, err := os.ReadFile(strings.TrimSuffix(out, ".bin") + ".json")
			if err == nil {
				err = json.Unmarshal(text, &layout)
			}
			if err != nil {
				t.Fatal(err)
			}
			a.Output[format] = append(a.Output[format], asJSON(layout)...)
		}
	}
	a.Columns = csvHeader(a.Output["csv"])
	return a
}

func csvHeader(csv []byte) []string {
	header, _, ok := bytes.Cut(csv, []byte("\n"))
	if !ok {
		return nil
	}
	return strings.Split(string(header), ",")
}

func askEngine(t *testing.T, data []byte, c *fronts.Case) answer {
	a := answer{Output: map[string][]byte{}, Findings: []recording.Finding{}}
	for _, format := range frontFormats {
		e := &Engine{}
		info, err := e.Open(context.Background(), OpenArgs{"np_0", "np_0.arrow"}, bytes.NewReader(data), int64(len(data)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.ClockHz > 0 {
			if _, err := e.SetClock(ClockArgs{Stream: info.ID, Hz: float64(c.ClockHz)}); err != nil {
				t.Fatal(err)
			}
		}
		request := c.Request()
		request["stream"], request["format"] = info.ID, format
		var args SliceArgs
		if err := json.Unmarshal([]byte(asJSON(request)), &args); err != nil {
			t.Fatal(err)
		}
		file := &testdata.Memory{}
		report, err := e.Slice(context.Background(), args, file, nil, nil)
		if err != nil {
			reply := ReplyFromError(err)
			words := withoutPrefixes(reply.Message, "engine: ", "slice: ")
			a.Output[format] = []byte(words)
			if format == "arrow" {
				a.Kind, a.Error = reply.Name, words
			}
			continue
		}
		if format == "arrow" {
			a.Start, a.End, a.Rows, a.Lost = report.Start, report.End, report.Rows, report.LostRows
			a.Findings = append(a.Findings, report.Findings...)
		}
		a.Output[format] = file.Data
		if format == "bin" {
			var layout any
			if err := json.Unmarshal([]byte(asJSON(report.Layout)), &layout); err != nil {
				t.Fatal(err)
			}
			a.Output[format] = append(file.Data, asJSON(layout)...)
		}
	}
	a.Columns = csvHeader(a.Output["csv"])
	return a
}
