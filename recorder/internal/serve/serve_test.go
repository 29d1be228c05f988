package serve

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/oniscope/oniscope/web"
)

var testPage = fstest.MapFS{
	"index.html":           {Data: []byte("<!doctype html><title>page</title>")},
	"src/main.js":          {Data: []byte("export {};")},
	"src/engine.worker.js": {Data: []byte("import './main.js';")},
	"src/ui/theme.css":     {Data: []byte(":root{}")},
	"gen/oniscope.wasm":    {Data: []byte("\x00asm")},
}

// ask sends one request to a view of a file with the bytes 0 to 255.
func ask(t *testing.T, method, target string, set func(*http.Request)) *http.Response {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a b_0.arrow")
	data := make([]byte, 256)
	for i := range data {
		data[i] = byte(i)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(method, target, nil)
	r.Host = "127.0.0.1:1234"
	if set != nil {
		set(r)
	}
	w := httptest.NewRecorder()
	New(testPage, []string{path}).ServeHTTP(w, r)
	return w.Result()
}

func TestViewServesThePageAndTheFiles(t *testing.T) {
	for _, c := range []struct {
		target string
		status int
		kind   string
		want   string
	}{
		{"/", 200, "text/html; charset=utf-8", "<!doctype html>"},
		{"/?files=files.json", 200, "text/html; charset=utf-8", "<!doctype html>"},
		{"/src/main.js", 200, "text/javascript; charset=utf-8", "export"},
		{"/src/engine.worker.js", 200, "text/javascript; charset=utf-8", "import"},
		{"/src/ui/theme.css", 200, "text/css; charset=utf-8", ":root"},
		{"/gen/oniscope.wasm", 200, "application/wasm", "\x00asm"},
		{"/files/0/a%20b_0.arrow", 200, "application/vnd.apache.arrow.file", "\x00\x01\x02"},
		{"/files/0/other.arrow", 404, "", ""},
		{"/files/00/a%20b_0.arrow", 404, "", ""},
		{"/files/1/a%20b_0.arrow", 404, "", ""},
		{"/files/-1/a%20b_0.arrow", 404, "", ""},
		{"/files/0/..%2f..%2fetc%2fpasswd", 404, "", ""},
		{"/files/", 404, "", ""},
		{"/../../etc/passwd", 404, "", ""},
		{"/src/", 404, "", ""},
		{"/src", 404, "", ""},
		{"/nothing", 404, "", ""},
		{"/favicon.ico", 404, "", ""},
	} {
		res := ask(t, "GET", c.target, nil)
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != c.status || c.kind != "" && res.Header.Get("Content-Type") != c.kind || !strings.HasPrefix(string(body), c.want) {
			t.Errorf("%s: %d %s %.40q", c.target, res.StatusCode, res.Header.Get("Content-Type"), body)
		}
		// A worker takes the policy of its own script, so that every answer
		// has one, errors too.
		if res.Header.Get("Content-Security-Policy") != contentPolicy || res.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", c.target, res.Header)
		}
	}
}

func TestThePolicyIsWhatThePageNeedsAndNoMore(t *testing.T) {
	const want = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; " +
		"worker-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
	if contentPolicy != want {
		t.Errorf("got %s", contentPolicy)
	}
}

func TestViewAnswersRanges(t *testing.T) {
	for _, c := range []struct {
		ask, content string
		status       int
		first, n     int
	}{
		{"bytes=16-31", "bytes 16-31/256", 206, 16, 16},
		{"bytes=-8", "bytes 248-255/256", 206, 248, 8},
		{"bytes=250-", "bytes 250-255/256", 206, 250, 6},
		{"bytes=300-", "bytes */256", 416, -1, 0},
		{"bytes=-0", "bytes */256", 416, -1, 0},
		{"Bytes= 16-31", "bytes 16-31/256", 206, 16, 16},
		{"rows=16-31", "", 200, 0, 256}, // a unit that is not known is ignored
	} {
		res := ask(t, "GET", "/files/0/a%20b_0.arrow", func(r *http.Request) { r.Header.Set("Range", c.ask) })
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != c.status || res.Header.Get("Content-Range") != c.content {
			t.Errorf("%s: %d %q", c.ask, res.StatusCode, res.Header.Get("Content-Range"))
		}
		if c.first >= 0 && (len(body) != c.n || body[0] != byte(c.first)) {
			t.Errorf("%s: %d bytes from %v", c.ask, len(body), body[0])
		}
	}
	if res := ask(t, "HEAD", "/files/0/a%20b_0.arrow", nil); res.Header.Get("Accept-Ranges") != "bytes" || res.ContentLength != 256 {
		t.Errorf("HEAD: %v", res.Header)
	}
}

func TestViewListsItsFiles(t *testing.T) {
	res := ask(t, "GET", "/files.json", nil)
	var list []map[string]any
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil || len(list) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	if f := list[0]; f["name"] != "a b_0.arrow" || f["url"] != "files/0/a%20b_0.arrow" || f["size"] != 256.0 || len(f) != 3 {
		t.Errorf("got %v", f)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/files.json", nil)
	r.Host = "localhost"
	New(testPage, nil).ServeHTTP(w, r)
	if strings.TrimSpace(w.Body.String()) != "[]" {
		t.Errorf("without files: %q", w.Body)
	}
}

func TestViewRefusesForeignNames(t *testing.T) {
	for host, want := range map[string]int{
		"127.0.0.1:1234":         200,
		"localhost:1234":         200,
		"LOCALHOST":              200,
		"[::1]:1234":             200,
		"evil.example":           421,
		"evil.example:1234":      421,
		"127.0.0.1.evil.example": 421,
		"localhost.evil.example": 421,
		"192.168.0.7:1234":       421,
		"":                       421,
	} {
		for _, target := range []string{"/", "/files.json", "/files/0/a%20b_0.arrow"} {
			res := ask(t, "GET", target, func(r *http.Request) { r.Host = host })
			if res.StatusCode != want {
				t.Errorf("host %q, %s: %d, want %d", host, target, res.StatusCode, want)
			}
		}
	}
}

func TestViewOnlyReads(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		if res := ask(t, method, "/files/0/a%20b_0.arrow", nil); res.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, res.StatusCode)
		}
	}
}

// packedPage has the engine packed, as the binary has it.
type packedPage struct{ fstest.MapFS }

func (packedPage) Packed(name string) ([]byte, bool) {
	return []byte("packed"), name == "gen/oniscope.wasm"
}

func TestTheEngineIsSentAsItIsPackedToWhoUnpacksIt(t *testing.T) {
	for accept, want := range map[string]string{"gzip, deflate, br": "packed", "br;q=1, gzip;q=0.5": "packed", "": "\x00asm", "gzip;q=0": "\x00asm", "gzip;q=0.0, br": "\x00asm", "xgzip": "\x00asm"} {
		r, w := httptest.NewRequest("GET", "/gen/oniscope.wasm", nil), httptest.NewRecorder()
		r.Header.Set("Accept-Encoding", accept)
		NewPage(packedPage{testPage}).ServeHTTP(w, r)
		coded := map[bool]string{true: "gzip"}[want == "packed"]
		if got := w.Body.String(); got != want || w.Header().Get("Content-Encoding") != coded || w.Header().Get("Content-Type") != "application/wasm" {
			t.Errorf("%q: %q, %v", accept, got, w.Header())
		}
	}
	r, w := httptest.NewRequest("GET", "/src/main.js", nil), httptest.NewRecorder()
	r.Header.Set("Accept-Encoding", "gzip")
	if NewPage(packedPage{testPage}).ServeHTTP(w, r); w.Body.String() != "export {};" {
		t.Errorf("%q", w.Body)
	}
}

func TestViewSaysWhenItWasBuiltWithoutThePage(t *testing.T) {
	page := fstest.MapFS{"index.html": testPage["index.html"]}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/"+web.EnginePath, nil)
	r.Host = "localhost"
	New(page, nil).ServeHTTP(w, r)
	if w.Code != 404 || !strings.Contains(w.Body.String(), "built without the page: run go tool mage build") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

// A file that is replaced, also by one of its size, is another; one that grows is
// not.
func TestAReplacedFileHasAnotherTag(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.arrow")
	put := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h := New(fstest.MapFS{}, []string{path})
	tag := func() string {
		r := httptest.NewRequest(http.MethodGet, "http://localhost/files/0/a.arrow", nil)
		r.Header.Set("Range", "bytes=0-1")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusPartialContent || w.Header().Get("ETag") == "" {
			t.Fatalf("status %d, tag %q", w.Code, w.Header().Get("ETag"))
		}
		return w.Header().Get("ETag")
	}
	put(path, "0123456789")
	first := tag()
	put(path, "0123456789 and more")
	if grown := tag(); grown != first {
		t.Errorf("a file that grew: %s, %s before", grown, first)
	}
	put(filepath.Join(dir, "b"), "0123456789 and MORE")
	if err := os.Rename(filepath.Join(dir, "b"), path); err != nil {
		t.Fatal(err)
	}
	second := tag()
	if second == first {
		t.Error("a file of the same size took its place, and the tag is the same")
	}
	put(path, "short")
	if tag() == second {
		t.Error("a file that is shorter has the same tag")
	}
}
