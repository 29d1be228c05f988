//go:build darwin || linux

package store

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestPiecesAreWrittenOneAfterAnother: more than one write takes, empty ones
// among them, after what is there and after a truncate.
func TestPiecesAreWrittenOneAfterAnother(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := diskFile{f}
	rng := rand.New(rand.NewPCG(1, 2))
	var want []byte
	for _, count := range []int{0, 1, 3, 1024, 1025, 5000} {
		pieces := make([][]byte, count)
		for i := range pieces {
			pieces[i] = make([]byte, rng.IntN(3)*rng.IntN(9000))
			for k := range pieces[i] {
				pieces[i][k] = byte(rng.Uint32())
			}
		}
		before := slices.Clone(pieces)
		all := slices.Concat(pieces...)
		want = append(want, all...)
		if n, err := d.WritePieces(pieces); err != nil || n != int64(len(all)) {
			t.Fatalf("%d pieces: %d of %d bytes, %v", count, n, len(all), err)
		}
		for i := range pieces {
			if !bytes.Equal(pieces[i], before[i]) {
				t.Fatalf("piece %d of %d was changed", i, count)
			}
		}
		want = want[:len(want)*9/10]
		if err := d.Truncate(int64(len(want))); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(f.Name()); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d: %v", len(got), len(want), err)
	}
}
