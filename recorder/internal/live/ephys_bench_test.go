package live

import (
	"fmt"
	"testing"

	"github.com/oniscope/oniscope/shared/stream"
)

// BenchmarkEphysTake is a second of a probe for one client of an Ephys Socket.
func BenchmarkEphysTake(b *testing.B) {
	const channels, rows = 384, 30_000
	for _, stride := range []int{1, 12} {
		b.Run(fmt.Sprintf("stride=%d", stride), func(b *testing.B) {
			of := &signal{typ: stream.Uint16, width: 2, stride: stride, samples: 300 / stride}
			p := &piece{rows: rows / 30}
			for c := range channels {
				of.columns = append(of.columns, c)
				p.columns = append(p.columns, make([]byte, p.rows*2))
			}
			e := newEphysClient(of)
			b.SetBytes(channels * rows / int64(stride) * 2)
			for b.Loop() {
				for range 30 {
					e.take(p)
				}
				e.queue, e.bytes = e.queue[:0], 0
			}
		})
	}
}
