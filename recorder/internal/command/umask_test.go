//go:build unix

package command

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Who may read and write what is created is the umask's to say.
func TestCreatedFilesFollowTheUmask(t *testing.T) {
	t.Parallel()
	binary, err := exec.LookPath("oniscope") // testscript.Main made it
	if err != nil {
		t.Fatal(err)
	}
	field, err := filepath.Abs("../../../testdata/field/two-files.arrow")
	if err != nil {
		t.Fatal(err)
	}
	rig, err := filepath.Abs("../../../testdata/rigs/np1e-sim.yaml")
	if err != nil {
		t.Fatal(err)
	}
	csv, err := filepath.Abs("../../../testdata/field/start-time_0.csv")
	if err != nil {
		t.Fatal(err)
	}
	for umask, want := range map[string][2]fs.FileMode{"002": {0o664, 0o775}, "022": {0o644, 0o755}, "077": {0o600, 0o700}} {
		dir := t.TempDir()
		script := `umask ` + umask + ` && cd "$1" && "$2" slice "$3" -o a.arrow && "$2" export "$3" -o a.csv && "$2" export "$3" -o a.bin &&
			{ "$2" recover "$3" -o r.arrow || test $? = 3; } && "$2" plot "$3" -o a.png --clock-hz 250000000 &&
			"$2" export "$3" --clock-hz 250000000 --start-time "$5" --format parquet --partition stream,hour -o set &&
			"$2" record --driver sim --rig "$4" --out run --duration 300ms --quiet`
		if out, err := exec.Command("sh", "-c", script, "sh", dir, binary, field, rig, csv).CombinedOutput(); err != nil {
			t.Fatalf("umask %s: %v\n%s", umask, err, out)
		}
		files := 0
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || path == dir {
				return err
			}
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			mode := want[0]
			if files++; d.IsDir() {
				mode = want[1]
			}
			if info.Mode().Perm() != mode {
				t.Errorf("umask %s: %s has mode %o, want %o", umask, path, info.Mode().Perm(), mode)
			}
			return nil
		})
		if err != nil || files < 15 {
			t.Errorf("%d files, %v", files, err)
		}
	}
}
