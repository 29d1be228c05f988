package recovery_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
	"github.com/oniscope/oniscope/shared/stream"
)

// zeroFindings are those about zeros.
func zeroFindings(list []recording.Finding) (found []recording.Finding) {
	for _, f := range list {
		if strings.Contains(f.Reason, "zeros") || strings.Contains(f.Reason, "columns are 0") {
			found = append(found, f)
		}
	}
	return found
}

// electrodes writes a plain recording of channels with noise around the middle,
// a digital line, and two clocks.
func electrodes(t testing.TB, r *rand.Rand, channels, rows, batches int, line func(row int) byte) []byte {
	t.Helper()
	s := &stream.Stream{Name: "probe", AcqClockHz: 250_000_000}
	for c := range channels {
		s.Columns = append(s.Columns, stream.Column{Name: fmt.Sprintf("AmplifierData%d", c), Type: stream.Uint16})
	}
	s.Columns = append(s.Columns, stream.Column{Name: "Line", Type: stream.Uint8}, stream.Column{Name: "HubClock", Type: stream.Uint64}, stream.Column{Name: "Clock", Type: stream.Uint64})
	f := &testdata.Memory{}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for b := range batches {
		columns := make([]recording.Vector, len(s.Columns))
		for row := b * rows; row < (b+1)*rows; row++ {
			for c := range channels {
				columns[c].Data = binary.LittleEndian.AppendUint16(columns[c].Data, uint16(512+r.NormFloat64()*80))
			}
			columns[channels].Data = append(columns[channels].Data, line(row))
			columns[channels+1].Data = binary.LittleEndian.AppendUint64(columns[channels+1].Data, uint64(row)*1400+3)
			columns[channels+2].Data = binary.LittleEndian.AppendUint64(columns[channels+2].Data, uint64(row)*8333+1000)
		}
		if _, err := w.WriteBatch(rows, columns); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Data
}

// Wherever a block of the disk is lost in a plain body, verification and
// recovery say which bytes, and of what.
func TestALostBlockOfAPlainBodyIsFound(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 1))
	low := func(int) byte { return 0 }
	pulses := func(row int) byte { return byte(row / 700 % 2) }
	for _, size := range []int{512, 4096, 65536} {
		for n := range 30 {
			line := low
			if n%2 == 1 {
				line = pulses
			}
			rows := []int{1000, 3000, 7001}[n%3]
			file := electrodes(t, r, 16, rows, 5, line)
			blocks := dissect.Footer(t, file).Batches
			at := int(blocks[0].Offset) + r.IntN(int(blocks[4].Offset-blocks[0].Offset))
			at &^= size - 1
			damaged := bytes.Clone(file)
			clear(damaged[at : at+size])
			found, err := verifyAll(t, damaged, recovery.VerifyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if inLine(t, file, at, size, 16) { // what a quiet line lost nobody can tell
				continue
			}
			if !slices.ContainsFunc(found, func(f recording.Finding) bool { // a header that is lost tells itself
				return f.Severity > recording.SeverityInfo && f.Offset < int64(at+size) && f.Offset+f.Length > int64(at)
			}) {
				t.Errorf("%d bytes of zeros at byte %d, %d rows a batch: %+v", size, at, rows, found)
			}
			for _, f := range zeroFindings(found) {
				if f.Offset >= int64(at+size) || f.Offset+f.Length <= int64(at) {
					t.Errorf("%d bytes of zeros at byte %d are said to be at byte %d", size, at, f.Offset)
				}
			}
			_, report := recoverBytes(t, damaged)
			if report.Outcome == recovery.Lossless {
				t.Errorf("%d bytes of zeros at byte %d: recovery is %s", size, at, report.Outcome)
			}
		}
	}
}

// More than a block may be lost, or a part of the next: it is enough that zeros inside a
// column begin or end where a sector does.
func TestZerosThatBeginOrEndAtASectorAreFound(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 2))
	for n := range 40 {
		file := electrodes(t, r, 8, 20_000, 2, func(row int) byte { return byte(row / 700 % 2) })
		b := dissect.Footer(t, file).Batches[n%2]
		buffer := dissect.Message(t, file, b).Batch.Buffers[1+2*(n%8)] // the values of a channel
		first := b.Offset + int64(b.MetaLength) + buffer.Offset
		size, beyond := []int64{512, 4096}[n%4/2], 10+r.Int64N(400)
		from := (first + 1000 + r.Int64N(buffer.Length-8000)) &^ 511
		to := from + size
		if n%3 == 0 {
			from -= beyond
		} else {
			to += beyond
		}
		clear(file[from:to])
		found, err := verifyAll(t, file, recovery.VerifyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if zeros := zeroFindings(found); len(zeros) != 1 || zeros[0].Offset > from || zeros[0].Offset < from-2 || zeros[0].Offset+zeros[0].Length < to || zeros[0].Batch != n%2 {
			t.Errorf("zeros from byte %d to byte %d: %+v", from, to, found)
		}
	}
}

// Of a slower signal most rows are null, so a block takes few of its values, and their
// neighbours are far from where it begins and ends.
func TestALostBlockOfASignalWithNullsBetweenItsValuesIsFound(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 3))
	const rows, every = 1200, 12
	s := &stream.Stream{Name: "slow", Columns: []stream.Column{{Name: "Clock", Type: stream.Uint64}, {Name: "LfpData0", Type: stream.Int32, Nullable: true}}}
	f := &testdata.Memory{}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for b := range 4 {
		columns := make([]recording.Vector, 2)
		for row := range rows {
			value, valid := uint32(0), byte(0)
			if row%every == 0 {
				value, valid = uint32(int32(r.NormFloat64()*1e6)), 1
			}
			columns[0].Data = binary.LittleEndian.AppendUint64(columns[0].Data, uint64(b*rows+row)*8333+1000)
			columns[1].Data, columns[1].Valid = binary.LittleEndian.AppendUint32(columns[1].Data, value), append(columns[1].Valid, valid)
		}
		if _, err := w.WriteBatch(rows, columns); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	places := 0
	for n, block := range dissect.Footer(t, f.Data).Batches {
		values := dissect.Message(t, f.Data, block).Batch.Buffers[3]
		from := block.Offset + int64(block.MetaLength) + values.Offset
		for at := (from + 511) &^ 511; at+512 <= from+values.Length; at += 512 {
			places++
			damaged := bytes.Clone(f.Data)
			clear(damaged[at : at+512])
			found, err := verifyAll(t, damaged, recovery.VerifyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if zeros := zeroFindings(found); len(zeros) != 1 || zeros[0].Offset >= at+512 || zeros[0].Offset+zeros[0].Length <= at || zeros[0].Batch != n {
				t.Errorf("512 bytes of zeros at byte %d: %+v", at, found)
			}
		}
	}
	if places < 30 {
		t.Errorf("%d places were tried", places)
	}
}

// inLine reports whether a block lies in the values of one column, and its
// padding.
func inLine(t testing.TB, file []byte, at, size, column int) bool {
	for _, b := range dissect.Footer(t, file).Batches {
		values := dissect.Message(t, file, b).Batch.Buffers[2*column+1]
		from := int(b.Offset + int64(b.MetaLength) + values.Offset)
		if from <= at && at+size <= from+int(values.Length)+body.Align {
			return true
		}
	}
	return false
}

// What is quiet by right is none: lines, channels that are off, rows of zeros,
// constant counters, nulls.
func TestQuietColumnsAreNoLostBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 2))
	for n := range 60 {
		period := 100 + r.IntN(9000)
		line := func(row int) byte { return byte(row / period % 2) }
		file := electrodes(t, r, 2, 500+r.IntN(5000), 20, line)
		found, err := verifyAll(t, file, recovery.VerifyOptions{})
		if zeros := zeroFindings(found); err != nil || len(zeros) > 0 {
			t.Errorf("case %d, a line of period %d: %v, %+v", n, period, err, zeros)
		}
	}
}

// An event at which many channels become 0 is no lost block, wherever they lie.
func TestChannelsThatFallSilentTogetherAreNoLostBlock(t *testing.T) {
	s := &stream.Stream{Name: "probe"}
	for c := range 64 {
		s.Columns = append(s.Columns, stream.Column{Name: fmt.Sprintf("AmplifierData%d", c), Type: stream.Uint16})
	}
	s.Columns = append(s.Columns, stream.Column{Name: "Clock", Type: stream.Uint64})
	wrong := 0
	for silent := range 64 {
		f := &testdata.Memory{}
		w, err := recording.NewWriter(f, s, recording.WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		const rows = 1500
		columns := make([]recording.Vector, len(s.Columns))
		for row := range rows {
			for c := range 64 {
				value := uint16(row%97 + c + 1)
				if row >= silent && row < silent+400 {
					value = 0
				}
				columns[c].Data = binary.LittleEndian.AppendUint16(columns[c].Data, value)
			}
			columns[64].Data = binary.LittleEndian.AppendUint64(columns[64].Data, uint64(row)*8333+1000)
		}
		if _, err := w.WriteBatch(rows, columns); err != nil || w.Close() != nil {
			t.Fatal(err)
		}
		found, err := verifyAll(t, slices.Clone(f.Data), recovery.VerifyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if zeros := zeroFindings(found); len(zeros) > 0 {
			wrong++
			if wrong < 4 {
				t.Errorf("silent from row %d: %+v", silent, zeros)
			}
		}
	}
}
