package pagetest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// reportOnlyPolicy lets everything pass and reports whatever is not of the
// page's own origin. Unlike the events of the page's network domain, it also
// sees what a worker asks for before a debugger is attached to it.
const reportOnlyPolicy = "default-src 'self' blob: data:; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; report-uri " + reportPath

const reportPath = "/policy-report"

// A Server serves a folder as a plain static host would, on loopback, below a
// sub-path, so that a page which only works at the root of a host fails.
type Server struct {
	// URL of the folder, with a slash at the end.
	URL string

	server  *http.Server
	mux     *http.ServeMux
	mu      sync.Mutex
	reports []string
}

// Serve starts a server for the folder dir on a free loopback port.
func Serve(dir string) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("pagetest: %w", err)
	}
	s := &Server{URL: "http://" + listener.Addr().String() + "/some/folder/"}
	files := http.StripPrefix("/some/folder/", http.FileServer(http.Dir(dir)))
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+reportPath, s.report)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /some/folder/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy-Report-Only", reportOnlyPolicy)
		w.Header().Set("Cache-Control", "no-store")
		files.ServeHTTP(w, r)
	})
	s.server, s.mux = &http.Server{Handler: mux}, mux
	go func() { _ = s.server.Serve(listener) }() // ends with Close
	return s, nil
}

// Add serves a file of so many bytes in the folder, by ranges.
func (s *Server) Add(name string, file io.ReaderAt, size int64) {
	s.Handle(name, func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, name, time.Time{}, io.NewSectionReader(file, 0, size))
	})
}

// Handle answers requests for a file of the folder.
func (s *Server) Handle(name string, answer http.HandlerFunc) {
	s.mux.HandleFunc("GET /some/folder/"+name, answer)
}

// Reports returns the requests to foreign origins that the browser reported.
func (s *Server) Reports() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.reports...)
}

// Close ends the server and every open connection.
func (s *Server) Close() error { return s.server.Close() }

func (s *Server) report(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	if err != nil {
		body = []byte(err.Error())
	}
	s.mu.Lock()
	s.reports = append(s.reports, "policy report: "+string(body))
	s.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}
