package recording_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

// An archive is named as one also where it has a recording inside unchanged: that can be
// found, but by nobody else.
func TestAnArchiveWithARecordingInsideIsNoRecording(t *testing.T) {
	file, _ := testdata.WriteRandom(t, testdata.Small(), recording.None, 1, 100)
	var zipped, packed bytes.Buffer
	z := zip.NewWriter(&zipped)
	w, err := z.CreateHeader(&zip.FileHeader{Name: "probe_0.arrow", Method: zip.Store})
	if err == nil {
		_, err = w.Write(file.Data)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	p := tar.NewWriter(&packed)
	if err = p.WriteHeader(&tar.Header{Name: "probe_0.arrow", Mode: 0o644, Size: int64(len(file.Data))}); err == nil {
		_, err = p.Write(file.Data)
	}
	if err == nil {
		err = p.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	for want, data := range map[string][]byte{"a zip archive: unpack it first": zipped.Bytes(), "a tar archive: unpack it first": packed.Bytes()} {
		if _, err := recording.NewReader(bytes.NewReader(data), int64(len(data))); !errors.Is(err, recording.ErrNotArrow) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
