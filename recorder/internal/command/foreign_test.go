package command

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
)

// Every file of other writers is described by info as its twin says, is intact
// for verify, and passes through cat; big-endian ones are refused by name.
func TestTheFilesOfOtherWritersThroughTheCommands(t *testing.T) {
	for _, f := range testdata.Twins(t) {
		file := testdata.Path("foreign/" + f.Name + ".arrow")
		t.Run(f.Name, func(t *testing.T) {
			want := f.Want
			code, out, words := try("info", "--json", file)
			if want.Error != "" {
				if code != exitFailed || !strings.Contains(words, want.Error) {
					t.Errorf("info: exit %d, %s", code, words)
				}
				return
			}
			var got []struct {
				Format, Compression, State string
				Rows                       int64
				Batches                    int
				Columns                    []struct{ Name, Type string }
			}
			if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitDone || len(got) != 1 {
				t.Fatalf("info: exit %d, %v, %s", code, err, words)
			}
			info := got[0]
			if info.Format != want.Format || info.Compression != want.Compression || info.State != "complete" || info.Rows != want.Rows() || info.Batches != len(want.BatchRows) || len(info.Columns) != len(want.Columns) {
				t.Errorf("info: %+v, want %+v", info, want)
			}
			for i, c := range want.Columns {
				if i < len(info.Columns) && (info.Columns[i].Name != c.Name || info.Columns[i].Type != c.Type) {
					t.Errorf("info: column %+v, want %+v", info.Columns[i], c)
				}
			}
			if code, _, words := try("verify", "--quiet", file); code != exitDone {
				t.Errorf("verify: exit %d, %s", code, words)
			}
			if code, stream, words := try("cat", file); code != exitDone || len(stream) < 8 {
				t.Errorf("cat: exit %d, %d bytes, %s", code, len(stream), words)
			}
		})
	}
}
