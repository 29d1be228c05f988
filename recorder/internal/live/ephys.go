package live

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/oniscope/oniscope/recorder/internal/acquire"
	"github.com/oniscope/oniscope/shared/stream"
)

// The protocol of the Ephys Socket plug-in of the Open Ephys GUI, which connects to
// a port of the same machine: packets of constant size, each a header of 22 bytes
// (int32 offset, int32 bytes, int16 type of the values, int32 bytes of a value, int32
// channels, int32 samples; little endian) and the samples of each channel in turn.
// It has no numbers and no times: rows that did not come in time are left out, and
// counted here.
//
// Source: open-ephys-plugins/ephys-socket, EphysSocketHeader and its example in Python.

// packetsPerS is about how many packets a second are sent.
const packetsPerS = 100

// maxEphysBytes is what may wait for one client.
const maxEphysBytes = 8 << 20

// depths are the protocol's numbers for types.
var depths = map[stream.Type]int16{stream.Uint8: 0, stream.Int8: 1, stream.Uint16: 2, stream.Int16: 3, stream.Int32: 4, stream.Float32: 5, stream.Float64: 6}

// An EphysSocket says what is given on a port.
type EphysSocket struct {
	Port   int
	Stream string
	Group  string // AP, LFP, ...: the label of the channels; "" the first signal
}

// ParseEphysSocket reads PORT=STREAM[:GROUP].
func ParseEphysSocket(text string) (e EphysSocket, err error) {
	port, rest, ok := strings.Cut(text, "=")
	e.Stream, e.Group, _ = strings.Cut(rest, ":")
	e.Port, err = strconv.Atoi(port)
	if !ok || err != nil || e.Port < 1 || e.Port > 65535 || e.Stream == "" {
		return e, fmt.Errorf("%q is not PORT=STREAM or PORT=STREAM:AP", text)
	}
	return e, nil
}

// Check says why a stream cannot be given like that.
func (e EphysSocket) Check(s *stream.Stream) error {
	if _, err := signalOf(s, e.Group); err != nil {
		return fmt.Errorf("--ephys-socket %d=%s: %w", e.Port, e.Stream, err)
	}
	return nil
}

// A signal is what a socket gives: channels of one stream, and every how many rows.
type signal struct {
	src     *source
	columns []int
	typ     stream.Type
	width   int
	stride  int
	samples int // of a packet
}

// signalOf finds the channels of a group.
func signalOf(of *stream.Stream, wanted string) (*signal, error) {
	s, group := &signal{}, wanted
	groups := []string{}
	for i := range of.Columns {
		c := &of.Columns[i]
		_, label, channel := stream.Label(c.Name)
		if _, ok := depths[c.Type]; !ok || channel < 0 || c.Name == stream.ClockName {
			continue
		}
		if !slices.Contains(groups, label) {
			groups = append(groups, label)
		}
		if group == "" {
			group = label
		}
		if !strings.EqualFold(label, group) {
			continue
		}
		if len(s.columns) > 0 && c.Type != s.typ {
			return nil, fmt.Errorf("the channels of %s in %s have several types", group, of.Name)
		}
		s.columns, s.typ, s.width, s.stride = append(s.columns, i), c.Type, c.ByteWidth, max(1, c.Stride)
		if c.RateHz > 0 {
			s.samples = max(1, int(c.RateHz)/packetsPerS)
		}
	}
	switch {
	case len(groups) == 0:
		return nil, fmt.Errorf("stream %s has no channels that this protocol could give", of.Name)
	case len(s.columns) == 0:
		return nil, fmt.Errorf("stream %s has no channels %q; it has %s", of.Name, wanted, strings.Join(groups, ", "))
	}
	if s.samples == 0 {
		s.samples = max(1, int(acquire.RowRate(of))/s.stride/packetsPerS)
	}
	return s, nil
}

// Ephys gives the channels of a stream on a listener, until Close.
func (s *Server) Ephys(l net.Listener, e EphysSocket) {
	l = newBounded(l, maxClients, maxClients)
	s.gone.Go(func() {
		<-s.end
		l.Close()
	})
	s.gone.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.gone.Go(func() {
				defer conn.Close()
				defer caught(func(fault error) { s.say(fault.Error()) })
				if src := s.hub.await(e.Stream, s.end); src != nil {
					if of, err := signalOf(src.stream, e.Group); err == nil {
						of.src = src
						s.follow(func() {
							defer s.atEnd(conn)()
							s.giveEphys(conn, of, fmt.Sprintf("--ephys-socket %d=%s", e.Port, e.Stream))
						})
					}
				}
			})
		}
	})
}

// giveEphys gives packets to one client, and says what it did not get.
func (s *Server) giveEphys(conn net.Conn, of *signal, what string) {
	c := newEphysClient(of)
	c.late = sync.OnceFunc(func() {
		s.say(what + ": the program that reads it is too slow, and samples are left out; the recording has them")
	})
	before := of.src.tap.skipped.Load()
	c.serve(conn, s.hub, s.end)
	if left := uint64(c.skipped*of.samples) + (of.src.tap.skipped.Load()-before)/uint64(of.stride); left > 0 {
		s.say(fmt.Sprintf("%s: %d samples of each channel were left out for the program that read it", what, left))
	}
}

// say says something to a person, whose terminal may be stuck.
func (s *Server) say(text string) {
	if s.o.Say != nil {
		go s.o.Say(text)
	}
}

// An ephysClient collects packets and sends them.
type ephysClient struct {
	*signal
	header [22]byte
	packet []byte // that is being filled
	filled int    // samples of it

	mu      sync.Mutex // guards what follows
	queue   [][]byte
	bytes   int
	skipped int // packets that found no room
	wake    chan struct{}

	late func() // says that packets are left out
}

func newEphysClient(of *signal) *ephysClient {
	e := &ephysClient{signal: of, wake: make(chan struct{}, 1), late: func() {}}
	size := len(of.columns) * of.samples * of.width
	binary.LittleEndian.PutUint32(e.header[4:], uint32(size))
	binary.LittleEndian.PutUint16(e.header[8:], uint16(depths[of.typ]))
	binary.LittleEndian.PutUint32(e.header[10:], uint32(of.width))
	binary.LittleEndian.PutUint32(e.header[14:], uint32(len(of.columns)))
	binary.LittleEndian.PutUint32(e.header[18:], uint32(of.samples))
	return e
}

// take implements taker. Rows of a slower signal come in groups, and a piece has
// whole ones.
func (e *ephysClient) take(p *piece) {
	for _, c := range e.columns {
		if p.columns[c] == nil {
			return
		}
	}
	for row := 0; row < p.rows; {
		if e.packet == nil {
			e.packet = append(make([]byte, 0, len(e.header)+len(e.columns)*e.samples*e.width), e.header[:]...)
			e.packet, e.filled = e.packet[:cap(e.packet)], 0
		}
		n := min(e.samples-e.filled, (p.rows-row+e.stride-1)/e.stride)
		for i, c := range e.columns {
			at := len(e.header) + (i*e.samples+e.filled)*e.width
			pick(e.packet[at:at+n*e.width], p.columns[c][row*e.width:], e.width, e.stride)
		}
		row += n * e.stride
		if e.filled += n; e.filled == e.samples {
			e.put(e.packet)
			e.packet = nil
		}
	}
}

// pick copies every stride-th value.
func pick(to, from []byte, width, stride int) {
	if stride == 1 {
		copy(to, from)
		return
	}
	for at := 0; at < len(to); at += width {
		copy(to[at:at+width], from[at*stride:])
	}
}

func (e *ephysClient) put(packet []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.bytes+len(packet) > maxEphysBytes {
		e.skipped++
		e.late()
		return
	}
	e.queue = append(e.queue, packet)
	e.bytes += len(packet)
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// serve sends packets until the recording has ended, or the client has gone or does not
// read.
func (e *ephysClient) serve(conn net.Conn, h *Hub, end <-chan struct{}) {
	e.src.want(e, e.columns)
	defer e.src.want(e, nil)
	gone := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, conn) // until it is closed; it has nothing to say
		close(gone)
	}()
	for {
		changed, over, rest := h.next(), h.Over(), h.held.Load()
		e.mu.Lock()
		var packet []byte
		if len(e.queue) > 0 {
			packet = e.queue[0]
			e.queue = e.queue[1:]
			e.bytes -= len(packet)
		}
		e.mu.Unlock()
		if packet == nil {
			var again <-chan time.Time
			if over && rest == 0 {
				return
			} else if over { // the last rows are under way
				again = time.After(lingerMost / 10)
			}
			select {
			case <-e.wake:
				continue
			case <-changed:
				continue
			case <-again:
				continue
			case <-gone:
				return
			case <-end:
				return
			}
		}
		_ = conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		if _, err := conn.Write(packet); err != nil {
			return
		}
	}
}
