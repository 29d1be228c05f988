package main

import (
	"io"
	"slices"
	"sync"
	"syscall/js"
	"unsafe"

	"github.com/oniscope/oniscope/wasm/internal/engine"
)

// kernel is held while a read is in its memory: of fine bins it is run over one several times.
var kernel sync.Mutex

// kernelSums runs the kernel of the worker, web/src/kernel.js, on what is read of a
// file; nil if it has none.
func kernelSums(host js.Value) func(source io.ReaderAt, jobs []engine.SumJob) error {
	sums := host.Get("sums")
	if sums.Type() != js.TypeFunction {
		return nil
	}
	var results []byte
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
		return engine.SumRanges(jobs, rule, report, func(g *engine.Gathering, calls []engine.KernelCall, put func(results []byte)) error {
			bytes, err := file.bytes(g)
			if err != nil {
				return err
			}
			kernel.Lock()
			defer kernel.Unlock()
			for input := bytes; len(calls) > 0 && err == nil; input = js.Null() { // the bytes stay there
				n, size := engine.ResultsOf(calls)
				results = slices.Grow(results[:0], size)[:size]
				list := int32s(calls[:n])
				if _, err = try(func() js.Value { return sums.Invoke(input, place(list), n, place(results)) }); err == nil {
					put(results)
				}
				calls = calls[n:]
			}
			release(bytes)
			return err
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
		kernel.Lock()
		defer kernel.Unlock()
		sum.Invoke(int(kind), place(data), rows, level, place(results))
	}
}

// place is where numbers are in the memory of Go, as JavaScript sees it.
func place[T byte | int32](p []T) float64 {
	return float64(uintptr(unsafe.Pointer(unsafe.SliceData(p))))
}

// int32s describes calls as kernel.js reads them.
func int32s(calls []engine.KernelCall) []int32 {
	list := make([]int32, 0, 5*len(calls))
	for _, c := range calls {
		list = append(list, int32(c.Kind), int32(c.At), int32(c.Rows), int32(c.Level), int32(c.Validity))
	}
	return list
}
