package live

import (
	"context"
	"slices"
	"sync"

	"github.com/oniscope/oniscope/shared/recording"
)

// Batches of a compressed recording are given decoded, a part at a time; some that were
// decoded are kept for the parts that follow, and for others who want the same. One
// follower at a time decodes. What it takes with it is a copy of its part, so that
// however slowly it is read, nobody waits for it and nothing else is held by it.

// maxDecoded is what is kept: a second of a probe, and of some channels.
const maxDecoded = 64 << 20

// A decoded keeps batches, the one used last at the end.
type decoded struct {
	mu    sync.Mutex // held while one is decoded
	list  []decodedBatch
	bytes int
}

type decodedBatch struct {
	what string // file, place, columns
	data recording.Bytes
	all  *recording.Excerpt
}

// decode writes rows of a compressed batch, which what names with the columns.
func (f *follower) decode(ctx context.Context, what string, x *recording.Excerpt, rows recording.Range) error {
	if err := f.hold(ctx, what, x, rows); err != nil {
		return err
	}
	return f.out.release()
}

func (f *follower) hold(ctx context.Context, what string, x *recording.Excerpt, rows recording.Range) error {
	d := &f.hub.decoded
	d.mu.Lock()
	defer d.mu.Unlock()
	all, err := d.of(ctx, what, x)
	if err != nil {
		return err
	}
	f.out.holds = true
	return f.write(ctx, all.Within(rows))
}

// of is a batch decoded.
func (d *decoded) of(ctx context.Context, what string, x *recording.Excerpt) (*recording.Excerpt, error) {
	for i, b := range d.list {
		if b.what == what {
			d.list = append(append(d.list[:i], d.list[i+1:]...), b)
			return b.all, nil
		}
	}
	need := 0 // about
	for _, c := range x.Columns() {
		need += int(x.Len()) * max(1, c.ByteWidth)
	}
	d.leaveRoom(need) // before it is taken
	var whole memoryFile
	report, err := recording.Copy(ctx, &whole, x, &recording.CopyOptions{Codec: recording.None})
	if err == nil && len(report.Findings) > 0 {
		err = unreadable(report.Findings)
	}
	if err != nil {
		return nil, err
	}
	data := recording.Bytes(whole)
	r, err := recording.NewReader(data, int64(len(data)))
	if err != nil {
		return nil, err
	}
	all, err := r.Select(ctx, recording.Selection{})
	if err != nil {
		return nil, err
	}
	d.leaveRoom(len(data))
	d.list, d.bytes = append(d.list, decodedBatch{what, data, all}), d.bytes+len(data)
	return all, nil
}

// leaveRoom forgets what there is no room for beside so many bytes.
func (d *decoded) leaveRoom(bytes int) {
	for ; len(d.list) > 0 && d.bytes+bytes > maxDecoded; d.list = d.list[1:] {
		d.bytes -= len(d.list[0].data)
		d.list[0] = decodedBatch{}
	}
}

// A memoryFile is a recording.File in memory.
type memoryFile []byte

func (m *memoryFile) Write(p []byte) (int, error) {
	*m = append(*m, p...)
	return len(p), nil
}

// WritePieces implements recording.Gatherer: there is no other copy of a batch.
func (m *memoryFile) WritePieces(pieces [][]byte) (n int64, err error) {
	for _, p := range pieces {
		n += int64(len(p))
	}
	*m = slices.Grow(*m, int(n))
	for _, p := range pieces {
		*m = append(*m, p...)
	}
	return n, nil
}

// Truncate is asked for after a write that failed, and none does.
func (m *memoryFile) Truncate(size int64) error {
	*m = (*m)[:size]
	return nil
}
