package parallel

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
)

func TestEveryIndexIsDoneOnce(t *testing.T) {
	for _, n := range []int{0, 1, 2, 7, 1000} {
		done := make([]atomic.Int32, n)
		if err := For(n, func(worker, i int) error {
			if worker >= Workers() {
				t.Errorf("worker %d of %d", worker, Workers())
			}
			done[i].Add(1)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		next := 0
		err := Ordered(n, func(_, i int) (string, error) { done[i].Add(1); return fmt.Sprint(i), nil }, func(i int, s string) error {
			if i != next || s != fmt.Sprint(i) {
				t.Errorf("%d with %q, want %d", i, s, next)
			}
			next++
			return nil
		})
		if err != nil || next != n {
			t.Errorf("%d of %d, %v", next, n, err)
		}
		for i := range done {
			if done[i].Load() != 2 {
				t.Errorf("%d was done %d times", i, done[i].Load())
			}
		}
	}
}

func TestTheFirstErrorEndsIt(t *testing.T) {
	fail := func(i int) error {
		if i >= 40 {
			return fmt.Errorf("at %d", i)
		}
		return nil
	}
	var begun atomic.Int32
	if err := For(100000, func(_, i int) error { begun.Add(1); return fail(i) }); err == nil || err.Error() != "at 40" && Workers() == 1 || begun.Load() > 1000 {
		t.Errorf("%v after %d", err, begun.Load())
	}
	folded := 0
	if err := Ordered(1000, func(_, i int) (int, error) { return i, fail(i) }, func(int, int) error { folded++; return nil }); err == nil || err.Error() != "at 40" || folded != 40 {
		t.Errorf("%v after %d", err, folded)
	}
	stop := errors.New("stop")
	if err := Ordered(1000, func(_, i int) (int, error) { return i, nil }, func(i, _ int) error {
		if i == 3 {
			return stop
		}
		return nil
	}); err != stop {
		t.Errorf("%v", err)
	}
}

// At most as many results as workers wait for their turn.
func TestFewResultsWait(t *testing.T) {
	var made, taken atomic.Int32
	_ = Ordered(200, func(_, i int) (int, error) {
		if waiting := made.Add(1) - taken.Load(); waiting > int32(2*Workers()) {
			t.Errorf("%d results wait", waiting)
		}
		return i, nil
	}, func(int, int) error { taken.Add(1); return nil })
}

func TestAPanicReachesTheCaller(t *testing.T) {
	caught := func(do func()) (text string) {
		defer func() { text, _ = recover().(string) }()
		do()
		return ""
	}
	at := func(i int) error {
		if i == 20 {
			panic("a fault of the program")
		}
		return nil
	}
	for name, do := range map[string]func(){
		"For": func() { _ = For(50, func(_, i int) error { return at(i) }) },
		"Ordered": func() {
			_ = Ordered(50, func(_, i int) (int, error) { return i, at(i) }, func(int, int) error { return nil })
		},
		"Go": func() { Go(func() { _ = at(20) })() },
	} {
		if text := caught(do); !strings.Contains(text, "a fault of the program") || Workers() > 1 && !strings.Contains(text, "parallel_test.go") {
			t.Errorf("%s: %q", name, text)
		}
	}
}
