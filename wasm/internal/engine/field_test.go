//go:build !js

package engine

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/fronts"
	"github.com/oniscope/oniscope/shared/recording"
)

// others is a folder of recordings of which nothing is known: command and engine must say the
// same of them. Clocks there have fronts.ClockHz.
var others = flag.String("others", "", "also compare command and engine on all files in this `FOLDER`")

// otherFiles are those in the folder.
func otherFiles(t *testing.T) (list []fronts.Situation) {
	t.Helper()
	if *others == "" {
		return nil
	}
	err := filepath.WalkDir(*others, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		list = append(list, fronts.Situation{Name: entry.Name(), Data: data, ClockHz: fronts.ClockHz})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Files as people have them: the command and the page find the same in each, by
// the headers and by every byte, and refuse in the same words what is no recording.
func TestTheCommandAndTheEngineFindTheSameInFilesOfTheField(t *testing.T) {
	binary := theCommand(t)
	list, err := fronts.Situations("../../../testdata/field")
	if err != nil || len(list) < 10 {
		t.Fatalf("%d situations, %v", len(list), err)
	}
	list = append(list, otherFiles(t)...)
	for i := range list {
		s := &list[i]
		t.Run(s.Name, func(t *testing.T) {
			path, err := s.Write(t.TempDir()) // without a CSV that the twin does not name
			if err != nil {
				t.Fatal(err)
			}
			var words string
			ask := func(verb string, into any) {
				args := []string{verb, "--json", "--quiet", path}
				if s.ClockHz > 0 {
					args = append(args, "--clock-hz", strconv.FormatUint(s.ClockHz, 10))
				}
				out, err := exec.Command(binary, args...).Output()
				var exit *exec.ExitError
				if errors.As(err, &exit) {
					words = string(exit.Stderr)
				}
				if err := json.Unmarshal(out, into); err != nil {
					t.Fatalf("%s: %v: %s", verb, err, words)
				}
			}
			type found struct {
				State    string              `json:"state"`
				Rows     int64               `json:"rows"`
				RateHz   float64             `json:"rate_hz"`
				Segments []recording.Segment `json:"segments"`
				Findings []recording.Finding `json:"findings"`
			}
			var info, verified []found
			ask("info", &info)
			ctx, e := context.Background(), &Engine{}
			ours, err := e.Open(ctx, OpenArgs{"s", s.Name}, bytes.NewReader(s.Data), int64(len(s.Data)), nil)
			if s.Error != "" {
				if len(info) > 0 || err == nil || !strings.Contains(words, ReplyFromError(err).Message) || !strings.Contains(words, s.Error) {
					t.Errorf("the command says %q, the engine %v; want %q", words, err, s.Error)
				}
				return
			}
			hz := float64(s.ClockHz)
			if err == nil && s.CSV != nil {
				var start *StartTime
				if start, err = ReadStartTime(StartTimeArgs{Data: base64.StdEncoding.EncodeToString(s.CSV.Data)}); err != nil {
					t.Fatal(err)
				}
				if chosen := ChooseStartTime(ChooseArgs{Name: s.Name, CSVs: []string{s.CSV.Name}}); chosen.CSV != s.CSV.Name {
					t.Errorf("of %s the page takes %q", s.CSV.Name, chosen.CSV)
				}
				hz = start.Hz
			}
			if err == nil && hz > 0 {
				ours, err = e.SetClock(ClockArgs{Stream: ours.ID, Hz: hz})
			}
			if err == nil {
				ours, err = e.Index(ctx, ours.ID, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			if wrong := s.DifferSegments(ours.Segments); wrong != "" {
				t.Error(wrong)
			}
			if len(info) != 1 || info[0].State != ours.State || info[0].Rows != ours.Rows || asJSON(info[0].Findings) != asJSON(ours.Findings) || asJSON(info[0].Segments) != asJSON(ours.Segments) {
				t.Errorf("info says\n%s\nthe engine %s, %d rows\n%s", asJSON(info), ours.State, ours.Rows, asJSON(ours.Findings))
			}
			if s.RateHz != nil && len(info) == 1 && math.Abs(info[0].RateHz-*s.RateHz) > 1e-6 {
				t.Errorf("info says %v Hz, want %v", info[0].RateHz, *s.RateHz)
			}
			var names []string
			for _, c := range ours.Columns {
				names = append(names, c.Name)
			}
			if s.Columns != nil && !slices.Equal(names, s.Columns) {
				t.Errorf("columns of the engine are %q, want %q", names, s.Columns)
			}
			if s.Exported != "" {
				out := filepath.Join(t.TempDir(), "out.csv")
				if words, err := exec.Command(binary, "export", path, "-o", out).CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, words)
				}
				if text, err := os.ReadFile(out); err != nil || string(text) != s.Exported {
					t.Errorf("exported as %q, %v, want %q", text, err, s.Exported)
				}
			}
			ask("verify", &verified)
			report, err := e.Verify(ctx, ours.ID, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(verified) != 1 || asJSON(verified[0].Findings) != asJSON(report.Findings) {
				t.Errorf("verify says\n%s\nthe engine\n%s", asJSON(verified), asJSON(report.Findings))
			}
		})
	}
}
