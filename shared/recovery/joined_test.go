package recovery_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
	"github.com/oniscope/oniscope/shared/stream"
)

// part writes 3 batches of 40 rows, whose Clock goes on from a row.
func joinPart(t *testing.T, name string, format recording.Format, codec recording.Codec, row int) []byte {
	t.Helper()
	s := &stream.Stream{Name: "s", AcqClockHz: 1000, StartUTC: fmt.Sprintf("2026-11-28T12:%02d:00Z", row%60), Columns: []stream.Column{{Name: name, Type: stream.Uint16}, {Name: "Clock", Type: stream.Uint64}}}
	f := &testdata.Memory{}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{Codec: codec, Format: format})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		columns := make([]recording.Vector, 2)
		for range 40 {
			columns[0].Data = append(columns[0].Data, testdata.LE16(uint16(row*7))...)
			columns[1].Data = append(columns[1].Data, testdata.LE64(uint64(row+1)*100)...)
			row++
		}
		if _, err := w.WriteBatch(40, columns); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Data
}

// Padding between two files, as tools that write blocks leave it, is no loss; bytes that
// may have been something are.
func TestBytesBetweenJoinedFiles(t *testing.T) {
	for _, c := range []struct {
		between, words string
		outcome        recovery.Outcome
	}{
		{"\n", "padding between two files", recovery.Lossless},
		{string(make([]byte, 2)), "padding between two files", recovery.Lossless}, // the magic that ends a file, and this, begin as one
		{string(make([]byte, 10)), "padding between two files", recovery.Lossless},
		{string(make([]byte, 56)), "padding between two files", recovery.Lossless},
		{string(make([]byte, 64)), "padding between two files", recovery.Lossless},
		{string(make([]byte, 3000)), "bytes between two files, which are part of neither", recovery.Lossy}, // a batch may have been there
		{"a line of a log\n", "bytes between two files, which are part of neither", recovery.Lossy},
	} {
		for _, formats := range [][2]recording.Format{{recording.FileFormat, recording.FileFormat}, {recording.StreamFormat, recording.StreamFormat}, {recording.FileFormat, recording.StreamFormat}, {recording.StreamFormat, recording.FileFormat}} {
			format := formats[0]
			a, b := joinPart(t, "a", format, recording.None, 0), joinPart(t, "a", formats[1], recording.None, 120)
			joined := append(append(bytes.Clone(a), c.between...), b...)
			found, err := verifyAll(t, joined, recovery.VerifyOptions{})
			if err != nil || len(found) != 2 || found[0].Offset != int64(len(a)) || found[0].Length != int64(len(c.between)) || !strings.HasPrefix(found[0].Reason, c.words) || found[1].Offset != int64(len(a)+len(c.between)) {
				t.Errorf("%v, %d bytes: %v, %+v", formats, len(c.between), err, found)
			}
			p, err := recovery.Examine(context.Background(), bytes.NewReader(joined), int64(len(joined)), &recovery.Options{Stream: format == recording.StreamFormat})
			if err != nil {
				t.Fatal(err)
			}
			if report := &p.Report; report.Outcome != c.outcome || report.RowsRecovered != 240 {
				t.Errorf("%v, %d bytes: %v, %d rows", formats, len(c.between), report.Outcome, report.RowsRecovered)
			}
		}
	}
}

// Files and streams that were joined byte by byte are one recording if they
// have the same columns; each can be read by itself in any case.
func TestJoinedFilesAreNamedAndRead(t *testing.T) {
	ctx := context.Background()
	formats := []recording.Format{recording.FileFormat, recording.StreamFormat}
	for n := range 2 * 2 * 2 * 3 * 2 {
		first, second, codec := formats[n%2], formats[n/2%2], []recording.Codec{recording.None, recording.Zstd}[n/4%2]
		end := []string{"whole", "cut between batches", "cut in a batch"}[n/8%3]
		same := n/24%2 == 0
		name := fmt.Sprintf("%v and %v, %v, the first %s, same columns %v", first, second, codec, end, same)
		t.Run(name, func(t *testing.T) {
			a, b := joinPart(t, "a", first, codec, 0), joinPart(t, map[bool]string{true: "a", false: "b"}[same], second, codec, 120)
			rows := int64(120)
			if blocks := dissect.Batches(t, a); end == "cut between batches" {
				a, rows = a[:blocks[2].Offset], 80
			} else if end == "cut in a batch" {
				a, rows = a[:blocks[2].Offset+int64(blocks[2].MetaLength)+9], 80
			}
			joined := append(bytes.Clone(a), b...)
			all := rows
			if same {
				all += 120
			}
			r := testdata.Open(t, joined)
			if got := testdata.IndexAll(t, r); got != all {
				t.Errorf("%d rows, want %d: %+v", got, all, r.Findings())
			}
			if end == "cut in a batch" && !same {
				return // what is no batch of these columns is not looked at
			}
			told := false
			for _, f := range r.Findings() {
				told = told || strings.Contains(f.Reason, "begins at byte ") && f.Offset == int64(len(a)) && f.LostRows == 0 && f.BeforeRow == rows
			}
			if !told {
				t.Errorf("no word of byte %d: %+v", len(a), r.Findings())
			}
			files := r.Files()
			if len(files) != 2 || files[1] != (recording.Range{Start: int64(len(a)), End: int64(len(joined))}) || files[0].End != int64(len(a)) {
				t.Fatalf("files %v", files)
			}
			for i, want := range []int64{rows, 120} {
				f := files[i]
				one, err := recording.NewReader(io.NewSectionReader(bytes.NewReader(joined), f.Start, f.Len()), f.Len())
				if err != nil {
					t.Fatal(err)
				}
				if got := testdata.IndexAll(t, one); got != want {
					t.Errorf("file %d has %d rows, want %d", i+1, got, want)
				}
			}
			found, err := verifyAll(t, joined, recovery.VerifyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			lost := int64(0)
			for _, f := range found {
				lost += max(0, f.LostRows)
			}
			if want := int64(40); end == "whole" && lost != 0 || end != "whole" && same && lost != want {
				t.Errorf("%d rows are said to be lost: %+v", lost, found)
			}
			p, err := recovery.Examine(ctx, bytes.NewReader(joined), int64(len(joined)), &recovery.Options{Stream: first == recording.StreamFormat})
			if err != nil || p.Report.RowsRecovered != all || end == "whole" && same && p.Report.Outcome != recovery.Lossless {
				t.Errorf("%+v, %v", p.Report, err)
			}
			whole := make([]byte, p.Size())
			if _, err := p.Output(bytes.NewReader(joined)).ReadAt(whole, 0); err != nil && err != io.EOF {
				t.Fatal(err)
			}
			out := testdata.Open(t, whole)
			if out.About().State != recording.Complete || testdata.IndexAll(t, out) != all {
				t.Errorf("the output is %s: %+v", out.About().State, out.Findings())
			}
		})
	}
}

func TestManyFilesAreJoined(t *testing.T) {
	var joined []byte
	for i := range 4 {
		joined = append(joined, joinPart(t, "a", recording.FileFormat, recording.None, 120*i)...)
	}
	r := testdata.Open(t, joined)
	if rows := testdata.IndexAll(t, r); rows != 480 || len(r.Files()) != 4 || len(r.Findings()) != 3 {
		t.Errorf("%d rows, %v, %+v", rows, r.Files(), r.Findings())
	}
}
