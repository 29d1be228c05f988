package live

import (
	"net"
	"net/netip"
	"sync"
)

// A bounded listener closes connections that are too many, of all and of one
// address. On loopback all are of one address, and may be as many as there are.
type bounded struct {
	net.Listener
	most, mostOfAddress int

	mu   sync.Mutex // guards what follows
	open int
	of   map[netip.Addr]int
}

func newBounded(l net.Listener, most, mostOfAddress int) *bounded {
	return &bounded{Listener: l, most: most, mostOfAddress: mostOfAddress, of: map[netip.Addr]int{}}
}

func (b *bounded) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := hostOf(conn.RemoteAddr())
		if b.enter(from) {
			return &counted{Conn: conn, leave: sync.OnceFunc(func() { b.leave(from) })}, nil
		}
		conn.Close()
	}
}

func (b *bounded) enter(from netip.Addr) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open >= b.most || !from.IsLoopback() && b.of[from] >= b.mostOfAddress {
		return false
	}
	b.open++
	b.of[from]++
	return true
}

func (b *bounded) leave(from netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open--
	if b.of[from]--; b.of[from] == 0 {
		delete(b.of, from)
	}
}

// hostOf is the address of a connection's other end: of IPv6 the network, because a
// machine has as many addresses in it as it likes.
func hostOf(a net.Addr) netip.Addr {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	host := at.Addr().Unmap().WithZone("")
	if host.Is6() && !host.IsLoopback() {
		host = netip.PrefixFrom(host, 64).Masked().Addr()
	}
	return host
}

type counted struct {
	net.Conn
	leave func()
}

func (c *counted) Close() error {
	c.leave()
	return c.Conn.Close()
}
