package recovery_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

const oddText = "is not laid out as other readers"

// recoveredFrom returns the plan and the bytes of its output.
func recoveredFrom(t *testing.T, file []byte) (*recovery.Plan, []byte) {
	t.Helper()
	plan, err := recovery.Examine(context.Background(), bytes.NewReader(file), int64(len(file)), nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(io.NewSectionReader(plan.Output(bytes.NewReader(file)), 0, plan.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return plan, out
}

// Metadata that our reader understands but others refuse are written anew:
// every bit of the metadata is changed once, and nothing that we write is odd.
// testdata/interop asks pyarrow the same.
func TestMetadataThatOthersRefuseAreWrittenAnew(t *testing.T) {
	names := []string{"pyarrow/numbers.arrow", "bonsai/new_Rhs2116Trigger.arrow", "arrow-rs/types_v4.arrow", "csharp/cs_small.arrow"}
	for _, name := range names[:len(names)/fewer(2)] {
		file := testdata.Foreign(t, name)
		if _, out := recoveredFrom(t, file); !bytes.Equal(out, file) {
			t.Errorf("%s: a whole file is not copied as it is", name)
		}
		found := 0
		for i := 0; i < len(file); i += 1 + len(file)/(6000/fewer(3)) {
			damaged := bytes.Clone(file)
			damaged[i] ^= 1
			plan, err := recovery.Examine(context.Background(), bytes.NewReader(damaged), int64(len(damaged)), nil)
			if err != nil {
				continue // refused with a reason
			}
			odd := false
			for _, f := range plan.Report.Findings {
				odd = odd || strings.Contains(f.Reason, oddText)
			}
			if !odd {
				continue
			}
			found++
			if plan.Complete {
				t.Errorf("%s, byte %d: odd, and nothing is done about it", name, i)
			}
			if err := plan.Verify(bytes.NewReader(damaged)); err != nil {
				t.Errorf("%s, byte %d: %v", name, i, err)
			}
		}
		if found == 0 {
			t.Errorf("%s: no changed bit makes metadata that others refuse", name)
		}
	}
}

// A file after itself has its dictionaries twice.
func TestADictionaryThatIsThereTwiceIsWrittenOnce(t *testing.T) {
	file := testdata.Foreign(t, "pyarrow/dictionary_deltas_file.arrow")
	twice := append(bytes.Clone(file), file...)
	plan, out := recoveredFrom(t, twice)
	if err := plan.Verify(bytes.NewReader(twice)); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, f := range plan.Report.Findings {
		found = found || strings.Contains(f.Reason, "begins again with the values that it has")
	}
	if !found {
		t.Errorf("nothing is said of it: %+v", plan.Report.Findings)
	}
	again, second := recoveredFrom(t, out)
	if !again.Complete || !bytes.Equal(out, second) {
		t.Errorf("the output is not whole: %+v", again.Report.Findings)
	}
	whole, _ := recoveredFrom(t, file)
	if want := 2 * whole.Report.RowsRecovered; plan.Report.RowsRecovered != want {
		t.Errorf("%d rows, want %d", plan.Report.RowsRecovered, want)
	}
}

// A dictionary with other values cannot be part of a file.
func TestADictionaryThatIsReplacedMakesNoFile(t *testing.T) {
	file := testdata.Foreign(t, "arrow-go/dictionary_replaced_stream.arrow")
	_, err := recovery.Examine(context.Background(), bytes.NewReader(file), int64(len(file)), nil)
	if !errors.Is(err, recovery.ErrReplaced) {
		t.Errorf("error %v, want ErrReplaced", err)
	}
}

// A changed byte of a name makes a text that is not UTF-8, which other programs
// refuse. The footer has the name as it was; without one it is written with a mark.
func TestNamesThatAreNotUTF8AreNotWritten(t *testing.T) {
	file := bytes.Clone(testdata.Foreign(t, "csharp/cs_small.arrow"))
	names := testdata.Open(t, file).Stream().Names()
	at := bytes.Index(file, []byte(names[0]))
	file[at+1] = 0xA6
	for _, c := range []struct {
		data []byte
		name string
	}{
		{file, names[0]},
		{dissect.WithoutFooter(t, file), names[0][:1] + "\uFFFD" + names[0][2:]},
	} {
		plan, out := recoveredFrom(t, c.data)
		if got := testdata.Open(t, out).Stream().Names(); got[0] != c.name || len(got) != len(names) {
			t.Errorf("the output has columns %q, the first should be %q", got, c.name)
		}
		if got := testdata.Open(t, c.data).Stream().Names()[0]; got != c.name {
			t.Errorf("read as %q, should be %q", got, c.name)
		}
		if len(plan.Report.Findings) == 0 || bytes.Contains(out, file[at:at+2]) && c.name != names[0] {
			t.Errorf("findings %+v", plan.Report.Findings)
		}
	}
}

// A changed byte of a text that is then not UTF-8 is found, though nothing proves
// plain values: the batch is kept, and suspect.
func TestTextsThatAreNotUTF8AreSuspect(t *testing.T) {
	file := bytes.Clone(testdata.Foreign(t, "pyarrow/texts.arrow"))
	body := dissect.Footer(t, file).Batches[0]
	word := []byte("another text of more")
	at := bytes.Index(file[body.Offset+int64(body.MetaLength):], word)
	if at < 0 {
		t.Fatal("the word is not there")
	}
	file[int(body.Offset)+int(body.MetaLength)+at+1] = 0xA6
	plan, out := recoveredFrom(t, file)
	if rows, err := testdata.Count(testdata.Open(t, out)); err != nil || plan.Report.Outcome != recovery.Suspect || plan.Report.RowsRecovered != rows {
		t.Errorf("%+v, %d rows, %v", plan.Report, rows, err)
	}
	list, err := verifyAll(t, file, recovery.VerifyOptions{})
	if err != nil || len(list) != 1 || !strings.Contains(list[0].Reason, "1 value of column") || !strings.Contains(list[0].Reason, "not UTF-8") {
		t.Errorf("%+v, %v", list, err)
	}
}

// Bytes too many or too few in the last batch move the end mark, which lies right
// before the footer: what opens the file sees it, as verification does.
func TestTheEndMarkProvesTheLastBatch(t *testing.T) {
	for _, name := range []string{"pyarrow/numbers.arrow", "bonsai/new_NeuropixelsV2eBeta.arrow", "csharp/cs_small.arrow"} {
		file := testdata.Foreign(t, name)
		blocks := dissect.Footer(t, file).Batches
		last := blocks[len(blocks)-1]
		inside := last.Offset + int64(last.MetaLength) + last.BodyLength/2/8*8
		if state := testdata.Open(t, file).About().State; state != recording.Complete {
			t.Errorf("%s: %s", name, state)
		}
		for what, damaged := range map[string][]byte{
			"8 bytes too many": slices.Concat(file[:inside], file[inside:inside+8], file[inside:]),
		} {
			info, err := testdata.Info(testdata.Open(t, damaged))
			if err != nil || info.State != recording.Damaged {
				t.Errorf("%s, %s: %s, %v", name, what, info.State, err)
			}
		}
		for _, n := range []int64{4, 7, 8} {
			damaged := slices.Concat(file[:inside], file[inside+n:])
			speaks := func(f recording.Finding) bool {
				return strings.Contains(f.Reason, "end mark") && f.Severity == recording.SeverityWarning
			}
			info, err := testdata.Info(testdata.Open(t, damaged))
			if err != nil || !slices.ContainsFunc(info.Findings, speaks) {
				t.Errorf("%s, %d bytes too few: %+v, %v", name, n, info, err)
			}
			if list, err := verifyAll(t, damaged, recovery.VerifyOptions{}); err != nil || !slices.ContainsFunc(list, speaks) {
				t.Errorf("%s, %d bytes too few: %+v, %v", name, n, list, err)
			}
		}
	}
}

// A batch that bytes before it have moved is kept, and not also counted as lost: what
// is kept and what is lost are together what was there.
func TestAMovedBatchIsNotLost(t *testing.T) {
	for _, name := range []string{"csharp/cs_small_zstd.arrow", "bonsai/old_AnalogInput_S16_noise_zstd.arrow"} {
		file := testdata.Foreign(t, name)
		total, err := testdata.Count(testdata.Open(t, file))
		if err != nil {
			t.Fatal(err)
		}
		blocks := dissect.Footer(t, file).Batches
		b := blocks[len(blocks)-2]
		inside := b.Offset + int64(b.MetaLength) + b.BodyLength/2/8*8
		damaged := slices.Concat(file[:inside], file[inside:inside+64], file[inside:])
		plan, _ := recoveredFrom(t, damaged)
		lost := int64(0)
		for _, f := range plan.Report.Findings {
			if f.Severity == recording.SeverityError {
				lost += f.LostRows
			}
		}
		if plan.Report.BatchesLost != 1 || plan.Report.RowsRecovered+lost != total {
			t.Errorf("%s: %d of %d rows kept and %d lost, %d batches lost: %+v", name, plan.Report.RowsRecovered, total, lost, plan.Report.BatchesLost, plan.Report.Findings)
		}
	}
}
