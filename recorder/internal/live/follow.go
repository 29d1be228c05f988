package live

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A follower reads a stream from its files as they grow, batch by batch, and gives
// it to somebody as one Arrow IPC stream. Who is slow reads later: the files are the
// buffer, so nothing is lost and nothing waits in memory but a part of one batch.

// A Following says what of a stream is wanted.
type Following struct {
	Columns []string      // names or globs; nil: all
	From    string        // "now", "start", or a tick of Clock; "": now
	For     time.Duration // of Clock, from the first row on; 0: until the recording ends
}

// partBytes is how much of a batch is read at once.
const partBytes = 4 << 20

// patience is how long a stream of events that has nothing more to say is waited
// for after For is over.
const patience = 5 * time.Second

// decoding lets one follower at a time decompress: a batch is decoded whole.
var decoding sync.Mutex

type follower struct {
	hub   *Hub
	src   *source
	what  Following
	out   *once
	from  uint64 // Clock of the first row
	until uint64 // of the first one that is not wanted
	rows  int64
}

// errNoSuch wraps what is wrong with what is asked for.
var errNoSuch = errors.New("")

// errAsked wraps what cannot be asked for at all.
var errAsked = errors.New("")

// Follow writes a stream to w until the recording ends, w fails or ctx ends. begun
// is called once it is clear that what is asked for is there.
func (h *Hub) Follow(ctx context.Context, name string, what Following, w io.Writer, begun func()) error {
	src := h.find(name)
	if src == nil {
		return fmt.Errorf("there is no stream %q; there are: %s%w", short(name), strings.Join(h.names(), ", "), errNoSuch)
	}
	f := &follower{hub: h, src: src, what: what, out: &once{w: w}, until: math.MaxUint64}
	number, next := 0, 0
	switch what.From {
	case "", "now":
		h.mu.Lock()
		number = len(src.files) - 1
		next = len(src.files[number].blocks)
		h.mu.Unlock()
	case "start":
	default:
		tick, err := strconv.ParseUint(what.From, 10, 64)
		if err != nil {
			return fmt.Errorf("from=%s: want now, start, or a tick of Clock%w", short(what.From), errAsked)
		}
		f.from = tick
	}
	if what.For > 0 && src.stream.AcqClockHz == 0 {
		return fmt.Errorf("the rate of the clock is not known%w", errAsked)
	}
	head := recording.Bytes(src.head)
	if err := f.copy(ctx, head, int64(len(head)), recording.Selection{Columns: what.Columns}, begun); err != nil {
		return err
	}
	began := time.Now()
	for {
		changed := h.next()
		file, blocks, more, ended := h.part(src, number, next)
		for i := range blocks {
			if over, err := f.batch(ctx, file, &blocks[i]); over || err != nil {
				return errors.Join(err, f.out.end())
			}
		}
		if next += len(blocks); len(blocks) > 0 {
			continue
		}
		switch {
		case more:
			number, next = number+1, 0
			continue
		case ended, f.what.For > 0 && time.Since(began) > f.what.For+patience:
			return f.out.end()
		}
		wake := time.NewTimer(time.Second)
		select {
		case <-changed:
			wake.Stop()
		case <-wake.C:
		case <-h.end:
			wake.Stop()
			return f.out.end()
		case <-ctx.Done():
			wake.Stop()
			return ctx.Err()
		}
	}
}

// FollowWhenThere is Follow for a stream that may not be there yet.
func (h *Hub) FollowWhenThere(ctx context.Context, name string, what Following, w io.Writer) error {
	if h.await(name, ctx.Done()) == nil {
		return nil
	}
	return h.Follow(ctx, name, what, w, nil)
}

// batch gives one batch on, in parts. over says that nothing more is wanted.
func (f *follower) batch(ctx context.Context, name string, b *recording.Block) (over bool, err error) {
	clocked := f.src.stream.Column(stream.ClockName) >= 0
	if clocked && b.LastClock < f.from {
		return false, nil
	}
	file, err := os.Open(filepath.Join(f.hub.begun.Dir, name))
	if err != nil {
		return false, err
	}
	defer file.Close()
	alone := &joined{head: f.src.head, body: file, at: b.Offset}
	size := int64(len(f.src.head)) + b.Length
	from, to := int64(0), b.Rows
	if clocked && (b.FirstClock < f.from || b.LastClock >= f.until || f.what.For > 0 && f.rows == 0) {
		if from, to, over, err = f.within(ctx, alone, size, b.Rows); err != nil {
			return false, err
		}
	}
	width := 0
	for i := range f.src.stream.Columns {
		width += max(8, f.src.stream.Columns[i].ByteWidth)
	}
	step := max(1, partBytes/int64(max(1, width)))
	for from < to {
		end := min(to, from+step)
		if err := f.copy(ctx, alone, size, recording.Selection{Rows: &recording.Range{Start: from, End: end}, Columns: f.what.Columns}, nil); err != nil {
			return false, err
		}
		f.rows += end - from
		from = end
	}
	return over, f.out.flush()
}

// within are the rows of a batch that are wanted, by their Clock.
func (f *follower) within(ctx context.Context, alone io.ReaderAt, size, rows int64) (from, to int64, over bool, err error) {
	r, err := recording.NewReader(alone, size)
	if err != nil {
		return 0, 0, false, err
	}
	x, err := r.Select(ctx, recording.Selection{Columns: []string{stream.ClockName}})
	if err != nil {
		return 0, 0, false, err
	}
	var ticks []uint64
	for b, err := range x.Batches(ctx) {
		if err != nil {
			return 0, 0, false, err
		}
		ticks = append(ticks, recording.Values[uint64](&b.Columns[0])...)
	}
	first := sort.Search(len(ticks), func(i int) bool { return ticks[i] >= f.from })
	if f.what.For > 0 && f.rows == 0 && first < len(ticks) {
		hz := f.src.stream.AcqClockHz
		f.until = ticks[first] + uint64(f.what.For/time.Second)*hz + uint64(f.what.For%time.Second)*hz/uint64(time.Second)
	}
	last := sort.Search(len(ticks), func(i int) bool { return ticks[i] >= f.until })
	return int64(first), min(rows, int64(last)), last < len(ticks), nil
}

// copy writes a part of one batch, or the schema alone.
func (f *follower) copy(ctx context.Context, from io.ReaderAt, size int64, s recording.Selection, begun func()) error {
	r, err := recording.NewReader(from, size)
	if err != nil {
		return err
	}
	x, err := r.Select(ctx, s)
	if err != nil {
		return fmt.Errorf("%w%w", err, errNoSuch)
	}
	if begun != nil {
		begun()
	}
	f.out.renew()
	codec := recording.Keep
	if about := r.About(); s.Rows != nil && about.Compression() != recording.None.String() {
		decoding.Lock()
		defer decoding.Unlock()
		codec = recording.None
	}
	report, err := recording.Copy(ctx, f.out, x, &recording.CopyOptions{Format: recording.StreamFormat, Codec: codec})
	if err == nil && len(report.Findings) > 0 {
		err = fmt.Errorf("a batch cannot be read back: %s", report.Findings[0].Reason)
	}
	return err
}

// A joined is the schema of a stream and one batch of its file, as one stream.
type joined struct {
	head []byte
	body io.ReaderAt
	at   int64 // where the batch is
}

func (j *joined) ReadAt(p []byte, off int64) (n int, err error) {
	if off < int64(len(j.head)) {
		n = copy(p, j.head[off:])
	}
	if n < len(p) {
		more, err := j.body.ReadAt(p[n:], j.at+off+int64(n)-int64(len(j.head)))
		return n + more, err
	}
	return n, nil
}

// A once makes one Arrow stream of many: the schema comes once, and the end mark at
// the end. A stream is written as its schema, its batches, its end, one write each.
type once struct {
	w      io.Writer
	schema bool // it was written
	writes int  // of the stream in hand
}

func (o *once) renew() { o.writes = 0 }

var endMark = binary.LittleEndian.AppendUint64(nil, 0xFFFFFFFF)

func (o *once) Write(p []byte) (int, error) {
	o.writes++
	if o.writes == 1 && o.schema || o.writes > 1 && len(p) == len(endMark) && string(p) == string(endMark) {
		return len(p), nil
	}
	o.schema = true
	for at := 0; at < len(p); { // a slow reader gets time for each piece
		n, err := o.w.Write(p[at:min(len(p), at+pieceBytes)])
		if err != nil {
			return at + n, err
		}
		at += n
	}
	if o.writes == 1 {
		return len(p), o.flush()
	}
	return len(p), nil
}

const pieceBytes = 256 << 10

// Truncate is asked for after a write that failed: what was sent was sent.
func (o *once) Truncate(int64) error { return io.ErrClosedPipe }

func (o *once) flush() error {
	if f, ok := o.w.(interface{ FlushError() error }); ok {
		return f.FlushError()
	}
	return nil
}

func (o *once) end() error {
	_, err := o.w.Write(endMark)
	return errors.Join(err, o.flush())
}
