package run

import (
	"testing"
	"time"
)

func TestASignalThatComesByTwoWaysIsOne(t *testing.T) {
	begin := time.Now()
	var a asked
	for i, c := range []struct {
		after time.Duration
		want  int
	}{
		{0, first}, {20 * time.Millisecond, again}, {1900 * time.Millisecond, again},
		{2100 * time.Millisecond, second}, {2200 * time.Millisecond, again},
		{4200 * time.Millisecond, third},
	} {
		if got := a.hear(begin.Add(c.after)); got != c.want {
			t.Errorf("signal %d after %v: %d, want %d", i, c.after, got, c.want)
		}
	}
}
