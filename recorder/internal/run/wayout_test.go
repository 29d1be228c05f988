package run

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestEveryStepOfAWayOutRunsOnceAndLastFirst(t *testing.T) {
	var mu sync.Mutex
	var ran []string
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		ran = append(ran, what)
	}
	out := &wayOut{limit: 50 * time.Millisecond}
	hang := make(chan struct{})
	defer close(hang)
	out.add("port A to 0 V", func() error { note("A"); return nil })
	out.add("a chip that is gone", func() error { note("gone"); return errors.New("not acknowledged") })
	out.add("a chip that hangs", func() error { note("hangs"); <-hang; return nil })
	out.add("a step that panics", func() error { note("panics"); panic("index out of range") })
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			err := out.leave()
			for _, want := range []string{"a chip that is gone: not acknowledged", "a chip that hangs: no answer within 50ms", "a step that panics: panic: index out of range"} {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v: want %q", err, want)
				}
			}
		})
	}
	all.Wait()
	out.add("begun before, done after", func() error { note("late"); return nil })
	if want := []string{"panics", "hangs", "gone", "A", "late"}; !slices.Equal(ran, want) {
		t.Errorf("ran %v, want %v", ran, want)
	}
}
