//go:build !js

package recording

import (
	"reflect"
	"testing"

	"github.com/oniscope/oniscope/shared/stream"
)

// checkOracle reads a file with arrow-go and holds every value against ours.
func checkOracle(t *testing.T, file []byte) {
	t.Helper()
	o := readOracle(t, file)
	r := openBytes(t, file)
	batches := batchesOf(t, file)
	if len(o.batches) != len(batches) {
		t.Fatalf("arrow-go reads %d batches, we %d", len(o.batches), len(batches))
	}
	for i, b := range batches {
		for k := range b.Columns {
			c := r.Stream().Columns[b.Columns[k].Column]
			if c.Type == stream.FixedBinary {
				c.ByteWidth = b.Columns[k].Width
			}
			if want := vectorTexts(&c, &b.Columns[k]); !reflect.DeepEqual(o.batches[i][b.Columns[k].Column], want) {
				t.Fatalf("batch %d column %q: arrow-go reads\n%v\nwe\n%v", i, c.Name, o.batches[i][b.Columns[k].Column], want)
			}
		}
	}
}

func TestArrowGoReadsTheSameFromRecoveredFiles(t *testing.T) {
	n := 0
	for _, f := range bonsaiFiles {
		if f.killed {
			out, _ := recoverBytes(t, readForeign(t, "bonsai/"+f.name+".arrow"))
			checkOracle(t, out)
			n++
		}
	}
	for name, want := range killedCSharp {
		if want.err == nil {
			out, _ := recoverBytes(t, readForeign(t, "csharp/"+name+".arrow"))
			checkOracle(t, out)
			n++
		}
	}
	out, _ := recoverBytes(t, readForeign(t, "csharp/cs_empty.arrow"))
	checkOracle(t, out)
	for _, codec := range bothCodecs {
		f, _ := writeRandom(t, everyType(), codec, 41, 50, 50, 50, 9)
		blocks := footerOf(t, f.data).Batches
		for _, cut := range []int{len(f.data) - 1, int(blocks[3].Offset) + 1, int(blocks[2].Offset) + 3000} {
			out, _ := recoverBytes(t, f.data[:cut])
			checkOracle(t, out)
		}
		clear(f.data[blocks[1].Offset : blocks[1].Offset+300])
		clear(f.data[:64])
		out, report := recoverBytes(t, f.data)
		if report.BatchesRecovered != 3 {
			t.Errorf("%+v", report)
		}
		checkOracle(t, out)
	}
	if n < 10 {
		t.Errorf("only %d killed files", n)
	}
}
