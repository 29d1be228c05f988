package live

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
)

// maxFor bounds ?for=.
const maxFor = 24 * time.Hour

// serveStream is GET /live/NAME.arrows?columns=GLOB&from=now|start|TICK&for=10s: a
// stream as Arrow IPC for as long as the recording goes on, or for a while.
func (s *Server) serveStream(w http.ResponseWriter, r *http.Request, path string) {
	name, ok := strings.CutSuffix(path, ".arrows")
	if !ok {
		http.Error(w, "a stream is asked for as /live/NAME.arrows; GET /status lists them", http.StatusNotFound)
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		http.Error(w, "what follows the ? is not NAME=VALUE&NAME=VALUE, with % before two hexadecimal digits only", http.StatusBadRequest)
		return
	}
	what := Following{From: query.Get("from")}
	for _, text := range query["columns"] {
		for glob := range strings.SplitSeq(text, ",") {
			if glob = strings.TrimSpace(glob); glob != "" {
				what.Columns = append(what.Columns, glob)
			}
		}
	}
	for key, values := range query {
		if key != "columns" && len(values) > 1 {
			http.Error(w, fmt.Sprintf("%s is given %d times", short(key), len(values)), http.StatusBadRequest)
			return
		}
		if key != "from" && key != "columns" && key != "for" {
			http.Error(w, "there is no parameter "+short(key)+"; possible: columns, from, for", http.StatusBadRequest)
			return
		}
	}
	if text := query.Get("for"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 || d > maxFor {
			http.Error(w, fmt.Sprintf("for=%s: want a duration such as 10s or 5m, of 24h at most", short(text)), http.StatusBadRequest)
			return
		}
		what.For = d
	}
	count := func(n int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.streaming += n
	}
	served := s.follow(func() {
		count(1)
		defer count(-1)
		s.stream(w, r, name, what)
	})
	if !served {
		s.tooMany(w)
	}
}

func (s *Server) stream(w http.ResponseWriter, r *http.Request, name string, what Following) {
	out := &patient{ResponseWriter: w, control: http.NewResponseController(w), moved: func() { s.moved.Store(time.Now().UnixNano()) }}
	_ = out.control.SetReadDeadline(time.Time{})
	begun := false
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	err := s.hub.Follow(ctx, name, what, out, func() {
		begun = true
		if r.Method == http.MethodHead {
			cancel() // of an endless answer that nobody would see
		}
		w.Header().Set("Content-Type", "application/vnd.apache.arrow.stream")
		w.WriteHeader(http.StatusOK)
	})
	switch column := (*recording.ColumnError)(nil); {
	case begun && r.Method == http.MethodHead:
	case begun && err != nil:
		panic(http.ErrAbortHandler) // a stream that breaks off must not look as if it were whole
	case err == nil:
	case errors.As(err, &column), errors.Is(err, errAsked):
		http.Error(w, strings.TrimPrefix(err.Error(), "recording: "), http.StatusBadRequest)
	case errors.Is(err, errNoSuch):
		http.Error(w, strings.TrimSpace(err.Error()), http.StatusNotFound)
	default:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// FlushError sends what was written.
func (p *patient) FlushError() error { return p.control.Flush() }
