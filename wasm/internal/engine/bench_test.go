package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// probeRecording has seconds of a probe: noise on 384 channels at 30 kHz.
func probeRecording(b *testing.B, seconds int, codec recording.Codec) []byte {
	b.Helper()
	s := &stream.Stream{AcqClockHz: testHz}
	for c := range 384 {
		s.Columns = append(s.Columns, stream.Column{Name: fmt.Sprintf("AmplifierData%d", c), Type: stream.Uint16, ArrowType: "uint16", ByteWidth: 2})
	}
	s.Columns = append(s.Columns, stream.Column{Name: "Clock", Type: stream.Uint64, ArrowType: "uint64", ByteWidth: 8})
	const rows = 30000
	r := rand.New(rand.NewPCG(2, 0))
	columns := make([]recording.Vector, 385)
	for c := range 384 {
		x := 0.0
		for range rows {
			x = 0.9*x + 8*r.NormFloat64()
			columns[c].Data = binary.LittleEndian.AppendUint16(columns[c].Data, uint16(2048+int(x)))
		}
	}
	file := &testdata.Memory{}
	w, err := recording.NewWriter(file, s, recording.WriterOptions{Codec: codec})
	if err != nil {
		b.Fatal(err)
	}
	for second := range seconds {
		columns[384].Data = nil
		for i := range rows {
			columns[384].Data = binary.LittleEndian.AppendUint64(columns[384].Data, uint64(second*rows+i)*testPeriod)
		}
		if _, err := w.WriteBatch(rows, columns); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return file.Data
}

func BenchmarkEnvelope(b *testing.B) {
	const seconds, rows = 4, 30000
	for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
		data := probeRecording(b, seconds, codec)
		for _, channels := range []int{1, 32, 384} {
			b.Run(fmt.Sprintf("codec=%v/channels=%d", codec, channels), func(b *testing.B) {
				columns := make([]int, channels)
				for i := range columns {
					columns[i] = i
				}
				b.SetBytes(int64(seconds * rows * channels * 2))
				b.ReportAllocs()
				for b.Loop() {
					e := &Engine{} // an empty cache
					info, err := e.Open(context.Background(), OpenArgs{"np_0", "np_0.arrow"}, bytes.NewReader(data), int64(len(data)), nil)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := e.Envelope(context.Background(), envelopeArgs(0, info.Clock.Last+1, 1400, "exact", columns...), nil); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
