package export

import (
	"bytes"
	"errors"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

type npyArray struct {
	descr, shape string
	data         []byte
}

var npyDict = regexp.MustCompile(`^\{'descr': (.*), 'fortran_order': False, 'shape': (\(.*\)), \} *\n$`)

// parseNPY reads the header as NumPy does.
func parseNPY(t *testing.T, p []byte) npyArray {
	t.Helper()
	if len(p) < 12 || string(p[:6]) != "\x93NUMPY" {
		t.Fatalf("no NumPy array: %q", p[:min(12, len(p))])
	}
	at, n := 10, int(le.Uint16(p[8:]))
	if p[6] > 1 {
		at, n = 12, int(le.Uint32(p[8:]))
	}
	if (at+n)%64 != 0 {
		t.Errorf("data at byte %d, want a multiple of 64", at+n)
	}
	m := npyDict.FindStringSubmatch(string(p[at : at+n]))
	if m == nil {
		t.Fatalf("header %q", p[at:at+n])
	}
	return npyArray{m[1], m[2], p[at+n:]}
}

func TestNPYOfOneTypeIsATable(t *testing.T) {
	r := open(t, record(t, probe(5), recording.WriterOptions{}, 1000, 24).Bytes())
	s := Selection{Start: 990, End: 1010, Columns: []int{4, 0, 2}}
	var f bytes.Buffer
	report, err := NPY(ctx, &f, of(r, s), nil)
	if err != nil {
		t.Fatal(err)
	}
	a := parseNPY(t, f.Bytes())
	if a.descr != "'<u2'" || a.shape != "(20, 3)" || !bytes.Equal(a.data, flatReference(t, r, s)) || report.Rows != 20 || report.Bytes != int64(f.Len()) {
		t.Errorf("%s %s %+v", a.descr, a.shape, report)
	}
}

func TestNPYOfSeveralTypesHasRecords(t *testing.T) {
	r := open(t, record(t, probe(1), recording.WriterOptions{}, 10).Bytes())
	var f bytes.Buffer
	if _, err := NPY(ctx, &f, of(r, Selection{End: 10}), nil); err != nil {
		t.Fatal(err)
	}
	a := parseNPY(t, f.Bytes())
	if a.descr != "[('SpikeDataCh0', '<u2'), ('HubClock', '<u8'), ('Clock', '<u8'), ]" || a.shape != "(10,)" || len(a.data) != 180 {
		t.Fatalf("%s %s, %d bytes", a.descr, a.shape, len(a.data))
	}
	for row := range uint64(10) {
		if ticks := le.Uint64(a.data[row*18+10:]); ticks != row*8333+1000 {
			t.Errorf("row %d: Clock %d", row, ticks)
		}
	}
}

func TestNPYInPhysicalUnits(t *testing.T) {
	r := open(t, record(t, probe(1), recording.WriterOptions{}, 3).Bytes())
	raw := flatReference(t, r, Selection{End: 3, Columns: []int{0}})
	var f bytes.Buffer
	if _, err := NPY(ctx, &f, of(r, Selection{End: 3, Columns: []int{0, 2}}), &Options{Physical: true}); err != nil {
		t.Fatal(err)
	}
	a := parseNPY(t, f.Bytes())
	if a.descr != "'<f8'" || a.shape != "(3, 2)" {
		t.Fatalf("%s %s", a.descr, a.shape)
	}
	for i := range 3 {
		microvolts, seconds := math.Float64frombits(le.Uint64(a.data[16*i:])), math.Float64frombits(le.Uint64(a.data[16*i+8:]))
		if want := 2.34375 * (float64(le.Uint16(raw[2*i:])) - 512); microvolts != want {
			t.Errorf("row %d: %g uV, want %g", i, microvolts, want)
		}
		if want := float64(i*8333+1000) / 250e6; seconds != want {
			t.Errorf("row %d: %g s, want %g", i, seconds, want)
		}
	}
}

func TestNPYHeaderHoldsAnyNames(t *testing.T) {
	long := make([]string, 4000)
	types := make([]string, len(long))
	for i := range long {
		long[i], types[i] = strings.Repeat("x", 20), []string{"<u2", "<u8"}[i%2]
	}
	for _, c := range []struct {
		name    string
		names   []string
		types   []string
		version byte
	}{
		{"quotes and backslashes", []string{`a'b\c`, "b\n"}, []string{"<u2", "<i2"}, 1},
		{"more than 64 KiB", long, types, 2},
		{"other letters", []string{"µV", "b"}, []string{"<u2", "<i2"}, 3},
	} {
		for _, rows := range []int64{0, 7, math.MaxInt64} {
			h := npyHeader(c.names, c.types, rows)
			if h[6] != c.version || len(h) != len(npyHeader(c.names, c.types, 0)) {
				t.Errorf("%s: version %d, %d bytes", c.name, h[6], len(h))
			}
			parseNPY(t, h)
		}
	}
	if got := pythonString("a'b\\c\n"); got != `'a\'b\\c\x0a'` {
		t.Error(got)
	}
}

func TestNPYTellsNullsOfNumbersWithAFractionAlone(t *testing.T) {
	s := &stream.Stream{Columns: []stream.Column{
		{Name: "half", Type: stream.Float16, ByteWidth: 2, Nullable: true},
		{Name: "single", Type: stream.Float32, ByteWidth: 4, Nullable: true},
		{Name: "double", Type: stream.Float64, ByteWidth: 8, Nullable: true},
		{Name: "whole", Type: stream.Int32, ByteWidth: 4, Nullable: true},
	}}
	f := &memFile{}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	columns := make([]recording.Vector, 4)
	for i, c := range s.Columns {
		columns[i] = recording.Vector{Column: i, Type: c.Type, Len: 2, Data: make([]byte, 2*c.ByteWidth), Valid: []byte{1, 0}}
	}
	_, err = w.WriteBatch(2, columns)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	r := open(t, f.Bytes())
	var out bytes.Buffer
	if _, err := NPY(ctx, &out, of(r, Selection{End: 2, Columns: []int{0, 1, 2}}), nil); err != nil {
		t.Fatal(err)
	}
	row := parseNPY(t, out.Bytes()).data[14:]
	if half := le.Uint16(row); half&0x7c00 != 0x7c00 || half&0x3ff == 0 {
		t.Errorf("half %x", half)
	}
	if x := math.Float32frombits(le.Uint32(row[2:])); x == x {
		t.Error(x)
	}
	if x := math.Float64frombits(le.Uint64(row[6:])); x == x {
		t.Error(x)
	}
	if _, err := NPY(ctx, &out, of(r, Selection{End: 2, Columns: []int{3}}), nil); !errors.Is(err, ErrKind) {
		t.Errorf("null of a whole number: %v", err)
	}
}
