package recording_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
)

func TestPlannedReadsFillEveryBufferOnceAndReadLittleMore(t *testing.T) {
	const seed = 7
	rule := recording.ReadRule{Gap: 32 << 10, Most: 2 << 20}
	r := rand.New(rand.NewPCG(seed, 0))
	file := make([]byte, 12<<20)
	for i := range file {
		file[i] = byte(r.Uint32())
	}
	for round := range 60 {
		var offsets []int64
		var bufs [][]byte
		wanted := int64(0)
		for range 1 + r.IntN(40) {
			n := r.IntN(100_000)
			if r.IntN(8) == 0 {
				n = r.IntN(5 << 20)
			}
			offsets = append(offsets, int64(r.IntN(len(file)-n)))
			bufs = append(bufs, make([]byte, n))
			wanted += int64(n)
		}
		read := int64(0)
		for _, p := range recording.PlanReads(len(bufs), func(i int) (int64, int64) { return offsets[i], int64(len(bufs[i])) }, rule) {
			if p.To-p.From > rule.Most || p.From >= p.To {
				t.Fatalf("seed %d round %d: a piece of %d bytes", seed, round, p.To-p.From)
			}
			read += p.To - p.From
			for _, part := range p.Parts {
				copy(bufs[part.Index][part.Skip:part.Skip+part.Length], file[part.At:p.To])
			}
		}
		for i, at := range offsets {
			if !bytes.Equal(bufs[i], file[at:at+int64(len(bufs[i]))]) {
				t.Fatalf("seed %d round %d: range %d differs", seed, round, i)
			}
		}
		if more := read - wanted; more > int64(len(offsets))*rule.Gap {
			t.Fatalf("seed %d round %d: %d bytes read for %d", seed, round, read, wanted)
		}
	}
}

func TestPlannedReadsJoinTheColumnsOfABatch(t *testing.T) {
	at := func(c int) (int64, int64) { return int64(c) * 60032, 60000 } // 60 000 bytes a column, padded to 64
	if plan := recording.PlanReads(64, at, recording.ReadRule{Gap: 32 << 10, Most: 2 << 20}); len(plan) > 5 {
		t.Errorf("%d reads for 3.8 MB in a row, want 4 or 5", len(plan))
	}
}
