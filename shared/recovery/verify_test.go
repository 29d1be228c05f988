package recovery_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
	"github.com/oniscope/oniscope/shared/stream"
)

// verifyAll verifies a file and holds what is found against what is always
// true.
func verifyAll(t testing.TB, file []byte, o recovery.VerifyOptions) ([]recording.Finding, error) {
	t.Helper()
	before := bytes.Clone(file)
	var list []recording.Finding
	var failed error
	at := int64(0)
	for f, err := range recovery.Verify(context.Background(), bytes.NewReader(file), int64(len(file)), &o) {
		if err != nil {
			if failed = err; f != (recording.Finding{}) {
				t.Fatalf("a finding with an error: %+v", f)
			}
			continue
		}
		if failed != nil {
			t.Fatal("a finding after the error")
		}
		if f.Offset < 0 || f.Length < 0 || f.Length > int64(len(file))-f.Offset || f.Reason == "" {
			t.Errorf("a finding beyond the file of %d bytes: %+v", len(file), f)
		}
		if f.Severity > recording.SeverityError || f.Count < 1 || f.LastOffset < f.Offset {
			t.Errorf("severity or places of %+v", f)
		}
		if channels := f.Batch < 0 && f.Severity == recording.SeverityInfo; !channels && f.Offset < at {
			t.Errorf("not in file order: %+v", f)
		} else if !channels {
			at = f.Offset
		}
		list = append(list, f)
	}
	if !bytes.Equal(before, file) {
		t.Fatal("the file was changed")
	}
	return list, failed
}

// damageIn returns the errors that Verify finds in a file besides gaps.
func damageIn(t testing.TB, file []byte) (list []recording.Finding) {
	t.Helper()
	found, err := verifyAll(t, file, recovery.VerifyOptions{})
	if err != nil {
		t.Errorf("Verify: %v", err)
	}
	for _, f := range found {
		if f.Severity == recording.SeverityError && !strings.HasPrefix(f.Reason, "gap: ") {
			list = append(list, f)
		}
	}
	return list
}

// hasDamage reports whether a file is not as it should be.
func hasDamage(list []recording.Finding) bool {
	for i := range list {
		if list[i].Severity > recording.SeverityInfo {
			return true
		}
	}
	return false
}

func TestWholeForeignFilesVerify(t *testing.T) {
	paths, err := filepath.Glob(testdata.Path("foreign/*/*.arrow"))
	if err != nil || len(paths) < 60 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			list, err := verifyAll(t, data, recovery.VerifyOptions{})
			if strings.Contains(name, "big_endian") && errors.Is(err, recording.ErrBigEndian) {
				return
			}
			killed := strings.Contains(name, "kill")
			if err != nil && !killed {
				t.Fatal(err)
			}
			if broken := hasDamage(list); err == nil && broken != killed {
				t.Errorf("%+v", list)
			}
			for _, f := range list {
				if f.Severity == recording.SeverityWarning && !killed {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

// channelFile writes columns of 16-bit codes, 250 rows a batch.
func channelFile(t testing.TB, columns []stream.Column, rows int, value func(column, row int) uint16) []byte {
	t.Helper()
	s := &stream.Stream{Name: "channels", AcqClockHz: 250e6, Columns: append(columns, stream.Column{Name: "Clock", Type: stream.Uint64})}
	f := &testdata.Memory{}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < rows; at += 250 {
		n := min(250, rows-at)
		vectors := make([]recording.Vector, len(s.Columns))
		for i := range n {
			for c := range columns {
				vectors[c].Data = append(vectors[c].Data, testdata.LE16(value(c, at+i))...)
				if columns[c].Nullable {
					vectors[c].Valid = append(vectors[c].Valid, []byte{0, 1}[(at+i)%2])
				}
			}
			vectors[len(columns)].Data = append(vectors[len(columns)].Data, testdata.LE64(uint64(8333*(at+i)+1000))...)
		}
		if _, err := w.WriteBatch(n, vectors); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Data
}

func TestChannelsThatAreConstantOrClipped(t *testing.T) {
	sine := func(row, middle, amplitude, lo, hi int) uint16 {
		x := middle + int(float64(amplitude)*math.Sin(float64(row)/9))
		return uint16(min(max(x, lo), hi))
	}
	amplifier := func(names ...string) (list []stream.Column) {
		for _, name := range names {
			list = append(list, stream.Column{Name: name, Type: stream.Uint16})
		}
		return list
	}
	for _, c := range []struct {
		name    string
		columns []stream.Column
		value   func(column, row int) uint16
		want    []string
	}{
		{"a signal", amplifier("SpikeData0"), func(_, row int) uint16 { return sine(row, 512, 300, 0, 1023) }, nil},
		{"one channel that is dead", amplifier("SpikeData0", "SpikeData1", "SpikeData2"), func(c, row int) uint16 {
			if c == 1 {
				return 512
			}
			return sine(row, 512, 300, 0, 1023)
		}, []string{"SpikeData1: constant at 512 in all 1000 values"}},
		{"neighbours that are dead are reported as one", amplifier("SpikeData0", "SpikeData1", "SpikeData2"), func(c, row int) uint16 { return 7 },
			[]string{"SpikeData0 .. SpikeData2 (3 columns): constant at 7 in all 1000 values"}},
		{"constant but for one value", amplifier("SpikeData0"), func(_, row int) uint16 { return uint16(512 + row/999) }, nil},
		{"a signal that hits its ADC's limits", amplifier("SpikeDataCh0"), func(_, row int) uint16 { return sine(row, 512, 600, 0, 1023) },
			[]string{"SpikeDataCh0: clipped: 167 values at the least code 0, 179 at the greatest, 1023, of 1000"}},
		{"extremes that are reached once each are the signal's right", amplifier("SpikeData0"), func(_, row int) uint16 { return uint16(row * 3 % 1024) }, nil},
		{"14 bits by the offset", []stream.Column{{Name: "AmplifierData0", Type: stream.Uint16, Unit: "uV", Scale: 0.76294, Offset: 8192}}, func(_, row int) uint16 { return sine(row, 8192, 9000, 0, 16383) },
			[]string{"AmplifierData0: clipped: 130 values at the least code 0, 139 at the greatest, 16383, of 1000"}},
		{"16 bits, signed", []stream.Column{{Name: "AnalogData0", Type: stream.Int16}}, func(_, row int) uint16 {
			return uint16(int16(min(max(int(40000*math.Sin(float64(row)/9)), -32768), 20000)))
		},
			[]string{"AnalogData0: clipped: "}},
		{"columns that are no channels are constant by right", amplifier("Buttons", "DigitalInputs", "StatusCode"), func(_, row int) uint16 { return 0 }, nil},
		{"nulls have no value", []stream.Column{{Name: "SpikeData0", Type: stream.Uint16, Nullable: true}}, func(_, row int) uint16 { return uint16(512 * (row % 2)) },
			[]string{"SpikeData0: constant at 512 in all 500 values"}},
		{"repeated values are no runs", []stream.Column{{Name: "LfpData0", Type: stream.Uint16, Stride: 12}}, func(_, row int) uint16 { return uint16(row / 12 % 2 * 1023) }, nil},
		{"repeated values that are clipped", []stream.Column{{Name: "LfpData0", Type: stream.Uint16, Stride: 12}}, func(_, row int) uint16 { return uint16(min(row/12%20*100, 1023)) },
			[]string{"LfpData0: clipped: "}},
		{"too few values to tell", amplifier("SpikeData0"), nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows := 1000
			if c.value == nil {
				rows, c.value = 50, func(int, int) uint16 { return 3 }
			}
			file := channelFile(t, c.columns, rows, c.value)
			list, err := verifyAll(t, file, recovery.VerifyOptions{})
			if err != nil || len(list) != len(c.want) {
				t.Fatalf("%+v, %v", list, err)
			}
			told, err := verifyAll(t, file, recovery.VerifyOptions{Watcher: recording.Watcher{Look: extremesOf}})
			if err != nil || !reflect.DeepEqual(told, list) {
				t.Errorf("%+v where a watcher tells the ends of the values, %v", told, err)
			}
			for i, f := range list {
				if f.Severity != recording.SeverityInfo || !strings.HasPrefix(f.Reason, c.want[i]) {
					t.Errorf("%+v, want %q", f, c.want[i])
				}
			}
		})
	}
}

// extremesOf tells the ends of values without nulls, as a watcher may.
func extremesOf(_ int64, v *recording.Vector) recording.Extremes {
	ends := recording.Extremes{Least: math.Inf(1), Most: math.Inf(-1), Known: v.Valid == nil}
	for i := range v.Len {
		x := v.Float64(i)
		ends.Least, ends.Most = min(ends.Least, x), max(ends.Most, x)
	}
	return ends
}

// Each single changed byte of a compressed body is found, padding included.
func TestEveryChangedByteOfACompressedBodyIsFound(t *testing.T) {
	for _, codec := range []recording.Codec{recording.Zstd, recording.LZ4} {
		f, _ := testdata.WriteRandom(t, testdata.Small(), codec, 61, 20, 7)
		b := dissect.Footer(t, f.Data).Batches[1]
		from := b.Offset + int64(b.MetaLength)
		for at := from; at < from+b.BodyLength; at++ {
			damaged := bytes.Clone(f.Data)
			damaged[at] ^= 0x11
			found, err := verifyAll(t, damaged, recovery.VerifyOptions{})
			if err != nil || len(found) == 0 && !reflect.DeepEqual(batchesOf(t, damaged), batchesOf(t, f.Data)) {
				t.Fatalf("%v: byte %d of the file, %d of the body: nothing is found, %v", codec, at, at-from, err)
			}
		}
	}
}

func TestVerifyOfStreamsAndOtherLayouts(t *testing.T) {
	for name, codec := range testdata.EveryCodec {
		f, _ := testdata.WriteRandom(t, testdata.Small(), codec, 62, 20, 20, 7)
		whole := streamOf(t, f.Data)
		for _, c := range []struct {
			name     string
			file     []byte
			severity recording.Severity // of the worst
		}{
			{"a stream", whole, recording.SeverityInfo},
			{"a stream without its end mark", whole[:len(whole)-8], recording.SeverityWarning},
			{"a stream that is cut", whole[:len(whole)-100], recording.SeverityError},
			{"a stream with rubbish after it", append(bytes.Clone(whole), "rubbish!"...), recording.SeverityError},
			{"a magic of 64 bytes", reframed(t, f.Data, 64, true, true), recording.SeverityInfo},
			{"no schema message", reframed(t, f.Data, 8, false, true), recording.SeverityInfo},
			{"no marker", reframed(t, f.Data, 8, true, false), recording.SeverityInfo},
		} {
			found, err := verifyAll(t, c.file, recovery.VerifyOptions{})
			worst := recording.SeverityInfo
			for _, f := range found {
				worst = max(worst, f.Severity)
			}
			if err != nil || worst != c.severity {
				t.Errorf("%s, %s: %+v, %v", name, c.name, found, err)
			}
		}
	}
}

// What no recovery cares for.
func TestWhatOnlyVerifyFindsInAFooter(t *testing.T) {
	f, _ := testdata.WriteRandom(t, testdata.Small(), recording.Zstd, 65, 20, 20, 7)
	for say, change := range map[string]func(f *arrowipc.Footer){
		"in another order":    func(f *arrowipc.Footer) { f.Batches[0], f.Batches[1] = f.Batches[1], f.Batches[0] },
		"lists a batch twice": func(f *arrowipc.Footer) { f.Batches = append(f.Batches, f.Batches[2]) },
		"metadata version V4 in the footer, V5 in the messages": func(f *arrowipc.Footer) { f.Version = arrowipc.V4 },
	} {
		found, err := verifyAll(t, dissect.WithFooter(t, f.Data, change), recovery.VerifyOptions{})
		if err != nil || len(found) != 1 || !strings.Contains(found[0].Reason, say) || (found[0].Severity == recording.SeverityInfo) != strings.HasPrefix(say, "metadata") {
			t.Errorf("%s: %+v, %v", say, found, err)
		}
	}
}

// The missing end of a file that is being written is no damage.
func TestAFileThatIsOpenIsNotBlamedForItsEnd(t *testing.T) {
	f, _ := testdata.WriteRandom(t, testdata.Small(), recording.Zstd, 63, 20, 20, 7)
	b := dissect.Footer(t, f.Data).Batches
	for _, cut := range []int64{b[2].Offset, b[2].Offset + 5, b[2].Offset + 200, b[2].Offset + int64(b[2].MetaLength) + 9} {
		found, err := verifyAll(t, f.Data[:cut], recovery.VerifyOptions{Open: true})
		if err != nil || len(found) == 0 {
			t.Fatalf("cut at %d: %+v, %v", cut, found, err)
		}
		for _, f := range found {
			if f.Severity != recording.SeverityInfo || f.LostRows != 0 || !strings.HasPrefix(f.Reason, "the file is being written") {
				t.Errorf("cut at %d: %+v", cut, f)
			}
		}
		damaged := bytes.Clone(f.Data[:cut])
		damaged[b[1].Offset+int64(b[1].MetaLength)+20] ^= 1
		if found, err := verifyAll(t, damaged, recovery.VerifyOptions{Open: true}); err != nil || !hasDamage(found) {
			t.Errorf("damage in front of the end: %+v, %v", found, err)
		}
	}
}

func TestVerifyEndsWhenItIsToldTo(t *testing.T) {
	f, _ := testdata.WriteRandom(t, testdata.Small(), recording.Zstd, 64, 20, 20, 7)
	stop := errors.New("stop")
	calls := 0
	for found, err := range recovery.Verify(testdata.Asking(func() error { calls++; return stop }), bytes.NewReader(f.Data), int64(len(f.Data)), nil) {
		if err != stop || found != (recording.Finding{}) {
			t.Errorf("%+v, %v", found, err)
		}
	}
	if calls != 1 {
		t.Errorf("Yield was called %d times", calls)
	}
	// A disk that fails is no damage.
	for _, err := range recovery.Verify(context.Background(), &faultyReader{bytes.NewReader(f.Data), 2000, errors.New("bad sector")}, int64(len(f.Data)), nil) {
		if err == nil {
			t.Error("a finding instead of the disk's error")
		}
	}
	last := int64(0)
	for range recovery.Verify(context.Background(), bytes.NewReader(f.Data), int64(len(f.Data)), &recovery.VerifyOptions{Progress: func(done, total int64) {
		if done < last || total != int64(len(f.Data)) {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last = done
	}}) {
	}
	if last == 0 {
		t.Error("no progress")
	}
}

// Whatever the bytes: no panic, no memory beyond what they could hold, and
// Verify and Recover agree about what is lost.
func FuzzVerify(f *testing.F) {
	for _, seed := range fuzzSeeds(f) {
		f.Add(seed)
	}
	gaps := make([]uint64, 60)
	for i := range gaps {
		gaps[i] = uint64(1000 + 8333*(i+i/20*7))
	}
	f.Add(gapFile(f, recording.None, gaps, gaps, 13))
	f.Add(testdata.SlowFile(f, "nulls", 4, make([]uint16, 40), []int{80, 80}))
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) > 1<<16 {
			return
		}
		var found []recording.Finding
		var err error
		bytesAllocated := testdata.Allocated(func() { found, err = verifyAll(t, input, recovery.VerifyOptions{}) })
		if limit := int64(32<<20 + 2*body.MaxRatio*len(input)); bytesAllocated > limit {
			t.Fatalf("%d bytes allocated for an input of %d", bytesAllocated, len(input))
		}
		p, failed := recovery.Examine(context.Background(), bytes.NewReader(input), int64(len(input)), nil)
		if failed != nil {
			return
		}
		if err != nil {
			t.Fatalf("%v, and Recover %+v", err, p.Report)
		}
		if p.Report.Outcome == recovery.Lossy && !hasDamage(found) {
			t.Fatalf("Recover lost %+v, and Verify finds %+v", p.Report.Findings, found)
		}
	})
}
