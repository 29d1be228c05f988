package engine

import (
	"container/list"
	"sync"

	"github.com/oniscope/oniscope/shared/recording"
)

// maxCacheBytes bounds the decoded columns that are kept: a minute of a
// dozen channels at 30 kHz, or two seconds of a whole probe.
const maxCacheBytes = 48 << 20

// A columnCache keeps decoded columns, least recently used out first. Columns
// that were read together leave together, because they may share memory.
// It may be used from several goroutines.
type columnCache struct {
	mu    sync.Mutex
	limit int64
	bytes int64
	order *list.List // of *cacheGroup, most recently used in front
	index map[cacheKey]*list.Element
}

type cacheKey struct {
	stream *openStream
	batch  int
	column int
}

type cacheGroup struct {
	keys    []cacheKey
	vectors []*plotVector
	bytes   int64
}

func newColumnCache(limit int64) *columnCache {
	return &columnCache{limit: limit, order: list.New(), index: map[cacheKey]*list.Element{}}
}

// get returns a column, or nil.
func (c *columnCache) get(s *openStream, batch, column int) *plotVector {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := cacheKey{s, batch, column}
	e := c.index[key]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	group := e.Value.(*cacheGroup)
	for i := range group.keys {
		if group.keys[i] == key {
			return group.vectors[i]
		}
	}
	return nil
}

// put keeps columns of one batch that were read together; what alone is
// larger than the limit is not kept.
func (c *columnCache) put(s *openStream, batch int, vectors []*plotVector) {
	group := &cacheGroup{vectors: vectors}
	for _, v := range vectors {
		group.keys = append(group.keys, cacheKey{s, batch, v.Column})
		group.bytes += int64(cap(v.Data) + cap(v.Valid) + cap(v.own) + 4*cap(v.RunEnds))
	}
	if group.bytes > c.limit {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.order.PushFront(group)
	for _, key := range group.keys {
		c.index[key] = e // the later of two readings of a column counts
	}
	c.bytes += group.bytes
	for c.bytes > c.limit {
		c.drop(c.order.Back())
	}
}

// forget drops everything of a stream.
func (c *columnCache) forget(s *openStream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := c.order.Front(); e != nil; {
		next := e.Next()
		if keys := e.Value.(*cacheGroup).keys; len(keys) > 0 && keys[0].stream == s {
			c.drop(e)
		}
		e = next
	}
}

func (c *columnCache) drop(e *list.Element) {
	group := c.order.Remove(e).(*cacheGroup)
	c.bytes -= group.bytes
	for _, key := range group.keys {
		if c.index[key] == e {
			delete(c.index, key)
		}
	}
}

// A plotVector is a column of one batch as it is drawn.
type plotVector struct {
	recording.Vector
	// own has a 0 for rows that only repeat the value of the row before, in
	// columns with a slower signal; nil: every row has its own value.
	own []byte
}
