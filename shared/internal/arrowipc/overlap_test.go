package arrowipc

import (
	"errors"
	"testing"
)

func TestBuffersStandOneBehindTheOther(t *testing.T) {
	for _, c := range []struct {
		name    string
		buffers []Buffer
		ok      bool
	}{
		{"end to end", []Buffer{{0, 64}, {64, 8}, {72, 56}}, true},
		{"with padding between", []Buffer{{0, 60}, {64, 8}}, true},
		{"empty ones anywhere", []Buffer{{0, 64}, {0, 0}, {64, 64}, {100, 0}}, true},
		{"the same bytes twice", []Buffer{{0, 64}, {0, 64}}, false},
		{"the second inside the first", []Buffer{{0, 64}, {56, 8}}, false},
		{"in another order", []Buffer{{64, 64}, {0, 64}}, false},
		{"outside the body", []Buffer{{0, 64}, {64, 65}}, false},
	} {
		if err := (&RecordBatch{Buffers: c.buffers}).check(128); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrMessage) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
