package live

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/oniscope/oniscope/shared/stream"
)

// Two goroutines a client: one reads what it asks for, one writes. What is to be
// written waits nowhere: the writer looks at the hub when it has time, so that
// announcements of batches are joined and never lost, and of the state and of the
// rows of each stream what was gathered since.

// Bounds of one client.
const (
	maxReplies   = 4 << 20          // bytes of answers that were not read
	maxCredits   = 3                // binary messages that may be unacknowledged
	writeTimeout = 10 * time.Second // for one message
	pingEvery    = 15 * time.Second
	silentMost   = 40 * time.Second // without a pong
	asksPerS     = 100
	asksAtOnce   = 300
	blocksAtOnce = 1000 // in one message
	lingerMost   = 500 * time.Millisecond
)

// A client is one websocket.
type client struct {
	server  *Server
	hub     *Hub
	conn    *websocket.Conn
	control bool          // may take notes and stop
	wake    chan struct{} // there may be something to write
	gone    chan struct{} // closed when the reader has ended

	mu      sync.Mutex // guards what follows
	shown   map[*source]*shown
	turn    []*shown // those that have something, longest first
	credits int
	replies []any
	waiting int    // bytes of them, about
	closing string // why the connection is to be closed
	shows   int
}

func newClient(s *Server, conn *websocket.Conn, control bool) *client {
	return &client{server: s, hub: s.hub, conn: conn, control: control, wake: make(chan struct{}, 1), gone: make(chan struct{}),
		shown: map[*source]*shown{}, credits: maxCredits}
}

// poke wakes the writer.
func (c *client) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// take implements taker.
func (c *client) take(p *piece) {
	c.mu.Lock()
	s := c.shown[p.src]
	c.mu.Unlock()
	if s == nil {
		return
	}
	if !s.gather(p) {
		return
	}
	c.mu.Lock()
	if c.shown[p.src] == s && !slices.Contains(c.turn, s) {
		c.turn = append(c.turn, s)
	}
	c.mu.Unlock()
	c.poke()
}

// serve answers until one side has enough.
func (c *client) serve() {
	defer c.conn.Close()
	defer c.server.atEnd(c.conn.NetConn())()
	go c.read()
	why := c.write()
	c.mu.Lock()
	seen := c.shown
	c.shown, c.turn = map[*source]*shown{}, nil
	c.mu.Unlock()
	for src := range seen {
		src.want(c, nil)
	}
	if why != "" {
		code := websocket.ClosePolicyViolation
		switch why {
		case reasonEnd:
			code = websocket.CloseNormalClosure
		case reasonGone:
			code = websocket.CloseGoingAway
		}
		_ = c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, closingReason(why)), time.Now().Add(time.Second))
		// What it has still sent is thrown away: bytes that nobody read would
		// reset the connection, and the reason would be lost.
		_ = c.conn.NetConn().SetReadDeadline(time.Now().Add(lingerMost))
		<-c.gone
		_, _ = io.CopyN(io.Discard, c.conn.NetConn(), 1<<20)
	}
	c.conn.Close()
	<-c.gone
}

// Why a client is closed that did nothing wrong.
const (
	reasonEnd  = "the recording has ended"
	reasonGone = "the recorder ends"
)

// closingReason cuts a reason to what fits into a closing frame.
func closingReason(why string) string {
	const most = 123 // RFC 6455, 5.5
	if len(why) > most {
		why = strings.ToValidUTF8(why[:most-3], "") + "..."
	}
	return why
}

// close has the writer close the connection, for a reason.
func (c *client) close(why string) {
	c.mu.Lock()
	if c.closing == "" {
		c.closing = why
	}
	c.mu.Unlock()
	c.poke()
}

func (c *client) reply(m any) {
	c.mu.Lock()
	c.replies = append(c.replies, m)
	c.waiting += replyBytes
	if c.waiting > maxReplies && c.closing == "" {
		c.closing = notRead
	}
	c.mu.Unlock()
	c.poke()
}

// errFlood is why a client that says too much is closed.
var errFlood = errors.New("too many messages")

const notRead = "answers are not read"

// replyBytes is about what an answer takes besides schemas.
const replyBytes = 4 << 10

// read reads what the client asks for.
func (c *client) read() {
	defer close(c.gone)
	defer caught(func(fault error) {
		c.server.say(fault.Error())
		c.conn.Close()
	})
	c.conn.SetReadLimit(maxWords)
	alive := func(string) error { return c.conn.SetReadDeadline(time.Now().Add(silentMost)) }
	_ = alive("")
	limit := newBucket(asksPerS, asksAtOnce)
	c.conn.SetPongHandler(func(text string) error {
		if !limit.take(time.Now()) {
			return errFlood
		}
		return alive(text)
	})
	answer := c.conn.PingHandler()
	c.conn.SetPingHandler(func(text string) error {
		if !limit.take(time.Now()) {
			return errFlood
		}
		return answer(text)
	})
	for {
		kind, data, err := c.conn.ReadMessage()
		var late net.Error
		switch {
		case errors.As(err, &late) && late.Timeout():
			c.close("nothing was heard from this client")
		case errors.Is(err, errFlood):
			c.close(errFlood.Error())
		case errors.Is(err, websocket.ErrReadLimit): // it was answered with 1009, if its length is a number
			c.close("the message is too long")
		case err != nil:
		case !limit.take(time.Now()):
			c.close(errFlood.Error())
		case kind != websocket.TextMessage:
			c.close("only text messages are understood")
		default:
			a, err := parseAsk(data)
			if err == nil {
				err = c.answer(&a)
			}
			if err != nil {
				c.close(err.Error())
				return
			}
			_ = alive("")
			continue
		}
		return
	}
}

// answer does what was asked for.
func (c *client) answer(a *ask) error {
	switch a.Type {
	case "ack":
		c.mu.Lock()
		c.credits += a.Count
		over := c.credits > maxCredits
		c.mu.Unlock()
		if over {
			return errors.New("more was acknowledged than sent")
		}
		c.poke()
	case "show":
		return c.show(a.Streams)
	case "note", "stop":
		if !c.control {
			c.reply(said{Type: "refused", Text: "open the page by the address with the token that the recorder printed"})
			return nil
		}
		if a.Type == "stop" {
			if name := c.hub.name(); a.Run != name {
				c.reply(said{Type: "refused", Text: "another recording runs now"})
				return nil
			}
			c.server.o.Control.Stop("live view")
			c.reply(said{Type: "stop"})
			return nil
		}
		note, err := a.note()
		if err == nil {
			note, err = c.server.o.Control.Note(note)
		}
		if err != nil {
			c.reply(said{Type: "refused", Text: err.Error()})
			return nil
		}
		c.reply(said{Type: "note", Text: note.Text, Clock: note.About})
	}
	return nil
}

// show changes what the client sees.
func (c *client) show(wanted []askShow) error {
	next, answer := map[*source]*shown{}, showing{Type: "show", Streams: []showingOfOne{}}
	all, size := 0, 0
	for _, w := range wanted {
		all += len(w.Columns)
	}
	for _, w := range wanted {
		src := c.hub.find(w.Stream)
		if src == nil {
			return fmt.Errorf("there is no stream %q", short(w.Stream))
		}
		if src.stream.Column(stream.ClockName) < 0 || len(w.Columns) == 0 {
			continue
		}
		for _, i := range w.Columns {
			if i < 0 || i >= len(src.stream.Columns) || !src.stream.Columns[i].Type.Numeric() {
				return fmt.Errorf("stream %q: column %d cannot be shown", short(w.Stream), i)
			}
		}
		c.shows++
		s := newShown(c.shows, src, w.Columns, w.Bin, all)
		next[src] = s
		schema := s.schema()
		size += len(schema)
		answer.Streams = append(answer.Streams, showingOfOne{s.id, w.Stream, schema})
	}
	c.mu.Lock()
	before := c.shown
	c.shown, c.turn = next, nil
	c.replies = append(c.replies, answer)
	c.waiting += replyBytes + size
	full := c.waiting > maxReplies
	c.mu.Unlock()
	if full {
		return errors.New(notRead)
	}
	for src := range before {
		if next[src] == nil {
			src.want(c, nil)
		}
	}
	for src, s := range next {
		src.want(c, s.columns)
	}
	c.poke()
	return nil
}
