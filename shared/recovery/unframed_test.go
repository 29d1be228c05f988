package recovery_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

// Of a file of Polars, whose footer alone says where its dictionaries are, all
// is read; without the footer what the schema in front says is enough for what
// needs no dictionary.
func TestASchemaWithoutItsFrameIsRead(t *testing.T) {
	data := testdata.Foreign(t, "polars/batches_zstd.arrow")
	r := testdata.Open(t, data)
	if rows := testdata.IndexAll(t, r); rows != 400 || r.About().State != recording.Complete {
		t.Errorf("%d rows, %s: %+v", rows, r.About().State, r.Findings())
	}
	cut := data[:len(data)-400]
	r = testdata.Open(t, cut)
	if rows := testdata.IndexAll(t, r); rows != 300 || r.About().State != recording.Unfinished {
		t.Errorf("cut: %d rows, %s: %+v", rows, r.About().State, r.Findings())
	}
	// What is lost between the schema and the first batch that is found is reported.
	damaged := bytes.Clone(cut)
	first := bytes.Index(damaged, []byte{0xFF, 0xFF, 0xFF, 0xFF})
	clear(damaged[first : first+8])
	r = testdata.Open(t, damaged)
	if rows := testdata.IndexAll(t, r); rows != 150 || r.About().State != recording.Damaged || len(r.Findings()) != 4 || r.Findings()[1].LostRows != -1 {
		t.Errorf("damaged: %d rows, %s: %+v", rows, r.About().State, r.Findings())
	}
	p, err := recovery.Examine(context.Background(), bytes.NewReader(damaged), int64(len(damaged)), nil)
	if err != nil || p.Report.Outcome != recovery.Lossy || p.Report.RowsRecovered != 150 {
		t.Errorf("recovered: %v", err)
	}
}

// Batches that have moved away from where the footer lists them are found, and
// where none is found, that is a loss.
func TestBatchesThatTheFooterPointsBesideAreNotForgotten(t *testing.T) {
	data := testdata.Foreign(t, "pyarrow/file_zstd.arrow")
	blocks := dissect.Footer(t, data).Batches
	from := 300 // inside the schema
	without := func(to int64) []byte { return append(bytes.Clone(data[:from]), data[to:]...) }

	_, report := recoverBytes(t, without(blocks[0].Offset+8))
	if report.Outcome != recovery.Lossy || report.RowsRecovered != 49 {
		t.Errorf("the first is damaged: %+v", report)
	}
	gone := without(blocks[2].Offset + int64(blocks[2].MetaLength) + blocks[2].BodyLength)
	_, err := recovery.Examine(context.Background(), bytes.NewReader(gone), int64(len(gone)), nil)
	var failed *recovery.Error
	if !errors.As(err, &failed) || failed.Report.BatchesRecovered != 0 {
		t.Errorf("all are gone: %v", err)
	}
}

// A mark in the middle of a stream may be what is left of a batch.
func TestBytesBehindTheEndOfAStreamAreALoss(t *testing.T) {
	data := testdata.Foreign(t, "pyarrow/stream.arrow")
	var last *messages.Message
	for _, m := range messagesOf(t, data) {
		last = m
	}
	damaged := bytes.Clone(data)
	clear(damaged[last.At+4 : last.At+8])
	p, err := recovery.Examine(context.Background(), bytes.NewReader(damaged), int64(len(damaged)), nil)
	if err != nil || p.Report.Outcome != recovery.Lossy || p.Report.RowsRecovered != 80 {
		t.Errorf("%v", err)
	}
	zeros := append(bytes.Clone(data), make([]byte, 100)...)
	if p, err = recovery.Examine(context.Background(), bytes.NewReader(zeros), int64(len(zeros)), nil); err != nil || p.Report.Outcome != recovery.Lossless {
		t.Errorf("zeros after the end: %v", err)
	}
}

// We store no buffer of a compressed body as it is: one that is, was changed.
func TestAStoredBufferInAFileOfOursIsSuspect(t *testing.T) {
	file, _ := testdata.WriteRandom(t, testdata.Small(), recording.LZ4, 5, 30, 30)
	block := dissect.Footer(t, file.Data).Batches[1]
	m := dissect.Message(t, file.Data, block)
	damaged := bytes.Clone(file.Data)
	at := block.Offset + int64(block.MetaLength) + m.Batch.Buffers[1].Offset
	copy(damaged[at:], bytes.Repeat([]byte{0xFF}, 8))
	found := false
	for f, err := range recovery.Verify(context.Background(), bytes.NewReader(damaged), int64(len(damaged)), nil) {
		if err != nil {
			t.Fatal(err)
		}
		found = found || f.Severity != recording.SeverityInfo && f.Batch == 1
	}
	if !found {
		t.Error("verify says nothing")
	}
}

// A count that was changed shows nothing that lies under nulls.
func TestNullsThatTheHeaderDoesNotCountAreFound(t *testing.T) {
	data := bytes.Clone(testdata.Foreign(t, "pyarrow/file.arrow"))
	block := dissect.Footer(t, data).Batches[0]
	m := dissect.Message(t, data, block)
	n := m.Batch.Nodes[1]
	node := arrowNode(n)
	at := bytes.Index(data[block.Offset:], node)
	if n.NullCount == 0 || at < 0 {
		t.Fatalf("no node %+v", n)
	}
	copy(data[block.Offset+int64(at):], arrowNode(arrowipc.FieldNode{Length: n.Length}))
	_, err := testdata.Open(t, data).ReadBatch(0, []int{1})
	if !errors.Is(err, recording.ErrDamaged) || !strings.Contains(err.Error(), "0 by its header") {
		t.Errorf("%v", err)
	}
}

func arrowNode(n arrowipc.FieldNode) []byte {
	return testdata.LE64(uint64(n.Length), uint64(n.NullCount))
}
