package inplace

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/recorder/internal/files"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

var errCrash = errors.New("the machine stops")

// A crashDisk stops in the middle of its n-th change, and does nothing more.
type crashDisk struct {
	data []byte
	left int
}

func (d *crashDisk) step() bool { d.left--; return d.left >= 0 }

func (d *crashDisk) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(d.data).ReadAt(p, off)
}

func (d *crashDisk) WriteAt(p []byte, off int64) (int, error) {
	n, err := len(p), error(nil)
	if !d.step() {
		if n, err = n/2, errCrash; d.left < -1 {
			return 0, err
		}
	}
	if more := int(off) + n - len(d.data); more > 0 {
		d.data = append(d.data, make([]byte, more)...)
	}
	return copy(d.data[off:], p[:n]), err
}

func (d *crashDisk) Truncate(size int64) error {
	if !d.step() {
		return errCrash
	}
	if size > int64(len(d.data)) {
		d.data = append(d.data, make([]byte, size-int64(len(d.data)))...)
	}
	d.data = d.data[:size]
	return nil
}

func (d *crashDisk) Sync() error {
	if !d.step() {
		return errCrash
	}
	return nil
}

// A file of which a repair in place was stopped at any step, and the taking
// back of it at any step, is as it was before once that has run to its end.
func TestAnInterruptedRepairCanBeUndone(t *testing.T) {
	tails := []int{0, 1, 700, 3 << 20}
	for _, n := range tails {
		kept := bytes.Repeat([]byte("kept bytes, "), 5000)
		file := append(bytes.Clone(kept), bytes.Repeat([]byte{7}, n)...)
		repair := recovery.InPlace{Keep: int64(len(kept)), Append: bytes.Repeat([]byte("footer"), 200)}
		var saved bytes.Buffer
		if err := saveTail(&saved, bytes.NewReader(file), "x.arrow", int64(len(file)), repair); err != nil {
			t.Fatal(err)
		}
		tail := bytes.NewReader(saved.Bytes())
		for first := range 5 {
			for second := range 7 {
				d := &crashDisk{data: bytes.Clone(file), left: first}
				if err := mend(d, repair); (err == nil) != (first >= 3) {
					t.Fatalf("mend stopped at step %d: %v", first, err)
				}
				d.left = second
				_ = unmend(d, int64(len(d.data)), tail, tail.Size())
				d.left = 100
				if err := unmend(d, int64(len(d.data)), tail, tail.Size()); err != nil {
					t.Fatalf("tail of %d bytes, stopped at %d and %d: %v", n, first, second, err)
				}
				if !bytes.Equal(d.data, file) {
					t.Fatalf("tail of %d bytes, stopped at %d and %d: the file is another", n, first, second)
				}
			}
		}
	}
}

// A tail that is not of the file, or not whole, changes nothing.
func TestUndoRefusesWhatItCannotTakeBack(t *testing.T) {
	file := bytes.Repeat([]byte("0123456789"), 100)
	repair := recovery.InPlace{Keep: 900, Append: []byte("end")}
	var saved bytes.Buffer
	if err := saveTail(&saved, bytes.NewReader(file), "x.arrow", 1000, repair); err != nil {
		t.Fatal(err)
	}
	good := saved.Bytes()
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	other := bytes.Clone(file)
	other[850] ^= 1
	for name, c := range map[string]struct{ file, tail []byte }{
		"another file":            {other, good},
		"a file that grew":        {append(bytes.Clone(file), "more"...), good},
		"a file that was cut":     {file[:899], good},
		"a tail that is cut":      {file, good[:len(good)-1]},
		"a tail with another bit": {file, flipped},
		"no tail":                 {file, []byte("{}\n")},
		"an empty tail":           {file, nil},
	} {
		d := &crashDisk{data: bytes.Clone(c.file), left: 100}
		if err := unmend(d, int64(len(d.data)), bytes.NewReader(c.tail), int64(len(c.tail))); err == nil || !bytes.Equal(d.data, c.file) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Recovered in place and taken back, for every kind of end that a file can
// have, the file is the same byte for byte.
func TestInPlaceAndUndoGiveTheFileBack(t *testing.T) {
	whole, err := os.ReadFile("../../../testdata/foreign/bonsai/new_Heartbeat.arrow")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for i, file := range [][]byte{
		whole[:len(whole)-1], whole[:len(whole)-700], whole[:len(whole)-1500],
		append(bytes.Clone(whole[:len(whole)-1500]), make([]byte, 5000)...), append(bytes.Clone(whole), "rubbish"...),
	} {
		path := filepath.Join(dir, fmt.Sprintf("%d.arrow", i))
		if err := os.WriteFile(path, file, 0o644); err != nil {
			t.Fatal(err)
		}
		in, err := files.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := recovery.Examine(t.Context(), in.Data, in.Size, &recovery.Options{HeadersOnly: true})
		if err == nil {
			err = Repair(t.Context(), in, plan)
		}
		in.Close()
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		mended, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if r := testdata.Open(t, mended); r.About().State != recording.Complete {
			t.Errorf("%d: repaired, the file is %s", i, r.About().State)
		}
		if err := Undo(path); err != nil {
			t.Fatalf("%d: undo: %v", i, err)
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, file) {
			t.Errorf("%d: %v, %d bytes instead of %d", i, err, len(got), len(file))
		}
		if _, err := os.Lstat(TailOf(path)); err == nil {
			t.Errorf("%d: the tail is still there", i)
		}
	}
}
