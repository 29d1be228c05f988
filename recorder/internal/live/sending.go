package live

import (
	"encoding/json"
	"time"

	"github.com/gorilla/websocket"
)

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
			return reasonGone
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
