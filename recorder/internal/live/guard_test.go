package live

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestWhoIsAnswered(t *testing.T) {
	r := newRecorder(t, func(o *Options) { o.AllowOrigin = []string{"https://lab.example"} })
	set := func(kv ...string) func(q *http.Request) {
		return func(q *http.Request) {
			for i := 0; i < len(kv); i += 2 {
				if q.Header.Set(kv[i], kv[i+1]); kv[i] == "Host" {
					q.Host = kv[i+1]
				}
			}
		}
	}
	for name, c := range map[string]struct {
		change func(q *http.Request)
		status int
	}{
		"nobody in particular":                   {nil, 200},
		"its own page":                           {set("Origin", "http://"+r.at), 200},
		"a page of another origin":               {set("Origin", "http://evil.example"), 403},
		"a page of the same host, another port":  {set("Origin", "http://127.0.0.1:1"), 403},
		"a page of the same host over TLS":       {set("Origin", "https://"+r.at), 403},
		"a sandboxed page":                       {set("Origin", "null"), 403},
		"a page that was named":                  {set("Origin", "https://lab.example"), 200},
		"an image in another page":               {set("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"), 403},
		"a link in another page":                 {set("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"), 200},
		"a foreign name that leads here":         {set("Host", "evil.example"), 421},
		"an address that is not loopback":        {set("Host", "10.1.2.3"), 421},
		"localhost":                              {set("Host", "localhost:1234"), 200},
		"localhost as part of a name":            {set("Host", "localhost.evil.example"), 421},
		"another loopback address":               {set("Host", "[::1]:80"), 200},
		"a wrong token, which looking needs not": {set("Authorization", "Bearer x"), 200},
	} {
		if got := r.get("/status", c.change); got.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", name, got.StatusCode, c.status)
		} else if policy := got.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s: the policy is %q", name, policy)
		} else if shared := got.Header.Get("Access-Control-Allow-Origin"); (shared != "") != (name == "a page that was named") {
			t.Errorf("%s: shared with %q", name, shared)
		}
	}
	for name, header := range map[string]http.Header{
		"a page of another origin": {"Origin": {"http://evil.example"}}, "a foreign name": {"Host": {"evil.example"}},
	} {
		_, answer, err := websocket.DefaultDialer.Dial("ws://"+r.at+"/socket", header)
		if err == nil || answer == nil || answer.StatusCode != 403 && answer.StatusCode != 421 {
			t.Errorf("%s gets a websocket: %v %v", name, answer, err)
		}
	}
}

func TestTheTokenComesOnceAndIsACookieThen(t *testing.T) {
	r := newRecorder(t, func(o *Options) { o.AllowOrigin = []string{"http://127.0.0.1:3000"} })
	if got := r.get("/?token=wrong-wrong-wrong", nil); got.StatusCode != 401 || len(got.Cookies()) > 0 {
		t.Errorf("a wrong token: %d, cookies %v", got.StatusCode, got.Cookies())
	}
	got := r.get("/?token="+testToken, nil)
	if got.StatusCode != 303 || got.Header.Get("Location") != "/?live" || len(got.Cookies()) != 1 {
		t.Fatalf("%d to %q, cookies %v", got.StatusCode, got.Header.Get("Location"), got.Cookies())
	}
	cookie := got.Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode {
		t.Errorf("the cookie is %v", cookie)
	}
	v := r.connect(http.Header{"Cookie": {cookie.Name + "=" + cookie.Value}})
	if hello := v.next("hello"); hello["control"] != true {
		t.Errorf("with the cookie: %v", hello["control"])
	}
	if hello := r.connect(nil).next("hello"); hello["control"] != false {
		t.Errorf("without: %v", hello["control"])
	}
	// A page that may look, of another port of this host, to which a browser sends it too.
	if hello := r.connect(http.Header{"Cookie": {cookie.Name + "=" + cookie.Value}, "Origin": {"http://127.0.0.1:3000"}}).next("hello"); hello["control"] != false {
		t.Errorf("from a named page: %v", hello["control"])
	}
}

func TestAnOriginIsWrittenAsBrowsersSendIt(t *testing.T) {
	for text, want := range map[string]string{
		"https://lab.example": "https://lab.example", "HTTPS://Lab.Example/": "https://lab.example", "https://lab.example:443": "https://lab.example",
		"http://lab.example:80": "http://lab.example", "http://lab.example:443": "http://lab.example:443", "http://[::1]:3000": "http://[::1]:3000",
		"lab.example": "", "*": "", "null": "", "": "", "https://*.lab.example": "", "https://läb.example": "", "https://a@lab.example": "", "https://lab.example/page": "", "file:///x": "",
	} {
		if got, err := ParseOrigin(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q, %v", text, got, err)
		}
	}
}

func TestAnOpenAddressAsksForTheToken(t *testing.T) {
	g, err := newGuard(&Options{Token: testToken, Host: "rig.lab"}, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 80}, false)
	if err != nil {
		t.Fatal(err)
	}
	q := func(host, bearer string) *http.Request {
		r, _ := http.NewRequest("GET", "http://x/status", nil)
		r.Host, r.RemoteAddr = host, "10.0.0.2:5"
		if bearer != "" {
			r.Header.Set("Authorization", "Bearer "+bearer)
		}
		return r
	}
	for name, c := range map[string]struct {
		r      *http.Request
		status int
	}{
		"no token":    {q("10.0.0.1", ""), 401},
		"a wrong one": {q("10.0.0.1", testToken+"x"), 401},
		"the token":   {q("10.0.0.1", testToken), 0},
		"in small letters": {func() *http.Request {
			r := q("10.0.0.1", "")
			r.Header.Set("Authorization", "bearer  "+testToken)
			return r
		}(), 0},
		"by its name":     {q("RIG.lab:80", testToken), 0},
		"by another name": {q("evil.example", testToken), 421},
	} {
		status := 0
		if _, no := g.check(nopWriter{}, c.r); no != nil {
			status = no.status
		}
		if status != c.status {
			t.Errorf("%s: %d, want %d", name, status, c.status)
		}
	}
}

type nopWriter struct{}

func (nopWriter) Header() http.Header         { return http.Header{} }
func (nopWriter) Write(p []byte) (int, error) { return len(p), nil }
func (nopWriter) WriteHeader(int)             {}

func TestRequestsAreCounted(t *testing.T) {
	b, now := newBucket(10, 20), time.Now()
	through := 0
	for range 100 {
		if b.take(now) {
			through++
		}
	}
	if through != 20 {
		t.Errorf("%d at once, want 20", through)
	}
	for i := range 100 {
		if b.take(now.Add(time.Duration(i) * 10 * time.Millisecond)) {
			through++
		}
	}
	if through < 28 || through > 30 {
		t.Errorf("%d after a second, want about 30", through)
	}
}

func TestATokenThatCanBeGuessedIsRefused(t *testing.T) {
	for token, ok := range map[string]bool{"short": false, "has a space in it": false, "enough-letters-9": true, NewToken(): true, "abc\ndefghijklmn": false} {
		if err := CheckToken(token); (err == nil) != ok {
			t.Errorf("%q: %v", token, err)
		}
	}
}
