package recording_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

func TestWhatIsNoRecordingIsRefusedWithTheReason(t *testing.T) {
	whole := testdata.Foreign(t, "csharp/cs_small.arrow")
	bigEndian := arrowipc.AppendSchema(arrowipc.AppendHeader(nil), 8, 8, &arrowipc.Schema{BigEndian: true})
	brokenSchema := bytes.Clone(whole[:4096])
	for i := 20; i < 200; i++ {
		brokenSchema[i] = 0xEE
	}
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"nothing":                        {nil, recording.ErrEmpty},
		"half the magic":                 {whole[:4], recording.ErrNoSchema},
		"the magic alone":                {whole[:6], recording.ErrNoSchema},
		"the magic and its padding":      {whole[:8], recording.ErrNoSchema},
		"the schema is cut":              {whole[:100], recording.ErrNoSchema},
		"magic and end mark":             {arrowipc.AppendEnd(arrowipc.AppendHeader(nil)), recording.ErrNoSchema},
		"a stream that is cut at once":   {whole[8:60], recording.ErrNoSchema},
		"text":                           {[]byte("Clock,HubClock\n1,2\n"), recording.ErrNotArrow},
		"three bytes of text":            {[]byte("abc"), recording.ErrNotArrow},
		"zeros":                          {make([]byte, 100), recording.ErrNotArrow},
		"a marker and rubbish":           {bytes.Repeat([]byte{0xFF}, 100), recording.ErrNotArrow},
		"big endian":                     {bigEndian, recording.ErrBigEndian},
		"a schema that cannot be read":   {brokenSchema, recording.ErrSchemaLost},
		"zeros after the magic":          {append(whole[:8:8], make([]byte, 1000)...), recording.ErrSchemaLost},
		"a batch where the schema was":   {append(whole[:8:8], whole[dissect.Block(t, whole, 0).Offset:]...)[:9000], recording.ErrSchemaLost},
		"a schema with a body of no end": {schemaWithBody(1 << 40), recording.ErrSchemaLost},
	} {
		r, err := recording.NewReader(bytes.NewReader(c.data), int64(len(c.data)))
		if r != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := recording.NewReader(bytes.NewReader(whole[:5000]), int64(len(whole))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file shorter than it was said to be: %v", err)
	}
}

// schemaWithBody is a file whose schema message claims a body.
func schemaWithBody(length int64) []byte {
	b := flatbuffers.NewBuilder(64)
	b.StartObject(4)
	schema := b.EndObject()
	b.StartObject(5)
	b.PrependInt16Slot(0, arrowipc.V5, 0)
	b.PrependByteSlot(1, byte(arrowipc.SchemaHeader), 0)
	b.PrependUOffsetTSlot(2, schema, 0)
	b.PrependInt64Slot(3, length, 0)
	b.Finish(b.EndObject())
	file := append(arrowipc.AppendHeader(nil), 0xFF, 0xFF, 0xFF, 0xFF)
	file = binary.LittleEndian.AppendUint32(file, uint32(len(b.FinishedBytes())))
	return append(file, b.FinishedBytes()...)
}

func TestReaderReadsWhatTheWriterWrote(t *testing.T) {
	s := testdata.EveryType()
	for name, codec := range testdata.EveryCodec {
		for _, footer := range []bool{true, false} {
			f, want := testdata.WriteRandom(t, s, codec, 3, 100, 100, 1, 57)
			data := f.Data
			if !footer {
				data = data[:dissect.Block(t, data, 3).Offset+int64(dissect.Block(t, data, 3).MetaLength)+dissect.Block(t, data, 3).BodyLength]
			}
			r := testdata.Open(t, data)
			if rows := testdata.IndexAll(t, r); rows != 258 || r.Codec() != name || (r.State() == recording.Complete) != footer {
				t.Fatalf("%s: %d rows, %s, %s", name, rows, r.Codec(), r.State())
			}
			if got := r.Stream(); !reflect.DeepEqual(got.Metadata(), s.Metadata()) {
				t.Errorf("metadata %v", got.Metadata())
			}
			for i := range want {
				b, err := r.ReadBatch(i, nil)
				if err != nil {
					t.Fatal(err)
				}
				for k := range b.Columns {
					w := want[i][k]
					w.Width = testdata.Width(&s.Columns[k])
					if !testdata.SameVector(&b.Columns[k], &w) {
						t.Fatalf("%s: batch %d, column %s differs", name, i, s.Columns[k].Name)
					}
				}
			}
		}
	}
}

func TestBatchesAndRows(t *testing.T) {
	r := testdata.Open(t, testdata.Foreign(t, "bonsai/new_NeuropixelsV1_idle.arrow"))
	for _, c := range []struct {
		row   int64
		batch int
	}{{0, 0}, {119, 0}, {120, 1}, {191, 1}, {192, 2}, {215, 2}} {
		if batch, err := r.BatchAt(c.row); batch != c.batch || err != nil {
			t.Errorf("row %d: batch %d, %v", c.row, batch, err)
		}
	}
	for _, row := range []int64{-1, 216, math.MaxInt64, math.MinInt64} {
		var e *recording.RangeError
		if _, err := r.BatchAt(row); !errors.As(err, &e) || e.Rows != 216 {
			t.Errorf("row %d: %v", row, err)
		}
	}
	if start, end, err := r.BatchRange(1); start != 120 || end != 192 || err != nil {
		t.Errorf("batch 1: [%d, %d), %v", start, end, err)
	}
	for _, i := range []int{-1, 3} {
		if _, _, err := r.BatchRange(i); err == nil {
			t.Errorf("batch %d exists", i)
		}
		if _, err := r.ReadBatch(i, nil); err == nil {
			t.Errorf("batch %d can be read", i)
		}
	}
}

func TestNamesThatMissGetTheNearOnes(t *testing.T) {
	r := testdata.Open(t, testdata.Foreign(t, "bonsai/old_NeuropixelsV1.arrow"))
	for name, want := range map[string][]string{
		"clock":        {"Clock", "HubClock"},
		"SpikeData117": {"SpikeDataCh117", "SpikeDataCh17", "SpikeDataCh7", "SpikeDataCh0", "SpikeDataCh1"},
		"Hub":          {"HubClock"},
		"zzzzzzzzz":    nil,
		"":             nil,
	} {
		_, err := r.Column(name)
		var e *recording.ColumnError
		if !errors.As(err, &e) || e.Name != name {
			t.Fatalf("%q: %v", name, err)
		}
		if !reflect.DeepEqual(e.Near, want) {
			t.Errorf("%q: near are %v, want %v", name, e.Near, want)
		}
		for _, n := range e.Near {
			if !strings.Contains(err.Error(), n) {
				t.Errorf("%q: %v does not name %s", name, err, n)
			}
		}
	}
	if _, err := r.ReadBatch(0, []int{771}); !errors.As(err, new(*recording.ColumnError)) {
		t.Errorf("column 771: %v", err)
	}
}

// A preserved tail of zeros, rubbish, and a second file after the first are
// damage; batches before and after it are not.
func TestFilesWithoutFooterHoldWhatHoldsInThem(t *testing.T) {
	whole := testdata.Foreign(t, "csharp/cs_small.arrow")
	last := dissect.Block(t, whole, 2)
	data := whole[:last.Offset+int64(last.MetaLength)+last.BodyLength] // three batches, nothing after
	rubbish := bytes.Repeat([]byte("rubbish "), 100)
	for name, c := range map[string]struct {
		data    []byte
		batches int
		state   recording.State
	}{
		"nothing after the batches":         {data, 3, recording.Unfinished},
		"half an end mark":                  {whole[:len(data)+4], 3, recording.Unfinished},
		"an end mark":                       {whole[:len(data)+8], 3, recording.Unfinished},
		"half a footer":                     {whole[:len(data)+100], 3, recording.Unfinished},
		"a footer without its magic":        {whole[:len(whole)-1], 3, recording.Unfinished},
		"a footer with a wrong length":      {append(whole[:len(whole)-10:len(whole)-10], "\xff\xff\xff\x7fARROW1"...), 3, recording.Damaged},
		"a footer that cannot be read":      {append(whole[:len(whole)-10:len(whole)-10], "\x20\x00\x00\x00ARROW1"...), 3, recording.Damaged},
		"zeros after the batches":           {append(bytes.Clone(data), make([]byte, 512)...), 3, recording.Damaged},
		"rubbish after the batches":         {append(bytes.Clone(data), rubbish...), 3, recording.Damaged},
		"a second file after the batches":   {append(bytes.Clone(data), whole[8:]...)[:len(data)+5000], 3, recording.Damaged},
		"the last batch cut in its header":  {data[:last.Offset+50], 2, recording.Unfinished},
		"the last batch cut in its body":    {data[:len(data)-9], 2, recording.Unfinished},
		"the last batch without its prefix": {data[:last.Offset+6], 2, recording.Unfinished},
		"rubbish in the second header":      {testdata.Overwritten(data, dissect.Block(t, whole, 1).Offset+12, rubbish[:80]), 2, recording.Damaged},
		"a header length of 1 GiB":          {testdata.Overwritten(data, dissect.Block(t, whole, 1).Offset+4, []byte{0, 0, 0, 0x40}), 2, recording.Damaged},
		"the second batch zeroed":           {testdata.Overwritten(data, dissect.Block(t, whole, 1).Offset, make([]byte, last.Offset-dissect.Block(t, whole, 1).Offset)), 2, recording.Damaged},
		"seven bytes cut out of the second": {append(data[:last.Offset-1000:last.Offset-1000], data[last.Offset-993:]...), 2, recording.Damaged},
		"an end mark for the second":        {testdata.Overwritten(data, dissect.Block(t, whole, 1).Offset, arrowipc.AppendEnd(nil)), 2, recording.Damaged},
		"a file joined that lacks a byte":   {append(bytes.Clone(whole), whole[:len(whole)-1]...), 6, recording.Damaged},
	} {
		r := testdata.Open(t, c.data)
		rows := testdata.IndexAll(t, r)
		if r.NumBatches() != c.batches || rows != int64(300*c.batches) || r.State() != c.state {
			t.Errorf("%s: %d batches, %d rows, %s, %+v", name, r.NumBatches(), rows, r.State(), r.Findings())
		}
		if len(r.Findings()) == 0 {
			t.Errorf("%s: no finding", name)
		}
		for i := range c.batches {
			if _, err := r.ReadBatch(i, nil); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Other writers' framing: legacy prefixes of 4 bytes, the first message at 64,
// metadata version V4, the stream format.
func TestOtherFramingsAreRead(t *testing.T) {
	whole := testdata.Foreign(t, "csharp/cs_small.arrow")
	want := testdata.Open(t, whole)
	first, last := dissect.Block(t, whole, 0), dissect.Block(t, whole, 2)
	dataEnd := last.Offset + int64(last.MetaLength) + last.BodyLength
	messages := whole[8:dataEnd]
	legacy := []byte("ARROW1\x00\x00")
	for at := int64(8); at < dataEnd; {
		length := int64(binary.LittleEndian.Uint32(whole[at+4:]))
		body := int64(0)
		if at >= first.Offset {
			body = first.BodyLength
		}
		legacy = binary.LittleEndian.AppendUint32(legacy, uint32(length+4))
		legacy = append(legacy, whole[at+8:at+8+length]...)
		legacy = append(legacy, 0, 0, 0, 0)
		legacy = append(legacy, whole[at+8+length:at+8+length+body]...)
		at += 8 + length + body
	}
	v4 := bytes.Clone(whole[:dataEnd])
	for i := range 3 {
		setVersion(v4, dissect.Block(t, whole, i).Offset, arrowipc.V4)
	}
	setVersion(v4, 8, arrowipc.V4)
	for name, c := range map[string]struct {
		data   []byte
		format string
		state  recording.State
	}{
		"padded to 64":               {append(append([]byte("ARROW1"), make([]byte, 58)...), messages...), "file", recording.Unfinished},
		"legacy":                     {legacy, "file", recording.Unfinished},
		"legacy with end":            {append(bytes.Clone(legacy), 0, 0, 0, 0), "file", recording.Unfinished},
		"legacy with end and footer": {append(bytes.Clone(legacy), "\x00\x00\x00\x00some footer"...), "file", recording.Unfinished},
		"legacy with zeros":          {append(bytes.Clone(legacy), make([]byte, 600)...), "file", recording.Damaged},
		"V4":                         {v4, "file", recording.Unfinished},
		"stream":                     {arrowipc.AppendEnd(bytes.Clone(messages)), "stream", recording.Complete},
		"stream without an end":      {messages, "stream", recording.Unfinished},
		"stream and more":            {append(arrowipc.AppendEnd(bytes.Clone(messages)), 1, 2, 3), "stream", recording.Damaged},
	} {
		r := testdata.Open(t, c.data)
		info, err := testdata.Info(r)
		if err != nil {
			t.Fatal(err)
		}
		if r.NumBatches() != 3 || info.Format.String() != c.format || info.State != c.state || info.Rows != 900 {
			t.Fatalf("%s: %d batches, %+v", name, r.NumBatches(), info)
		}
		for i := range 3 {
			a, err := r.ReadBatch(i, nil)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := want.ReadBatch(i, nil); err != nil || !testdata.SameBatch(a, b) {
				t.Errorf("%s: batch %d differs, %v", name, i, err)
			}
		}
	}
}

// setVersion changes the metadata version of the message at off.
func setVersion(data []byte, off int64, version uint16) {
	meta := data[off+8:]
	table := int64(binary.LittleEndian.Uint32(meta))
	vtable := table - int64(int32(binary.LittleEndian.Uint32(meta[table:])))
	slot := int64(binary.LittleEndian.Uint16(meta[vtable+4:]))
	if slot == 0 || binary.LittleEndian.Uint16(meta[table+slot:]) != arrowipc.V5 {
		panic(fmt.Sprintf("no version at %d", off))
	}
	binary.LittleEndian.PutUint16(meta[table+slot:], version)
}

func TestValuesWithoutCopyWhereAligned(t *testing.T) {
	buf := make([]byte, 40)
	for i := range buf {
		buf[i] = byte(i)
	}
	v := recording.Vector{Type: stream.Uint16, Len: 4, Data: buf[8:16]}
	a := recording.Values[uint16](&v)
	a[0] = 0xABCD
	if buf[8] != 0xCD {
		t.Error("aligned values were copied")
	}
	v.Data = buf[17:25]
	a = recording.Values[uint16](&v)
	if a[0] != 0x1211 || a[3] != 0x1817 {
		t.Errorf("unaligned values are %x", a)
	}
	if recording.Values[uint32](&v) != nil || recording.Values[uint16](&recording.Vector{Type: stream.Uint16, Len: 5, Data: buf[:9]}) != nil {
		t.Error("values of another width")
	}
	if got := recording.Values[float64](&recording.Vector{Type: stream.Float64}); got == nil || len(got) != 0 {
		t.Errorf("no values are %v", got)
	}
	for bits, want := range map[uint16]float64{0: 0, 1: 5.960464477539063e-08, 0x3C00: 1, 0xC000: -2, 0x7BFF: 65504, 0x7C00: math.Inf(1), 0xFC00: math.Inf(-1), 0x3555: 0.333251953125} {
		h := recording.Vector{Type: stream.Float16, Len: 1, Data: binary.LittleEndian.AppendUint16(nil, bits)}
		if got := h.Float64(0); got != want {
			t.Errorf("half %04x is %v, want %v", bits, got, want)
		}
	}
	if h := (recording.Vector{Type: stream.Float16, Len: 1, Data: []byte{1, 0x7C}}); !math.IsNaN(h.Float64(0)) {
		t.Error("half NaN")
	}
	if raw := (recording.Vector{Type: stream.FixedBinary, Width: 3, Len: 1, Data: []byte{1, 2, 3}}); !math.IsNaN(raw.Float64(0)) {
		t.Error("raw bytes are a number")
	}
}
