// Package parallel is the one place where the format uses all cores: it starts
// goroutines, and none outlives the call that started it. In WebAssembly, which
// has one thread, everything runs in the caller's goroutine. A panic reaches the
// caller: what must be done before it ends the process is done there.
package parallel

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// maxWorkers bounds what runs at once, and with it the memory of a caller that
// keeps a buffer for each worker.
const maxWorkers = 8

// Workers returns how many goroutines For and Ordered use at most: their first
// argument is below it.
func Workers() int {
	if runtime.GOOS == "js" {
		return 1
	}
	return min(maxWorkers, runtime.GOMAXPROCS(0))
}

// For calls do(worker, i) for every i in [0, n), several at once: those of one
// worker never. It returns the error of the least i that failed; after a
// failure, calls that have not begun are left out.
func For(n int, do func(worker, i int) error) error {
	workers := min(n, Workers())
	if workers <= 1 {
		for i := range n {
			if err := do(0, i); err != nil {
				return err
			}
		}
		return nil
	}
	var next atomic.Int64
	var failed atomic.Bool
	errs := make([]error, workers)
	at := make([]int, workers)
	var wg sync.WaitGroup
	var fault fault
	for w := range workers {
		wg.Go(func() {
			defer fault.keep(func() { failed.Store(true) })
			for !failed.Load() {
				i := int(next.Add(1) - 1)
				if i >= n {
					return
				}
				if err := do(w, i); err != nil {
					errs[w], at[w] = err, i
					failed.Store(true)
					return
				}
			}
		})
	}
	wg.Wait()
	fault.panics()
	first := -1
	for w := range workers {
		if errs[w] != nil && (first < 0 || at[w] < at[first]) {
			first = w
		}
	}
	if first < 0 {
		return nil
	}
	return errs[first]
}

// Ordered calls do(worker, i) for every i in [0, n) as For does, and fold(i, t)
// with each result in the order of i, in the caller's goroutine. At most
// Workers results wait at any time.
//
// The first error of do, in the order of i, or of fold ends it and is returned;
// results after it are not folded.
func Ordered[T any](n int, do func(worker, i int) (T, error), fold func(i int, t T) error) error {
	workers := min(n, Workers())
	if workers <= 1 {
		for i := range n {
			t, err := do(0, i)
			if err == nil {
				err = fold(i, t)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	type result struct {
		t   T
		err error
	}
	results := make([]chan result, workers) // of each worker, which takes every workers-th i
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var fault fault
	for w := range workers {
		results[w] = make(chan result)
		wg.Go(func() {
			defer fault.keep(func() { close(results[w]) })
			for i := w; i < n; i += workers {
				t, err := do(w, i)
				select {
				case results[w] <- result{t, err}:
				case <-stop:
					return
				}
				if err != nil {
					return
				}
			}
		})
	}
	defer wg.Wait()
	defer close(stop)
	for i := range n {
		r, ok := <-results[i%workers]
		if !ok {
			fault.panics()
		}
		if r.err == nil {
			r.err = fold(i, r.t)
		}
		if r.err != nil {
			return r.err
		}
	}
	return nil
}

// Go calls do, at once in WebAssembly, else in a goroutine; wait returns when it
// has returned. Whoever calls Go calls wait.
func Go(do func()) (wait func()) {
	if Workers() == 1 {
		do()
		return func() {}
	}
	done := make(chan struct{})
	var fault fault
	go func() {
		defer close(done)
		defer fault.keep(func() {})
		do()
	}()
	return func() {
		<-done
		fault.panics()
	}
}

// A fault is a panic of another goroutine, with where it was.
type fault struct {
	mu   sync.Mutex
	text string
}

// keep is deferred: it ends a panic, and then calls.
func (f *fault) keep(then func()) {
	if p := recover(); p != nil {
		f.mu.Lock()
		if f.text == "" {
			f.text = fmt.Sprintf("%v\n%s", p, debug.Stack())
		}
		f.mu.Unlock()
		then()
	}
}

// panics goes on with the panic that was kept.
func (f *fault) panics() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.text != "" {
		panic(f.text)
	}
}
