package web

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// The page must be found in the binary on a clean clone too, before anything
// was built.
func TestThePageIsEmbedded(t *testing.T) {
	for _, name := range []string{"index.html", "src/protocol.d.ts"} {
		if _, err := fs.Stat(Files, name); err != nil {
			t.Error(err)
		}
	}
	if _, err := fs.Stat(Files, EnginePath); (err == nil) != HasEngine() {
		t.Errorf("HasEngine() = %v, but %v", HasEngine(), err)
	}
}

// What is embedded is packed, and is what was built.
func TestTheEngineInTheBinaryIsTheOneThatWasBuilt(t *testing.T) {
	if !HasEngine() {
		t.Skip("built without the page: run go tool mage build")
	}
	for _, name := range []string{EnginePath, "gen/wasm_exec.js"} {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := fs.ReadFile(Files, name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %d were built, %v", name, len(got), len(want), err)
		}
	}
	f, err := Files.Open(EnginePath)
	if err != nil {
		t.Fatal(err)
	}
	if at, err := f.(io.Seeker).Seek(1, io.SeekStart); at != 1 || err != nil {
		t.Errorf("at %d, %v", at, err)
	}
	if magic, err := io.ReadAll(io.LimitReader(f, 3)); string(magic) != "asm" || err != nil {
		t.Errorf("%q, %v", magic, err)
	}
	for _, name := range []string{"gen/none", "gen/../web.go", "gen/"} {
		if _, err := Files.Open(name); err == nil {
			t.Errorf("%s can be opened", name)
		}
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
