package recovery_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

// A faultyReader fails at one offset.
type faultyReader struct {
	*bytes.Reader
	at  int64
	err error
}

func (f *faultyReader) ReadAt(p []byte, off int64) (int, error) {
	if off <= f.at && f.at < off+int64(len(p)) {
		return 0, f.err
	}
	return f.Reader.ReadAt(p, off)
}

func TestAFailingDiskIsNoDamage(t *testing.T) {
	f, _ := testdata.WriteRandom(t, testdata.Small(), recording.None, 27, 10, 10, 10)
	disk := errors.New("input/output error")
	for at := range int64(len(f.Data)) {
		_, err := recovery.Examine(context.Background(), &faultyReader{bytes.NewReader(f.Data), at, disk}, int64(len(f.Data)), nil)
		var failed *recovery.Error
		if err != nil && (!errors.Is(err, disk) || errors.As(err, &failed)) {
			t.Fatalf("byte %d: %v", at, err)
		}
	}
}

func TestAContextEndsARecovery(t *testing.T) {
	f, _ := testdata.WriteRandom(t, testdata.Small(), recording.None, 28, 10, 10, 10, 10)
	stop := errors.New("stop")
	calls := 0
	var last int64
	third := testdata.Asking(func() error {
		if calls++; calls == 3 {
			return stop
		}
		return nil
	})
	_, err := recovery.Examine(third, bytes.NewReader(f.Data), int64(len(f.Data)), &recovery.Options{
		Progress: func(done, total int64) {
			if done < last || total != int64(len(f.Data)) {
				t.Errorf("progress %d after %d of %d", done, last, total)
			}
			last = done
		}})
	if err != stop || calls != 3 {
		t.Errorf("%v after %d calls", err, calls)
	}
	counted := testdata.Asking(func() error { calls++; return nil })
	p, err := recovery.Examine(counted, bytes.NewReader(f.Data), int64(len(f.Data)), nil)
	if err != nil || calls < 7 {
		t.Fatalf("%d calls, %v", calls, err)
	}
	calls = 0
	if err := p.Verify(bytes.NewReader(f.Data)); err != nil || calls == 0 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

// The output can be read at any offset in pieces of any size.
func TestOutputReadsAtAnyOffset(t *testing.T) {
	f, _ := testdata.WriteRandom(t, testdata.Small(), recording.None, 29, 30, 30, 30)
	blocks := dissect.Footer(t, f.Data).Batches
	damaged := bytes.Clone(f.Data)
	clear(damaged[:8])
	clear(damaged[blocks[1].Offset:blocks[2].Offset])
	p, err := recovery.Examine(context.Background(), bytes.NewReader(damaged), int64(len(damaged)), nil)
	if err != nil {
		t.Fatal(err)
	}
	whole := materialize(t, p, damaged)
	o := p.Output(bytes.NewReader(damaged))
	for _, size := range []int{1, 7, 64, 1000, len(whole)} {
		buf := make([]byte, size)
		for off := 0; off <= len(whole); off += 1 + size/3 {
			n, err := o.ReadAt(buf, int64(off))
			want := whole[off:min(off+size, len(whole))]
			if n != len(want) || !bytes.Equal(buf[:n], want) || (n < size) != (err == io.EOF) {
				t.Fatalf("%d bytes at %d: %d, %v", size, off, n, err)
			}
		}
	}
	if _, err := o.ReadAt(make([]byte, 1), -1); err == nil {
		t.Error("reads at -1")
	}
	ranges := p.Output(&rangesReader{bytes.NewReader(damaged)}).(recording.RangesReader)
	a, b := make([]byte, 100), make([]byte, len(whole)-3)
	if err := ranges.ReadRanges([]int64{5, 3}, [][]byte{a, b}); err != nil || !bytes.Equal(a, whole[5:105]) || !bytes.Equal(b, whole[3:]) {
		t.Errorf("ranges: %v", err)
	}
	if err := ranges.ReadRanges([]int64{int64(len(whole)) - 1}, [][]byte{a}); !errors.Is(err, recording.ErrBounds) {
		t.Errorf("a range beyond the end: %v", err)
	}
}

type rangesReader struct{ *bytes.Reader }

func (r *rangesReader) ReadRanges(offsets []int64, bufs [][]byte) error {
	for i := range bufs {
		if n, err := r.ReadAt(bufs[i], offsets[i]); n < len(bufs[i]) {
			return fmt.Errorf("%d of %d bytes: %w", n, len(bufs[i]), err)
		}
	}
	return nil
}
