package recording

import (
	"encoding/binary"

	"github.com/oniscope/oniscope/shared/stream"
)

// NoteStreamName is the name of the stream of notes.
const NoteStreamName = "notes"

// A Note is what a person wrote down during a recording.
type Note struct {
	Clock        uint64 // ticks: the moment that it is about
	Text, Author string
}

// NoteStream describes the stream of notes: Clock (ticks), Text and Author.
func NoteStream() *stream.Stream {
	text := func(name string) stream.Column { return stream.Column{Name: name, ArrowType: utf8Field.TypeString()} }
	return &stream.Stream{Name: NoteStreamName, Device: "Notes", Columns: []stream.Column{
		{Name: stream.ClockName, Type: stream.Uint64, ArrowType: stream.Uint64.String(), ByteWidth: 8}, text("Text"), text("Author"),
	}}
}

// NoteColumns are the columns of a batch of that stream.
func NoteColumns(notes []Note) []Vector {
	var clocks []byte
	var texts, authors []string
	for i := range notes {
		clocks = binary.LittleEndian.AppendUint64(clocks, notes[i].Clock)
		texts, authors = append(texts, notes[i].Text), append(authors, notes[i].Author)
	}
	return []Vector{{Data: clocks}, textVector(texts), textVector(authors)}
}
