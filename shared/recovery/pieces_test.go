package recovery_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

// inPieces has all columns of fixed width checked in small pieces meanwhile.
func inPieces(bytes int64, do func()) {
	whole, piece := body.WholeBytes, body.PieceBytes
	body.WholeBytes, body.PieceBytes = 0, bytes
	defer func() { body.WholeBytes, body.PieceBytes = whole, piece }()
	do()
}

// What is found of a column that is too large to be checked at once is what is found of
// all of it: nulls, ticks, gaps, zeros of lost blocks, damage.
func TestColumnsInPiecesShowTheSame(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../../testdata/foreign/*/*.arrow*", "../../testdata/field/*.arrow*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 50 {
		t.Fatalf("%d files", len(files))
	}
	for _, path := range files {
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(file) == 0 || len(file) > 1<<18 {
			continue
		}
		variants := [][]byte{file}
		for _, at := range []int{len(file) / 3, len(file) / 2} { // a lost block, and a changed byte
			changed := bytes.Clone(file)
			clear(changed[at&^511 : min(len(file), at&^511+1024)])
			variants = append(variants, changed)
			changed = bytes.Clone(file)
			changed[at] ^= 0x10
			variants = append(variants, changed)
		}
		for n, data := range variants {
			wanted, wantErr := allFindings(data)
			plan, planErr := recovery.Examine(context.Background(), bytes.NewReader(data), int64(len(data)), nil)
			for _, size := range []int64{1 << 12} {
				inPieces(size, func() {
					got, err := allFindings(data)
					if !reflect.DeepEqual(got, wanted) || (err == nil) != (wantErr == nil) {
						t.Errorf("%s, %d, in pieces of %d bytes: %+v, %v\nnot %+v, %v", path, n, size, got, err, wanted, wantErr)
					}
					again, err := recovery.Examine(context.Background(), bytes.NewReader(data), int64(len(data)), nil)
					if (err == nil) != (planErr == nil) || err == nil && (!reflect.DeepEqual(again.Spans, plan.Spans) || again.Report.Outcome != plan.Report.Outcome) {
						t.Errorf("%s, %d, in pieces of %d bytes: another plan (%v, %v)", path, n, size, err, planErr)
					}
				})
			}
		}
	}
}

// allFindings verifies a file. How often a channel reaches an end of its range is left out,
// for pieces end runs of such values.
func allFindings(file []byte) (list []recording.Finding, err error) {
	for f, failed := range recovery.Verify(context.Background(), bytes.NewReader(file), int64(len(file)), &recovery.VerifyOptions{AcqClockHz: 250_000_000}) {
		if failed != nil {
			return list, failed
		}
		for _, codec := range []string{": zstd: ", ": lz4: "} { // they say the same in other words
			f.Reason, _, _ = strings.Cut(f.Reason, codec)
		}
		if !strings.Contains(f.Reason, ": clipped: ") {
			list = append(list, f)
		}
	}
	return list, nil
}
