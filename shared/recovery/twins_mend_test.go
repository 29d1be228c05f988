package recovery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/recording"
)

// A slice of everything is the same: the bodies bit for bit where the codec is
// kept, and the values whatever the codec and the format.
func TestASliceOfEveryWritersFileHoldsTheSame(t *testing.T) {
	eachTwin(t, func(t *testing.T, f *twinFile) {
		r := openBytes(t, f.data)
		for _, format := range []recording.Format{recording.FileFormat, recording.StreamFormat} {
			for _, codec := range []recording.Codec{recording.Keep, recording.None, recording.Zstd, recording.LZ4} {
				if format == recording.StreamFormat && codec != recording.Keep {
					continue
				}
				out := &memFile{}
				if _, err := copyAll(r, out, codec, format); err != nil {
					if replacesDictionaries(f) && format == recording.FileFormat && errors.Is(err, recording.ErrUnsupported) {
						continue // what a file cannot hold is refused with a reason
					}
					t.Fatalf("%s, format %d: %v", codec, format, err)
				}
				s := openBytes(t, out.data)
				want := f.want
				want.Format = s.About().Format.String()
				checkTwinSchema(t, s, &want)
				checkTwinValues(t, s, &want)
				if codec == recording.Keep && !otherLayout(f) {
					sameBodies(t, f.data, out.data)
				}
			}
		}
	})
}

// otherLayout: in metadata version V4 unions and run ends have a buffer more,
// so that they are written anew.
func otherLayout(f *twinFile) bool {
	return strings.HasPrefix(f.name, "arrow-rs/types") && (strings.HasSuffix(f.name, "v4") || strings.HasSuffix(f.name, "0.14")) || strings.Contains(f.name, "v4_unions")
}

func replacesDictionaries(f *twinFile) bool { return strings.Contains(f.name, "dictionary_replaced") }

// Whole, and without its footer or end mark, a file of any writer comes back
// as it was. What a file cannot hold is recovered as a stream, and a file that
// had its schema in the footer only takes it from another.
func TestEveryWritersFileIsRecoveredWithoutItsFooter(t *testing.T) {
	eachTwin(t, func(t *testing.T, f *twinFile) {
		options := &Options{Stream: replacesDictionaries(f)}
		checkRecovered(t, f, f.data, options)
		cut := f.data[:dataEndOf(t, f)]
		switch {
		case f.name == "arrow-js/no_batches_file":
			return // nothing is left of it
		case strings.HasPrefix(f.name, "arrow-js/") && f.want.Format == "file":
			var failed *Error
			if _, err := Examine(context.Background(), bytes.NewReader(cut), int64(len(cut)), options); !errors.As(err, &failed) {
				t.Errorf("recovered without a schema: %v", err)
			}
			options.SchemaFrom = openBytes(t, f.data)
		case strings.HasPrefix(f.name, "polars/types") && f.want.Format == "file":
			return // its dictionaries are behind the batches: only the footer tells
		}
		checkRecovered(t, f, cut, options)
	})
}

func checkRecovered(t *testing.T, f *twinFile, data []byte, o *Options) {
	t.Helper()
	p, err := Examine(context.Background(), bytes.NewReader(data), int64(len(data)), o)
	if err != nil {
		t.Fatal(err)
	}
	if p.Report.Outcome != Lossless || p.Report.RowsRecovered != f.want.rows() {
		t.Errorf("%d of %d bytes: %+v", len(data), len(f.data), p.Report)
	}
	if err := p.Verify(bytes.NewReader(data)); err != nil {
		t.Error(err)
	}
	r := openBytes(t, materialize(t, p, data))
	want := f.want
	want.Format = r.About().Format.String()
	checkTwinSchema(t, r, &want)
	checkTwinValues(t, r, &want)
}

func TestVerifyFindsNothingWrongInAnyWritersFile(t *testing.T) {
	eachTwin(t, func(t *testing.T, f *twinFile) {
		for finding, err := range Verify(context.Background(), bytes.NewReader(f.data), int64(len(f.data)), nil) {
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
func dataEndOf(t *testing.T, f *twinFile) (end int64) {
	t.Helper()
	for _, m := range messagesOf(t, f.data) {
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
