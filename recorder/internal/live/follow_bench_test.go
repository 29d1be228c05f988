package live

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/oniscope/oniscope/recorder/internal/run"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// probeOf writes a recording of a probe, in batches of a second, and is done.
func probeOf(t testing.TB, seconds int, codec recording.Codec) *Hub {
	t.Helper()
	const channels, rows = 768, 30_000
	s := &stream.Stream{Name: "probe", AcqClockHz: 250_000_000, Columns: []stream.Column{{Name: "Clock", Type: stream.Uint64, ArrowType: "uint64", ByteWidth: 8}}}
	for c := range channels {
		s.Columns = append(s.Columns, stream.Column{Name: fmt.Sprintf("SpikeData%d", c), Type: stream.Uint16, ArrowType: "uint16", ByteWidth: 2})
	}
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "probe_0.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := recording.NewWriter(diskFile{f}, s, recording.WriterOptions{Codec: codec})
	if err != nil {
		t.Fatal(err)
	}
	h := NewHub()
	t.Cleanup(h.Close)
	h.Begun(run.Begun{Dir: dir, Suffix: "0", StartUTC: "2026-11-28T12:00:00Z", AcqClockHz: s.AcqClockHz})
	h.Opened(s, "probe_0.arrow")
	random := rand.New(rand.NewPCG(1, 2))
	columns := make([]recording.Vector, 1+channels)
	for second := range seconds {
		columns[0].Data = columns[0].Data[:0]
		for row := range rows {
			columns[0].Data = binary.LittleEndian.AppendUint64(columns[0].Data, uint64(second*rows+row)*8333)
		}
		for c := range channels {
			d := columns[1+c].Data[:0]
			for range rows {
				d = binary.LittleEndian.AppendUint16(d, uint16(512+random.Uint32()&31))
			}
			columns[1+c].Data = d
		}
		block, err := w.WriteBatch(rows, columns)
		if err != nil {
			t.Fatal(err)
		}
		h.Written("probe", "probe_0.arrow", block)
	}
	h.Ended(&store.Summary{})
	return h
}

// BenchmarkFollow is what one program takes that follows all or some channels of a probe.
func BenchmarkFollow(b *testing.B) {
	for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
		h := probeOf(b, 2, codec)
		for _, columns := range [][]string{nil, {"SpikeData1?", "Clock"}} {
			b.Run(fmt.Sprintf("%s/columns=%d", codec, len(columns)), func(b *testing.B) {
				var out counting
				b.ReportAllocs()
				for b.Loop() {
					out = 0
					if err := h.Follow(b.Context(), "probe", Following{From: "start", Columns: columns}, &out, nil); err != nil {
						b.Fatal(err)
					}
				}
				b.SetBytes(int64(out))
			})
		}
	}
}

type counting int64

func (c *counting) Write(p []byte) (int, error) {
	*c += counting(len(p))
	return io.Discard.Write(p)
}
