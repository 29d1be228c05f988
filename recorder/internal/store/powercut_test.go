package store

import (
	"bytes"
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
	"github.com/oniscope/oniscope/shared/stream"
)

var powerCuts = flag.Int("powercuts", 10_000, "power cuts of TestEverySyncedBatchSurvivesAPowerCut")

// A diskLog is what a file was asked to do, in order: from it any power cut can
// be made. A disk forgets or reorders what was not synced, sector by sector, and
// may know the file's size of any moment since.
type diskLog struct {
	File
	mu  sync.Mutex // a sync runs beside writes
	ops []diskOp
	at  int64
}

type diskOp struct {
	offset int64
	data   []byte // nil: a sync, or a truncate
	size   int64  // of the file after it
	sync   bool
}

func (l *diskLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.File.Write(p)
	l.ops = append(l.ops, diskOp{offset: l.at, data: bytes.Clone(p[:n]), size: l.at + int64(n)})
	l.at += int64(n)
	return n, err
}

func (l *diskLog) Truncate(size int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ops, l.at = append(l.ops, diskOp{offset: size, size: size}), size
	return l.File.Truncate(size)
}

func (l *diskLog) Sync() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ops = append(l.ops, diskOp{size: l.at, sync: true})
	return l.File.Sync()
}

// cut is what is on the disk after a power cut before an operation, and how many
// bytes of it were synced.
func (l *diskLog) cut(before int, sector int64, rng *rand.Rand) (image []byte, synced int64) {
	last := 0 // operations that a sync covers
	for i, op := range l.ops[:before] {
		if op.sync {
			last = i
		}
	}
	sizes := []int64{0}
	for i, op := range l.ops[:before] {
		if i <= last {
			sizes = sizes[:0] // the synced size, and each since
		}
		sizes = append(sizes, op.size)
	}
	var full []byte // as a program sees it
	for i, op := range l.ops[:before] {
		if i == last {
			synced = op.size
		}
		if grow := op.size - int64(len(full)); grow > 0 {
			full = append(full, make([]byte, grow)...)
		}
		copy(full[op.offset:], op.data)
		full = full[:op.size]
	}
	if last == 0 {
		synced = 0
	}
	size := sizes[rng.IntN(len(sizes))]
	image = make([]byte, size)
	copy(image, full[:min(size, synced)])
	// Of what follows each sector is there or not. One that the synced end lies
	// in was written with what came after it, or is as it was.
	keep := rng.Float64()
	for from := synced / sector * sector; from < min(size, int64(len(full))); from += sector {
		if rng.Float64() < keep {
			copy(image[max(from, synced):], full[max(from, synced):min(from+sector, size, int64(len(full)))])
		}
	}
	return image, synced
}

// TestEverySyncedBatchSurvivesAPowerCut: whatever the disk forgets or reorders of
// what was not synced
func TestEverySyncedBatchSurvivesAPowerCut(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 11))
	type file struct {
		log  *diskLog
		rows int // of a batch
	}
	var files []file
	for _, codec := range []recording.Codec{recording.None, recording.Zstd, recording.LZ4} {
		for _, rows := range []int{7, 100, 1500} {
			for _, every := range []time.Duration{SyncBatch, 3 * time.Millisecond, SyncNever} {
				log := &diskLog{}
				run := start(t, []string{"x"}, Options{Dir: t.TempDir(), Suffix: FileCount, Sync: every, Free: func() (int64, error) { return 0, nil },
					Wrap: func(_ string, f File) File { log.File = f; return log }})
				w, err := run.OpenStream(mixedStream(), codec)
				if err != nil {
					t.Fatal(err)
				}
				for b := range 12 {
					if _, err := w.WriteBatch(rows, mixed(b*rows, rows), nil); err != nil {
						t.Fatal(err)
					}
					if every > 0 && b%3 == 2 {
						time.Sleep(every)
					}
				}
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				files = append(files, file{log, rows})
			}
		}
	}
	count := *powerCuts
	if testing.Short() {
		count = 200
	}
	recovered := 0
	for n := range count {
		f := files[n%len(files)]
		image, synced := f.log.cut(1+rng.IntN(len(f.log.ops)), []int64{512, 4096}[rng.IntN(2)], rng)
		want := syncedRows(f.log, synced, f.rows)
		if want == 0 {
			continue
		}
		recovered++
		plan, err := recovery.Examine(t.Context(), bytes.NewReader(image), int64(len(image)), nil)
		if err != nil {
			t.Fatalf("seed %d, cut %d: %v", seed, n, err)
		}
		out := plan.Output(bytes.NewReader(image))
		r, err := recording.NewReader(out, plan.Size())
		if err != nil {
			t.Fatalf("seed %d, cut %d: %v", seed, n, err)
		}
		next := 0
		for i := 0; next < want; i++ {
			b, err := r.ReadBatch(i, []int{0, 1})
			if err != nil {
				t.Fatalf("seed %d, cut %d: batch %d, %d of %d synced rows found: %v", seed, n, i, next, want, err)
			}
			values, clocks := recording.Values[uint16](&b.Columns[0]), recording.Values[uint64](&b.Columns[1])
			for k := range min(len(clocks), want-next) {
				if clocks[k] != uint64(10*(next+k)) || values[k] != uint16((next+k)*7919) {
					t.Fatalf("seed %d, cut %d: row %d is %d, %d", seed, n, next+k, clocks[k], values[k])
				}
			}
			next += len(clocks)
		}
	}
	if recovered < count/2 {
		t.Errorf("only %d of %d cuts came after a sync", recovered, count)
	}
}

// syncedRows is how many rows end within the synced bytes; each batch is one
// write, after that of the schema.
func syncedRows(l *diskLog, synced int64, rows int) (n int) {
	for _, op := range l.ops[1:] {
		if op.data != nil && op.offset+int64(len(op.data)) <= synced && !bytes.HasSuffix(op.data, []byte("ARROW1")) {
			n += rows
		}
	}
	return n
}

func mixedStream() *stream.Stream {
	return &stream.Stream{Name: "x", AcqClockHz: 1000, Columns: []stream.Column{
		{Name: "Value", Type: stream.Uint16, ArrowType: "uint16", ByteWidth: 2}, {Name: "Clock", Type: stream.Uint64, ArrowType: "uint64", ByteWidth: 8},
	}}
}

func mixed(from, rows int) []recording.Vector {
	var values, clocks []byte
	for i := from; i < from+rows; i++ {
		values = binary.LittleEndian.AppendUint16(values, uint16(i*7919))
		clocks = binary.LittleEndian.AppendUint64(clocks, uint64(10*i))
	}
	return []recording.Vector{{Data: values}, {Data: clocks}}
}
