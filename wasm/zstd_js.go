package main

import "syscall/js"

// hostZstd decodes frames of zstd with the decoder of the worker, web/src/zstd.js; nil
// if it has none. That works on the memory of Go, so that a frame takes one call.
func hostZstd(host js.Value) func(frame, out []byte) (n int, ok bool) {
	decode := host.Get("zstd")
	if decode.Type() != js.TypeFunction {
		return nil
	}
	return func(frame, out []byte) (int, bool) {
		n := decode.Invoke(place(frame), len(frame), place(out), len(out)).Int()
		return n, n >= 0
	}
}
