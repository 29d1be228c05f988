// Package serve hands out the page and, by ranges, the bytes of files: what a
// browser asks on loopback, and nothing else.
package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/oniscope/oniscope/web"
)

// contentPolicy lets the page load what this server serves, and nothing else.
// It is sent with every answer: workers take theirs from their own script.
const contentPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self' blob: data:; worker-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// contentTypes are set here and not by the machine's own table, which on some
// says that modules are plain text, and browsers then refuse them.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".mjs":  "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".wasm": "application/wasm",
	".svg":  "image/svg+xml",
	".json": "application/json",
	".png":  "image/png",
	".ts":   "text/plain; charset=utf-8",
	".md":   "text/plain; charset=utf-8",
	".txt":  "text/plain; charset=utf-8",

	".arrow":   "application/vnd.apache.arrow.file",
	".csv":     "text/csv; charset=utf-8",
	".woff2":   "font/woff2",
	".map":     "application/json",
	".feather": "application/vnd.apache.arrow.file",
}

// noModTime keeps ServeContent from answering with a time stamp.
var noModTime time.Time

// A listed is one entry of /files.json.
type listed struct {
	Name string `json:"name"`
	URL  string `json:"url"` // relative to the page
	Size int64  `json:"size"`
}

// A handler serves the page, the list of files, and their bytes.
type handler struct {
	page  *Page
	paths []string

	mu       sync.Mutex
	versions map[int]*version // of paths, by index
}

// A version tells a file from another that took its place.
type version struct {
	info   fs.FileInfo
	number int
}

// tag names the version of a file, as an ETag: it changes if the file is replaced
// or written anew, and not if it grows, for then its bytes stay.
func (h *handler) tag(n int, info fs.FileInfo) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.versions == nil {
		h.versions = map[int]*version{}
	}
	v := h.versions[n]
	switch {
	case v == nil:
		v = &version{}
		h.versions[n] = v
	case !os.SameFile(v.info, info) || info.Size() < v.info.Size() || info.Size() == v.info.Size() && !info.ModTime().Equal(v.info.ModTime()):
		v.number++
	}
	v.info = info
	return fmt.Sprintf(`"%d-%d"`, n, v.number)
}

// New serves the page of a file system at / and the files of paths
// at /files/<n>/<name>. Only these: no other path of the disk can be named.
func New(page fs.FS, paths []string) http.Handler {
	return &handler{page: NewPage(page), paths: paths}
}

// Secure sets the headers that every answer has.
func Secure(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store") // files grow, and the binary changes
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	Secure(header)
	if !isLoopbackHost(r.Host) {
		// A foreign name that resolves to this machine: DNS rebinding.
		http.Error(w, "oniscope view answers to localhost only", http.StatusMisdirectedRequest)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	switch {
	case r.URL.Path == "/files.json":
		h.serveList(w)
	case strings.HasPrefix(r.URL.Path, "/files/"):
		h.serveFile(w, r)
	default:
		h.page.ServeHTTP(w, r)
	}
}

// isLoopbackHost reports whether a Host header names this machine.
func isLoopbackHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	ip := net.ParseIP(name)
	return ip != nil && ip.IsLoopback()
}

func (h *handler) serveList(w http.ResponseWriter) {
	list := []listed{}
	for i, file := range h.paths {
		name := filepath.Base(file)
		entry := listed{Name: name, URL: "files/" + strconv.Itoa(i) + "/" + url.PathEscape(name)}
		if info, err := os.Stat(file); err == nil {
			entry.Size = info.Size()
		}
		list = append(list, entry)
	}
	w.Header().Set("Content-Type", contentTypes[".json"])
	_ = json.NewEncoder(w).Encode(list) // the reader is gone; nobody hears of it
}

func (h *handler) serveFile(w http.ResponseWriter, r *http.Request) {
	number, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/files/"), "/")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n >= len(h.paths) || strconv.Itoa(n) != number || name != filepath.Base(h.paths[n]) {
		http.NotFound(w, r)
		return
	}
	f, info := OpenFile(w, h.paths[n])
	if f == nil {
		return
	}
	defer f.Close()
	setContentType(w, name)
	w.Header().Set("ETag", h.tag(n, info))
	Content(w, r, name, f)
}

// Content answers with a file that may grow, or ranges of it. It has no time stamp, and
// If-None-Match is not asked: the mark of a file says that the bytes that were there
// stay, not that no more came.
func Content(w http.ResponseWriter, r *http.Request, name string, content io.ReadSeeker) {
	r.Header.Del("If-None-Match")
	switch unit, ranges, _ := strings.Cut(r.Header.Get("Range"), "="); {
	case !strings.EqualFold(unit, "bytes"): // a unit that is not known is ignored (RFC 9110, 14.2)
		r.Header.Del("Range")
	case strings.TrimSpace(ranges) == "-0": // which http gives as a range that ends before it begins
		size, err := content.Seek(0, io.SeekEnd)
		if err != nil {
			http.Error(w, "the file cannot be read any more", http.StatusGone)
			return
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", size))
		http.Error(w, "the last 0 bytes are no range", http.StatusRequestedRangeNotSatisfiable)
		return
	default:
		r.Header.Set("Range", "bytes="+ranges)
	}
	http.ServeContent(w, r, name, noModTime, content)
}

// OpenFile opens a file whose bytes are asked for. If that cannot be, it answers
// so, and returns nil.
func OpenFile(w http.ResponseWriter, path string) (*os.File, fs.FileInfo) {
	f, err := os.Open(path)
	if err != nil {
		http.Error(w, "the file cannot be opened any more", http.StatusGone)
		return nil, nil
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		f.Close()
		http.Error(w, "the file cannot be read any more", http.StatusGone)
		return nil, nil
	}
	return f, info
}

// A packer has files that are packed by gzip, which browsers unpack: the engine takes
// longer to unpack here than to send.
type packer interface {
	Packed(name string) (data []byte, ok bool)
}

// acceptsGzip reports whether a client that wants all of a file can unpack it.
func acceptsGzip(h http.Header) bool {
	if h.Get("Range") != "" {
		return false
	}
	for coding := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.TrimSpace(name) == "gzip" {
			return strings.Trim(strings.TrimPrefix(strings.TrimSpace(weight), "q="), "0.") != "" || weight == ""
		}
	}
	return false
}

// A Page serves the page of a file system.
type Page struct{ files fs.FS }

// NewPage returns the page of a file system.
func NewPage(files fs.FS) *Page { return &Page{files} }

func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if name == "" {
		name = "index.html"
	}
	if !fs.ValidPath(name) || strings.HasSuffix(r.URL.Path, "/") && r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	if f, ok := p.files.(packer); ok && acceptsGzip(r.Header) {
		if data, ok := f.Packed(name); ok {
			setContentType(w, name)
			w.Header().Set("Content-Encoding", "gzip")
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
			return
		}
	}
	info, err := fs.Stat(p.files, name)
	if err != nil || info.IsDir() {
		if name == web.EnginePath {
			http.Error(w, "built without the page: run go tool mage build", http.StatusNotFound)
			return
		}
		http.NotFound(w, r)
		return
	}
	setContentType(w, name)
	http.ServeFileFS(w, r, p.files, name)
}

func setContentType(w http.ResponseWriter, name string) {
	kind, ok := contentTypes[strings.ToLower(path.Ext(name))]
	if !ok {
		kind = "application/octet-stream"
	}
	w.Header().Set("Content-Type", kind)
}
