package recording

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// verifyAll verifies a file and holds what is found against what is always
// true.
func verifyAll(t testing.TB, file []byte, o VerifyOptions) ([]Finding, error) {
	t.Helper()
	before := bytes.Clone(file)
	var list []Finding
	var failed error
	at := int64(0)
	for f, err := range Verify(bytes.NewReader(file), int64(len(file)), o) {
		if err != nil {
			if failed = err; f != (Finding{}) {
				t.Fatalf("a finding beside an error: %+v", f)
			}
			continue
		}
		if failed != nil {
			t.Fatal("a finding behind the error")
		}
		if f.Offset < 0 || f.Length < 0 || f.Length > int64(len(file))-f.Offset || f.Reason == "" {
			t.Errorf("a finding beyond the file of %d bytes: %+v", len(file), f)
		}
		switch f.Severity {
		case "error", "warning", "info":
		default:
			t.Errorf("severity of %+v", f)
		}
		if channels := f.Batch < 0 && f.Severity == "info"; !channels && f.Offset < at {
			t.Errorf("not in file order: %+v", f)
		} else if !channels {
			at = f.Offset
		}
		list = append(list, f)
	}
	if !bytes.Equal(before, file) {
		t.Fatal("the file was changed")
	}
	return list, failed
}

func hasError(list []Finding) bool {
	for i := range list {
		if list[i].Severity == "error" {
			return true
		}
	}
	return false
}

func TestWholeForeignFilesVerify(t *testing.T) {
	paths, err := filepath.Glob(foreign + "*/*.arrow")
	if err != nil || len(paths) < 60 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			list, err := verifyAll(t, data, VerifyOptions{})
			killed := strings.Contains(name, "kill")
			if err != nil && !killed {
				t.Fatal(err)
			}
			if broken := hasError(list); err == nil && broken != killed {
				t.Errorf("%+v", list)
			}
			for _, f := range list {
				t.Logf("%+v", f)
			}
		})
	}
}
