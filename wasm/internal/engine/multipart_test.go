package engine

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/oniscope/oniscope/shared/recording"
)

// severalOf is a plan of short ranges far apart, as one gathering, with room for their bytes.
func severalOf(every, length, n int64) (*Gathering, [][]byte) {
	g := &Gathering{}
	plan := recording.PlanReads(int(n), func(i int) (int64, int64) { return 7 + int64(i)*every, length }, Apart.ReadRule)
	for i := range plan {
		g.add(&plan[i])
	}
	to := make([][]byte, len(g.Parts))
	for i, p := range g.Parts {
		to[i] = make([]byte, p.Length)
	}
	return g, to
}

func TestSeveralRangesOfAServerInOneAnswer(t *testing.T) {
	file := make([]byte, 1<<20)
	for i := range file {
		file[i] = byte(i>>8) ^ byte(i*7)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "probe.arrow", time.Time{}, bytes.NewReader(file))
	}))
	defer server.Close()
	g, to := severalOf(30_000, 8_000, 24)
	request, err := http.NewRequest("GET", server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Range", RangeHeader(g.Reads))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 206 || len(g.Reads) != 24 {
		t.Fatalf("%s, %v, %d reads", response.Status, err, len(g.Reads))
	}
	right := func(to [][]byte) bool {
		for i, p := range g.Parts {
			if !bytes.Equal(to[i], file[p.At:][:p.Length]) {
				return false
			}
		}
		return true
	}
	if !g.FillOf(body, to) || !right(to) {
		t.Error("the ranges of the answer are not the file's bytes")
	}

	// Wherever the answer is cut, it is not taken for whole: but for the mark of its end.
	for n := 0; n < len(body)-80; n += 37 {
		if g.FillOf(body[:n], to) {
			t.Fatalf("%d of %d bytes are taken for all", n, len(body))
		}
	}

	// Ranges in another order, and joined, as servers may.
	part := func(from, end int) string {
		return fmt.Sprintf("\r\n--x\r\ncontent-range:bytes %d-%d/*\r\nContent-Type: text/plain\r\n\r\n%s", from, end-1, file[from:end])
	}
	_, to = severalOf(30_000, 8_000, 24)
	if turned := part(300_000, 800_000) + part(0, 300_000) + "\r\n--x--\r\n"; !g.FillOf([]byte(turned), to) || !right(to) {
		t.Error("joined ranges in another order are not the file's bytes")
	}
	for what, body := range map[string]string{
		"one is missing":         part(0, 600_000),
		"not what it says":       "\r\nContent-Range: bytes 0-8000000/*\r\n\r\nshort",
		"an end below the begin": "\r\nContent-Range: bytes 9-1/*\r\n\r\n" + strings.Repeat("x", 100),
		"no range":               "\r\nContent-Type: text/html\r\n\r\n<html>",
		"beyond all numbers":     "\r\nContent-Range: bytes 0-9223372036854775807/*\r\n\r\nx",
		"nothing":                "",
	} {
		if g.FillOf([]byte(body), to) {
			t.Errorf("%s: taken for whole", what)
		}
	}
}
