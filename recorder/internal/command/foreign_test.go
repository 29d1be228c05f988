package command

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// Every file of other writers is told by info as its twin says, holds for
// verify, and passes through cat; big-endian ones are refused by name.
func TestTheFilesOfOtherWritersThroughTheCommands(t *testing.T) {
	twins, err := filepath.Glob("../../../testdata/foreign/*/*.json")
	if err != nil || len(twins) < 80 {
		t.Fatalf("%d twins, %v", len(twins), err)
	}
	for _, path := range twins {
		file := strings.TrimSuffix(path, ".json") + ".arrow"
		t.Run(strings.TrimPrefix(filepath.ToSlash(file), "../../../testdata/foreign/"), func(t *testing.T) {
			var want struct {
				Error, Format, Compression string
				Rows                       []int64 `json:"batch_rows"`
				Columns                    []struct{ Name, Type string }
			}
			if err := json.Unmarshal(read(t, path), &want); err != nil {
				t.Fatal(err)
			}
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
			var rows int64
			for _, n := range want.Rows {
				rows += n
			}
			info := got[0]
			if info.Format != want.Format || info.Compression != want.Compression || info.State != "complete" || info.Rows != rows || info.Batches != len(want.Rows) || len(info.Columns) != len(want.Columns) {
				t.Errorf("info: %+v, want %+v", info, want)
			}
			for i, c := range want.Columns {
				if i < len(info.Columns) && info.Columns[i] != c {
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
