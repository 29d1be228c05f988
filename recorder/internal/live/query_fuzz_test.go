package live

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// FuzzFollowing: what is asked of a stream is understood as it is written, or refused
// with a reason that fits on a line.
func FuzzFollowing(f *testing.F) {
	for _, seed := range []string{
		"", "columns=SpikeData1*,Clock&from=start&for=10s", "from=18446744073709551615&for=24h", "columns=a&columns=b", "for=%", "for=1s;from=now", "columns=%00%0a", "columns=[", "for=-1s", "from=", "x=1", "for=1s&for=2s", "columns=,",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		what, err := parseFollowing(raw)
		if err != nil {
			if why := err.Error(); len(why) > 300 {
				t.Errorf("a reason of %d bytes: %s", len(why), why)
			}
			return
		}
		query, err := url.ParseQuery(raw)
		if err != nil || what.For < 0 || what.For > maxFor || slices.Contains(what.Columns, "") {
			t.Errorf("%q is %+v, %v", raw, what, err)
		}
		if query.Has("for") != (what.For > 0) || query.Has("columns") != (len(what.Columns) > 0) || query.Get("from") != what.From {
			t.Errorf("%q is %+v", raw, what)
		}
	})
}

// FuzzWhoIsAnswered: whatever a request says of itself, nobody without the token may
// take notes or stop, no page of another origin is answered, and no foreign name.
func FuzzWhoIsAnswered(f *testing.F) {
	f.Add("localhost:80", "", "", "", "")
	f.Add("127.0.0.1:80", "http://127.0.0.1:80", "Bearer "+testToken, "", "same-origin")
	f.Add("evil.example", "http://evil.example", "bearer x", "oniscope-80="+testToken, "cross-site")
	f.Add("[::1]", "null", "Basic YTpi", "oniscope-80=", "none")
	f.Add("localhost.", "https://lab.example", "Bearer  ", "a=b; oniscope-80=\x00", "same-site")
	f.Fuzz(func(t *testing.T, host, origin, authorization, cookie, site string) {
		g, err := newGuard(&Options{Token: testToken, AllowOrigin: []string{"https://lab.example"}}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}, false)
		if err != nil {
			t.Fatal(err)
		}
		q := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/status"}, Host: host, RemoteAddr: "127.0.0.1:5", Header: http.Header{}}
		for key, value := range map[string]string{"Origin": origin, "Authorization": authorization, "Cookie": cookie, "Sec-Fetch-Site": site} {
			if value != "" {
				q.Header.Set(key, value)
			}
		}
		control, no := g.check(nopWriter{}, q)
		if control && !strings.Contains(authorization, testToken) && !strings.Contains(cookie, testToken) {
			t.Errorf("control without the token: %q %q", authorization, cookie)
		}
		if no != nil {
			return
		}
		name := strings.ToLower(strings.TrimSuffix(hostName(host), "."))
		if ip := net.ParseIP(hostName(host)); name != "localhost" && (ip == nil || !ip.IsLoopback()) {
			t.Errorf("host %q is answered", host)
		}
		own := strings.EqualFold(origin, "http://"+host)
		if named := strings.EqualFold(origin, "https://lab.example"); origin != "" && !own && (!named || control) {
			t.Errorf("origin %q is answered at %q, control %v", origin, host, control)
		}
	})
}
