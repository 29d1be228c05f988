package live

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
)

// maxFor bounds ?for=.
const maxFor = 24 * time.Hour

// parseFollowing reads columns=GLOB&from=now|start|TICK&for=10s. Its errors are for the
// client.
func parseFollowing(raw string) (what Following, err error) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return what, errors.New("what follows the ? is not NAME=VALUE&NAME=VALUE, with % before two hexadecimal digits only")
	}
	for _, key := range slices.Sorted(maps.Keys(query)) {
		switch values := query[key]; {
		case key != "columns" && key != "from" && key != "for":
			return what, fmt.Errorf("there is no parameter %s; possible: columns, from, for", short(key))
		case key != "columns" && len(values) > 1:
			return what, fmt.Errorf("%s is given %d times", key, len(values))
		case slices.Contains(values, ""): // as an empty variable of a script gives it
			return what, fmt.Errorf("%s= is empty; leave it out for %s", key, map[string]string{"columns": "all columns", "from": "what comes from now on", "for": "all until the recording ends"}[key])
		}
	}
	what.From = query.Get("from")
	for _, text := range query["columns"] {
		for glob := range strings.SplitSeq(text, ",") {
			if glob = strings.TrimSpace(glob); glob == "" {
				return what, fmt.Errorf("columns=%s: a name is missing between commas", short(text))
			}
			what.Columns = append(what.Columns, glob)
		}
	}
	if text := query.Get("for"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 || d > maxFor {
			return what, fmt.Errorf("for=%s: want a duration such as 10s or 5m, of 24h at most", short(text))
		}
		what.For = d
	}
	return what, nil
}

// serveStream is GET /live/NAME.arrows?columns=GLOB&from=now|start|TICK&for=10s: a
// stream as Arrow IPC for as long as the recording goes on, or for a while.
func (s *Server) serveStream(out *patient, r *http.Request, path string) {
	name, ok := strings.CutSuffix(path, ".arrows")
	if !ok {
		http.Error(out, "a stream is asked for as /live/NAME.arrows; GET /status lists them", http.StatusNotFound)
		return
	}
	what, err := parseFollowing(r.URL.RawQuery)
	if err != nil {
		http.Error(out, err.Error(), http.StatusBadRequest)
		return
	}
	if !s.follow(func() { s.stream(out, r, name, what) }) {
		s.tooMany(out)
	}
}

func (s *Server) stream(out *patient, r *http.Request, name string, what Following) {
	_ = out.control.SetReadDeadline(time.Time{})
	if !s.hub.awaitStream(name, r.Context().Done(), s.end) {
		s.notYet(out)
		return
	}
	defer s.reading(out)()
	begun := false
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	err := s.hub.Follow(ctx, name, what, out, func() {
		begun = true
		if r.Method == http.MethodHead {
			cancel() // of an endless answer that nobody would see
		}
		out.Header().Set("Content-Type", "application/vnd.apache.arrow.stream")
		out.WriteHeader(http.StatusOK)
	})
	switch column := (*recording.ColumnError)(nil); {
	case begun && r.Method == http.MethodHead:
	case begun && err != nil:
		panic(http.ErrAbortHandler) // a stream that breaks off must not look as if it were whole
	case err == nil:
	case errors.As(err, &column), errors.Is(err, errAsked):
		http.Error(out, strings.TrimPrefix(err.Error(), "recording: "), http.StatusBadRequest)
	case errors.Is(err, errNoSuch):
		http.Error(out, strings.TrimSpace(err.Error()), http.StatusNotFound)
	default:
		http.Error(out, err.Error(), http.StatusInternalServerError)
	}
}

// FlushError sends what was written.
func (p *patient) FlushError() error {
	p.extend()
	return p.control.Flush()
}
