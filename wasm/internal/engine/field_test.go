//go:build !js

package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/fronts"
	"github.com/oniscope/oniscope/shared/recording"
)

// Files as people have them: the command and the page find the same in each, by
// the headers and by every byte, and refuse in the same words what is no recording.
func TestTheCommandAndTheEngineFindTheSameInFilesOfTheField(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "oniscope")
	if out, err := exec.Command("go", "build", "-o", binary, "github.com/oniscope/oniscope/recorder").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	list, err := fronts.Situations("../../../testdata/field")
	if err != nil || len(list) < 10 {
		t.Fatalf("%d situations, %v", len(list), err)
	}
	for i := range list {
		s := &list[i]
		t.Run(s.Name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), s.Name) // without the CSV beside it
			if err := os.WriteFile(path, s.Data, 0o600); err != nil {
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
			if err == nil && s.ClockHz > 0 {
				ours, err = e.SetClock(ClockArgs{Stream: ours.ID, Hz: float64(s.ClockHz)})
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
			ask("verify", &verified)
			report, err := e.Verify(ctx, ours.ID, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(verified) != 1 || asJSON(verified[0].Findings) != asJSON(report.Findings) {
				t.Errorf("verify says\n%s\nthe engine\n%s", asJSON(verified), asJSON(report.Findings))
			}
		})
	}
}
