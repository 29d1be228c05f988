package engine

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
	"io"
	"strconv"
	"sync"
)

// What a whole run looks like is kept from visit to visit: the tiles of whole
// columns, at the level at which they were looked at. What is kept of a file is
// found by its identity: size, when it was changed, and a hash of both ends. All of
// it can be read again, so nothing that fails here is an error.

// A Store keeps bytes by name, in the page the browser's private files. Read gives
// the bytes [from, to), fewer where there are no more. Write puts data at a place,
// and what was after it is gone.
type Store interface {
	Read(name string, from, to int64) []byte
	Write(name string, at int64, data []byte)
}

// An identified source says what tells it from others of its size, such as when the
// file was changed; "": nothing does.
type identified interface{ Identity() string }

const (
	storedMark  = "ONTILES2"
	storedBytes = 64 << 20 // of one file at most
	storedPiece = 1 << 20  // that is read or written at once
	endBytes    = 64 << 10 // of each end that the identity counts
)

// storedName is the name of what is kept of a stream's file; "" of none.
func (s *openStream) storedName() string {
	about := s.identity()
	if about == "" || s.growing {
		return ""
	}
	h := fnv.New128a()
	h.Write([]byte(storedMark + strconv.FormatInt(s.size, 10) + " " + about))
	end := make([]byte, min(endBytes, s.size))
	for _, off := range []int64{0, s.size - int64(len(end))} {
		if n, err := s.source.ReadAt(end, off); n < len(end) && err != io.EOF {
			return ""
		}
		h.Write(end)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// A keeping is what is known of what is kept of a stream's file.
type keeping struct {
	mu       sync.Mutex
	recalled bool
	name     string      // "": nothing is kept
	end      int64       // of the records that are intact
	levels   map[int]int // of the columns that are
}

// recall puts what is kept of a stream's file into the tiles, once.
func (e *Engine) recall(s *openStream) {
	if e.Store == nil {
		return
	}
	k := &s.kept
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.recalled {
		return
	}
	k.recalled, k.levels, k.end = true, map[int]int{}, 0
	if k.name = s.storedName(); k.name == "" {
		return
	}
	k.end = parseStored(&storeReader{store: e.Store, name: k.name}, len(s.line.places), len(s.columns()), func(c *someTiles) {
		for i, rows := range c.rows {
			e.keepBins(s, c.first+i, c.column, c.level, rows, c.bins[i])
		}
		k.levels[c.column] = c.level
	})
}

// remember keeps the columns of a whole run at a level, which are in the tiles.
func (e *Engine) remember(s *openStream, columns []int, level int) {
	k := &s.kept
	k.mu.Lock()
	defer k.mu.Unlock()
	if e.Store == nil || k.name == "" {
		return
	}
	var data []byte
	end, begun := k.end, k.end > 0
	write := func() {
		if len(data) > 0 && !s.closed.Load() {
			e.Store.Write(k.name, end, data)
			end += int64(len(data))
			k.end = end
		}
		data = data[:0]
	}
	begin := func() {
		clear(k.levels)
		end, begun, data = 0, true, append(data[:0], storedMark...)
	}
	for _, column := range columns {
		if have, ok := k.levels[column]; ok && have <= level {
			continue
		}
		c := e.wholeColumn(s, column, level)
		if c == nil { // damaged, or out of the tiles already
			continue
		}
		size := int64(storedHead + c.size())
		if !begun {
			begin()
		} else if end+int64(len(data))+size > storedBytes {
			if size*int64(len(columns)) > storedBytes {
				break
			}
			begin()
		}
		data = appendStored(data, c)
		k.levels[column] = level
		if len(data) >= storedPiece {
			write()
		}
	}
	write()
}

// wholeColumn is a column of all batches, or nil.
func (e *Engine) wholeColumn(s *openStream, column, level int) *someTiles {
	c := &someTiles{column: column, level: level}
	for batch := range s.line.places {
		bins, rows, ok := e.bins(s, batch, column, level)
		if !ok {
			return nil
		}
		c.rows, c.bins = append(c.rows, rows), append(c.bins, bins)
	}
	return c
}

// A record of the store begins with its length and a hash of the rest.
const storedHead = 2 * 4

func appendStored(data []byte, c *someTiles) []byte {
	at := len(data)
	data = c.append(append(data, make([]byte, storedHead)...))
	record := data[at+storedHead:]
	binary.LittleEndian.PutUint32(data[at:], uint32(len(record)))
	binary.LittleEndian.PutUint32(data[at+4:], hashOf(record))
	return data
}

func hashOf(data []byte) uint32 {
	h := fnv.New32a()
	h.Write(data)
	return h.Sum32()
}

// parseStored reads what is kept of a stream of so many batches and columns, as far
// as it is intact, and returns where that ends; 0: nothing is.
func parseStored(r io.Reader, batches, columns int, put func(c *someTiles)) (end int64) {
	b := bufio.NewReaderSize(r, 1<<12)
	mark := make([]byte, len(storedMark))
	if _, err := io.ReadFull(b, mark); err != nil || string(mark) != storedMark {
		return 0
	}
	end = int64(len(mark))
	head := make([]byte, storedHead)
	var record bytes.Buffer // grows with what is there, not with what is claimed
	for {
		if _, err := io.ReadFull(b, head); err != nil {
			return end
		}
		size := int64(binary.LittleEndian.Uint32(head))
		if size > storedBytes-end {
			return end
		}
		record.Reset()
		if _, err := io.CopyN(&record, b, size); err != nil || hashOf(record.Bytes()) != binary.LittleEndian.Uint32(head[4:]) {
			return end
		}
		c, left := parseTiles(record.Bytes(), batches, columns)
		if c == nil || len(left) > 0 || len(c.rows) != batches {
			return end
		}
		put(c)
		end += storedHead + size
	}
}

// A storeReader reads what a store keeps by a name, piece by piece.
type storeReader struct {
	store Store
	name  string
	at    int64
	piece []byte
}

// Read implements io.Reader.
func (r *storeReader) Read(p []byte) (int, error) {
	if len(r.piece) == 0 {
		r.piece = r.store.Read(r.name, r.at, r.at+storedPiece)
		r.at += int64(len(r.piece))
	}
	if len(r.piece) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.piece)
	r.piece = r.piece[n:]
	return n, nil
}
