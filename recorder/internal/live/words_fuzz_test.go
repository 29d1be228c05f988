package live

import (
	"strings"
	"testing"
)

// FuzzLiveMessage: whatever a client sends, it is understood within its bounds or
// refused with a reason that fits into a closing frame.
func FuzzLiveMessage(f *testing.F) {
	for _, seed := range []string{
		`{"type":"show","streams":[{"stream":"probe","columns":[1,2,3],"bin":250000}]}`, `{"type":"ack","count":2}`,
		`{"type":"note","text":"drug","author":"ab","clock":12}`, `{"type":"stop","run":"2026-11-28T12:00:00Z"}`,
		`{"type":"ack","count":1e99}`, `{"type":"show","streams":[{"columns":[-1]}]}`, `[]`, `null`, `{"type":"note","text":"\ud800"}`, `{"type":"note","text":"\u0000\u001b[2J\u202e","author":"\u2067"}`, "\xff", ``,
	} {
		f.Add([]byte(seed))
	}
	r := newRecorder(f, nil)
	r.decode(100)
	src := r.hub.find("probe")
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := parseAsk(data)
		if err != nil {
			if why := err.Error(); len(closingReason(why)) > 123 {
				t.Errorf("a reason of %d bytes does not fit: %s", len(why), why)
			}
			return
		}
		columns := 0
		for _, s := range a.Streams {
			columns += len(s.Columns)
		}
		if len(a.Streams) > maxStreams || columns > maxShown || a.Count < 0 {
			t.Errorf("out of bounds: %+v", a)
		}
		if n, err := a.note(); err == nil && (n.Text == "" || len(n.Text) > maxNote || len(n.Author) > maxAuthor || strings.ContainsAny(n.Text+n.Author, "\x00\x1b\r\u202e\u2066")) {
			t.Errorf("a note of %q by %q", n.Text, n.Author)
		}
		// What is understood is answered, and what is then shown has bounds.
		c := newClient(r.server, nil, false)
		if err := c.answer(&a); err != nil && len(closingReason(err.Error())) > 123 {
			t.Errorf("a reason does not fit: %v", err)
		}
		if s := c.shown[src]; s != nil {
			for range 3 {
				s.gather(&piece{src: src, rows: r.batch.Rows, columns: r.batch.Columns})
			}
			if s.gathered.bytes > maxGathered || s.take() == nil {
				t.Errorf("%d bytes wait", s.gathered.bytes)
			}
			src.want(c, nil)
		}
	})
}

// FuzzEphysSocketFlag: what is not a port and a stream is refused.
func FuzzEphysSocketFlag(f *testing.F) {
	for _, seed := range []string{"9001=port-a-neuropixels-1.0e:AP", "9001=x", "=", "0=x", "65536=x", "9001=:LFP", "-1=x:y:z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if e, err := ParseEphysSocket(text); err == nil && (e.Port < 1 || e.Port > 65535 || e.Stream == "") {
			t.Errorf("%q is %+v", text, e)
		}
	})
}
