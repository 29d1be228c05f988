package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A part is the file that a stream is written to now.
type part struct {
	PartSummary
	w    *recording.Writer
	disk *os.File // the file
	h    *handle  // what the writer sees of it
	ends []mark   // of the batches, in order; nothing is dropped: 16 bytes a batch

	synced time.Time
	dirty  bool
	from   uint64   // Clock of its first row
	forced *forcing // under way; nil: none
}

// A forcing is a sync that runs beside the writing: a disk takes seconds for one,
// and batches that waited for it in memory would be lost with the process.
type forcing struct {
	rows, bytes int64 // that it covers
	done        chan error
}

// A mark is where a batch ends, in bytes and rows of its part.
type mark struct{ bytes, rows int64 }

// A handle is the File of a part. It may change its file, and remembers whether
// writing failed.
type handle struct {
	File
	err    error
	joined []byte // of a file that takes no pieces
}

func (h *handle) Write(p []byte) (int, error) {
	n, err := h.File.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		h.err = err
	}
	return n, err
}

// WritePieces writes pieces one after another, in one write if the file can: a
// batch then goes from where it was decoded to the system without a copy.
func (h *handle) WritePieces(pieces [][]byte) (n int64, err error) {
	g, ok := h.File.(recording.Gatherer)
	if !ok {
		h.joined = h.joined[:0]
		for _, p := range pieces {
			h.joined = append(h.joined, p...)
		}
		written, err := h.Write(h.joined)
		return int64(written), err
	}
	total := int64(0)
	for _, p := range pieces {
		total += int64(len(p))
	}
	if n, err = g.WritePieces(pieces); err == nil && n < total {
		err = io.ErrShortWrite
	}
	if err != nil {
		h.err = err
	}
	return n, err
}

// Keys of the schema metadata of a stream's parts but the first of those that
// never needed another.
const (
	keyPart    = "oniscope.part"           // 0, 1, ...
	keyPartRow = "oniscope.part_first_row" // rows of the stream before it
	keyBefore  = "oniscope.part_before"    // file name of the part before
)

// beginPart writes the schema of a stream into a file that is empty.
func (w *Writer) beginPart(name string, f *os.File) (*part, error) {
	p := &part{disk: f, h: &handle{File: w.run.o.Wrap(name, diskFile{f})}, synced: time.Now(), dirty: true}
	w.count++
	p.File, p.FirstRow, p.State, p.id = name, w.rows.Load(), StateOpen, w.count
	s := w.stream
	if n := len(w.parts); n > 0 || w.run.o.Roll > 0 {
		s.Extra = append(slices.Clip(s.Extra), stream.KeyValue{Key: keyPart, Value: strconv.Itoa(w.number)},
			stream.KeyValue{Key: keyPartRow, Value: strconv.FormatInt(p.FirstRow, 10)})
		if n > 0 {
			s.Extra = append(s.Extra, stream.KeyValue{Key: keyBefore, Value: w.parts[n-1].File})
		}
	}
	var err error
	if p.w, err = recording.NewWriter(p.h, &s, recording.WriterOptions{Codec: w.codec}); err != nil {
		return nil, fmt.Errorf("store: %s: %w", name, err)
	}
	p.Bytes = p.w.Size()
	return p, nil
}

// folderTries bounds how often a folder is made again for one file.
const folderTries = 3

// nextFile makes the file of the next part: the first number that is free.
func (w *Writer) nextFile() (name string, number int, f *os.File, err error) {
	tries := 0
	for number = w.number + 1; number < maxParts; number++ {
		name = partFile(w.stream.Name, w.run.suffix, number)
		f, _, err = w.run.dir.open(name, w.run.o.Roll > 0 && w.run.o.Overwrite(w.stream.Name))
		if err == nil {
			err = f.Truncate(0)
		}
		if exists := (*ExistsError)(nil); errors.As(err, &exists) || errors.Is(err, ErrInUse) {
			continue
		}
		if errors.Is(err, os.ErrNotExist) && tries < folderTries { // it was removed, and another stream may have made it again
			tries++
			if err = w.run.folderAgain(); err == nil {
				number--
				continue
			}
		}
		return name, number, f, err
	}
	return "", 0, nil, fmt.Errorf("store: %s has %d parts", w.stream.Name, number)
}

// wrote notes a batch.
func (p *part) wrote(block recording.Block) {
	if len(p.ends) == 0 {
		p.from = block.FirstClock
	}
	p.ends = append(p.ends, mark{block.Offset + block.Length, p.w.Rows()})
	p.dirty = true
	p.note()
}

func (p *part) note() { p.Rows, p.Batches, p.Bytes = p.w.Rows(), p.w.Batches(), p.w.Size() }

// rowsWithin is how many rows the first bytes of the file hold.
func (p *part) rowsWithin(bytes int64) int64 {
	rows := int64(0)
	for _, m := range p.ends {
		if m.bytes > bytes {
			break
		}
		rows = m.rows
	}
	return rows
}

// sync forces what is written to the platter.
func (p *part) sync() error {
	p.force()
	_, err := p.settle(true)
	return err
}

// force begins to force what is written to the platter. No sync is under way.
func (p *part) force() {
	f, file := &forcing{rows: p.Rows, bytes: p.Bytes, done: make(chan error, 1)}, p.h.File
	p.forced, p.synced, p.dirty = f, time.Now(), false
	go func() { f.done <- file.Sync() }()
}

// settle takes the result of the sync that is under way, if it has ended or once
// it has. over is false while one is under way.
func (p *part) settle(wait bool) (over bool, err error) {
	f := p.forced
	if f == nil {
		return true, nil
	}
	if wait {
		err = <-f.done
	} else {
		select {
		case err = <-f.done:
		default:
			return false, nil
		}
	}
	p.forced = nil
	if err != nil {
		p.dirty = true
		return true, err
	}
	p.GoodRows, p.GoodBytes = f.rows, f.bytes
	return true, nil
}

// shut closes the file and looks at what a reader finds under its name: a file
// with a footer that says it is whole.
func (r *Run) shut(p *part) error {
	if err := p.h.Close(); err != nil {
		return err
	}
	return r.check(p.File, p.w.Size())
}

// check reads the footer of a file that should be complete, and size bytes long.
func (r *Run) check(name string, size int64) error {
	f, err := r.dir.root().Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != size {
		return fmt.Errorf("it has %d bytes, and %d were written", info.Size(), size)
	}
	reader, err := recording.NewReader(f, size)
	if err != nil {
		return err
	}
	if about := reader.About(); about.State != recording.Complete {
		return fmt.Errorf("it is %s", about.State)
	}
	return nil
}
