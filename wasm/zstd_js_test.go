package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strings"
	"syscall/js"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// decoderOfHost is web/src/zstd.js with the decoder that the page has, working on
// memory of its own: here one cannot have that of Go.
func decoderOfHost(t *testing.T) func(frame []byte, room int) ([]byte, bool) {
	code, err := os.ReadFile("../web/gen/zstd.wasm")
	if err != nil {
		t.Skip("web/gen/zstd.wasm is not built: go tool mage build")
	}
	text, err := os.ReadFile("../web/src/zstd.js")
	if err != nil {
		t.Fatal(err)
	}
	class := js.Global().Get("Function").New(strings.Replace(string(text), "export class", "return class", 1)).Invoke()
	memory := map[string]any{"buffer": js.Global().Get("ArrayBuffer").New(1 << 20)}
	give := func(value any) js.Func {
		f := js.FuncOf(func(js.Value, []js.Value) any { return value })
		t.Cleanup(f.Release)
		return f
	}
	decoder := class.New(give(js.Global().Get("Promise").Call("resolve", uint8Array(code))), give(memory))
	if n := decoder.Call("decode", 0, 0, 0, 0).Int(); n != -1 {
		t.Fatalf("%d bytes before it was loaded", n)
	}
	if _, err := await(decoder.Call("load")); err != nil {
		t.Fatal(err)
	}
	whole := js.Global().Get("Uint8Array").New(memory["buffer"])
	return func(frame []byte, room int) ([]byte, bool) {
		js.CopyBytesToJS(whole, frame)
		n := decoder.Call("decode", 0, len(frame), 1<<19, room).Int()
		if n < 0 {
			return nil, false
		}
		out := make([]byte, n)
		js.CopyBytesToGo(out, whole.Call("subarray", 1<<19, 1<<19+n))
		return out, true
	}
}

// What the decoder of the host gives, Go's gives too, of frames whole, cut, changed
// and joined; and it gives what is right.
func TestTheDecoderOfTheHostAgreesWithGo(t *testing.T) {
	host := decoderOfHost(t)
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxWindow(1<<41+7<<38))
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	check := func(frame []byte, room int) bool {
		got, ok := host(frame, room)
		if !ok {
			return false
		}
		want, err := decoder.DecodeAll(frame, make([]byte, 0, room))
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes: the host has %d bytes, Go %d, %v\n%x", len(frame), len(got), len(want), err, frame)
		}
		return true
	}
	changed := 0
	for _, level := range []zstd.EncoderLevel{zstd.SpeedFastest, zstd.SpeedDefault, zstd.SpeedBestCompression} {
		for _, crc := range []bool{true, false} {
			encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderCRC(crc), zstd.WithEncoderConcurrency(1))
			if err != nil {
				t.Fatal(err)
			}
			for _, size := range []int{1, 100, 5000, 200_000} {
				data := make([]byte, size)
				for i := range data {
					data[i] = byte(i/7 + random.IntN(5))
				}
				frame := encoder.EncodeAll(data, nil)
				if got, ok := host(frame, size); !ok || !bytes.Equal(got, data) {
					t.Fatalf("%d bytes of level %v: %d, %v", size, level, len(got), ok)
				}
				if _, ok := host(frame, size-1); ok {
					t.Errorf("%d bytes into less room", size)
				}
				check(append(bytes.Clone(frame), frame...), 2*size)
				for range 60 {
					bad := bytes.Clone(frame)
					if cut := random.IntN(8); cut == 0 {
						bad = bad[:random.IntN(len(bad))]
					} else {
						for range 1 + random.IntN(2) {
							bad[random.IntN(min(len(bad), 1<<random.IntN(18)))] = byte(random.Uint32())
						}
					}
					if len(bad) > 0 && check(bad, size) {
						changed++
					}
				}
			}
		}
	}
	if changed == 0 {
		t.Error("no changed frame was decoded: they show nothing")
	}
	t.Logf("%d changed frames were decoded, by both alike", changed)
}
