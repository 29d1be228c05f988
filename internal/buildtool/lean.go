package buildtool

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// How the engines are built without cryptography. The zstd package has one source
// of random bytes, for padding that nobody asks it for, and that alone brings
// crypto/rand, whose self-tests keep ciphers and hashes in the engine: 56 kB packed.
// The engines are built of a copy of the module in which the padding comes of
// math/rand. Its place is fixed, so that a build gives the same bytes as the one before.

const (
	leanModule = "github.com/klauspost/compress"
	leanDir    = "out/.lean/compress"
	leanFlag   = "-modfile=out/.lean/go.mod"
)

// leanEdits are what the copy of zstd/encoder.go has instead.
var leanEdits = strings.NewReplacer(`"crypto/rand"`, `"math/rand/v2"`, "rand.Reader", "rand.NewChaCha8([32]byte{})")

// makeLean makes the copy, and a go.mod that names it.
func makeLean(dir string) error {
	from, err := output("go", "list", "-m", "-f", "{{.Dir}}", leanModule)
	if err != nil {
		return err
	}
	to := filepath.Join(dir, filepath.FromSlash(leanDir))
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	if err := copySource(from, to); err != nil {
		return err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(filepath.Dir(to), name), text, 0o644); err != nil {
			return err
		}
	}
	return run("go", "mod", "edit", "-replace="+leanModule+"=./"+leanDir, filepath.Join(filepath.Dir(to), "go.mod"))
}

// copySource copies the Go files of a module that are no tests, edited.
func copySource(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir() && entry.Name() == "testdata":
			return filepath.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		case name != "go.mod" && (filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go")):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if filepath.ToSlash(name) == "zstd/encoder.go" {
			text = []byte(leanEdits.Replace(string(text)))
		}
		return os.WriteFile(filepath.Join(to, name), text, 0o644)
	})
}

// withoutCryptography refuses an engine that has what the copy is there to leave out.
func withoutCryptography(packages []string) error {
	for _, name := range packages {
		if strings.HasPrefix(name, "crypto/") {
			return fmt.Errorf("the engine has %s: what brings it? see internal/buildtool/lean.go", name)
		}
	}
	return nil
}
