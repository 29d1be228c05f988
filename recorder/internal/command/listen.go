package command

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Where a server listens and by which certificate, and why it cannot: in words that
// name the flag and what to do, not those of the system's calls.

// wsaAddressInUse is how Windows says that an address is in use.
// Source: Windows Sockets Error Codes, WSAEADDRINUSE.
const wsaAddressInUse = syscall.Errno(10048)

// listenOn listens at an address that a flag named as given.
func listenOn(flag, given, address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, usagef("%s %s: write it as 127.0.0.1:8765", flag, given)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return nil, usagef("%s %s: a port is a number from 0, any free one, to 65535", flag, given)
	}
	l, err := net.Listen("tcp", address)
	if err == nil {
		return l, nil
	}
	dns, number := (*net.DNSError)(nil), syscall.Errno(0)
	why := err.Error()
	switch {
	case errors.Is(err, syscall.EADDRINUSE), errors.Is(err, wsaAddressInUse):
		why = "another program listens there; choose another port, or 0 for any free one"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		why = "this machine does not have that address; 127.0.0.1 is for this machine alone, 0.0.0.0 for all its networks"
	case errors.Is(err, fs.ErrPermission):
		why = "the system does not allow that port; choose one from 1024 on"
	case errors.As(err, &dns):
		why = fmt.Sprintf("no address of %s is known; write a number, as 127.0.0.1, or a name of this machine", host)
	case errors.As(err, &number):
		why = number.Error()
	}
	return nil, fmt.Errorf("%s %s: %s", flag, given, why)
}

// loadCertificate reads the files of --tls-cert and --tls-key.
func loadCertificate(certFile, keyFile string) (*tls.Certificate, error) {
	if certFile == "" || keyFile == "" {
		return nil, usagef("--tls-cert and --tls-key belong together")
	}
	isCert := func(b *pem.Block) bool { return b.Type == "CERTIFICATE" }
	isKey := func(b *pem.Block) bool { return strings.HasSuffix(b.Type, "PRIVATE KEY") }
	cert, err := readPEM("--tls-cert", certFile, "certificate", isCert, isKey)
	if err != nil {
		return nil, err
	}
	key, err := readPEM("--tls-key", keyFile, "private key", isKey, isCert)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		if strings.Contains(err.Error(), "does not match") {
			return nil, usagef("--tls-key %s: it is not the key of the certificate in %s", keyFile, certFile)
		}
		return nil, usagef("--tls-cert %s, --tls-key %s: they cannot be used (%s)", certFile, keyFile, strings.TrimPrefix(err.Error(), "tls: "))
	}
	return &pair, nil
}

// readPEM reads a file that has a block of a kind. other is what belongs to the other
// flag.
func readPEM(flag, name, what string, is, other func(*pem.Block) bool) ([]byte, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, usagef("%s %s: %v", flag, name, withoutPath(err))
	}
	swapped := false
	for rest := data; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		if strings.HasPrefix(b.Type, "ENCRYPTED") || b.Headers["DEK-Info"] != "" {
			return nil, usagef("%s %s: the key is locked by a pass phrase; openssl pkey -in %s -out KEY.pem writes it without", flag, name, name)
		}
		if is(b) {
			return data, nil
		}
		swapped = swapped || other(b)
	}
	if swapped {
		return nil, usagef("%s %s: it has no %s, but what the other flag takes: are the two swapped?", flag, name, what)
	}
	return nil, usagef("%s %s: it has no %s in PEM, text that begins with -----BEGIN", flag, name, what)
}

// withoutPath is what the system says of a file whose name the text has already.
func withoutPath(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return path.Err
	}
	return err
}

// certificateTrouble says what browsers will hold against a certificate now; "" nothing.
func certificateTrouble(c *tls.Certificate, now time.Time) string {
	switch leaf := c.Leaf; {
	case leaf == nil:
	case now.After(leaf.NotAfter):
		return "the certificate of --tls-cert was valid until " + leaf.NotAfter.UTC().Format(time.DateOnly) + ": browsers refuse it; renew it"
	case now.Before(leaf.NotBefore):
		return "the certificate of --tls-cert is valid from " + leaf.NotBefore.UTC().Format(time.DateOnly) + " on: browsers refuse it before; look at this machine's clock"
	}
	return ""
}
