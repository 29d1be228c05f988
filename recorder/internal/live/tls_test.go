package live

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// selfSigned is a certificate of this machine, and who trusts it.
func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "rig"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	trust := x509.NewCertPool()
	trust.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, trust
}

func TestOverTLS(t *testing.T) {
	pair, trust := selfSigned(t)
	r := newRecorder(t, func(o *Options) { o.Certificate = &pair })
	client := func(change func(c *tls.Config)) *http.Client {
		c := &tls.Config{RootCAs: trust}
		if change != nil {
			change(c)
		}
		return &http.Client{Transport: &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 10 * time.Second}
	}
	get := func(c *http.Client, path, origin string) (*http.Response, error) {
		q, _ := http.NewRequest(http.MethodGet, "https://"+r.at+path, nil)
		if origin != "" {
			q.Header.Set("Origin", origin)
		}
		answer, err := c.Do(q)
		if err == nil {
			t.Cleanup(func() { answer.Body.Close() })
		}
		return answer, err
	}
	first, err := get(client(nil), "/?token="+testToken, "")
	if err != nil {
		t.Fatal(err)
	}
	if cookies := first.Cookies(); first.StatusCode != 303 || first.Header.Get("Location") != "/?live" || len(cookies) != 1 || !cookies[0].Secure || !cookies[0].HttpOnly {
		t.Fatalf("%d to %q with %v", first.StatusCode, first.Header.Get("Location"), cookies)
	}
	if first.TLS.Version < tls.VersionTLS12 || first.ProtoMajor != 1 {
		t.Errorf("TLS %x, HTTP/%d", first.TLS.Version, first.ProtoMajor)
	}
	for origin, status := range map[string]int{"": 200, "https://" + r.at: 200, "http://" + r.at: 403, "https://evil.example": 403} {
		if got, err := get(client(nil), "/status", origin); err != nil || got.StatusCode != status {
			t.Errorf("origin %q: %v, %v, want %d", origin, got, err, status)
		}
	}
	dialer := websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: trust}}
	conn, _, err := dialer.Dial("wss://"+r.at+"/socket", http.Header{"Origin": {"https://" + r.at}, "Cookie": {first.Cookies()[0].Name + "=" + first.Cookies()[0].Value}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if hello := (&viewer{t, conn}).next("hello"); hello["control"] != true {
		t.Errorf("with the cookie: %v", hello)
	}
	// What must not be: an old version, a stranger's trust, no encryption.
	if _, err := get(client(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11; c.MinVersion = tls.VersionTLS10 }), "/status", ""); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	if _, err := get(client(func(c *tls.Config) { c.RootCAs = x509.NewCertPool() }), "/status", ""); err == nil {
		t.Error("a certificate that nobody trusts is trusted")
	}
	if plain, err := http.Get("http://" + r.at + "/status"); err == nil {
		defer plain.Body.Close()
		if plain.StatusCode < 400 {
			t.Errorf("without encryption: %d", plain.StatusCode)
		}
	}
}

// Which addresses everybody on this machine may look at, and which ask for a token.
func TestWhichAddressesAreOpen(t *testing.T) {
	for address, open := range map[string]bool{
		"127.0.0.1": true, "127.0.0.2": true, "127.255.255.254": true, "::1": true, "::ffff:127.0.0.1": true,
		"0.0.0.0": false, "::": false, "10.0.0.1": false, "192.168.1.9": false, "169.254.1.1": false, "fe80::1": false, "::ffff:10.0.0.1": false, "128.0.0.1": false, "8.8.8.8": false,
	} {
		g, err := newGuard(&Options{Token: testToken}, &net.TCPAddr{IP: net.ParseIP(address), Port: 80}, false)
		if err != nil {
			t.Fatal(err)
		}
		q, _ := http.NewRequest("GET", "http://x/status", nil)
		q.Host, q.RemoteAddr = net.JoinHostPort(address, "80"), "127.0.0.1:5"
		_, no := g.check(nopWriter{}, q)
		if (no == nil) != open {
			t.Errorf("%s: %v, want open %v", address, no, open)
		}
		q.Header.Set("Authorization", "Bearer "+testToken)
		if control, no := g.check(nopWriter{}, q); no != nil || !control {
			t.Errorf("%s, with the token: %v", address, no)
		}
		for _, foreign := range []string{"evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "[::1].evil.example", ""} {
			if q.Host = foreign; g.isOurName(foreign) {
				t.Errorf("%s answers to the name %q", address, foreign)
			}
		}
	}
}

// On a real address of this machine nothing is answered without the token, and
// with it the page gets a cookie.
func TestAnAddressOfTheNetworkAsksForTheToken(t *testing.T) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Skip(err)
	}
	own := ""
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			own = n.IP.String()
		}
	}
	if own == "" {
		t.Skip("this machine has no address besides loopback")
	}
	r := newRecorderAt(t, own+":0", func(o *Options) { o.AllowOrigin = []string{"https://lab.example"} })
	cookie := ""
	with := func(kv ...string) func(q *http.Request) {
		return func(q *http.Request) {
			for i := 0; i < len(kv); i += 2 {
				if q.Header.Set(kv[i], kv[i+1]); kv[i] == "Host" {
					q.Host = kv[i+1]
				}
			}
		}
	}
	for _, path := range []string{"/", "/?live", "/status", "/files/probe_0.arrow", "/live/probe.arrows?for=1s", "/socket", "/index.html", "/?token=wrong-wrong-wrong"} {
		if got := r.get(path, nil); got.StatusCode != 401 {
			t.Errorf("%s without the token: %d", path, got.StatusCode)
		}
	}
	first := r.get("/?token="+testToken, nil)
	if len(first.Cookies()) != 1 || strings.Contains(first.Header.Get("Location"), "token") {
		t.Fatalf("%v to %q", first.Cookies(), first.Header.Get("Location"))
	}
	cookie = first.Cookies()[0].Name + "=" + first.Cookies()[0].Value
	for name, c := range map[string]struct {
		change func(q *http.Request)
		status int
	}{
		"the cookie": {with("Cookie", cookie), 200}, "a cookie of something else": {with("Cookie", strings.Replace(cookie, testToken, testToken+"x", 1)), 401},
		"the token as a program sends it": {with("Authorization", "Bearer "+testToken), 200}, "a foreign name, with the cookie": {with("Cookie", cookie, "Host", "evil.example"), 421},
		"a foreign page, with the cookie": {with("Cookie", cookie, "Origin", "http://evil.example"), 403}, "a named page without the token": {with("Origin", "https://lab.example"), 401},
		"a named page with it": {with("Origin", "https://lab.example", "Authorization", "Bearer "+testToken), 200},
	} {
		if got := r.get("/status", c.change); got.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", name, got.StatusCode, c.status)
		}
	}
	// A browser asks first whether a named page may send the token.
	ask := func(origin string) *http.Response {
		return r.get("/live/probe.arrows", func(q *http.Request) {
			q.Method = http.MethodOptions
			with("Origin", origin, "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization")(q)
		})
	}
	if got := ask("https://lab.example"); got.StatusCode != 204 || got.Header.Get("Access-Control-Allow-Origin") != "https://lab.example" || !strings.Contains(got.Header.Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("%d %v", got.StatusCode, got.Header)
	}
	if got := ask("https://evil.example"); got.StatusCode < 400 || got.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a foreign page: %d %v", got.StatusCode, got.Header)
	}
}
