package buildtool

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What arrow-go and pyarrow write is in the repository byte for byte: who
// changes a generator must let it run (go tool mage foreign).
func TestTheGeneratorsWriteTheForeignFilesThatAreThere(t *testing.T) {
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("arrow-go", func(t *testing.T) {
		t.Parallel()
		sameFiles(t, dir, "arrow-go", "go", "run", "./"+foreignGenerators)
	})
	t.Run("pyarrow", func(t *testing.T) {
		t.Parallel()
		python := filepath.Join(dir, ".venv", "bin", "python")
		if exec.Command(python, "-c", "import pyarrow").Run() != nil {
			t.Skip("no .venv with pyarrow: go tool mage interop makes it")
		}
		sameFiles(t, dir, "pyarrow", python, "-B", foreignGenerators+"/pyarrow_files.py")
	})
}

func sameFiles(t *testing.T, dir, writer, program string, args ...string) {
	t.Helper()
	out := t.TempDir()
	if _, err := (command{name: program, args: append(args, out)}).output(); err != nil {
		t.Fatal(err)
	}
	written, _ := filepath.Glob(filepath.Join(out, "*.arrow"))
	kept, _ := filepath.Glob(filepath.Join(dir, foreignFolder, writer, "*.arrow"))
	if len(written) != len(kept) || len(kept) == 0 {
		t.Errorf("%s writes %d files, %d are kept", writer, len(written), len(kept))
	}
	for _, path := range written {
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(dir, foreignFolder, writer, filepath.Base(path)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s/%s is not what its generator writes (%v)", writer, filepath.Base(path), err)
		}
	}
}
