package main

import (
	"errors"
	"syscall/js"
	"unsafe"

	"github.com/oniscope/oniscope/shared/recording"
)

// bytesOf gives the memory of numbers as bytes, little endian as wasm is.
func bytesOf[T float32 | float64](values []T) []byte {
	if len(values) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), len(values)*int(unsafe.Sizeof(values[0])))
}

// uint8Array copies bytes into a buffer of the page.
func uint8Array(data []byte) js.Value {
	array := js.Global().Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(array, data)
	return array
}

func float32s(v *recording.Vector) []float32 {
	values := make([]float32, v.Len)
	for i := range values {
		values[i] = float32(v.Float64(i))
	}
	return values
}

// try calls f and returns what it throws as an error.
func try(f func() js.Value) (value js.Value, err error) {
	defer func() {
		thrown := recover()
		if thrown == nil {
			return
		}
		var cause js.Error
		if e, ok := thrown.(error); ok && errors.As(e, &cause) {
			err = sourceError(cause.Value)
			return
		}
		panic(thrown)
	}()
	return f(), nil
}

// blobType is the media type of Arrow files, registered with IANA.
const blobType = "application/vnd.apache.arrow.file"

// blobTypes are the media types of what is saved; the rest are only bytes.
var blobTypes = map[string]string{"": blobType, "arrow": blobType, "stream": "application/vnd.apache.arrow.stream", "csv": "text/csv"}

// typed gives a Blob the media type of its format.
func typed(blob js.Value, format string) js.Value {
	return blob.Call("slice", 0, blob.Get("size"), blobTypes[format])
}

// bytesIn is an ArrayBuffer as an Uint8Array.
func bytesIn(buffer js.Value) js.Value { return js.Global().Get("Uint8Array").New(buffer) }

// taken copies an ArrayBuffer to Go, and frees it.
func taken(buffer js.Value) []byte {
	array := bytesIn(buffer)
	data := make([]byte, array.Length())
	js.CopyBytesToGo(data, array)
	release(array)
	return data
}

func newBlob(parts []any) js.Value {
	return js.Global().Get("Blob").New(parts, map[string]any{"type": blobType})
}

// foldBytes is how much of a blobFile may lie in memory of the page before it
// goes to the browser's store of Blobs, which may be on disk.
const foldBytes = 32 << 20

// A blobFile is a file in the making, as recording.File.
type blobFile struct {
	parts  []any
	size   int64
	folded int64
}

// Write implements io.Writer.
func (f *blobFile) Write(p []byte) (int, error) {
	array, err := try(func() js.Value { return uint8Array(p) })
	if err != nil {
		return 0, err
	}
	f.parts = append(f.parts, array)
	f.size += int64(len(p))
	if f.size-f.folded > foldBytes {
		f.parts, f.folded = []any{newBlob(f.parts)}, f.size
	}
	return len(p), nil
}

// WriteAt implements io.WriterAt, within what has been written.
func (f *blobFile) WriteAt(p []byte, off int64) (int, error) {
	end := off + int64(len(p))
	if off < 0 || end > f.size {
		return 0, errors.New("engine: a file cannot be overwritten after its end")
	}
	whole := newBlob(f.parts)
	f.parts = []any{whole.Call("slice", 0, off, blobType), uint8Array(p), whole.Call("slice", end, f.size, blobType)}
	f.folded = f.size
	return len(p), nil
}

// Truncate implements recording.File.
func (f *blobFile) Truncate(size int64) error {
	if size < 0 || size > f.size {
		return errors.New("engine: a file cannot be truncated to more than it has")
	}
	f.parts = []any{newBlob(f.parts).Call("slice", 0, size, blobType)}
	f.size, f.folded = size, size
	return nil
}

func (f *blobFile) blob() js.Value { return newBlob(f.parts) }
