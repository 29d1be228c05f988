package recovery

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"io"
	"sort"

	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/parallel"
)

// Check compares an output that was written with the plan: bytes that were
// decoded when the plan was made by their hash, others with the input, and new
// ones with the plan. Nothing counts as recovered before it returned nil.
//
// input is what Recover was given, output what was written, of size bytes. yield
// may be nil; it is called every few megabytes, by several goroutines, and an
// error ends the check, which returns it.
func (p *Plan) Check(input, output io.ReaderAt, size int64, yield func() error) error {
	if want := p.Size(); size != want {
		return fmt.Errorf("recording: the output has %d bytes, not %d", size, want)
	}
	var tasks []checkTask
	at := int64(0)
	for i := range p.Spans {
		s := &p.Spans[i]
		if s.Bytes != nil {
			tasks = append(tasks, checkTask{at: at, n: s.Length, want: s.Bytes})
		} else {
			tasks = p.appendTasks(tasks, at, s.Offset, s.Length)
		}
		at += s.Length
	}
	buffers := make([][2][]byte, parallel.Workers())
	return parallel.For(len(tasks), func(worker, i int) error {
		if yield != nil {
			if err := yield(); err != nil {
				return err
			}
		}
		return tasks[i].check(input, output, &buffers[worker])
	})
}

// A checkTask is a piece of an output: n bytes from at.
type checkTask struct {
	at, n  int64
	want   []byte // if not nil: these
	hashed bool   // by its hash
	hash   uint64
	input  int64 // else: the bytes of the input from here
}

// appendTasks divides what is copied from off on into the pieces whose hash is
// known and what lies between.
func (p *Plan) appendTasks(tasks []checkTask, at, off, n int64) []checkTask {
	end := off + n
	compare := func(to int64) {
		for off < to {
			step := min(body.WindowBytes, to-off)
			tasks = append(tasks, checkTask{at: at, n: step, input: off})
			at, off = at+step, off+step
		}
	}
	first := sort.Search(len(p.pieces), func(i int) bool { return p.pieces[i].Offset >= off })
	for _, k := range p.pieces[first:] {
		if k.Offset+k.Length > end {
			break
		}
		compare(k.Offset)
		tasks = append(tasks, checkTask{at: at, n: k.Length, hashed: true, hash: k.Hash})
		at, off = at+k.Length, off+k.Length
	}
	compare(end)
	return tasks
}

func (c *checkTask) check(input, output io.ReaderAt, buffers *[2][]byte) error {
	buffers[0] = body.Grown(buffers[0], c.n)
	got := buffers[0]
	if n, err := output.ReadAt(got, c.at); n < len(got) {
		return body.ReadError(c.n, c.at, err)
	}
	same := false
	switch {
	case c.hashed:
		same = maphash.Bytes(body.Seed, got) == c.hash
	case c.want != nil:
		same = bytes.Equal(got, c.want)
	default:
		buffers[1] = body.Grown(buffers[1], c.n)
		if n, err := input.ReadAt(buffers[1], c.input); n < len(buffers[1]) {
			return body.ReadError(c.n, c.input, err)
		}
		same = bytes.Equal(got, buffers[1])
	}
	if !same {
		return fmt.Errorf("recording: the output is not as planned in the %d bytes from %d on: the disk returns other bytes than were written", c.n, c.at)
	}
	return nil
}
