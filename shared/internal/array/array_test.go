package array

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

func randomBits(n int, random *rand.Rand) []byte {
	p := make([]byte, (n+7)/8)
	for i := range p {
		p[i] = byte(random.Uint32())
	}
	return p
}

func TestBitsAreCutAndJoinedAtAnyPlace(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		n := random.IntN(70)
		p := randomBits(n, random)
		from := random.IntN(n + 1)
		to := from + random.IntN(n-from+1)
		before := bytes.Clone(p)
		joined := appendBits(sliceBits(p, 0, from), from, appendBits(sliceBits(p, from, to), to-from, sliceBits(p, to, n), n-to), n-from)
		nulls := 0
		for i := range n {
			if bit(joined, i) != bit(p, i) {
				t.Fatalf("bit %d of [0, %d) + [%d, %d) + [%d, %d) differs", i, from, from, to, to, n)
			}
			if !bit(p, i) {
				nulls++
			}
		}
		if !bytes.Equal(p, before) {
			t.Fatal("the bits themselves were written to")
		}
		if countNulls(joined, n) != nulls {
			t.Fatalf("%d nulls in %d bits, want %d", countNulls(joined, n), n, nulls)
		}
	}
}

// numbers is a column of int32 with every third value null.
func numbers(t *testing.T, from, n int) *Array {
	t.Helper()
	data, valid := []byte{}, make([]byte, (n+7)/8)
	nulls := 0
	for i := range n {
		data = appendInteger(data, int64(from+i), 4)
		if (from+i)%3 == 0 {
			nulls++
		} else {
			valid[i/8] |= 1 << (i % 8)
		}
	}
	f := &arrowipc.Field{Name: "n", Type: arrowipc.DataType{ID: arrowipc.Int, BitWidth: 32, Signed: true}}
	a, err := Build(f, &Source{
		Version: arrowipc.V5,
		Nodes:   []arrowipc.FieldNode{{Length: int64(n), NullCount: int64(nulls)}},
		Buffer:  func(i int, _ int64, _ bool) ([]byte, error) { return [][]byte{valid, data}[i], nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// What grows step by step must not change what was taken from it before.
func TestAnArrayThatWasExtendedStaysAsItWas(t *testing.T) {
	var steps []*Array
	all := numbers(t, 0, 5)
	for k := 5; k < 500; k += 7 {
		steps = append(steps, all)
		var err error
		if all, err = Concat(all, numbers(t, k, 7)); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range append(steps, all) {
		nulls := 0
		for i := range a.Len {
			want := string(appendNumber(i))
			if got := string(a.AppendText(nil, i)); got != want || a.IsNull(i) != (want == "null") {
				t.Fatalf("row %d of %d is %s, want %s", i, a.Len, got, want)
			}
			if want == "null" {
				nulls++
			}
		}
		if nulls != a.Nulls {
			t.Fatalf("%d nulls of %d", a.Nulls, nulls)
		}
	}
}

func appendNumber(i int) []byte {
	if i%3 == 0 {
		return []byte("null")
	}
	t := arrowipc.DataType{ID: arrowipc.Int, BitWidth: 32, Signed: true}
	return AppendFixed(nil, &t, appendInteger(nil, int64(i), 4))
}

func TestAnErrorOfTheSourceComesBackAsItIs(t *testing.T) {
	stop := errors.New("stop")
	f := &arrowipc.Field{Name: "t", Type: arrowipc.DataType{ID: arrowipc.Utf8}}
	for fail := range 2 { // the offsets are 0x01010101 each
		_, err := Build(f, &Source{
			Version: arrowipc.V5,
			Nodes:   []arrowipc.FieldNode{{Length: 1}},
			Buffer: func(i int, need int64, optional bool) ([]byte, error) {
				if optional != (i == 0) {
					t.Errorf("buffer %d: optional is %v", i, optional)
				}
				if i == fail {
					return nil, stop
				}
				return bytes.Repeat([]byte{1}, int(need)), nil
			},
		})
		if err != stop {
			t.Errorf("buffer %d: %v", fail, err)
		}
	}
}

func TestOffsetsThatWouldOverflowAreNotJoined(t *testing.T) {
	f := &arrowipc.Field{Type: arrowipc.DataType{ID: arrowipc.Utf8}}
	long := &Array{Field: f, Len: 1, Buffers: [][]byte{appendInteger(make([]byte, 4), 0, 4), nil}}
	// The bytes themselves are not needed to see that they are too many.
	if _, err := shifted(nil, appendInteger(nil, 1<<31-1, 4), 1, 4); !errors.Is(err, errTooLong) {
		t.Errorf("%v", err)
	}
	if joined, err := Concat(long, long); err != nil || joined.Len != 2 {
		t.Errorf("%v, %v", joined, err)
	}
}
