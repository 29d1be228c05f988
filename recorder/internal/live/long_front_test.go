package live

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
)

// What is done in the page: drawn() is whether there is a picture, lit() whether
// traces are in it, until() waits for something and a frame more.
const pageScript = `const frame = () => new Promise((r) => requestAnimationFrame(r)); const until = async (so) => { while (!(await so())) await frame(); await frame(); };
	const drawn = () => { const p = document.querySelector("#traces .picture"); return p && !p.hidden && p.width > 400; };
	const lit = () => { const p = document.querySelector("#traces .picture"), c = new OffscreenCanvas(p.width, p.height).getContext("2d"); c.drawImage(p, 0, 0); const { data } = c.getImageData(0, 0, p.width, p.height); let n = 0; for (let i = 0; i < data.length; i += 4) if (data[i + 1] > 120) n++; return n > 2000; };`

// soon is opened first: a browser that has just started is busy with itself.
const soon = `<!doctype html><title>soon</title><script>setTimeout(() => location.replace("/?live&tell"), 2500)</script>`

// tell says when traces are on the screen, in milliseconds since the address was
// gone to.
const tell = `<script type="module">` + pageScript + `
	await until(() => drawn() && lit());
	await fetch("/seen", { method: "POST", body: String(performance.now()) });
</script></head>`

// A front answers before the server of a recorder: with files that are longer than
// the disk, and with a page that tells when it has a picture.
type front struct {
	server http.Handler
	file   http.HandlerFunc
	seen   chan float64 // seconds
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/files/"):
		f.file(w, r)
	case r.URL.Path == "/soon":
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, soon)
	case r.URL.Path == "/seen":
		text, _ := io.ReadAll(io.LimitReader(r.Body, 100))
		if ms, err := strconv.ParseFloat(string(text), 64); err == nil {
			f.seen <- ms / 1000
		}
	case r.URL.Query().Has("tell"):
		r.Header.Del("Accept-Encoding")
		answer := httptest.NewRecorder()
		f.server.ServeHTTP(answer, r)
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, strings.Replace(answer.Body.String(), "</head>", tell, 1))
	default:
		f.server.ServeHTTP(w, r)
	}
}
