package recording_test

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
)

// A handmade file has one column and one batch, whose nodes and buffers a test
// chooses freely.
type handmade struct {
	field   arrowipc.Field
	rows    int64
	nodes   []arrowipc.FieldNode
	buffers [][]byte
	codec   arrowipc.Codec
}

func (h *handmade) file() []byte {
	s := &arrowipc.Schema{Fields: []arrowipc.Field{h.field}}
	file := arrowipc.AppendHeader(nil)
	file = arrowipc.AppendSchema(file, int64(len(file)), 8, s)
	batch := &arrowipc.RecordBatch{Length: h.rows, Nodes: h.nodes, Codec: h.codec}
	var body []byte
	for _, buffer := range h.buffers {
		batch.Buffers = append(batch.Buffers, arrowipc.Buffer{Offset: int64(len(body)), Length: int64(len(buffer))})
		body = append(body, buffer...)
		for len(body)%8 != 0 {
			body = append(body, 0)
		}
	}
	at := int64(len(file))
	file = arrowipc.AppendRecordBatch(file, at, 8, batch, int64(len(body)), nil)
	block := arrowipc.Block{Offset: at, MetaLength: int32(int64(len(file)) - at), BodyLength: int64(len(body))}
	file = arrowipc.AppendEnd(append(file, body...))
	return arrowipc.AppendFooter(file, &arrowipc.Footer{Version: arrowipc.V5, Schema: *s, Batches: []arrowipc.Block{block}})
}

var (
	u16   = arrowipc.DataType{ID: arrowipc.Int, BitWidth: 16}
	i16   = arrowipc.DataType{ID: arrowipc.Int, BitWidth: 16, Signed: true}
	runs  = arrowipc.Field{Name: "lfp", Type: arrowipc.DataType{ID: arrowipc.RunEndEncoded}, Children: []arrowipc.Field{{Name: "runEnds0", Type: i16}, {Name: "values0", Type: u16}}}
	plain = arrowipc.Field{Name: "ap", Type: u16}
	four  = []arrowipc.FieldNode{{Length: 4}}
)

func compressed(claim uint64, data []byte) []byte {
	e, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	defer func() { _ = e.Close() }()
	return e.EncodeAll(data, testdata.LE64(claim))
}

func runNodes(rows, ends, values int64) []arrowipc.FieldNode {
	return []arrowipc.FieldNode{{Length: rows}, {Length: ends}, {Length: values}}
}

func TestBuffersThatHold(t *testing.T) {
	four64 := append(testdata.LE16(7, 8, 9, 10), make([]byte, 56)...)
	for name, c := range map[string]struct {
		handmade
		want  []uint16
		valid []byte
		ends  []int32
	}{
		"exact":                                  {handmade{plain, 4, four, [][]byte{nil, testdata.LE16(7, 8, 9, 10)}, -1}, []uint16{7, 8, 9, 10}, nil, nil},
		"a longer buffer":                        {handmade{plain, 4, four, [][]byte{nil, four64}, -1}, []uint16{7, 8, 9, 10}, nil, nil},
		"a bitmap without nulls":                 {handmade{plain, 4, four, [][]byte{{0x0F}, testdata.LE16(7, 8, 9, 10)}, -1}, []uint16{7, 8, 9, 10}, nil, nil},
		"nulls in a column that is not nullable": {handmade{plain, 4, []arrowipc.FieldNode{{Length: 4, NullCount: 3}}, [][]byte{{0xF4}, testdata.LE16(7, 8, 9, 10)}, -1}, []uint16{7, 8, 9, 10}, []byte{0, 0, 1, 0}, nil},
		"zstd":                                   {handmade{plain, 4, four, [][]byte{testdata.LE64(0), compressed(8, testdata.LE16(7, 8, 9, 10))}, arrowipc.Zstd}, []uint16{7, 8, 9, 10}, nil, nil},
		"zstd, rounded up":                       {handmade{plain, 4, four, [][]byte{nil, compressed(64, four64)}, arrowipc.Zstd}, []uint16{7, 8, 9, 10}, nil, nil},
		"zstd, stored":                           {handmade{plain, 4, four, [][]byte{nil, append(testdata.LE64(math.MaxUint64), testdata.LE16(7, 8, 9, 10)...)}, arrowipc.Zstd}, []uint16{7, 8, 9, 10}, nil, nil},
		"no rows":                                {handmade{plain, 0, []arrowipc.FieldNode{{}}, [][]byte{nil, nil}, -1}, []uint16{}, nil, nil},
		"no rows, zstd":                          {handmade{plain, 0, []arrowipc.FieldNode{{}}, [][]byte{testdata.LE64(0), testdata.LE64(0)}, arrowipc.Zstd}, []uint16{}, nil, nil},
		"runs":                                   {handmade{runs, 5, runNodes(5, 2, 2), [][]byte{nil, testdata.LE16(3, 5), nil, testdata.LE16(70, 80)}, -1}, []uint16{70, 70, 70, 80, 80}, nil, []int32{3, 5}},
		"run ends in a longer buffer":            {handmade{runs, 5, runNodes(5, 2, 2), [][]byte{nil, append(testdata.LE16(3, 5), make([]byte, 60)...), nil, testdata.LE16(70, 80)}, -1}, []uint16{70, 70, 70, 80, 80}, nil, []int32{3, 5}},
		"the last run goes on after the batch":   {handmade{runs, 4, runNodes(4, 2, 2), [][]byte{nil, testdata.LE16(3, 50), nil, testdata.LE16(70, 80)}, -1}, []uint16{70, 70, 70, 80}, nil, []int32{3, 4}},
		"runs after the batch":                   {handmade{runs, 2, runNodes(2, 3, 3), [][]byte{nil, testdata.LE16(2, 5, 9), nil, testdata.LE16(70, 80, 90)}, -1}, []uint16{70, 70}, nil, []int32{2}},
		"a run of nulls":                         {handmade{runs, 4, []arrowipc.FieldNode{{Length: 4}, {Length: 2}, {Length: 2, NullCount: 1}}, [][]byte{nil, testdata.LE16(1, 4), {1}, testdata.LE16(70, 0)}, -1}, []uint16{70, 0, 0, 0}, []byte{1, 0, 0, 0}, []int32{1, 4}},
		"no rows in runs":                        {handmade{runs, 0, runNodes(0, 0, 0), [][]byte{nil, nil, nil, nil}, -1}, []uint16{}, nil, []int32{}},
		"a batch with a second copy of its buffers": {handmade{plain, 4, four, [][]byte{nil, append(testdata.LE16(7, 8, 9, 10), testdata.LE16(7, 8, 9, 10)...)}, -1}, []uint16{7, 8, 9, 10}, nil, nil},
	} {
		r := testdata.Open(t, c.file())
		b, err := r.ReadBatch(0, []int{0})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		v := &b.Columns[0]
		if !reflect.DeepEqual(recording.Values[uint16](v), c.want) || !bytes.Equal(v.Valid, c.valid) || !reflect.DeepEqual(v.RunEnds, c.ends) || (v.Valid == nil) != (c.valid == nil) {
			t.Errorf("%s: %+v", name, v)
		}
		if r.State() != recording.Complete {
			t.Errorf("%s: %+v", name, r.Findings())
		}
	}
}

func TestBuffersThatDoNotHold(t *testing.T) {
	huge := int64(1) << 37
	for name, c := range map[string]struct {
		handmade
		want error
		word string
	}{
		"a short buffer":                  {handmade{plain, 4, four, [][]byte{nil, testdata.LE16(7, 8, 9)}, -1}, recording.ErrBounds, "6 bytes"},
		"no buffer":                       {handmade{plain, 4, four, [][]byte{nil, nil}, -1}, recording.ErrBounds, "0 bytes"},
		"nulls without a bitmap":          {handmade{plain, 4, []arrowipc.FieldNode{{Length: 4, NullCount: 1}}, [][]byte{nil, testdata.LE16(7, 8, 9, 10)}, -1}, recording.ErrDamaged, "1 nulls, but no"},
		"a bitmap with other nulls":       {handmade{plain, 4, []arrowipc.FieldNode{{Length: 4, NullCount: 1}}, [][]byte{{0xF}, testdata.LE16(7, 8, 9, 10)}, -1}, recording.ErrDamaged, "0 nulls by its validity bits, 1"},
		"a bitmap with nulls, none said":  {handmade{plain, 4, four, [][]byte{{0xD}, testdata.LE16(7, 8, 9, 10)}, -1}, recording.ErrDamaged, "1 nulls by its validity bits, 0"},
		"stored, and longer than needed":  {handmade{plain, 4, four, [][]byte{nil, append(testdata.LE64(math.MaxUint64), make([]byte, 65)...)}, arrowipc.Zstd}, recording.ErrBounds, "65 bytes where 8"},
		"rows beyond any file":            {handmade{plain, huge, []arrowipc.FieldNode{{Length: huge}}, [][]byte{nil, testdata.LE16(7)}, -1}, recording.ErrTooLarge, ""},
		"rows that overflow":              {handmade{plain, math.MaxInt64, []arrowipc.FieldNode{{Length: math.MaxInt64}}, [][]byte{nil, testdata.LE16(7)}, -1}, recording.ErrDamaged, "rows"},
		"a compressed buffer of 5 bytes":  {handmade{plain, 4, four, [][]byte{nil, make([]byte, 5)}, arrowipc.Zstd}, recording.ErrDamaged, "5 bytes"},
		"a claim too small":               {handmade{plain, 4, four, [][]byte{nil, compressed(6, testdata.LE16(7, 8, 9))}, arrowipc.Zstd}, recording.ErrBounds, "6 bytes claimed where 8"},
		"a claim too large":               {handmade{plain, 4, four, [][]byte{nil, compressed(72, make([]byte, 72))}, arrowipc.Zstd}, recording.ErrBounds, "72 bytes claimed"},
		"a claim of 1 EiB":                {handmade{plain, 4, four, [][]byte{nil, compressed(1<<60, testdata.LE16(7, 8, 9, 10))}, arrowipc.Zstd}, recording.ErrBounds, "claimed"},
		"a negative claim":                {handmade{plain, 4, four, [][]byte{nil, compressed(math.MaxUint64-6, testdata.LE16(7, 8, 9, 10))}, arrowipc.Zstd}, recording.ErrBounds, "-7 bytes"},
		"less than claimed":               {handmade{plain, 4, four, [][]byte{nil, compressed(8, testdata.LE16(7, 8, 9))}, arrowipc.Zstd}, recording.ErrDamaged, "6 bytes where 8"},
		"more than claimed":               {handmade{plain, 4, four, [][]byte{nil, compressed(8, make([]byte, 1<<20))}, arrowipc.Zstd}, recording.ErrDamaged, "zstd"},
		"stored, and too short":           {handmade{plain, 4, four, [][]byte{nil, append(testdata.LE64(math.MaxUint64), 1, 2, 3)}, arrowipc.Zstd}, recording.ErrBounds, "3 bytes where 8"},
		"not zstd":                        {handmade{plain, 4, four, [][]byte{nil, append(testdata.LE64(8), "rubbish!"...)}, arrowipc.Zstd}, recording.ErrDamaged, "zstd"},
		"not LZ4":                         {handmade{plain, 4, four, [][]byte{nil, append(testdata.LE64(8), "rubbish!"...)}, arrowipc.LZ4Frame}, recording.ErrDamaged, "lz4"},
		"a claim that LZ4 cannot reach":   {handmade{plain, 1 << 22, []arrowipc.FieldNode{{Length: 1 << 22}}, [][]byte{nil, append(testdata.LE64(8<<20), make([]byte, 1000)...)}, arrowipc.LZ4Frame}, recording.ErrBounds, "claimed from"},
		"a claim that zstd cannot reach":  {handmade{plain, 1 << 28, []arrowipc.FieldNode{{Length: 1 << 28}}, [][]byte{nil, compressed(1<<29, nil)}, arrowipc.Zstd}, recording.ErrBounds, "claimed from"},
		"run ends that fall":              {handmade{runs, 5, runNodes(5, 2, 2), [][]byte{nil, testdata.LE16(5, 3), nil, testdata.LE16(70, 80)}, -1}, recording.ErrDamaged, "run 1 ends at 3"},
		"run ends that stand":             {handmade{runs, 5, runNodes(5, 2, 2), [][]byte{nil, testdata.LE16(5, 5), nil, testdata.LE16(70, 80)}, -1}, recording.ErrDamaged, "run 1 ends at 5"},
		"a run end of 0":                  {handmade{runs, 5, runNodes(5, 2, 2), [][]byte{nil, testdata.LE16(0, 5), nil, testdata.LE16(70, 80)}, -1}, recording.ErrDamaged, "run 0 ends at 0"},
		"a negative run end":              {handmade{runs, 5, runNodes(5, 1, 1), [][]byte{nil, testdata.LE16(0xFFFF), nil, testdata.LE16(70)}, -1}, recording.ErrDamaged, "ends at -1"},
		"runs that do not reach":          {handmade{runs, 5, runNodes(5, 2, 2), [][]byte{nil, testdata.LE16(3, 4), nil, testdata.LE16(70, 80)}, -1}, recording.ErrDamaged, "end at 4 of 5"},
		"no runs":                         {handmade{runs, 5, runNodes(5, 0, 0), [][]byte{nil, nil, nil, nil}, -1}, recording.ErrDamaged, "no runs"},
		"more run ends than values":       {handmade{runs, 5, runNodes(5, 2, 1), [][]byte{nil, testdata.LE16(3, 5), nil, testdata.LE16(70)}, -1}, recording.ErrDamaged, "2 run ends for 1"},
		"a short buffer of run ends":      {handmade{runs, 5, runNodes(5, 2, 2), [][]byte{nil, testdata.LE16(3), nil, testdata.LE16(70, 80)}, -1}, recording.ErrBounds, "2 bytes"},
		"a short buffer of runs' values":  {handmade{runs, 5, runNodes(5, 2, 2), [][]byte{nil, testdata.LE16(3, 5), nil, testdata.LE16(70)}, -1}, recording.ErrBounds, "2 bytes"},
		"null run ends":                   {handmade{runs, 5, []arrowipc.FieldNode{{Length: 5}, {Length: 2, NullCount: 1}, {Length: 2}}, [][]byte{{1}, testdata.LE16(3, 5), nil, testdata.LE16(70, 80)}, -1}, recording.ErrDamaged, "nulls among"},
		"a billion rows in one run":       {handmade{runs, 1 << 30, runNodes(1<<30, 1, 1), [][]byte{nil, testdata.LE16(5), nil, testdata.LE16(70)}, -1}, recording.ErrTooLarge, ""},
		"100 million rows in one run":     {handmade{runs, 1e8, runNodes(1e8, 1, 1), [][]byte{nil, testdata.LE16(5), nil, testdata.LE16(70)}, -1}, recording.ErrTooLarge, "expanded from"},
		"a node of other length":          {handmade{plain, 4, []arrowipc.FieldNode{{Length: 3}}, [][]byte{nil, testdata.LE16(7, 8, 9, 10)}, -1}, recording.ErrDamaged, "3 rows in a batch of 4"},
		"a node too many":                 {handmade{plain, 4, append(four[:1:1], four...), [][]byte{nil, testdata.LE16(7, 8, 9, 10)}, -1}, recording.ErrDamaged, "2 field nodes"},
		"a buffer too few":                {handmade{plain, 4, four, [][]byte{testdata.LE16(7, 8, 9, 10)}, -1}, recording.ErrDamaged, "1 buffers"},
		"runs of values that are too few": {handmade{runs, 5, runNodes(5, 1<<40, 1<<40), [][]byte{nil, testdata.LE16(3, 5), nil, testdata.LE16(70, 80)}, -1}, recording.ErrDamaged, "runs"},
	} {
		r := testdata.Open(t, c.file())
		var err error
		if n := testdata.Allocated(func() { _, err = r.ReadBatch(0, []int{0}) }); n > 16<<20 {
			t.Errorf("%s: %d bytes allocated", name, n)
		}
		var corrupt *recording.CorruptError
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.word) || errors.As(err, &corrupt) == errors.Is(err, recording.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
		if errors.As(err, &corrupt) && (corrupt.Batch != 0 || len(r.Findings()) != 1 || r.State() != recording.Damaged) {
			t.Errorf("%s: %v, %+v", name, err, r.Findings())
		}
	}
}

// A flipped bit in a frame with a checksum is never a wrong value.
func TestZstdChecksumsAreVerified(t *testing.T) {
	data := clockFile(t, recording.Zstd, 200)
	b := dissect.Block(t, data, 0)
	body := b.Offset + int64(b.MetaLength)
	whole, err := testdata.Open(t, data).ReadBatch(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for at := body; at < body+b.BodyLength; at++ {
		for bit := range 8 {
			r := testdata.Open(t, testdata.Overwritten(data, at, []byte{data[at] ^ 1<<bit}))
			got, err := r.ReadBatch(0, nil)
			if err == nil && !testdata.SameBatch(got, whole) {
				t.Fatalf("bit %d of byte %d: other values without an error", bit, at)
			}
		}
	}
}

// Messages that a footer leaves out are said to be there.
func TestAFooterThatLacksABatchIsAFinding(t *testing.T) {
	data := clockFile(t, recording.None, 10, 20, 30)
	end := dissect.Block(t, data, 2).Offset + int64(dissect.Block(t, data, 2).MetaLength) + dissect.Block(t, data, 2).BodyLength
	r := testdata.Open(t, data)
	var blocks []arrowipc.Block
	for i := range 3 {
		blocks = append(blocks, dissect.Block(t, data, i))
	}
	for missing := range 3 {
		list := append(append([]arrowipc.Block{}, blocks[:missing]...), blocks[missing+1:]...)
		file := arrowipc.AppendEnd(bytes.Clone(data[:end]))
		file = arrowipc.AppendFooter(file, &arrowipc.Footer{Version: arrowipc.V5, Schema: r.Schema(), Batches: list})
		short := testdata.Open(t, file)
		f := short.Findings()
		if len(f) != 1 || f[0].Offset != blocks[missing].Offset || f[0].LostRows != 0 || f[0].Severity != recording.SeverityWarning || short.NumBatches() != 3 || f[0].BeforeRow != []int64{0, 10, 30}[missing] || short.State() != recording.Damaged {
			t.Errorf("without batch %d: %+v", missing, f)
		}
	}
}
