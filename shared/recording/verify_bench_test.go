//go:build !js

package recording

import (
	"bytes"
	"fmt"
	"testing"
)

// BenchmarkVerify verifies 3 batches of 386 columns, from memory.
func BenchmarkVerify(b *testing.B) {
	for _, codec := range []Codec{None, Zstd} {
		b.Run(fmt.Sprintf("columns=386/codec=%v", codec), func(b *testing.B) {
			data := benchFile[codec]()
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				for f, err := range Verify(bytes.NewReader(data), int64(len(data)), VerifyOptions{}) {
					if err != nil || f.Severity == SeverityError { // the batches are three times the same
						b.Fatal(f, err)
					}
				}
			}
		})
	}
}
