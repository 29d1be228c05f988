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
	for name, c := range map[string]struct {
		flags liveFlags
		want  string
	}{
		"a key of another":   {liveFlags{listen: "127.0.0.1:0", tlsCert: cert, tlsKey: other}, "--tls-cert: "},
		"files that are not": {liveFlags{listen: "127.0.0.1:0", tlsCert: cert + "x", tlsKey: key}, "--tls-cert: "},
		"a key alone":        {liveFlags{listen: "127.0.0.1:0", tlsKey: key}, "belong together"},
		"nothing to serve":   {liveFlags{tlsCert: cert, tlsKey: key}, "is for --listen"},
	} {
		if _, err := c.flags.newLiveView(); err == nil || !strings.Contains(err.Error(), c.want) {
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
