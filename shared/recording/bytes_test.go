package recording_test

import (
	"bytes"
	"reflect"
	"testing"
	"unsafe"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

// A file in memory is read as any other, and what it says is the same.
func TestBytesAreReadAsAFile(t *testing.T) {
	for name, codec := range testdata.EveryCodec {
		f, _ := testdata.WriteRandom(t, testdata.EveryType(), codec, 1, 100, 1, 37)
		data := f.Data
		file, _ := openCounted(t, data)
		memory := openMemory(t, data)
		for i := range file.NumBatches() {
			want, err := file.ReadBatch(i, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := memory.ReadBatch(i, nil)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s, batch %d: got %v, %v", name, i, got, err)
			}
		}
		if got, want := memory.BytesRead().Body, file.BytesRead().Body; got > want {
			t.Errorf("%s: %d bytes read of memory, %d of a file", name, got, want)
		}
	}
}

func openMemory(t testing.TB, data []byte) *recording.Reader {
	t.Helper()
	r, err := recording.NewReader(recording.Bytes(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPlainColumnsOfBytesAreNotCopied(t *testing.T) {
	data := clockFile(t, recording.None, 100, 37)
	batch, err := openMemory(t, data).ReadBatch(1, nil)
	if err != nil {
		t.Fatal(err)
	}
	begin := uintptr(unsafe.Pointer(&data[0]))
	for _, v := range batch.Columns {
		if at := uintptr(unsafe.Pointer(&v.Data[0])); at < begin || at >= begin+uintptr(len(data)) {
			t.Errorf("column %d was copied", v.Column)
		}
		if cap(v.Data) != len(v.Data) {
			t.Errorf("column %d can be appended to, over what follows in the file", v.Column)
		}
	}
}

// The file may have become shorter than it was said to be.
func TestBytesShorterThanTheFileAreAnError(t *testing.T) {
	data := clockFile(t, recording.None, 100, 37)
	for _, n := range []int{0, 1, 63, 64, len(data) / 2, len(data) - 1} {
		if _, err := recording.NewReader(recording.Bytes(data[:n]), int64(len(data))); err == nil {
			t.Errorf("%d of %d bytes open as a file", n, len(data))
		}
	}
}

func TestBytesReadAtEndsAsOthersDo(t *testing.T) {
	data := []byte("recording")
	for _, off := range []int64{0, 3, 8, 9, 10} {
		got, want := make([]byte, 4), make([]byte, 4)
		n, err := recording.Bytes(data).ReadAt(got, off)
		m, wantErr := bytes.NewReader(data).ReadAt(want, off)
		if n != m || err != wantErr || !bytes.Equal(got, want) {
			t.Errorf("at %d: %d %v %q, want %d %v %q", off, n, err, got, m, wantErr, want)
		}
	}
}
