package recovery_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

// A slice of everything is the same: the bodies bit for bit where the codec is
// kept, and the values whatever the codec and the format.
func TestASliceOfEveryWritersFileHoldsTheSame(t *testing.T) {
	testdata.EachTwin(t, func(t *testing.T, f *testdata.TwinFile) {
		r := testdata.Open(t, f.Data)
		for _, format := range []recording.Format{recording.FileFormat, recording.StreamFormat} {
			for _, codec := range []recording.Codec{recording.Keep, recording.None, recording.Zstd, recording.LZ4} {
				if format == recording.StreamFormat && codec != recording.Keep {
					continue
				}
				out := &testdata.Memory{}
				if _, err := copyAll(r, out, codec, format); err != nil {
					if replacesDictionaries(f) && format == recording.FileFormat && errors.Is(err, recording.ErrUnsupported) {
						continue // what a file cannot hold is refused with a reason
					}
					t.Fatalf("%s, format %d: %v", codec, format, err)
				}
				s := testdata.Open(t, out.Data)
				want := f.Want
				want.Format = s.About().Format.String()
				testdata.CheckTwinSchema(t, s, &want)
				testdata.CheckTwinValues(t, s, &want)
				if codec == recording.Keep && !otherLayout(f) {
					sameBodies(t, f.Data, out.Data)
				}
			}
		}
	})
}

// otherLayout: in metadata version V4 unions and run ends have a buffer more,
// so that they are written anew.
func otherLayout(f *testdata.TwinFile) bool {
	return strings.HasPrefix(f.Name, "arrow-rs/types") && (strings.HasSuffix(f.Name, "v4") || strings.HasSuffix(f.Name, "0.14")) || strings.Contains(f.Name, "v4_unions")
}

func replacesDictionaries(f *testdata.TwinFile) bool {
	return strings.Contains(f.Name, "dictionary_replaced")
}

// Whole, and without its footer or end mark, a file of any writer comes back
// as it was. What a file cannot hold is recovered as a stream, and a file that
// had its schema in the footer only takes it from another.
func TestEveryWritersFileIsRecoveredWithoutItsFooter(t *testing.T) {
	testdata.EachTwin(t, func(t *testing.T, f *testdata.TwinFile) {
		options := &recovery.Options{Stream: replacesDictionaries(f)}
		checkRecovered(t, f, f.Data, options)
		cut := f.Data[:dataEndOf(t, f)]
		switch {
		case f.Name == "arrow-js/no_batches_file":
			return // nothing is left of it
		case strings.HasPrefix(f.Name, "arrow-js/") && f.Want.Format == "file":
			var failed *recovery.Error
			if _, err := recovery.Examine(context.Background(), bytes.NewReader(cut), int64(len(cut)), options); !errors.As(err, &failed) {
				t.Errorf("recovered without a schema: %v", err)
			}
			options.SchemaFrom = testdata.Open(t, f.Data)
		case strings.HasPrefix(f.Name, "polars/types") && f.Want.Format == "file":
			return // its dictionaries are after the batches: only the footer tells
		}
		checkRecovered(t, f, cut, options)
	})
}

func checkRecovered(t *testing.T, f *testdata.TwinFile, data []byte, o *recovery.Options) {
	t.Helper()
	p, err := recovery.Examine(context.Background(), bytes.NewReader(data), int64(len(data)), o)
	if err != nil {
		t.Fatal(err)
	}
	if p.Report.Outcome != recovery.Lossless || p.Report.RowsRecovered != f.Want.Rows() {
		t.Errorf("%d of %d bytes: %+v", len(data), len(f.Data), p.Report)
	}
	if err := p.Verify(bytes.NewReader(data)); err != nil {
		t.Error(err)
	}
	r := testdata.Open(t, materialize(t, p, data))
	want := f.Want
	want.Format = r.About().Format.String()
	testdata.CheckTwinSchema(t, r, &want)
	testdata.CheckTwinValues(t, r, &want)
}

func TestVerifyFindsNothingWrongInAnyWritersFile(t *testing.T) {
	testdata.EachTwin(t, func(t *testing.T, f *testdata.TwinFile) {
		for finding, err := range recovery.Verify(context.Background(), bytes.NewReader(f.Data), int64(len(f.Data)), nil) {
			if err != nil {
				t.Fatal(err)
			}
			if finding.Severity == recording.SeverityError || finding.LostRows != 0 {
				t.Errorf("%+v", finding)
			}
		}
	})
}

// dataEndOf is where the last message of a file or a stream ends.
func dataEndOf(t *testing.T, f *testdata.TwinFile) (end int64) {
	t.Helper()
	for _, m := range messagesOf(t, f.Data) {
		end = m.End()
	}
	return end
}

// messagesOf walks over the messages of a whole file, by its own lengths.
func messagesOf(t testing.TB, data []byte) (list []*messages.Message) {
	t.Helper()
	at := int64(0)
	if bytes.HasPrefix(data, []byte(arrowipc.Magic)) {
		at = arrowipc.HeaderLength
	}
	for {
		prefix, length, err := arrowipc.ParsePrefix(data[at:])
		switch {
		case at >= 8 && at < 64 && err == nil && length == 0 && prefix == 4: // the magic padded to 64
			at += 8
			continue
		case at == arrowipc.HeaderLength && prefix == 4 && length == 4: // a schema of Polars, without a frame
			at += int64(bytes.Index(data[at:], []byte{0xFF, 0xFF, 0xFF, 0xFF}))
			continue
		case err != nil:
			t.Fatal(err)
		case length == 0:
			return list
		}
		metaLength := int64(prefix) + int64(length)
		m, err := arrowipc.ParseMessage(data[at+int64(prefix) : at+metaLength])
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, &messages.Message{Message: m, At: at, Prefix: prefix, Length: metaLength})
		at += metaLength + m.BodyLength
	}
}

// sameBodies compares the buffers of all batches with rows, byte for byte, but
// for what metadata version V4 lays out otherwise.
func sameBodies(t *testing.T, a, b []byte) {
	t.Helper()
	from, to := buffersOf(t, a), buffersOf(t, b)
	if len(from) != len(to) {
		t.Fatalf("%d batches become %d", len(from), len(to))
	}
	for i := range from {
		if from[i] != to[i] {
			t.Errorf("the buffers of batch %d are not the same", i)
		}
	}
}

// buffersOf gives the buffers of each batch with rows as text.
func buffersOf(t *testing.T, data []byte) (batches []string) {
	t.Helper()
	for _, m := range messagesOf(t, data) {
		if m.Header != arrowipc.RecordBatchHeader || m.Batch.Length == 0 {
			continue
		}
		var all strings.Builder
		for _, s := range m.Batch.Buffers {
			if s.Length > 0 {
				fmt.Fprintf(&all, "%d: %x\n", s.Length, data[m.BodyAt()+s.Offset:][:s.Length])
			}
		}
		batches = append(batches, all.String())
	}
	return batches
}

// copyAll copies a recording whole.
func copyAll(r *recording.Reader, to recording.File, codec recording.Codec, format recording.Format) (recording.CopyReport, error) {
	x, err := r.Select(context.Background(), recording.Selection{})
	if err != nil {
		return recording.CopyReport{}, err
	}
	return recording.Copy(context.Background(), to, x, &recording.CopyOptions{Codec: codec, Format: format})
}
