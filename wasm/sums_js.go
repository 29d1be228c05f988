package main

import (
	"errors"
	"io"
	"syscall/js"
	"unsafe"

	"github.com/oniscope/oniscope/wasm/internal/engine"
)

// kernelSums runs the kernel of the worker, web/src/kernel.js, on what is read of a
// file; nil if it has none.
func kernelSums(host js.Value) func(source io.ReaderAt, jobs []engine.SumJob) error {
	sums := host.Get("sums")
	if sums.Type() != js.TypeFunction {
		return nil
	}
	return func(source io.ReaderAt, jobs []engine.SumJob) error {
		file, ok := source.(*jsFile)
		if !ok || file.all != nil {
			for i := range jobs {
				jobs[i].Failed = true
			}
			return nil
		}
		rule := engine.Joined
		rule.Gathers = file.url == ""
		return engine.SumRanges(jobs, rule, report, func(g *engine.Gathering, calls []engine.KernelCall) ([]bool, []byte, error) {
			buffer, err := file.buffer(g)
			if err != nil {
				return nil, nil, err
			}
			array, err := try(func() js.Value { return sums.Invoke(buffer, int32Array(calls)) })
			release(buffer)
			if err != nil {
				return nil, nil, err
			}
			out := make([]byte, array.Length())
			js.CopyBytesToGo(out, array)
			head := (len(calls) + 7) &^ 7
			if len(out) < head {
				return nil, nil, errors.New("engine: the kernel gave no results")
			}
			valid := make([]bool, len(calls))
			for i := range valid {
				valid[i] = out[i] != 0
			}
			return valid, out[head:], nil
		})
	}
}

// kernelHere runs the kernel of the worker on values in Go's memory; nil if it has
// none.
func kernelHere(host js.Value) func(kind engine.KernelKind, data []byte, rows, level int, results []byte) {
	sum := host.Get("sumHere")
	if sum.Type() != js.TypeFunction {
		return nil
	}
	return func(kind engine.KernelKind, data []byte, rows, level int, results []byte) {
		sum.Invoke(int(kind), place(data), rows, level, place(results))
	}
}

// place is where bytes are in the memory of Go, as JavaScript sees it.
func place(p []byte) float64 { return float64(uintptr(unsafe.Pointer(unsafe.SliceData(p)))) }

// int32Array describes calls as kernel.js reads them.
func int32Array(calls []engine.KernelCall) js.Value {
	list := make([]int32, 0, 5*len(calls))
	for _, c := range calls {
		list = append(list, int32(c.Kind), int32(c.At), int32(c.Rows), int32(c.Level), int32(c.Validity))
	}
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(list))), 4*len(list))
	return js.Global().Get("Int32Array").New(uint8Array(bytes).Get("buffer"))
}
