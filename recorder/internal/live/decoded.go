package live

import "sync"

// Batches of a compressed recording are given decoded, one buffer after another. Those
// that were decoded last are kept for others who want the same. One follower at a time
// decodes, so that the recording has the other cores. Who is slow holds the buffer that it
// is given, and nobody waits for it.

// maxDecoded is what is kept of buffers besides those that are being given: some tenths
// of a second of a probe, by which one follower may be ahead of another.
const maxDecoded = 6 << 20

// maxSpare is how many buffers that hold nothing any more are kept for others.
const maxSpare = 8

// A decoded keeps what buffers hold.
type decoded struct {
	decoding sync.Mutex

	mu        sync.Mutex // guards what follows
	followers int
	known     map[place]*content
	order     []*content // of those known that were decoded, the oldest first
	bytes     int        // of order
	spare     [][]byte
}

// A place names a buffer.
type place struct {
	file   string
	batch  int64 // where it begins
	buffer int
}

// A content is what a buffer holds.
type content struct {
	at   place
	once sync.Once
	data []byte // until the last user leaves it
	err  error

	users int  // guarded by decoded.mu
	gone  bool // nobody finds it any more; guarded by decoded.mu
}

// begin counts one who follows; end is called when it is over.
func (d *decoded) begin() (end func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.followers++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.followers--; d.followers == 0 {
			d.known, d.order, d.bytes, d.spare = nil, nil, 0, nil
		}
	}
}

// lend calls use with the content of a buffer, which read makes if nobody else did.
func (d *decoded) lend(at place, read func(room []byte) ([]byte, error), use func([]byte) error) error {
	c := d.take(at)
	defer d.leave(c)
	c.once.Do(func() {
		d.decoding.Lock()
		defer d.decoding.Unlock()
		c.data, c.err = read(d.room())
		d.keep(c)
	})
	if c.err != nil {
		return c.err
	}
	return use(c.data)
}

func (d *decoded) take(at place) *content {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.known[at]
	if c == nil {
		c = &content{at: at}
		if d.known == nil {
			d.known = map[place]*content{}
		}
		d.known[at] = c
	}
	c.users++
	return c
}

// room is that of a buffer that nobody wants any more.
func (d *decoded) room() (room []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.spare); n > 0 {
		room, d.spare = d.spare[n-1], d.spare[:n-1]
	}
	return room
}

// keep keeps a buffer that was decoded, and forgets the oldest ones.
func (d *decoded) keep(c *content) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c.err != nil {
		d.forget(c)
		return
	}
	d.order, d.bytes = append(d.order, c), d.bytes+cap(c.data)
	for d.bytes > maxDecoded {
		oldest := d.order[0]
		d.order[0] = nil
		d.order, d.bytes = d.order[1:], d.bytes-cap(oldest.data)
		d.forget(oldest)
	}
}

func (d *decoded) forget(c *content) {
	if d.known[c.at] == c {
		delete(d.known, c.at)
	}
	c.gone = true
	d.recycle(c)
}

func (d *decoded) leave(c *content) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c.users--
	d.recycle(c)
}

// recycle takes the room of a buffer that nobody finds or uses.
func (d *decoded) recycle(c *content) {
	if c.gone && c.users == 0 && c.data != nil && len(d.spare) < maxSpare {
		d.spare = append(d.spare, c.data)
	}
	if c.gone && c.users == 0 {
		c.data = nil
	}
}
