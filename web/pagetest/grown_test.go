package pagetest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A file that is being written when it is dropped, and goes on being written, is
// followed: browsers refuse to read on in what they were given.
func TestADroppedFileThatGrowsIsReadOn(t *testing.T) {
	const rows, batches = 2000, 6
	about := &stream.Stream{AcqClockHz: 250_000_000, Columns: []stream.Column{{Name: "AmplifierData0", Type: stream.Uint16, ByteWidth: 2}, {Name: "Clock", Type: stream.Uint64, ByteWidth: 8}}}
	var file testdata.Memory
	w, err := recording.NewWriter(&file, about, recording.WriterOptions{})
	check(t, err)
	ends := make([]int, batches) // of batches
	for i := range batches {
		vectors := make([]recording.Vector, 2)
		for row := range rows {
			n := i*rows + row
			vectors[0].Data = append(vectors[0].Data, byte(n), byte(n>>8))
			for k := range 8 {
				vectors[1].Data = append(vectors[1].Data, byte(n*25_000>>(8*k)))
			}
		}
		_, err := w.WriteBatch(rows, vectors)
		check(t, err)
		ends[i] = len(file.Data)
	}
	check(t, w.Close())
	path := filepath.Join(t.TempDir(), "growing_0.arrow")
	written, err := os.Create(path)
	check(t, err)
	defer written.Close()
	at := 0
	write := func(bytes int) {
		_, err := written.Write(file.Data[at:bytes])
		check(t, err)
		at = bytes
	}
	notices := func(page *Page) {
		t.Helper()
		var said string
		check(t, page.Eval(`document.querySelector("#notices").innerText`, &said))
		if said != "" {
			t.Errorf("the page says %q", said)
		}
	}
	of := func(batches int) string {
		return fmt.Sprintf(`(await oniscope.info("growing_0")).rows === %d`, batches*rows)
	}

	write(ends[1])
	page := ready(t, desk, path)
	check(t, page.WaitFor(patience, of(2)))
	var whole, later struct {
		From, To float64
	}
	check(t, page.Eval(`oniscope.view()`, &whole))
	write(ends[3]) // nobody touches the page
	check(t, page.WaitFor(patience, of(4)))
	check(t, page.WaitFor(patience, `document.querySelector("#status-exact").textContent === "exact"`))
	check(t, page.Eval(`oniscope.view()`, &later))
	if later.To < 1.9*whole.To {
		t.Errorf("a view of all up to %g goes up to %g after twice as much was written", whole.To, later.To)
	}
	notices(page)

	// A read that fails is done again, and what asked for it knows nothing of that.
	write(ends[4])
	var values struct{ Values []int }
	check(t, page.Eval(fmt.Sprintf(`(async () => {
		await oniscope.view({from: %g, to: %g});
		for (let n = 0; n < 100 && (await oniscope.info("growing_0")).rows < %d; n++) await new Promise((resolve) => setTimeout(resolve, 50));
		return {values: [...(await oniscope.values("growing_0", 0, %d, %d)).values]};
	})()`, later.To/8, later.To/4, 5*rows, 5*rows-1, 5*rows), &values))
	if len(values.Values) != 1 || values.Values[0] != 5*rows-1 {
		t.Errorf("the last row is %v, want %d", values.Values, 5*rows-1)
	}
	notices(page)

	write(len(file.Data)) // done
	check(t, page.WaitFor(patience, `(await oniscope.info("growing_0")).state === "complete"`))
	check(t, page.WaitFor(patience, of(batches)))
	notices(page)
}
