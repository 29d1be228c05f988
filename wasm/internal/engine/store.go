package engine

import (
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
	"io"
	"math"
	"slices"
	"strconv"
	"sync"
)

// What a whole run looks like is kept from visit to visit: the tiles of whole
// columns, at the level at which they were looked at. What is kept of a file is
// found by its identity: size, when it was changed, and a hash of both ends. All of
// it can be read again, so nothing that fails here is an error.

// A Store keeps bytes by name, in the page the browser's private files. Load gives
// nil for what is not there.
type Store interface {
	Load(name string) []byte
	Save(name string, data []byte)
}

// An identified source says what tells it from others of its size, such as when the
// file was changed; "": nothing does.
type identified interface{ Identity() string }

const (
	storedMark  = "ONTILES1"
	storedBytes = 64 << 20 // of one file at most
	endBytes    = 64 << 10 // of each end that the identity counts
)

// A storedColumn is a whole column as it is kept.
type storedColumn struct {
	column, level int
	rows          []int // of each batch
	bins          [][]tileBin
}

// storedName is the name of what is kept of a stream's file; "" of none.
func (s *openStream) storedName() string {
	source, ok := s.source.(identified)
	if !ok || s.growing {
		return ""
	}
	about := source.Identity()
	if about == "" {
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
	k.recalled, k.levels = true, map[int]int{}
	if k.name = s.storedName(); k.name == "" {
		return
	}
	for _, c := range parseStored(e.Store.Load(k.name), len(s.line.places), len(s.columns())) {
		for batch, rows := range c.rows {
			e.keepBins(s, batch, c.column, c.level, rows, c.bins[batch])
		}
		k.levels[c.column] = c.level
	}
}

// remember keeps the columns of a whole run at a level, which are in the tiles.
func (e *Engine) remember(s *openStream, columns []int, level int) {
	k := &s.kept
	k.mu.Lock()
	defer k.mu.Unlock()
	if e.Store == nil || k.name == "" {
		return
	}
	var fresh []storedColumn
	bytes := 0
	for _, column := range columns {
		if have, ok := k.levels[column]; ok && have <= level {
			continue
		}
		c := storedColumn{column: column, level: level}
		for batch := range s.line.places {
			bins, rows, ok := e.bins(s, batch, column, level)
			if !ok {
				return // damaged, or out of the tiles already
			}
			c.rows, c.bins = append(c.rows, rows), append(c.bins, bins)
			bytes += 4 + tileBinBytes*len(bins)
		}
		fresh = append(fresh, c)
	}
	if len(fresh) == 0 || bytes > storedBytes || s.closed.Load() {
		return
	}
	all := fresh
	for _, old := range parseStored(e.Store.Load(k.name), len(s.line.places), len(s.columns())) {
		if !slices.ContainsFunc(fresh, func(c storedColumn) bool { return c.column == old.column }) {
			all = append(all, old)
		}
	}
	if data := formatStored(all); len(data) <= storedBytes {
		e.Store.Save(k.name, data)
		for _, c := range fresh {
			k.levels[c.column] = level
		}
	}
}

// formatStored writes columns: a mark, then of each its number, level and batches,
// then of each batch its rows and bins.
func formatStored(columns []storedColumn) []byte {
	size := len(storedMark)
	for _, c := range columns {
		size += 3 * 4
		for _, bins := range c.bins {
			size += 4 + tileBinBytes*len(bins)
		}
	}
	out := append(make([]byte, 0, min(size, storedBytes+1<<20)), storedMark...)
	le := binary.LittleEndian
	for _, c := range columns {
		out = le.AppendUint32(out, uint32(c.column))
		out = le.AppendUint32(out, uint32(c.level))
		out = le.AppendUint32(out, uint32(len(c.rows)))
		for k, rows := range c.rows {
			out = le.AppendUint32(out, uint32(rows))
			for _, b := range c.bins[k] {
				for _, x := range []float32{b.Min, b.Max, b.Mean, b.SD} {
					out = le.AppendUint32(out, math.Float32bits(x))
				}
				out = le.AppendUint32(out, b.Count)
			}
		}
		if len(out) > storedBytes {
			break
		}
	}
	return out
}

// parseStored reads what formatStored wrote of a stream of so many batches and
// columns; nil if it is anything else.
func parseStored(data []byte, batches, columns int) (list []storedColumn) {
	if len(data) < len(storedMark) || string(data[:len(storedMark)]) != storedMark {
		return nil
	}
	data = data[len(storedMark):]
	next := func() uint32 {
		if len(data) < 4 {
			data = nil
			return math.MaxUint32
		}
		x := binary.LittleEndian.Uint32(data)
		data = data[4:]
		return x
	}
	for len(data) > 0 {
		column, level, n := next(), next(), next()
		if column >= uint32(columns) || level < minTileLevel || level > 30 || n != uint32(batches) {
			return nil
		}
		c := storedColumn{column: int(column), level: int(level)}
		for range n {
			rows := int(next())
			size := binsIn(rows, c.level)
			if rows > math.MaxInt32 || size > len(data)/tileBinBytes {
				return nil
			}
			bins := make([]tileBin, size)
			for i := range bins {
				b := &bins[i]
				for _, x := range []*float32{&b.Min, &b.Max, &b.Mean, &b.SD} {
					*x = math.Float32frombits(next())
				}
				b.Count = next()
			}
			c.rows, c.bins = append(c.rows, rows), append(c.bins, bins)
		}
		list = append(list, c)
	}
	return list
}
