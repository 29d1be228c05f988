package recording_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/internal/pace"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// FORMAT.md quotes these numbers; each is taken from the code or measured.
func TestFormatPageQuotesTheCode(t *testing.T) {
	raw, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	page := strings.Join(strings.Fields(string(raw)), " ")

	const rows = 30024
	s := testdata.Neuropixels()
	f := &testdata.Memory{}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	columns := make([]recording.Vector, len(s.Columns))
	for i := range columns {
		columns[i].Data = make([]byte, rows*s.Columns[i].Type.Width())
	}
	if _, err := w.WriteBatch(rows, columns); err != nil {
		t.Fatal(err)
	}
	block := w.Blocks()[0]
	perBlock := len(w.Tail(2)) - len(w.Tail(1))
	if len(w.Tail(0)) == 0 {
		t.Fatal("no footer")
	}

	for _, want := range []string{
		fmt.Sprintf("begins at a multiple of %d bytes of the file", recording.BodyAlign),
		fmt.Sprintf("up to a multiple of %d |", recording.BodyAlign),
		fmt.Sprintf("at most %d bytes.** *Why:* the C# library", recording.MaxBodyBytes),
		fmt.Sprintf("of a message at most %d bytes", messages.MaxMetadataBytes),
		fmt.Sprintf("at most %d times the frame", body.MaxRatio),
		fmt.Sprintf("only less than %d bytes of padding", messages.MaxPadding),
		fmt.Sprintf("%d or more rows that are 0", body.ZeroRun),
		fmt.Sprintf("at multiples of %d bytes of the file", body.Sector),
		fmt.Sprintf("Rubbish of up to %d bytes", messages.TailWindow),
		fmt.Sprintf("more than %g periods of HubClock, or, in files without it, %g of Clock", pace.GapFactor, pace.ClockGapFactor),
		fmt.Sprintf("of which %g %% of the steps lie within %g %% of it", 100*pace.EvenShare, 100*pace.EvenTolerance),
		fmt.Sprintf("Of a batch %d gaps are listed one by one", pace.GapsPerBatch),
		fmt.Sprintf("at least %d of them; of a signal that hardly changes", recording.MinBorders),
		fmt.Sprintf("up to %d MiB of Clock", recording.WholeClock()>>20),
		fmt.Sprintf("(lz4: %d times)", body.MaxContent(arrowipc.LZ4Frame, 2)-body.MaxContent(arrowipc.LZ4Frame, 1)),
		fmt.Sprintf("one block of %d bytes a batch", perBlock),
		fmt.Sprintf("the header of a batch of %d plain columns has %d bytes, its footer block %d", len(s.Columns), block.MetaLength, perBlock),
		fmt.Sprintf("a batch of %d rows of 768 uint16 and 2 uint64 columns has a body of %d bytes", rows, block.BodyLength),
	} {
		if !strings.Contains(page, want) {
			t.Errorf("FORMAT.md does not say %q", want)
		}
	}

	every := testdata.EveryType()
	every.Hub, every.HubFirmware, every.Probe = "hub", "1.2", "{}"
	for _, kv := range every.Metadata() {
		if kv.Key != "lab" && !strings.Contains(page, "`"+kv.Key+"`") {
			t.Errorf("FORMAT.md does not name the key %q", kv.Key)
		}
	}
	c := stream.Column{Unit: "V", Scale: 2, Offset: 1, RateHz: 3, Stride: 4, Gain: 5}
	for _, kv := range c.Metadata() {
		if !strings.Contains(page, "`"+kv.Key+"`") {
			t.Errorf("FORMAT.md does not name the key %q", kv.Key)
		}
	}
}
