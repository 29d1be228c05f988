package web

import (
	"io/fs"
	"strings"
	"testing"
)

// The page must be found in the binary on a clean clone too, before anything
// was built.
func TestThePageIsEmbedded(t *testing.T) {
	for _, name := range []string{"index.html", "src/protocol.d.ts", "gen/README.md"} {
		if _, err := fs.Stat(Files, name); err != nil {
			t.Error(err)
		}
	}
	if _, err := fs.Stat(Files, EnginePath); (err == nil) != HasEngine() {
		t.Errorf("HasEngine() = %v, but %v", HasEngine(), err)
	}
}

// A module that the page imports from outside its own folder would be a
// request that leaves it; one with a leading slash breaks under a sub-path.
func TestModulesImportFromTheirOwnFolderOnly(t *testing.T) {
	err := fs.WalkDir(Files, "src", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".js") {
			return err
		}
		text, err := fs.ReadFile(Files, path)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(text), "\n") {
			if !strings.HasPrefix(line, "import ") && !strings.Contains(line, " from \"") {
				continue
			}
			if strings.Contains(line, `"/`) || strings.Contains(line, `"http`) {
				t.Errorf("%s:%d: %s", path, i+1, line)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
