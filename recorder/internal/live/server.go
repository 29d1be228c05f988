package live

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/oniscope/oniscope/recorder/internal/run"
	"github.com/oniscope/oniscope/recorder/internal/serve"
	"github.com/oniscope/oniscope/shared/recording"
)

// Control is what clients with the token may do.
type Control interface {
	Note(n recording.Note) (recording.Note, error)
	Stop(reason string)
}

// Options of Serve.
type Options struct {
	Page        fs.FS // the page
	Token       string
	Host        string   // as it was asked for: a name of this machine
	AllowOrigin []string // of other pages that may read, by ParseOrigin
	Certificate *tls.Certificate
	Control     Control
	Say         func(text string) // what a person should hear; nil: nobody does
}

// Bounds of all clients together.
const (
	maxClients     = 16  // that follow: websockets, streams, sockets
	maxConnections = 160 // of TCP: browsers open six each
	maxOfAddress   = 64  // of them, of one address that is not loopback: one machine keeps nobody else out
	maxHeader      = 16 << 10
)

// A Server answers on one address.
type Server struct {
	hub   *Hub
	o     Options
	guard *guard
	http  *http.Server
	up    websocket.Upgrader
	page  *serve.Page
	end   chan struct{}
	once  sync.Once
	gone  sync.WaitGroup
	moved atomic.Int64 // when a stream was written to last, Unix ns

	mu        sync.Mutex
	following int
	streaming int // answers that are read from files
}

// Serve answers on a listener until Close.
func Serve(l net.Listener, hub *Hub, o Options) (*Server, error) {
	g, err := newGuard(&o, l.Addr(), o.Certificate != nil)
	if err != nil {
		return nil, err
	}
	s := &Server{hub: hub, o: o, guard: g, end: make(chan struct{}), page: serve.NewPage(o.Page)}
	s.up = websocket.Upgrader{HandshakeTimeout: 10 * time.Second, ReadBufferSize: 4 << 10, WriteBufferSize: 32 << 10, WriteBufferPool: &sync.Pool{},
		CheckOrigin: func(*http.Request) bool { return true }, // the guard has
		Error: func(w http.ResponseWriter, _ *http.Request, status int, err error) {
			http.Error(w, err.Error(), status)
		}}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: maxHeader, ErrorLog: log.New(io.Discard, "", 0)}
	l = newBounded(l, maxConnections, maxOfAddress)
	if o.Certificate != nil {
		s.http.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*o.Certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
		l = tls.NewListener(l, s.http.TLSConfig)
	}
	s.gone.Go(func() { _ = s.http.Serve(l) }) // until Close
	return s, nil
}

// How long clients may take at the end: to hear of it, and to read the last of a
// stream, as long as they go on reading.
const (
	lastWords = 2 * time.Second
	lastRows  = time.Minute
	stillMost = 3 * time.Second

	lastMoment = time.Second // for the last message
)

// Close ends all connections, once those that follow have had their time; hurry
// (nil: nobody) cuts it short.
func (s *Server) Close(hurry <-chan os.Signal) {
	s.once.Do(func() {
		began := time.Now()
		for s.hub.Over() && hurry != nil {
			all, streams := s.counts()
			still := time.Since(time.Unix(0, s.moved.Load()))
			if passed := time.Since(began); all == 0 && streams == 0 || passed > lastWords && streams == 0 || passed > stillMost && still > stillMost || passed > lastRows {
				break
			}
			select {
			case <-hurry:
				hurry = nil
			case <-time.After(10 * time.Millisecond):
			}
		}
		close(s.end)
		ctx, cancel := context.WithTimeout(context.Background(), lastMoment)
		defer cancel()
		if s.http.Shutdown(ctx) != nil {
			s.http.Close()
		}
	})
	s.gone.Wait()
}

// atEnd closes a connection that is written to, a moment after Close: a client that
// does not read would hold the end up for as long as one write may take. The returned
// function is called when the connection has ended.
func (s *Server) atEnd(conn net.Conn) (gone func()) {
	done := make(chan struct{})
	go func() {
		select {
		case <-s.end:
		case <-done:
			return
		}
		select {
		case <-time.After(lastMoment):
			conn.Close()
		case <-done:
		}
	}()
	return func() { close(done) }
}

// Over reports whether all files of the run are complete.
func (h *Hub) Over() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.summary != nil
}

// clients is how many follow.
func (s *Server) clients() int {
	all, _ := s.counts()
	return all
}

// counts are all that follow, and all answers that are read from files.
func (s *Server) counts() (all, streams int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.following, s.streaming
}

// follow runs f for one client more, unless there are too many.
func (s *Server) follow(f func()) bool {
	s.mu.Lock()
	if s.following >= maxClients {
		s.mu.Unlock()
		return false
	}
	s.following++
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.following--
		s.mu.Unlock()
	}()
	f()
	return true
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	serve.Secure(w.Header())
	if s.guard.welcome(w, r) || s.guard.preflight(w, r) {
		return
	}
	control, no := s.guard.check(w, r)
	if no != nil {
		w.Header().Set("Connection", "close") // who is refused keeps no connection
		http.Error(w, no.text, no.status)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	path := r.URL.Path
	if path == "/socket" {
		s.serveSocket(w, r, control)
		return
	}
	out := newPatient(w)
	w = out
	switch {
	case path == "/" && !r.URL.Query().Has("live") && !r.URL.Query().Has("files"):
		http.Redirect(w, r, "/?live", http.StatusSeeOther)
	case path == "/status":
		s.serveStatus(w)
	case strings.HasPrefix(path, "/files/"):
		s.serveFile(out, r, strings.TrimPrefix(path, "/files/"))
	case strings.HasPrefix(path, "/live/"):
		s.serveStream(out, r, strings.TrimPrefix(path, "/live/"))
	default:
		s.page.ServeHTTP(w, r)
	}
}

// serveStatus is the state as JSON, that of --status-json.
func (s *Server) serveStatus(w http.ResponseWriter) {
	s.hub.mu.Lock()
	now := s.hub.now
	s.hub.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if now == nil {
		now = &run.Snapshot{State: "starting", LeftS: -1, Streams: []run.StreamSnapshot{}}
	}
	_ = json.NewEncoder(w).Encode(now) // the reader is gone; nobody hears of it
}

func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request, control bool) {
	if !websocket.IsWebSocketUpgrade(r) {
		http.Error(w, "this is a websocket", http.StatusUpgradeRequired)
		return
	}
	served := s.follow(func() {
		if !s.hub.awaitBegin(r.Context().Done(), s.end) {
			s.notYet(w)
			return
		}
		conn, err := s.up.Upgrade(w, r, nil)
		if err != nil {
			return // it has answered
		}
		s.gone.Add(1)
		defer s.gone.Done()
		newClient(s, conn, control && s.o.Control != nil).serve()
	})
	if !served {
		s.tooMany(w)
	}
}

func (s *Server) tooMany(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "5")
	http.Error(w, fmt.Sprintf("%d clients follow this recording, and no more can", maxClients), http.StatusServiceUnavailable)
}

// notYet answers what can be answered only once the recording has begun.
func (s *Server) notYet(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, "the recording has not begun", http.StatusServiceUnavailable)
}

// reading counts an answer that is read from files, until the returned function is
// called, and has out say when it goes on.
func (s *Server) reading(out *patient) (done func()) {
	out.moved = func() { s.moved.Store(time.Now().UnixNano()) }
	count := func(n int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.streaming += n
	}
	count(1)
	return func() { count(-1) }
}

// serveFile gives ranges of a file, up to its last whole batch, or all of it once
// it is complete.
func (s *Server) serveFile(out *patient, r *http.Request, name string) {
	h := s.hub
	h.mu.Lock()
	dir, mark, size, found, whole := h.begun.Dir, h.begun.StartUTC, int64(0), false, h.summary != nil
	var names []string
	for _, src := range h.sources {
		for i, f := range src.files {
			if names = append(names, f.name); f.name == name {
				found, size = true, f.size
				whole = whole || i+1 < len(src.files)
			}
		}
	}
	h.mu.Unlock()
	switch {
	case mark == "":
		s.notYet(out)
		return
	case !found:
		http.Error(out, fmt.Sprintf("there is no file %q in this recording; there are: %s", short(name), strings.Join(names, ", ")), http.StatusNotFound)
		return
	}
	f, info := serve.OpenFile(out, filepath.Join(dir, name))
	if f == nil {
		return
	}
	defer f.Close()
	defer s.reading(out)()
	if whole || size > info.Size() { // of one that was cut from outside, what is there
		size = info.Size()
	}
	out.Header().Set("Content-Type", "application/vnd.apache.arrow.file")
	out.Header().Set("ETag", `"`+url.PathEscape(mark+"/"+name)+`"`) // the bytes that are there stay
	serve.Content(out, r, name, io.NewSectionReader(f, 0, size))
}

// A patient writer gives each write its time, and not the whole answer.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
	moved   func() // nil: nobody asks
}

func newPatient(w http.ResponseWriter) *patient {
	p := &patient{ResponseWriter: w, control: http.NewResponseController(w)}
	p.extend() // for an answer without a body
	return p
}

func (p *patient) extend() { _ = p.control.SetWriteDeadline(time.Now().Add(writeTimeout)) }

func (p *patient) Write(data []byte) (int, error) {
	if p.moved != nil {
		p.moved()
	}
	p.extend()
	return p.ResponseWriter.Write(data)
}

var _ run.Listener = (*Hub)(nil)
