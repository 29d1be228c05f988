package engine

import (
	"container/list"
	"sync"

	"github.com/oniscope/oniscope/shared/recording"
)

// defaultCacheBytes bounds what is kept of the files: eight seconds of a whole
// probe as they are, or an hour of it in a thousand pixels.
const defaultCacheBytes = 256e6

// A cache keeps what was made of the files. What was not used for longest leaves
// first, but what so many bytes were read for stays so many times as long: a second of
// a thousand channels does not put out the tiles of a whole run, for which all of it
// was read. What was read together leaves together, because it may share memory. The limit is for
// what is kept, for what requests work with, and an eighth for what nobody uses any more
// and Go has not collected: memory of WebAssembly never shrinks, so that what all take at
// one time they take for good. It may be used from several goroutines.
type cache struct {
	mu    sync.Mutex
	limit int64
	bytes int64
	work  int64                       // what requests take, and garbage
	order [maxTileLevel + 1]list.List // of *cacheGroup, most recently used in front: of rows, then by level
	age   float64                     // bytes that were put in, since ever
	round int                         // counts requests
	index map[cacheKey]*list.Element
}

// A cacheKey is a column of a batch (level of values), a tile (batch counts
// groups of batches), or the ticks of the bins of a batch (column ofTicks).
type cacheKey struct {
	stream        *openStream
	batch, column int
	level         int
}

const (
	values  = -1 // level of decoded columns
	ofTicks = -1 // column of ticks
)

type cacheGroup struct {
	keys  []cacheKey
	kept  []any // *plotVector, *tile or []float64, by key
	bytes int64
	due   float64 // age at which it may leave; the least of all leaves first
	round int     // of the request that used it last
}

// use lets what was used just now stay.
func (c *cache) use(g *cacheGroup) { g.due, g.round = c.age+g.worth()*float64(c.limit), c.round }

// worth is about how many bytes of the file were read for each that is kept: for a bin
// all of its rows, of two bytes as most are.
func (g *cacheGroup) worth() float64 {
	if level := g.keys[0].level; level > 0 {
		return max(1, min(mostWorth, float64(int(2)<<level)/tileBinBytes))
	}
	return 1
}

// mostWorth lets what is not used any more leave in the end.
const mostWorth = 16

// orderOf is which of the orders has a group.
func (c *cache) orderOf(g *cacheGroup) *list.List {
	return &c.order[max(0, min(maxTileLevel, g.keys[0].level))]
}

func newCache(limit int64) *cache {
	return &cache{limit: limit, work: limit / 8, index: map[cacheKey]*list.Element{}}
}

// get returns what is kept, or nil.
func (c *cache) get(key cacheKey) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.index[key]
	if e == nil {
		return nil
	}
	group := e.Value.(*cacheGroup)
	c.orderOf(group).MoveToFront(e)
	c.use(group)
	for i := range group.keys {
		if group.keys[i] == key {
			return group.kept[i]
		}
	}
	return nil
}

// has reports whether something is kept, without using it.
func (c *cache) has(key cacheKey) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.index[key] != nil
}

// vector returns a column, or nil.
func (c *cache) vector(s *openStream, batch, column int) *plotVector {
	v, _ := c.get(cacheKey{s, batch, column, values}).(*plotVector)
	return v
}

// summedUp says that tiles were made of a column: it leaves first, with those that were
// read with it.
func (c *cache) summedUp(s *openStream, batch, column int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.index[cacheKey{s, batch, column, values}]; e != nil {
		c.order[0].MoveToBack(e)
		e.Value.(*cacheGroup).due, e.Value.(*cacheGroup).round = 0, -1
	}
}

// putVectors keeps columns of one batch, or of a part of it, that were read together.
func (c *cache) putVectors(s *openStream, batch int, part partRead, vectors []*plotVector) {
	group := &cacheGroup{bytes: entryBytes}
	for _, v := range vectors {
		key, kept := cacheKey{s, batch, v.Column, values}, any(v)
		if part.to > 0 {
			key.level, kept = someValues, &partVector{v, part}
		}
		group.keys, group.kept = append(group.keys, key), append(group.kept, kept)
		group.bytes += entryBytes + int64(cap(v.Data)+cap(v.Valid)+cap(v.own)+4*cap(v.RunEnds))
	}
	c.put(group)
}

// entryBytes is about what an entry takes besides what is kept.
const entryBytes = 256

// room takes so many bytes for a request to work with, until it leaves; what is kept
// gives way, down to a quarter of the limit.
func (c *cache) room(bytes int64) (leave func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.work += bytes
	c.round++
	c.trim()
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.work -= bytes
	}
}

// most is how much may be kept now.
func (c *cache) most() int64 { return max(c.limit/4, c.limit-c.work) }

func (c *cache) trim() {
	for most := c.most(); c.bytes > most; {
		next := c.order[0].Back()
		now := next == nil || next.Value.(*cacheGroup).round == c.round // rows that are looked at leave last
		for level := range c.order[1:] {
			if e := c.order[1+level].Back(); e != nil && (now || e.Value.(*cacheGroup).due < next.Value.(*cacheGroup).due) {
				next, now = e, false
			}
		}
		c.drop(next)
	}
}

// putOne keeps one thing of so many bytes.
func (c *cache) putOne(key cacheKey, kept any, bytes int64) {
	c.put(&cacheGroup{keys: []cacheKey{key}, kept: []any{kept}, bytes: bytes + entryBytes})
}

// put keeps a group; what alone is larger than the limit is not kept.
func (c *cache) put(group *cacheGroup) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(group.keys) == 0 || group.bytes > c.most() {
		return
	}
	c.age += float64(group.bytes)
	c.use(group)
	e := c.orderOf(group).PushFront(group)
	for _, key := range group.keys {
		c.index[key] = e // the later of two readings of a column counts
	}
	c.bytes += group.bytes
	c.trim()
}

// forget drops everything of a stream.
func (c *cache) forget(s *openStream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for level := range c.order {
		for e := c.order[level].Front(); e != nil; {
			next := e.Next()
			if e.Value.(*cacheGroup).keys[0].stream == s {
				c.drop(e)
			}
			e = next
		}
	}
}

// size is how many bytes are kept.
func (c *cache) size() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

func (c *cache) drop(e *list.Element) {
	group := e.Value.(*cacheGroup)
	c.orderOf(group).Remove(e)
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
