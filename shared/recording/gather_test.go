package recording_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A gatheringFile takes pieces, until its room is full.
type gatheringFile struct {
	testdata.Memory
	room   int
	writes int // in pieces
}

func (f *gatheringFile) WritePieces(pieces [][]byte) (int64, error) {
	f.writes++
	p := slices.Concat(pieces...)
	if len(f.Data)+len(p) > f.room {
		p = p[:f.room-len(f.Data)]
		n, _ := f.Write(p)
		return int64(n), errNoRoom
	}
	n, err := f.Write(p)
	return int64(n), err
}

var errNoRoom = errors.New("no room")

// TestABatchInPiecesIsTheSameBatch: the bytes do not depend on how a file takes
// them, whatever the number of rows leaves of padding.
func TestABatchInPiecesIsTheSameBatch(t *testing.T) {
	s := &stream.Stream{Name: "probe", AcqClockHz: 1000}
	for i := range 40 {
		s.Columns = append(s.Columns, stream.Column{Name: fmt.Sprint("Value", i), Type: stream.Uint16, ArrowType: "uint16", ByteWidth: 2})
	}
	s.Columns = append(s.Columns, stream.Column{Name: "Clock", Type: stream.Uint64, ArrowType: "uint64", ByteWidth: 8})
	batch := func(rows int) (vectors []recording.Vector) {
		for i := range s.Columns {
			data := make([]byte, rows*s.Columns[i].ByteWidth)
			for k := range data {
				data[k] = byte(k*7 + i)
			}
			vectors = append(vectors, recording.Vector{Len: rows, Data: data})
		}
		return vectors
	}
	whole, pieces := &testdata.Memory{}, &gatheringFile{room: 1 << 30}
	var blocks [2][]recording.Block
	for i, f := range []recording.File{whole, pieces} {
		w, err := recording.NewWriter(f, s, recording.WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, rows := range []int{4000, 3999, 10, 4001, 4032} {
			w.Lost(recording.LostRows{FirstClock: 1, LastClock: 2, Rows: 3, Cause: recording.CauseFIFO})
			b, err := w.WriteBatch(rows, batch(rows))
			if err != nil {
				t.Fatal(err)
			}
			blocks[i] = append(blocks[i], b)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(whole.Data, pieces.Data) || !slices.Equal(blocks[0], blocks[1]) {
		t.Error("the files differ")
	}
	if pieces.writes != 4 {
		t.Errorf("%d writes in pieces, want those of the 4 large batches", pieces.writes)
	}
}

// TestABatchInPiecesThatDoesNotFitIsCutOff.
func TestABatchInPiecesThatDoesNotFitIsCutOff(t *testing.T) {
	s := testdata.EveryType()
	s.Columns = []stream.Column{{Name: "Clock", Type: stream.Uint64, ArrowType: "uint64", ByteWidth: 8}}
	f := &gatheringFile{room: 1 << 20}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const rows = 50_000
	data := make([]byte, 8*rows)
	good := 0
	for ; err == nil; good++ {
		_, err = w.WriteBatch(rows, []recording.Vector{{Data: data}})
	}
	if !errors.Is(err, errNoRoom) || good-1 != 2 || int64(len(f.Data)) != w.Size() {
		t.Errorf("%v after %d batches; %d bytes, want %d", err, good-1, len(f.Data), w.Size())
	}
}
