package messages

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// scanAll returns where the scan finds messages that parse.
func scanAll(t testing.TB, file []byte, budget int64) (places []int64, left int64) {
	t.Helper()
	s := scanner{size: int64(len(file)), budget: &budget,
		readAt: func(p []byte, off int64) error { copy(p, file[off:]); return nil },
		accept: func(m *Message) (bool, error) { return true, nil }}
	for at := int64(0); ; {
		m, err := s.next(at, s.size)
		if err != nil {
			t.Fatal(err)
		}
		if m == nil {
			return places, budget
		}
		places = append(places, m.At)
		at = m.At + 8
	}
}

func TestTheScanFindsEveryMessageWhereverItLies(t *testing.T) {
	for name, kind := range map[string]int64{"multiples of 64": 64, "multiples of 8": 8} {
		file, want := plainFile(int(kind), 40, 40, 40, 3)
		for shift := range 9 {
			moved := append(bytes.Repeat([]byte{0xFF}, shift), file...)
			got, _ := scanAll(t, moved, 1<<20)
			if len(got) != len(want) {
				t.Fatalf("%s moved by %d: messages at %v, want %v", name, shift, got, want)
			}
			for i := range got {
				if got[i] != want[i]+int64(shift) {
					t.Errorf("%s moved by %d: message %d at %d, want %d", name, shift, i, got[i], want[i])
				}
			}
		}
	}
}

// A message is found also where it lies over the border of two windows.
func TestTheScanFindsMessagesAtTheBordersOfItsWindows(t *testing.T) {
	whole, places := plainFile(64, 40, 40)
	m := whole[places[1]:places[2]]
	for _, at := range []int{scanWindow - 8, scanWindow - 5, scanWindow - 16, scanWindow, scanWindow + 8, scanWindow + scanAhead - 16, 2*scanWindow - 1} {
		file := bytes.Repeat([]byte{0xFF}, at)
		file = append(append(file, m...), bytes.Repeat([]byte{0xFF}, 30)...)
		if got, _ := scanAll(t, file, 1<<20); len(got) != 1 || got[0] != int64(at) {
			t.Errorf("found at %v, it is at %d", got, at)
		}
	}
}

// neuralWords fills n bytes as int16 samples: mean, and sigma if not 0.
func neuralWords(n int, mean, sigma float64) []byte {
	r := rand.New(rand.NewPCG(7, 7))
	p := make([]byte, n)
	for i := 0; i+2 <= n; i += 2 {
		binary.LittleEndian.PutUint16(p[i:], uint16(int16(mean+sigma*r.NormFloat64())))
	}
	return p
}

func TestTheScanFindsNothingInSamples(t *testing.T) {
	const n = 4 << 20
	random := make([]byte, n)
	for i, r := 0, rand.New(rand.NewPCG(8, 8)); i < n; i += 8 {
		binary.LittleEndian.PutUint64(random[i:], r.Uint64())
	}
	for name, p := range map[string][]byte{
		"zeros": make([]byte, n), "all -1": bytes.Repeat([]byte{0xFF}, n), "sigma 8 about -1": neuralWords(n, -1, 8),
		"sigma 1 about -1": neuralWords(n, -1, 1), "sigma 8 about 0": neuralWords(n, 0, 8), "random": random,
	} {
		if got, left := scanAll(t, p, 1<<20); len(got) > 0 || left < 1<<19 {
			t.Errorf("%s: messages at %v, %d of %d bytes parsed", name, got, 1<<20-left, 1<<20)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, seed := range seeds() {
		f.Add(seed, byte(3))
	}
	f.Fuzz(func(t *testing.T, file []byte, shift byte) {
		if len(file) > 1<<16 {
			return
		}
		file = append(make([]byte, shift), file...)
		before := int64(1 << 20)
		places, left := scanAll(t, file, before)
		// The same by trying every place.
		var want []int64
		for at := range len(file) {
			p := file[at:]
			if len(p) < 16 || binary.LittleEndian.Uint32(p) != 0xFFFFFFFF {
				continue
			}
			length := int64(binary.LittleEndian.Uint32(p[4:]))
			if length%8 != 0 || length > int64(len(p))-8 || !plausible(p) { // no writer makes the others
				continue
			}
			if m, err := arrowipc.ParseMessage(p[8 : 8+length]); err == nil && m.BodyLength%8 == 0 && m.BodyLength <= maxBody {
				want = append(want, int64(at))
			}
		}
		if left < 0 {
			return
		}
		if fmt.Sprint(places) != fmt.Sprint(want) {
			t.Errorf("messages at %v, the scan finds %v", want, places)
		}
	})
}

func BenchmarkScan(b *testing.B) {
	const n = 64 << 20
	rows := make([]int, n/4/16/10000)
	for i := range rows {
		rows[i] = 10000
	}
	file, _ := plainFile(64, rows...)
	bodies := map[string][]byte{"sigma8-about--1": neuralWords(n, -1, 8), "all--1": bytes.Repeat([]byte{0xFF}, n), "sigma1-about--1": neuralWords(n, -1, 1), "zeros": make([]byte, n), "batches": file}
	for _, name := range []string{"batches", "sigma8-about--1", "sigma1-about--1", "all--1", "zeros"} {
		p := bodies[name]
		for places, next := range map[string]func([]byte, int) int{"aligned": nextAligned, "every": nextMarker} {
			b.Run("places="+places+"/body="+name, func(b *testing.B) {
				b.SetBytes(int64(len(p)))
				found := 0
				for b.Loop() {
					found = 0
					for i := next(p, 0); i >= 0; i = next(p, i+1) {
						if plausible(p[i:]) {
							found++
						}
					}
				}
				b.ReportMetric(float64(found), "parsed/op")
			})
		}
	}
}
