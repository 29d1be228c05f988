package pagetest

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// Lanes and slow panels are drawn however long the recording is: on each side of
// what is loaded whole, and of what was the limit of one request.
func TestLanesAndPanelsOfAnyLengthAreDrawn(t *testing.T) {
	dir := t.TempDir()
	page := open(t, desk)
	var regions []stream.Column // more than one request may ask for
	for i := range 5000 {
		regions = append(regions, stream.Column{Name: fmt.Sprintf("Region_%d", i), Type: stream.Float32, ByteWidth: 4})
	}
	for _, c := range []struct {
		name    string
		columns []stream.Column
	}{
		{"regions", regions},
		{"digital", []stream.Column{{Name: "DigitalInputs", Type: stream.Uint8, ByteWidth: 1}}},
		{"memory", []stream.Column{{Name: "PercentUsed", Type: stream.Float64, ByteWidth: 8}, {Name: "BytesUsed", Type: stream.Uint32, ByteWidth: 4}}},
	} {
		for _, rows := range []int{4096, 4097, 8193, 32768, 32769, 70000} {
			if c.name == "regions" && rows > 4096 {
				break
			}
			if c.name == "regions" {
				rows = 10
			}
			id := fmt.Sprintf("%s-%d_0", c.name, rows)
			path := filepath.Join(dir, id+".arrow")
			check(t, os.WriteFile(path, slowRecording(t, c.columns, rows), 0o600))
			before, err := page.Drawn()
			check(t, err)
			check(t, page.Drop(path))
			check(t, page.WaitDrawn(before))
			var notices string
			check(t, page.Eval(fmt.Sprintf(`(async () => {
				const {from, to} = await oniscope.view({stream: %q, from: 0, to: %d});
				return (to > from ? "" : "no view") + document.querySelector("#notices").innerText;
			})()`, id, rows/10+1), &notices))
			if notices != "" {
				t.Errorf("%s: %s", id, notices)
			}
			closeAll(t, page)
		}
	}
}

// slowRecording has a row each 100 ms.
func slowRecording(t *testing.T, columns []stream.Column, rows int) []byte {
	t.Helper()
	var file testdata.Memory
	about := &stream.Stream{AcqClockHz: 250_000_000, Columns: append(columns[:len(columns):len(columns)], stream.Column{Name: "Clock", Type: stream.Uint64, ByteWidth: 8})}
	w, err := recording.NewWriter(&file, about, recording.WriterOptions{})
	check(t, err)
	const batch = 5000
	for from := 0; from < rows; from += batch {
		n := min(batch, rows-from)
		vectors := make([]recording.Vector, len(about.Columns))
		for k, c := range columns {
			vectors[k].Data = make([]byte, n*c.ByteWidth)
			for i := range n {
				vectors[k].Data[i*c.ByteWidth] = byte(from + i)
			}
		}
		for i := range n {
			vectors[len(columns)].Data = binary.LittleEndian.AppendUint64(vectors[len(columns)].Data, uint64(from+i)*25_000_000)
		}
		_, err := w.WriteBatch(n, vectors)
		check(t, err)
	}
	check(t, w.Close())
	return file.Data
}
