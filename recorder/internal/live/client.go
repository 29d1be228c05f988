package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/oniscope/oniscope/recorder/internal/acquire"
	"github.com/oniscope/oniscope/recorder/internal/run"
	"github.com/oniscope/oniscope/shared/recording"
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
		if why == reasonEnd {
			code = websocket.CloseNormalClosure
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

const reasonEnd = "the recording has ended"

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

const notRead = "answers are not read"

// replyBytes is about what an answer takes besides schemas.
const replyBytes = 4 << 10

// read reads what the client asks for.
func (c *client) read() {
	defer close(c.gone)
	c.conn.SetReadLimit(maxWords)
	alive := func(string) error { return c.conn.SetReadDeadline(time.Now().Add(silentMost)) }
	_ = alive("")
	c.conn.SetPongHandler(alive)
	limit := newBucket(asksPerS, asksAtOnce)
	for {
		kind, data, err := c.conn.ReadMessage()
		var late net.Error
		switch {
		case errors.As(err, &late) && late.Timeout():
			c.close("nothing was heard from this client")
		case err != nil: // one that is too long was answered with 1009 already
		case !limit.take(time.Now()):
			c.close("too many messages")
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
		note, err := c.server.o.Control.Note(recording.Note{Clock: a.Clock, Text: a.Text, Author: a.Author})
		if err != nil {
			c.reply(said{Type: "refused", Text: err.Error()})
			return nil
		}
		c.reply(said{Type: "note", Text: note.Text, Clock: note.Clock})
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

// What a writer has sent of the hub.
type progress struct {
	streams int
	files   map[*file]int // blocks
	gaps    int
	status  *run.Snapshot
	ended   bool
}

// write sends what there is until the connection is to be closed; it returns why.
func (c *client) write() string {
	sent := progress{files: map[*file]int{}}
	if !c.send(c.hub.hello(c.control, &sent)) {
		return ""
	}
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		changed := c.hub.next()
		why, ok := c.writeAll(&sent)
		if !ok {
			return why
		}
		select {
		case <-changed:
		case <-c.wake:
		case <-c.gone:
			return c.reason()
		case <-c.server.end:
			return "the recorder ends"
		case now := <-ping.C:
			if c.conn.WriteControl(websocket.PingMessage, nil, now.Add(writeTimeout)) != nil {
				return ""
			}
		}
	}
}

func (c *client) reason() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// writeAll sends all that can be sent now; ok is false if that was the last.
func (c *client) writeAll(sent *progress) (why string, ok bool) {
	for {
		c.mu.Lock()
		replies := c.replies
		c.replies, c.waiting = nil, 0
		closing := c.closing
		c.mu.Unlock()
		if closing != "" {
			return closing, false
		}
		for _, m := range replies {
			if !c.send(m) {
				return "", false
			}
		}
		for m := range c.hub.news(sent, c.server.clients) {
			if !c.send(m) {
				return "", false
			}
		}
		if sent.ended {
			return reasonEnd, false
		}
		data := c.newest()
		if data == nil {
			c.mu.Lock()
			more := c.credits > 0 && len(c.turn) > 0
			c.mu.Unlock()
			if more {
				continue
			}
			return "", true
		}
		if !c.sendBytes(websocket.BinaryMessage, data) {
			return "", false
		}
	}
}

// newest is the binary message of the stream that has waited longest, if there is a
// credit.
func (c *client) newest() []byte {
	c.mu.Lock()
	if c.credits <= 0 || len(c.turn) == 0 {
		c.mu.Unlock()
		return nil
	}
	s := c.turn[0]
	c.turn = c.turn[1:]
	c.credits--
	c.mu.Unlock()
	data := s.take()
	if data == nil {
		c.mu.Lock()
		c.credits++
		c.mu.Unlock()
	}
	return data
}

func (c *client) send(m any) bool {
	data, err := json.Marshal(m)
	return err == nil && c.sendBytes(websocket.TextMessage, data)
}

func (c *client) sendBytes(kind int, data []byte) bool {
	_ = c.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	return c.conn.WriteMessage(kind, data) == nil
}

// name names the run: no other on this address has its start.
func (h *Hub) name() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.begun.StartUTC
}

// hello is the first message, with the streams that there are.
func (h *Hub) hello(control bool, sent *progress) hello {
	h.mu.Lock()
	defer h.mu.Unlock()
	folder, err := filepath.Abs(h.begun.Dir)
	if err != nil {
		folder = h.begun.Dir
	}
	m := hello{Type: "hello", Version: stream.Version, Run: h.begun.StartUTC, Folder: folder, Suffix: h.begun.Suffix, StartUTC: h.begun.StartUTC,
		AcqClockHz: h.begun.AcqClockHz, Simulated: h.begun.Simulated, Control: control, Credits: maxCredits, Streams: []about{}}
	for _, src := range h.sources {
		m.Streams = append(m.Streams, src.about())
	}
	sent.streams = len(h.sources)
	return m
}

func (src *source) about() about {
	return about{Name: src.stream.Name, Title: src.stream.Title(), RateHz: acquire.RowRate(src.stream), Schema: src.head, File: src.files[0].name}
}

// news yields what a client has not got yet, and notes it as sent.
func (h *Hub) news(sent *progress, clients func() int) func(yield func(any) bool) {
	return func(yield func(any) bool) {
		for {
			m := h.one(sent, clients)
			if m == nil || !yield(m) {
				return
			}
		}
	}
}

// one is the next message of the news, nil if there is none.
func (h *Hub) one(sent *progress, clients func() int) any {
	h.mu.Lock()
	defer h.mu.Unlock()
	if sent.streams < len(h.sources) {
		sent.streams++
		return newStream{"stream", h.sources[sent.streams-1].about()}
	}
	for _, src := range h.sources {
		for _, f := range src.files {
			if from := sent.files[f]; from < len(f.blocks) {
				to := min(len(f.blocks), from+blocksAtOnce)
				sent.files[f] = to
				return newBatches(src.stream.Name, f.name, f.blocks[from:to])
			}
		}
	}
	if sent.gaps < len(h.lost) {
		g := &h.lost[sent.gaps]
		sent.gaps++
		return gap{"gap", g.Device, g.FirstClock, g.LastClock, g.Rows, string(g.Cause)}
	}
	if h.now != nil && h.now != sent.status {
		sent.status = h.now
		return status{"status", h.now, clients()}
	}
	if h.summary != nil && !sent.ended {
		sent.ended = true
		return ended{"end", h.summary}
	}
	return nil
}
