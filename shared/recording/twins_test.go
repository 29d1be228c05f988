package recording_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

func TestNoWriterIsForgottenAndEveryFileHasItsTwin(t *testing.T) {
	count := map[string]int{}
	for _, f := range testdata.Twins(t) {
		writer, _, _ := strings.Cut(f.Name, "/")
		count[writer]++
	}
	for writer, least := range map[string]int{"pyarrow": 40, "arrow-go": 12, "arrow-rs": 12, "arrow-js": 6, "polars": 8} {
		files, err := filepath.Glob(testdata.Path("foreign/" + writer + "/*.arrow"))
		if err != nil || len(files) != count[writer] || len(files) < least {
			t.Errorf("%s: %d files, %d twins, want %d or more", writer, len(files), count[writer], least)
		}
	}
}

func TestEveryWritersFileIsReportedAsItsTwinSays(t *testing.T) {
	for _, f := range testdata.Twins(t) {
		t.Run(f.Name, func(t *testing.T) {
			r, err := recording.NewReader(bytes.NewReader(f.Data), int64(len(f.Data)))
			if f.Want.Error != "" {
				if !errors.Is(err, recording.ErrBigEndian) || !strings.Contains(err.Error(), f.Want.Error) {
					t.Errorf("not refused as %s: %v", f.Want.Error, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			checkTwinInfo(t, r, &f.Want)
			testdata.CheckTwinValues(t, r, &f.Want)
		})
	}
}

func checkTwinInfo(t *testing.T, r *recording.Reader, want *testdata.Twin) {
	t.Helper()
	info, err := testdata.Info(r)
	if err != nil {
		t.Fatal(err)
	}
	if info.Format.String() != want.Format || info.Rows != want.Rows() || info.Batches != len(want.BatchRows) || info.Compression != want.Compression {
		t.Errorf("%s of %d rows in %d batches, %s; want %s of %v, %s", info.Format, info.Rows, info.Batches, info.Compression, want.Format, want.BatchRows, want.Compression)
	}
	if info.State != recording.Complete || len(info.Findings) != 0 {
		t.Errorf("%s: %+v", info.State, info.Findings)
	}
	for i, rows := range want.BatchRows {
		if start, end, err := r.BatchRange(i); err != nil || end-start != rows {
			t.Errorf("batch %d: rows [%d, %d), %v; want %d", i, start, end, err, rows)
		}
	}
	testdata.CheckTwinSchema(t, r, want)
}
