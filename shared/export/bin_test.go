package export

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// flatReference is Bin in ten lines.
func flatReference(t *testing.T, r *recording.Reader, s Selection) []byte {
	t.Helper()
	var out []byte
	for b, err := range pieces(r, s) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Rows {
			for k := range b.Columns {
				out = append(out, b.Columns[k].Data[2*i:2*i+2]...)
			}
		}
	}
	return out
}

func TestBinIsTimeMajorForAnyNumberOfColumnsAndRows(t *testing.T) {
	for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
		for _, channels := range []int{1, 3, 4, 5, 16, 37} {
			r := open(t, record(t, probe(channels), recording.WriterOptions{Codec: codec}, 1, 7, 300, 4099).Bytes())
			for _, s := range []Selection{{End: 4407}, {Start: 5, End: 5}, {Start: 6, End: 4001}, {Start: 8, End: 308}, {End: 1}} {
				s.Columns = allElectrodes(r.Stream())
				var got bytes.Buffer
				layout, report, err := Bin(ctx, &got, of(r, s), nil)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got.Bytes(), flatReference(t, r, s)) {
					t.Fatalf("%v, %d channels, rows %d to %d: values differ", codec, channels, s.Start, s.End)
				}
				if report.Rows != s.End-s.Start || report.Bytes != int64(got.Len()) || layout.ReadBinary.NumChannels != channels {
					t.Errorf("%d channels, rows %d to %d: %+v", channels, s.Start, s.End, report)
				}
			}
		}
	}
}

func TestInterleaveTakesAnyWidths(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var lanes []lane
		rowBytes, rows := 0, 1+r.IntN(70)
		for range 1 + r.IntN(12) {
			width := []int{1, 2, 2, 2, 2, 4, 8, 7}[r.IntN(8)]
			l := lane{data: make([]byte, rows*width), width: width, at: rowBytes}
			for i := range l.data {
				l.data[i] = byte(r.Uint32())
			}
			lanes, rowBytes = append(lanes, l), rowBytes+width
		}
		from := r.IntN(rows)
		var want []byte
		for i := from; i < rows; i++ {
			for _, l := range lanes {
				want = append(want, l.data[i*l.width:(i+1)*l.width]...)
			}
		}
		got := make([]byte, (rows-from)*rowBytes)
		if interleave(got, lanes, rowBytes, from, rows); !bytes.Equal(got, want) {
			t.Fatalf("%d lanes, rows %d to %d differ", len(lanes), from, rows)
		}
	}
}

func TestBinSaysHowToReadIt(t *testing.T) {
	s := probe(3)
	s.Probe = `{"specification": "probeinterface"}`
	r := open(t, record(t, s, recording.WriterOptions{}, 100, 100).Bytes())
	layout, _, err := Bin(ctx, &bytes.Buffer{}, of(r, Selection{Start: 150, End: 200}), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(layout)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"read_binary":{"sampling_frequency":30000,"dtype":"uint16","num_channels":3,` +
		`"channel_ids":["SpikeDataCh0","SpikeDataCh1","SpikeDataCh2"],"time_axis":0,"file_offset":0,` +
		`"gain_to_uV":[2.34375,2.34375,2.34375],"offset_to_uV":[-1200,-1200,-1200],"t_starts":[0.0050038]},` +
		`"kilosort":{"settings":{"n_chan_bin":3,"fs":30000},"data_dtype":"uint16"},` +
		`"channel_names":["SpikeDataCh0","SpikeDataCh1","SpikeDataCh2"],"units":["uV","uV","uV"],` +
		`"start_clock":1250950,"acq_clock_hz":250000000,"start_utc":"2026-11-21T12:59:59Z","device":"Test probe",` +
		`"probe":{"specification":"probeinterface"},"segments":[{"start":0,"end":50,"start_clock":1250950,"last_clock":1659267,"rate_hz":30001.20004800192}],"lost":[]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestBinMeasuresARateThatIsNotStated(t *testing.T) {
	s := probe(2)
	s.Columns[0].RateHz, s.Columns[1].RateHz, s.Columns[1].Scale, s.Columns[1].Unit = 0, 0, 0, ""
	r := open(t, record(t, s, recording.WriterOptions{}, 100, 100).Bytes())
	layout, _, err := Bin(ctx, &bytes.Buffer{}, of(r, all(t, r)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if rate := layout.ReadBinary.SamplingFrequency; rate == nil || *rate != 250e6/8333 {
		t.Errorf("rate %v", rate)
	}
	if layout.ReadBinary.GainToUV != nil || layout.ReadBinary.OffsetToUV != nil {
		t.Error("a gain for a channel whose scale is not known")
	}
}

func TestElectrodesAreTheChannelsOfOneSignal(t *testing.T) {
	for _, c := range []struct {
		name, columns, want string
	}{
		{"spikes before LFP, by channel", "LfpDataCh0 LfpDataCh1 SpikeDataCh1 SpikeDataCh0 SpikeDataCh10 FrameCount", "SpikeDataCh0 SpikeDataCh1 SpikeDataCh10"},
		{"amplifiers before auxiliary inputs", "AuxDataCh0 AuxDataCh1 AuxDataCh2 AmplifierDataCh0", "AmplifierDataCh0"},
		{"any channels", "AnalogDataCh0 AnalogDataCh1 Other", "AnalogDataCh0 AnalogDataCh1"},
		{"none", "Clock Count", ""},
	} {
		var s stream.Stream
		for name := range strings.FieldsSeq(c.columns) {
			s.Columns = append(s.Columns, stream.Column{Name: name, Type: stream.Uint16, ByteWidth: 2})
		}
		var got []string
		for _, i := range allElectrodes(s) {
			got = append(got, s.Columns[i].Name)
		}
		if !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestBinRefusesWhatItCannotHold(t *testing.T) {
	s := probe(2)
	s.Columns = append(s.Columns, stream.Column{Name: "Signed", Type: stream.Int16, ByteWidth: 2}, stream.Column{Name: "Gappy", Type: stream.Uint16, ByteWidth: 2, Nullable: true})
	f := &memFile{}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	columns := fill(rand.New(rand.NewPCG(5, 6)), s, 0, 4)
	columns[5].Valid = []byte{1, 1, 0, 1}
	_, err = w.WriteBatch(4, columns)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	r := open(t, f.Bytes())
	for _, c := range []struct {
		columns []int
		text    string
	}{
		{[]int{0, 3}, `column "Clock" is of type uint64`},
		{[]int{0, 4}, `column "SpikeDataCh0" is uint16 and column "Signed" int16`},
		{[]int{0, 5}, `column "Gappy" has no value in row 2`},
		{[]int{}, "no column is selected"},
	} {
		_, _, err := Bin(ctx, &bytes.Buffer{}, of(r, Selection{End: 4, Columns: c.columns}), nil)
		if !errors.Is(err, ErrKind) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("columns %v: %v", c.columns, err)
		}
	}
}

// A damaged batch is left out, counted and placed: rows are never invented.
func TestDamageIsLeftOutCountedAndPlaced(t *testing.T) {
	data := record(t, probe(4), recording.WriterOptions{Codec: recording.Zstd}, 50, 60, 70).Bytes()
	r := open(t, data)
	whole := flatReference(t, r, Selection{End: 180, Columns: allElectrodes(r.Stream())})
	message := []byte{0xff, 0xff, 0xff, 0xff} // of the schema, the first, the second batch
	second := 0
	for range 3 {
		second += 1 + bytes.Index(data[second:], message)
	}
	frame := second + bytes.Index(data[second:], []byte{0x28, 0xb5, 0x2f, 0xfd}) // zstd's magic number
	data[frame+20] ^= 1
	r = open(t, data)
	var got bytes.Buffer
	layout, report, err := Bin(ctx, &got, of(r, Selection{End: 180}), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Concat(whole[:50*8], whole[110*8:])
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("the intact rows differ")
	}
	if report.Rows != 120 || report.LostRows != 60 || len(report.Findings) != 1 {
		t.Errorf("%+v", report)
	}
	if len(layout.Lost) != 1 || layout.Lost[0].BeforeRow != 50 || layout.Lost[0].LostRows != 60 || layout.Lost[0].ClockBefore != tickOf(49) || layout.Lost[0].ClockAfter != tickOf(110) || layout.Lost[0].Reason == "" {
		t.Errorf("lost: %+v", layout.Lost)
	}

	f := &memFile{}
	if _, err := NPY(ctx, f, of(r, Selection{End: 180, Columns: allElectrodes(r.Stream())}), nil); err != nil {
		t.Fatal(err)
	}
	if a := parseNPY(t, f.Bytes()); a.shape != "(120, 4)" || !bytes.Equal(a.data, want) {
		t.Errorf("npy of what is left: %s", a.shape)
	}
	if _, err := NPY(ctx, &bytes.Buffer{}, of(r, Selection{End: 180}), nil); err == nil || !strings.Contains(err.Error(), "120 rows are there of the 180") {
		t.Errorf("npy that cannot correct its header: %v", err)
	}
}

// Where neither a footer nor a header tells of the batch that is lost, Clock on
// both sides does.
func TestRowsLostBetweenBatchesArePlacedByTheClock(t *testing.T) {
	data := record(t, probe(4), recording.WriterOptions{}, 50, 60, 70, 80).Bytes()
	r := open(t, data)
	whole := flatReference(t, r, Selection{End: 260, Columns: allElectrodes(r.Stream())})
	message, at := []byte{0xff, 0xff, 0xff, 0xff}, -1
	for range 3 {
		at += 1 + bytes.Index(data[at+1:], message)
	}
	clear(data[at:][:48]) // the second batch; the first message is the schema
	for _, s := range []Selection{{End: 200}, {Start: 20, End: 130}, {Start: 50, End: 51}, {Start: 0, End: 50}} {
		var got bytes.Buffer
		layout, report, err := Bin(ctx, &got, of(open(t, data[:len(data)-20]), s), nil)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Concat(whole[:50*8], whole[110*8:])[s.Start*8 : s.End*8]
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("rows %d to %d differ", s.Start, s.End)
		}
		place, findings := recording.Finding{BeforeRow: 50 - s.Start, LostRows: 60, ClockBefore: tickOf(49), ClockAfter: tickOf(110)}, 1
		if s.End == 50 { // the rows after are those in front of which it lies
			findings = 0
		}
		same := len(layout.Lost) == findings
		for _, f := range layout.Lost {
			same = same && f.BeforeRow == place.BeforeRow && f.LostRows == place.LostRows && f.ClockBefore == place.ClockBefore && f.ClockAfter == place.ClockAfter &&
				f.Reason == "zeros where a message should begin" && f.Offset == int64(at) && f.Severity == recording.SeverityError
		}
		if !same || len(report.Findings) != findings {
			t.Errorf("rows %d to %d: lost %+v, %d findings", s.Start, s.End, layout.Lost, len(report.Findings))
		}
	}
}

// tickOf is Clock of a row of record.
func tickOf(row uint64) uint64 { return 1000 + 8333*row }

var le = binary.LittleEndian
