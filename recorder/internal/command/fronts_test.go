package command

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever recover can save, the commands that read open as well, and say what
// helps.
func TestWhatCanBeRecoveredIsOpenedByEveryCommand(t *testing.T) {
	whole, err := os.ReadFile("../../../testdata/foreign/bonsai/new_Heartbeat.arrow")
	if err != nil {
		t.Fatal(err)
	}
	clone := func(change func(p []byte) []byte) []byte { return change(bytes.Clone(whole)) }
	for name, c := range map[string]struct {
		data []byte
		rows string
		info int // exit code
	}{
		"the first 4 KiB are zeros":    {clone(func(p []byte) []byte { clear(p[:4096]); return p }), "1030", exitLoss},
		"one byte of the magic":        {clone(func(p []byte) []byte { p[2] = 'X'; return p }), "1230", exitLoss},
		"one byte of the last magic":   {clone(func(p []byte) []byte { p[len(p)-2] = 'X'; return p }), "1230", exitLoss},
		"a greeting before the file":   {append([]byte("220 hello\r\n"), whole...), "1230", exitDone},
		"a byte-order mark before it":  {append([]byte("\xEF\xBB\xBF"), whole...), "1230", exitDone},
		"4096 bytes left out":          {clone(func(p []byte) []byte { return append(p[:9000], p[9000+4096:]...) }), "", exitLoss},
		"the footer lists no batches":  {clone(func(p []byte) []byte { return append(p[:len(p)-1400], p[len(p)-200:]...) }), "", exitLoss},
		"a stream after a greeting":    {append([]byte("hello\n"), streamOf(t, whole)...), "1230", exitDone},
		"a stream with a damaged byte": {clone(func([]byte) []byte { s := streamOf(t, whole); s[6000] ^= 0xFF; return s }), "", exitDone},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "in.arrow")
			if err := os.WriteFile(path, c.data, 0o600); err != nil {
				t.Fatal(err)
			}
			read := func(args ...string) (code int, out, words string) {
				var stdout, stderr bytes.Buffer
				a := &app{stdout: &stdout, stderr: &stderr}
				code = a.run(args...)
				return code, stdout.String(), stderr.String()
			}
			code, out, words := read("info", path)
			if code != c.info && name != "a stream with a damaged byte" || c.rows != "" && !strings.Contains(out, c.rows+" in") {
				t.Errorf("info exits with %d: %s%s", code, out, words)
			}
			for _, args := range [][]string{
				{"slice", path, "-o", filepath.Join(dir, "slice.arrow")},
				{"export", path, "-o", filepath.Join(dir, "export.csv")},
				{"cat", path},
				{"recover", path, "-o", filepath.Join(dir, "recovered.arrow")},
			} {
				code, out, words := read(args...)
				if code != exitDone && code != exitLoss || strings.Contains(words, "choose a recording") {
					t.Errorf("%s exits with %d: %.400s%s", args[0], code, out, words)
				}
			}
			if code, out, words := read("verify", filepath.Join(dir, "recovered.arrow"), "--quiet"); code != exitDone && !strings.Contains(out, "gap") && !strings.Contains(out, "suspect") {
				t.Errorf("verify of what was recovered exits with %d: %s%s", code, out, words)
			}
		})
	}
}

// streamOf writes a file as a stream.
func streamOf(t *testing.T, file []byte) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.arrow")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	a := &app{stdout: &stdout, stderr: &stderr}
	if code := a.run("cat", path); code != exitDone {
		t.Fatalf("cat exits with %d: %s", code, &stderr)
	}
	return stdout.Bytes()
}
