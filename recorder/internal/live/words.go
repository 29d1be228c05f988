package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/oniscope/oniscope/recorder/internal/run"
	"github.com/oniscope/oniscope/recorder/internal/store"
	"github.com/oniscope/oniscope/shared/recording"
)

// The text messages of the websocket. Their JSON names are an interface:
// web/src/live/protocol.d.ts describes them.

// Bounds of what a client may send.
const (
	maxWords   = 64 << 10 // bytes of a message
	maxShown   = 4096     // columns that one client sees
	maxStreams = 64       // streams, likewise
	maxNote    = 4000     // bytes of a note: the page's 1000 characters of any script
	maxAuthor  = 400
)

// An ask is a message from a client.
type ask struct {
	Type    string    `json:"type"`    // show, ack, note, stop
	Streams []askShow `json:"streams"` // show: all that is wanted from now on
	Count   int       `json:"count"`   // ack: binary messages that were dealt with
	Text    string    `json:"text"`    // note
	Author  string    `json:"author"`
	Clock   uint64    `json:"clock"` // note: the moment that it is about, ticks; 0 now
	Run     string    `json:"run"`   // stop: the run that is meant, as hello names it
}

// An askShow is what a client wants to see of a stream.
type askShow struct {
	Stream  string `json:"stream"`
	Columns []int  `json:"columns"`
	Bin     uint64 `json:"bin"` // ticks; 0: every row
}

// parseAsk reads a message from a client. Its errors are for the client.
func parseAsk(data []byte) (a ask, err error) {
	if len(data) > maxWords {
		return ask{}, fmt.Errorf("the message has %d bytes, at most %d are read", len(data), maxWords)
	}
	if !utf8.Valid(data) {
		return ask{}, errors.New("the message is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return ask{}, fmt.Errorf("the message is not what is expected: %s", notExpected(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return ask{}, errors.New("the message goes on after its end")
	}
	return a, a.check()
}

func (a *ask) check() error {
	switch a.Type {
	case "show":
		if len(a.Streams) > maxStreams {
			return fmt.Errorf("%d streams, at most %d are shown", len(a.Streams), maxStreams)
		}
		total, seen := 0, map[string]bool{}
		for _, s := range a.Streams {
			if total += len(s.Columns); total > maxShown {
				break
			}
			if seen[s.Stream] {
				return fmt.Errorf("stream %q comes twice", short(s.Stream))
			}
			seen[s.Stream] = true
			of := map[int]bool{}
			for _, c := range s.Columns {
				if of[c] {
					return fmt.Errorf("stream %q: column %d comes twice", short(s.Stream), c)
				}
				of[c] = true
			}
		}
		if total > maxShown {
			return fmt.Errorf("%d columns, at most %d are shown", total, maxShown)
		}
	case "ack":
		if a.Count < 1 || a.Count > maxCredits {
			return fmt.Errorf("%d messages cannot be acknowledged", a.Count)
		}
	case "note", "stop":
	default:
		return fmt.Errorf("there is no message %q", short(a.Type))
	}
	return nil
}

// notExpected says in a client's words what is wrong with its JSON.
func notExpected(err error) string {
	syntax, value := (*json.SyntaxError)(nil), (*json.UnmarshalTypeError)(nil)
	switch {
	case errors.Is(err, io.EOF):
		return "it is empty"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends too early"
	case errors.As(err, &syntax):
		return fmt.Sprintf("byte %d is not JSON", syntax.Offset)
	case errors.As(err, &value) && value.Field == "":
		return fmt.Sprintf("it is %s, not an object", value.Value)
	case errors.As(err, &value):
		return fmt.Sprintf("%s cannot be %s", value.Field, short(value.Value))
	}
	return short(strings.TrimPrefix(err.Error(), "json: ")) // of a field that is not known
}

// note is the note that is asked for, without what cannot be read.
func (a *ask) note() (recording.Note, error) {
	n := recording.Note{About: a.Clock, Text: readable(a.Text), Author: readable(a.Author)}
	switch {
	case n.Text == "":
		return n, errors.New("the note is empty")
	case len(n.Text) > maxNote:
		return n, fmt.Errorf("the note has %d bytes, at most %d are written; take several", len(n.Text), maxNote)
	case len(n.Author) > maxAuthor:
		return n, fmt.Errorf("the author has %d bytes, at most %d are written", len(n.Author), maxAuthor)
	}
	return n, nil
}

// readable takes out of a text what steers a terminal, and what turns the direction of
// the words around it: control characters, but for tabs and line ends, and overrides,
// embeddings and isolates of direction.
func readable(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' {
			return r
		}
		if unicode.IsControl(r) || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, text))
}

// short cuts what a client sent to what fits into a reason.
func short(text string) string {
	if len(text) > 60 {
		text = strings.ToValidUTF8(text[:60], "") + "..."
	}
	return text
}

// A hello is the first message: what does not change.
type hello struct {
	Type       string  `json:"type"`
	Version    string  `json:"version"`
	Run        string  `json:"run"` // names the run
	Folder     string  `json:"folder"`
	Suffix     string  `json:"suffix"`
	StartUTC   string  `json:"start_utc"`
	AcqClockHz uint64  `json:"acq_clock_hz"`
	Simulated  bool    `json:"simulated"`
	Control    bool    `json:"control"` // this client may take notes and stop
	Streams    []about `json:"streams"`
	Credits    int     `json:"credits"` // binary messages that may be unacknowledged
}

// An about describes a stream; those that come later are sent as {"type":
// "stream", "stream": ...}.
type about struct {
	Name   string  `json:"name"`
	Title  string  `json:"title"`
	RateHz float64 `json:"rate_hz"` // rows a second; 0: they come with events
	Schema []byte  `json:"schema"`  // Arrow IPC message, in base64
	File   string  `json:"file"`    // it begins in; below files/
}

type newStream struct {
	Type   string `json:"type"`
	Stream about  `json:"stream"`
}

// A batches message says where batches of one file are: [offset, length, bytes of
// the header, rows, first Clock, last Clock] each.
type batches struct {
	Type   string      `json:"type"`
	Stream string      `json:"stream"`
	File   string      `json:"file"`
	Blocks [][6]uint64 `json:"blocks"`
}

func newBatches(stream, file string, blocks []recording.Block) batches {
	b := batches{Type: "batch", Stream: stream, File: file, Blocks: make([][6]uint64, len(blocks))}
	for i, k := range blocks {
		b.Blocks[i] = [6]uint64{uint64(k.Offset), uint64(k.Length), uint64(k.MetaLength), uint64(k.Rows), k.FirstClock, k.LastClock}
	}
	return b
}

type status struct {
	Type string `json:"type"`
	*run.Snapshot
	Clients int `json:"clients"`
}

// A gap is a place where rows were lost.
type gap struct {
	Type   string `json:"type"`
	Stream string `json:"stream"`
	First  uint64 `json:"first_clock"`
	Last   uint64 `json:"last_clock"`
	Rows   int64  `json:"rows"`
	Cause  string `json:"cause"`
}

// A showing answers a show: what the binary messages of each stream will have.
type showing struct {
	Type    string         `json:"type"`
	Streams []showingOfOne `json:"streams"`
}

type showingOfOne struct {
	Show   int    `json:"show"`
	Stream string `json:"stream"`
	Schema []byte `json:"schema"`
}

// A said answers a note or a stop.
type said struct {
	Type  string `json:"type"` // "note", "stop", "refused"
	Text  string `json:"text"`
	Clock uint64 `json:"clock,omitempty"`
}

// An ended is the last message.
type ended struct {
	Type    string         `json:"type"`
	Summary *store.Summary `json:"summary"`
}
