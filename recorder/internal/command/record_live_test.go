package command

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pemPair is a key and a certificate for it, as the files of --tls-key and
// --tls-cert.
func pemPair(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name, kind string, data []byte) string {
		return write(t, name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}))
	}
	return file("rig.crt", "CERTIFICATE", der), file("rig.key", "PRIVATE KEY", pkcs8)
}

// TestTheLiveViewTakesACertificate: what is given is used, and what does not belong
// together is a usage error before anything is recorded.
func TestTheLiveViewTakesACertificate(t *testing.T) {
	cert, key := pemPair(t)
	_, other := pemPair(t)
	f := &liveFlags{listen: "localhost:0", tlsCert: cert, tlsKey: key, token: "a-token-of-the-test"}
	v, err := f.newLiveView()
	if err != nil {
		t.Fatal(err)
	}
	v.closeListeners()
	v.hub.Close()
	if v.options.Certificate == nil || !strings.HasPrefix(v.address(), "https://localhost:") || !strings.HasSuffix(v.address(), "/?token=a-token-of-the-test") {
		t.Errorf("the address is %s", v.address())
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if trouble := certificateTrouble(v.options.Certificate, time.Now().AddDate(20, 0, 0)); !strings.Contains(trouble, "renew it") {
		t.Errorf("of a certificate that is over: %q", trouble)
	}
	for name, c := range map[string]struct {
		flags liveFlags
		want  string
	}{
		"a key of another":      {liveFlags{listen: "127.0.0.1:0", tlsCert: cert, tlsKey: other}, "--tls-key " + other + ": it is not the key of the certificate"},
		"a file that is not":    {liveFlags{listen: "127.0.0.1:0", tlsCert: cert + "x", tlsKey: key}, "--tls-cert " + cert + "x: "},
		"a key that is not":     {liveFlags{listen: "127.0.0.1:0", tlsCert: cert, tlsKey: key + "x"}, "--tls-key " + key + "x: "},
		"both the other way":    {liveFlags{listen: "127.0.0.1:0", tlsCert: key, tlsKey: cert}, "--tls-cert " + key + ": it has no certificate, but what the other flag takes"},
		"a text":                {liveFlags{listen: "127.0.0.1:0", tlsCert: write(t, "a", []byte("hello")), tlsKey: key}, "it has no certificate in PEM"},
		"a locked key":          {liveFlags{listen: "127.0.0.1:0", tlsCert: cert, tlsKey: write(t, "a", []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"))}, "locked by a pass phrase"},
		"a key alone":           {liveFlags{listen: "127.0.0.1:0", tlsKey: key}, "belong together"},
		"nothing to serve":      {liveFlags{tlsCert: cert, tlsKey: key}, "is for --listen"},
		"no port":               {liveFlags{listen: "127.0.0.1"}, "--listen 127.0.0.1: write it as 127.0.0.1:8765"},
		"a port that is a word": {liveFlags{listen: ":http"}, "--listen :http: a port is a number"},
		"a port too high":       {liveFlags{listen: ":70000"}, "--listen :70000: a port is a number"},
		"an address elsewhere":  {liveFlags{listen: "192.0.2.1:0"}, "--listen 192.0.2.1:0: this machine does not have that address"},
		"a port in use":         {liveFlags{listen: taken.Addr().String()}, "another program listens there; choose another port"},
		"any origin":            {liveFlags{listen: "127.0.0.1:0", origins: []string{"*"}}, "--allow-origin *: an origin is"},
		"a pattern of origins":  {liveFlags{listen: "127.0.0.1:0", origins: []string{"https://*.lab.example"}}, "--allow-origin https://*.lab.example: an origin is one name"},
	} {
		if _, err := c.flags.newLiveView(); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "tls:") || strings.Contains(err.Error(), "tcp") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A reader that is gone, as head(1) is after its lines.
type leftReader struct{ room int }

func (r *leftReader) Write(p []byte) (int, error) {
	if r.room -= len(p); r.room < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

// TestAllIsRecordedWhenNobodyReadsTheStream: that a program which looks at one stream
// ends is no reason to end a recording, and is said.
func TestAllIsRecordedWhenNobodyReadsTheStream(t *testing.T) {
	var errs bytes.Buffer
	dir := t.TempDir()
	a := &app{stdout: &leftReader{room: 2000}, stderr: &errs}
	rig := write(t, "rig.yaml", []byte("driver: sim\nseed: 1\npace: max\ndevices: {heartbeat: {rate_hz: 100}, analog-io: {}}\n"))
	if code := a.run("record", "--rig", rig, "--out", dir, "--duration", "2s", "--stream", "analog-io"); code != exitDone {
		t.Fatalf("exit code %d: %s", code, errs.Bytes())
	}
	if said := "nobody reads analog-io from standard output any more; all streams are recorded as before"; strings.Count(errs.String(), said) != 1 {
		t.Errorf("said\n%s", errs.Bytes())
	}
	if r, err := os.Stat(filepath.Join(dir, "analog-io_0.arrow")); err != nil || r.Size() < 200_000*40 {
		t.Errorf("%v, %v", r, err)
	}
}

// TestWhatIsEmptyIsNotLeftOut: an empty variable of a script must not record without the
// encryption, the token or the stream that it was meant to name.
func TestWhatIsEmptyIsNotLeftOut(t *testing.T) {
	rig := write(t, "rig.yaml", []byte("driver: sim\ndevices: {heartbeat: {rate_hz: 100}}\n"))
	for _, flag := range []string{"--listen", "--token", "--tls-cert", "--tls-key", "--stream", "--allow-origin", "--ephys-socket"} {
		var errs bytes.Buffer
		dir := filepath.Join(t.TempDir(), "run")
		a := &app{stdout: io.Discard, stderr: &errs}
		args := []string{"record", "--rig", rig, "--out", dir, "--duration", "100ms", flag, ""}
		if flag != "--listen" {
			args = append(args, "--listen", "127.0.0.1:0")
		}
		if code := a.run(args...); code != exitUsage || !strings.Contains(errs.String(), flag) {
			t.Errorf("%s: exit code %d: %s", flag, code, errs.Bytes())
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: something was recorded", flag)
		}
	}
}
