package live

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Who is answered.
//
// On loopback everybody on this machine may look; on any other address, those who
// have the token. Notes and stop always need it. It comes once, in the address that
// the recorder prints; the answer is a cookie and the address without it, so that it
// is in no link that is passed on. Programs send it as "Authorization: Bearer TOKEN".
//
// A page of another origin is refused, whatever it asks, and so is a name that is
// not this machine's: a foreign name that resolves to it is DNS rebinding.

// A guard decides who is answered.
type guard struct {
	token    [sha256.Size]byte // hashed, so that comparing takes as long whatever is sent
	open     bool              // looking needs no token
	names    []string          // of this machine, lower case, besides addresses
	origins  []string          // of other pages that may read, as browsers send them
	cookie   string
	secure   bool // over TLS
	loopback bool

	mu      sync.Mutex
	buckets map[netip.Addr]*bucket
}

// NewToken returns a token that nobody guesses.
func NewToken() string {
	var b [18]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// CheckToken refuses a token that can be guessed, or not be put into an address.
func CheckToken(token string) error {
	if len(token) < 12 {
		return errors.New("a token has at least 12 characters, so that nobody guesses it")
	}
	if strings.IndexFunc(token, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.~", r))
	}) >= 0 {
		return errors.New("a token has letters, digits and -_.~ only")
	}
	return nil
}

// ParseOrigin brings an origin into the form in which browsers send it.
func ParseOrigin(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.User != nil || u.Fragment != "" {
		return "", errors.New("an origin is written as https://host or https://host:port")
	}
	host := strings.ToLower(u.Host)
	if strings.ContainsFunc(host, func(r rune) bool { return r == '*' || r > '~' }) {
		return "", errors.New("an origin is one name, in ASCII as browsers send it; give the flag again for each other")
	}
	standard := map[string]string{"http": ":80", "https": ":443"}[u.Scheme] // browsers leave it out
	return u.Scheme + "://" + strings.TrimSuffix(host, standard), nil
}

func newGuard(o *Options, address net.Addr, secure bool) (*guard, error) {
	tcp, ok := address.(*net.TCPAddr)
	if !ok {
		return nil, errors.New("live: not a TCP address")
	}
	g := &guard{token: sha256.Sum256([]byte(o.Token)), loopback: tcp.IP.IsLoopback(), secure: secure, cookie: "oniscope-" + strings.TrimPrefix(address.String()[strings.LastIndex(address.String(), ":"):], ":"), buckets: map[netip.Addr]*bucket{}}
	g.open = g.loopback
	g.names = []string{"localhost"}
	if !g.loopback {
		if name, err := os.Hostname(); err == nil {
			name = strings.ToLower(name)
			g.names = append(g.names, name, name+".local")
		}
		if host := strings.ToLower(o.Host); host != "" && net.ParseIP(host) == nil {
			g.names = append(g.names, host)
		}
	}
	g.origins = o.AllowOrigin
	return g, nil
}

// A refusal is why a request is not answered.
type refusal struct {
	status int
	text   string
}

// check returns why a request is refused, nil if it is not. control says whether it
// came with the token, and not from a page of another origin: those may look only,
// though a browser sends them the cookie if only the port is another.
func (g *guard) check(w http.ResponseWriter, r *http.Request) (control bool, no *refusal) {
	if !g.isOurName(r.Host) {
		return false, &refusal{http.StatusMisdirectedRequest, "this recorder does not answer to that name"}
	}
	foreign := false
	if origin := r.Header.Get("Origin"); origin != "" && !g.isOurOrigin(origin, r.Host) {
		foreign = true
		if !slices.Contains(g.origins, strings.ToLower(origin)) {
			return false, &refusal{http.StatusForbidden, "pages of another origin are not answered; record --allow-origin names those that are"}
		}
		share(w, origin)
		w.Header().Set("Access-Control-Expose-Headers", "Content-Range, Content-Length, ETag")
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	} else if origin == "" && r.Header.Get("Sec-Fetch-Site") == "cross-site" && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
		return false, &refusal{http.StatusForbidden, "pages of another origin are not answered"} // of <img> and the like, which send no origin
	}
	if !g.allow(r.RemoteAddr) {
		w.Header().Set("Retry-After", "1")
		return false, &refusal{http.StatusTooManyRequests, "too many requests"}
	}
	control = g.hasToken(r)
	if !control && !g.open {
		w.Header().Set("WWW-Authenticate", "Bearer")
		return false, &refusal{http.StatusUnauthorized, "open the address with the token that the recorder printed; programs send it as Authorization: Bearer TOKEN"}
	}
	return control && !foreign, nil
}

// share lets a page of another origin read the answer.
func share(w http.ResponseWriter, origin string) {
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Add("Vary", "Origin")
}

// preflight answers what a browser asks before a page of a named origin sends a
// token or asks for a range. It returns false if nothing of that kind is asked.
func (g *guard) preflight(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" || !g.isOurName(r.Host) || !slices.Contains(g.origins, strings.ToLower(origin)) || !g.allow(r.RemoteAddr) {
		return false
	}
	share(w, origin)
	w.Header().Set("Access-Control-Allow-Methods", "GET, HEAD")
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Range")
	w.Header().Set("Access-Control-Max-Age", "600")
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		w.Header().Set("Access-Control-Allow-Private-Network", "true")
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

// isOurName reports whether a Host header names this machine: an address, which no
// foreign name can be, or a name of ours.
func (g *guard) isOurName(host string) bool {
	name := hostName(host)
	if ip := net.ParseIP(name); ip != nil {
		return ip.IsLoopback() || !g.loopback
	}
	return slices.Contains(g.names, strings.ToLower(strings.TrimSuffix(name, ".")))
}

// hostName is a Host header without its port.
func hostName(host string) string {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	return strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
}

func (g *guard) isOurOrigin(origin, host string) bool {
	scheme := "http://"
	if g.secure {
		scheme = "https://"
	}
	return strings.EqualFold(origin, scheme+host)
}

func (g *guard) hasToken(r *http.Request) bool {
	if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") && g.isToken(strings.TrimSpace(token)) {
		return true
	}
	c, err := r.Cookie(g.cookie)
	return err == nil && g.isToken(c.Value)
}

func (g *guard) isToken(text string) bool {
	sum := sha256.Sum256([]byte(text))
	return subtle.ConstantTimeCompare(sum[:], g.token[:]) == 1
}

// welcome takes the token of a first visit out of the address. It returns false if
// there is none.
func (g *guard) welcome(w http.ResponseWriter, r *http.Request) bool {
	query := r.URL.Query()
	token := query.Get("token")
	if token == "" || r.Method != http.MethodGet || r.URL.Path != "/" || !g.isOurName(r.Host) {
		return false
	}
	if !g.allow(r.RemoteAddr) {
		http.Error(w, "too many requests", http.StatusTooManyRequests)
		return true
	}
	if !g.isToken(token) {
		http.Error(w, "this is not the token of this recorder", http.StatusUnauthorized)
		return true
	}
	http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: token, Path: "/", HttpOnly: true, Secure: g.secure, SameSite: http.SameSiteStrictMode})
	query.Del("token")
	if !query.Has("live") {
		query.Set("live", "")
	}
	http.Redirect(w, r, "/?"+strings.TrimSuffix(query.Encode(), "="), http.StatusSeeOther)
	return true
}

// Requests of one address: opening a long recording asks for some hundred ranges.
const (
	requestsPerS   = 400
	requestsAtOnce = 2000
	maxBuckets     = 1000
)

// allow counts a request of an address.
func (g *guard) allow(remote string) bool {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.buckets[at.Addr()]
	if b == nil {
		if len(g.buckets) >= maxBuckets {
			clear(g.buckets) // thousands of addresses: better to forget than to grow
		}
		b = newBucket(requestsPerS, requestsAtOnce)
		g.buckets[at.Addr()] = b
	}
	return b.take(now)
}

// A bucket lets so many through a second, and so many at once.
type bucket struct {
	perS, most, left float64
	at               time.Time
}

func newBucket(perS, most float64) *bucket { return &bucket{perS: perS, most: most, left: most} }

func (b *bucket) take(now time.Time) bool {
	if !b.at.IsZero() {
		b.left = min(b.most, b.left+now.Sub(b.at).Seconds()*b.perS)
	}
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
