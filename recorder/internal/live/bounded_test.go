package live

import (
	"net"
	"testing"
)

// A queue of connections stands for a network.
type queue chan net.Conn

func (q queue) Accept() (net.Conn, error) {
	c, ok := <-q
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (q queue) Close() error   { return nil }
func (q queue) Addr() net.Addr { return &net.TCPAddr{} }

type fromAddress struct {
	net.Conn
	address string
	closed  *int
}

func (f fromAddress) RemoteAddr() net.Addr { a, _ := net.ResolveTCPAddr("tcp", f.address); return a }
func (f fromAddress) Close() error         { *f.closed++; return nil }

func TestOneAddressKeepsNobodyElseOut(t *testing.T) {
	for name, c := range map[string]struct {
		from string
		n    int // that it opens
		want int // that stay open
		next string
		ok   bool // whether one more of next is answered
	}{
		"another machine":          {"10.0.0.5:1", 20, 4, "10.0.0.6:1", true},
		"the same":                 {"10.0.0.5:1", 20, 4, "10.0.0.5:9", false},
		"the same, as IPv6 has it": {"10.0.0.5:1", 20, 4, "[::ffff:10.0.0.5]:9", false},
		"its network":              {"[2001:db8::1]:1", 20, 4, "[2001:db8::2:3]:1", false},
		"another network":          {"[2001:db8::1]:1", 20, 4, "[2001:db8:0:1::1]:1", true},
		"a link":                   {"[fe80::1%lo]:1", 20, 4, "[fe80::9%lo]:1", false},
		"loopback":                 {"127.0.0.1:1", 20, 10, "10.0.0.6:1", false},
	} {
		t.Run(name, func(t *testing.T) {
			closed := 0
			arrive := func(b *bounded, addresses ...string) (open []net.Conn) {
				q := make(queue, len(addresses))
				for _, a := range addresses {
					q <- fromAddress{address: a, closed: &closed}
				}
				close(q)
				b.Listener = q
				for {
					conn, err := b.Accept()
					if err != nil {
						return open
					}
					open = append(open, conn)
				}
			}
			b := newBounded(nil, 10, 4)
			many := make([]string, c.n)
			for i := range many {
				many[i] = c.from
			}
			first := arrive(b, many...)
			if len(first) != c.want || closed != c.n-c.want {
				t.Fatalf("%d of %d are answered and %d closed, want %d", len(first), c.n, closed, c.want)
			}
			if got := len(arrive(b, c.next)) == 1; got != c.ok {
				t.Errorf("one more of %s: %v, want %v", c.next, got, c.ok)
			}
			for _, conn := range first {
				conn.Close()
				conn.Close() // twice counts once
			}
			if again := arrive(b, many...); len(again) < c.want-1 {
				t.Errorf("after they were closed %d of %d are answered", len(again), c.n)
			}
		})
	}
}
