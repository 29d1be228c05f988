//go:build !js

package recovery_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

// BenchmarkVerify verifies 3 batches of 386 columns, from memory.
func BenchmarkVerify(b *testing.B) {
	for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
		b.Run(fmt.Sprintf("columns=386/codec=%v", codec), func(b *testing.B) {
			data := testdata.BenchFile(codec)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				for f, err := range recovery.Verify(context.Background(), bytes.NewReader(data), int64(len(data)), nil) {
					if err != nil || f.Severity == recording.SeverityError { // the batches are three times the same
						b.Fatal(f, err)
					}
				}
			}
		})
	}
}
