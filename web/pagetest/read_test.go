package pagetest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A batch of 2.24 GB at an address is drawn from a part of it, and its last rows are had.
func TestABatchOfGigabytesInThePage(t *testing.T) {
	server, page := openServed(t, desk)
	file, size := testdata.OneBatch(t)
	server.Add("one-batch.arrow", file, size)
	check(t, page.Eval(`oniscope.open(["one-batch.arrow"])`, nil))
	check(t, page.WaitDrawn(0))
	var got struct {
		Rows          int64
		Last, Seventh []string
		View          struct{ From, To float64 }
		Bytes, Read   int64
		Notices       string
	}
	check(t, page.Eval(`(async () => {
		const id = "one-batch", {rows} = await oniscope.info(id);
		const View = await oniscope.view({stream: id, from: 139990000, to: 139995000});
		const last = async (column) => Array.from((await oniscope.values(id, column, rows - 2, rows)).values, String);
		const {bytes, read} = await oniscope.engine();
		return {Rows: rows, Last: await last("nums1"), Seventh: await last("nums2"), View, Bytes: bytes, Read: read, Notices: document.querySelector("#notices").innerText};
	})()`, &got))
	if got.Rows != 140_000_000 || strings.Join(got.Last, " ") != "139999998 139999999" || strings.Join(got.Seventh, " ") != "19999999.714285713 19999999.85714286" {
		t.Errorf("%+v", got)
	}
	if got.Bytes > 300<<20 || got.Notices != "" {
		t.Errorf("the engine has %d bytes, the page says %q", got.Bytes, got.Notices)
	}
}

// Until the first picture of a plain file is there, the page has read the rows of its
// view, Clock included, wherever the view cuts batches.
func TestTheFirstPictureReadsWhatItShows(t *testing.T) {
	const seconds, hz, period = 12, 250_000_000, 8333
	about := &stream.Stream{AcqClockHz: hz, Columns: []stream.Column{{Name: "Clock", Type: stream.Uint64, ByteWidth: 8}}}
	for c := range 24 {
		about.Columns = append(about.Columns, stream.Column{Name: fmt.Sprintf("AmplifierData%d", c), Type: stream.Uint16, ByteWidth: 2})
	}
	dir := t.TempDir()
	server, page := openServed(t, desk)
	for i, c := range []struct {
		batch   int
		address string
		percent int64
	}{
		{13_000, "", 105}, {200_000, "", 105}, {13_000, "several ranges at once", 105},
		{13_000, "one range at a time", 150}, // the rows between are read too: see engine.Requested
	} {
		batch := c.batch
		var file testdata.Memory
		w, err := recording.NewWriter(&file, about, recording.WriterOptions{})
		check(t, err)
		for from := 0; from < seconds*30_000; from += batch {
			n := min(batch, seconds*30_000-from)
			vectors := make([]recording.Vector, len(about.Columns))
			for i := range n {
				vectors[0].Data = binary.LittleEndian.AppendUint64(vectors[0].Data, uint64(from+i)*period+1000)
			}
			for c := range vectors[1:] {
				vectors[1+c].Data = make([]byte, 2*n)
			}
			_, err := w.WriteBatch(n, vectors)
			check(t, err)
		}
		check(t, w.Close())
		id := fmt.Sprintf("probe-%d_0", batch)
		path := filepath.Join(dir, id+".arrow")
		check(t, os.WriteFile(path, file.Data, 0o600))
		check(t, page.WaitQuiet())
		check(t, page.Eval(`(async () => {
			const root = document.documentElement, before = root.dataset.drawn, {read} = await oniscope.engine();
			globalThis.untilDrawn = new Promise((resolve) => new MutationObserver((_, observer) => {
				if (root.dataset.drawn === before) return;
				observer.disconnect();
				resolve(oniscope.engine().then((now) => now.read - read));
			}).observe(root, {attributes: true}));
		})()`, nil))
		if c.address != "" {
			name := fmt.Sprintf("%d-%s.arrow", i, id)
			server.Handle(name, func(w http.ResponseWriter, r *http.Request) {
				if c.percent > 105 && strings.Contains(r.Header.Get("Range"), ",") {
					r.Header.Del("Range") // all is sent, as by servers that know one range only
				}
				http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(file.Data))
			})
			check(t, page.Eval(fmt.Sprintf(`oniscope.open([{url: %q, name: %q}])`, name, id+".arrow"), nil))
		} else {
			check(t, page.Drop(path))
		}
		var got struct {
			Read, Metadata int64
			Drawn          string
		}
		check(t, page.Eval(fmt.Sprintf(`(async () => ({Read: await untilDrawn, Metadata: (await oniscope.info(%q)).metadata_bytes_read, Drawn: document.querySelector("#status").innerText}))()`, id), &got))
		const shown = (hz/period + 1) * (8 + 24*2)
		if !strings.Contains(got.Drawn, "24") {
			t.Fatalf("%s: channels are %q", id, got.Drawn)
		}
		t.Logf("%s: %d bytes read, %d of headers, %d shown", id, got.Read, got.Metadata, shown)
		if body := got.Read - got.Metadata; body > shown*c.percent/100 || body < shown {
			t.Errorf("%s, %q: %d bytes of columns were read of %d that are shown", id, c.address, body, shown)
		}
		closeAll(t, page)
	}
}
