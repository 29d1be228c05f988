package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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

type follower struct {
	hub     *Hub
	src     *source
	what    Following
	out     pieces
	clocked bool
	width   int64 // bytes of a row of what is wanted
	window  window
}

// errNoSuch wraps what is wrong with what is asked for.
var errNoSuch = errors.New("")

// errAsked wraps what cannot be asked for at all.
var errAsked = errors.New("")

// Follow writes a stream to w until the recording ends, w fails or ctx ends. begun
// is called once it is clear that what is asked for is there. Only what is whole gets
// an end mark: a reader takes it for the end of what it asked for.
func (h *Hub) Follow(ctx context.Context, name string, what Following, w io.Writer, begun func()) error {
	src := h.find(name)
	if src == nil {
		return fmt.Errorf("there is no stream %q; there are: %s%w", short(name), strings.Join(h.names(), ", "), errNoSuch)
	}
	f := &follower{hub: h, src: src, what: what, out: pieces{w}, clocked: src.stream.Column(stream.ClockName) >= 0}
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
		if !f.clocked {
			return fmt.Errorf("from=%d: stream %s has no Clock; take from=start%w", tick, name, errAsked)
		}
		f.window.from = tick
	}
	if what.For > 0 {
		if !f.clocked || src.stream.AcqClockHz == 0 {
			return fmt.Errorf("for=%v: stream %s has no Clock whose rate is known%w", what.For, name, errAsked)
		}
		f.window.ticks = ticksOf(what.For, src.stream.AcqClockHz)
	}
	if err := f.begin(ctx, begun); err != nil {
		return err
	}
	defer h.decoded.begin()()
	began := time.Now()
	for {
		changed := h.next()
		file, blocks, more, ended := h.part(src, number, next)
		for i := range blocks {
			switch over, err := f.batch(ctx, file, &blocks[i]); {
			case err != nil:
				return err
			case over:
				return f.out.end()
			}
		}
		if next += len(blocks); len(blocks) > 0 {
			continue
		}
		if !f.window.begun && h.reached() < f.window.from {
			began = time.Now() // it is still to come
		}
		switch {
		case more:
			number, next = number+1, 0
			continue
		case ended, what.For > 0 && time.Since(began) > what.For+patience && !h.waits(name):
			return f.out.end()
		}
		wake := time.NewTimer(time.Second)
		select {
		case <-changed:
			wake.Stop()
		case <-wake.C:
		case <-h.end:
			wake.Stop()
			return errCut
		case <-ctx.Done():
			wake.Stop()
			return ctx.Err()
		}
	}
}

// errCut is why a stream ends whose recording was aborted.
var errCut = errors.New("the recorder ended before its files were complete")

// FollowWhenThere is Follow for a stream that may not be there yet.
func (h *Hub) FollowWhenThere(ctx context.Context, name string, what Following, w io.Writer) (err error) {
	defer caught(func(fault error) { err = fault })
	if h.await(name, ctx.Done()) == nil {
		return nil
	}
	return h.Follow(ctx, name, what, w, nil)
}

// batch gives one batch on, in parts. over says that nothing more is wanted.
func (f *follower) batch(ctx context.Context, name string, b *recording.Block) (over bool, err error) {
	if f.clocked && f.window.before(b) {
		return false, nil
	}
	file, err := os.Open(filepath.Join(f.hub.begun.Dir, name))
	if err != nil {
		return false, err
	}
	defer file.Close()
	alone, err := f.src.alone(ctx, file, b)
	if err != nil {
		return false, err
	}
	from, to := int64(0), b.Rows
	if f.clocked && !f.window.all(b) {
		ticks, err := ticksIn(ctx, alone)
		if err != nil {
			return false, err
		}
		from, to, over = f.window.within(ticks)
	}
	x, err := alone.Select(ctx, recording.Selection{Columns: f.what.Columns})
	if err != nil {
		return false, err
	}
	if x.Len() != b.Rows {
		return false, unreadable(fmt.Errorf("it has %d rows of %d", x.Len(), b.Rows))
	}
	step := b.Rows // of a compressed batch each buffer is decoded once
	if about := alone.About(); about.Compression() == recording.None.String() {
		step = max(1, partBytes/f.width)
	}
	for from < to {
		rows := recording.Range{Start: from, End: min(to, from+step)}
		if err := f.pass(ctx, name, b, x.Within(rows)); err != nil {
			return false, err
		}
		from = rows.End
	}
	return over, f.out.flush()
}

// alone reads one batch of a stream's file, as if it were the only one.
func (src *source) alone(ctx context.Context, file io.ReaderAt, b *recording.Block) (*recording.Reader, error) {
	only := *b
	only.Offset = int64(len(src.fileHead))
	return recording.Open(ctx, &joined{head: src.fileHead, body: file, at: b.Offset}, only.Offset+b.Length, &recording.Options{Index: []recording.Block{only}})
}

// ticksIn are the Clock of a batch.
func ticksIn(ctx context.Context, alone *recording.Reader) (ticks []uint64, err error) {
	x, err := alone.Select(ctx, recording.Selection{Columns: []string{stream.ClockName}})
	if err != nil {
		return nil, err
	}
	for b, err := range x.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		ticks = append(ticks, recording.Values[uint64](&b.Columns[0])...)
	}
	return ticks, nil
}

// begin writes the schema, if what is wanted is there.
func (f *follower) begin(ctx context.Context, begun func()) error {
	r, err := recording.NewReader(recording.Bytes(f.src.head), int64(len(f.src.head)))
	if err != nil {
		return err
	}
	x, err := r.Select(ctx, recording.Selection{Columns: f.what.Columns})
	if err != nil {
		return fmt.Errorf("%w%w", err, errNoSuch)
	}
	for _, c := range x.Columns() {
		f.width += int64(max(1, c.ByteWidth))
	}
	if begun != nil {
		begun()
	}
	var s schema
	if _, err := recording.Copy(ctx, &s, x, &recording.CopyOptions{Format: recording.StreamFormat}); err != nil {
		return err
	}
	if _, err := f.out.Write(bytes.TrimSuffix(s.Bytes(), endMark)); err != nil {
		return err
	}
	return f.out.flush()
}

// A schema is a recording.File in memory.
type schema struct{ bytes.Buffer }

// Truncate is never needed: a write into memory does not fail.
func (s *schema) Truncate(int64) error { return io.ErrClosedPipe }

// pass writes rows of one batch of a file as one message.
func (f *follower) pass(ctx context.Context, name string, b *recording.Block, x *recording.Excerpt) error {
	err := x.PassOn(ctx, &f.out, func(buffer int, read func([]byte) ([]byte, error), use func([]byte) error) error {
		return f.hub.decoded.lend(place{name, b.Offset, buffer}, read, use)
	})
	if corrupt := (*recording.CorruptError)(nil); errors.As(err, &corrupt) {
		return unreadable(err)
	}
	return err
}

func unreadable(err error) error { return fmt.Errorf("a batch cannot be read back: %w", err) }

// A joined is what a file begins with and one batch of it.
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
