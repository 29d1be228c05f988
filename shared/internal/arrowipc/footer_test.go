package arrowipc_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// A footer says the same whether the schema message at the beginning is known or
// not: of files of every writer, and with any of its bits changed. That of nearly
// every writer is in the same bytes, so that only one is parsed.
func TestFootersSayTheSameWithAKnownSchema(t *testing.T) {
	files, err := filepath.Glob(testdata.Path("foreign/*/*.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	shared := map[string]int{} // by writer
	flipped := map[string]int{}
	for _, path := range files {
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		front, footer := endsOf(file)
		if front == nil {
			continue
		}
		writer := filepath.Base(filepath.Dir(path))
		got, alone := sameFooter(t, path, footer, front)
		if got == nil || !reflect.DeepEqual(&got.Schema, front.Schema) {
			continue // Arrow Java's, which states no version, and the like
		}
		if fields := got.Schema.Fields; len(fields) > 0 && &fields[0] == &front.Schema.Fields[0] && got.Schema.Equal(front.Schema) {
			shared[writer]++
		}
		if !got.Schema.Equal(&alone.Schema) {
			t.Errorf("%s: the schema of the footer is not equal to itself", path)
		}
		for i := 0; i < 8*len(footer) && len(footer) < 2000 && flipped[writer] < 12_000; i++ {
			changed := bytes.Clone(footer)
			changed[i/8] ^= 1 << (i % 8)
			sameFooter(t, path, changed, front)
			flipped[writer]++
		}
	}
	for _, writer := range []string{"arrow-go", "arrow-rs", "bonsai", "csharp", "pyarrow"} {
		if shared[writer] < 2 || writer != "arrow-rs" && flipped[writer] < 3000 {
			t.Errorf("%s: of %d footers the schema is shared, %d bits were changed", writer, shared[writer], flipped[writer])
		}
	}
}

// endsOf returns the schema message at the beginning of a file and the bytes of its
// footer; nil if it is a stream, or framed in another way.
func endsOf(file []byte) (front *arrowipc.Message, footer []byte) {
	if len(file) < 32 || !bytes.HasSuffix(file, []byte(arrowipc.Magic)) {
		return nil, nil
	}
	prefix, length, err := arrowipc.ParsePrefix(file[arrowipc.HeaderLength:])
	if err != nil {
		return nil, nil
	}
	at := arrowipc.HeaderLength + prefix
	if front, err = arrowipc.ParseMessage(file[at : at+int(length)]); err != nil || front.Schema == nil {
		return nil, nil
	}
	end := len(file) - arrowipc.TrailerLength
	return front, file[end-int(binary.LittleEndian.Uint32(file[end:])) : end]
}

func sameFooter(t *testing.T, name string, footer []byte, front *arrowipc.Message) (got, alone *arrowipc.Footer) {
	t.Helper()
	got, err := arrowipc.ParseFooter(footer, front)
	alone, aloneErr := arrowipc.ParseFooter(footer, nil)
	if (err == nil) != (aloneErr == nil) || err != nil && err.Error() != aloneErr.Error() || !reflect.DeepEqual(got, alone) {
		t.Fatalf("%s: with a known schema %+v, %v\nalone %+v, %v", name, got, err, alone, aloneErr)
	}
	return got, alone
}
