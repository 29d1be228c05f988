package recording

import (
	"encoding/binary"

	"github.com/oniscope/oniscope/shared/stream"
)

// NoteStreamName is the name of the stream of notes.
const NoteStreamName = "notes"

// A Note is what a person wrote down during a recording.
type Note struct {
	Clock        uint64 // ticks: when it was taken
	About        uint64 // ticks: the moment that it is about
	Text, Author string
}

// NoteStream describes the stream of notes: Clock and About (ticks of so many a second),
// Text and Author. Clock rises as in all streams; About goes back and forth.
func NoteStream(clockHz uint64) *stream.Stream {
	ticks := func(name string) stream.Column {
		c := stream.Column{Name: name, Type: stream.Uint64, ArrowType: stream.Uint64.String(), ByteWidth: 8}
		if clockHz > 0 {
			c.Unit, c.Scale = "s", 1/float64(clockHz)
		}
		return c
	}
	text := func(name string) stream.Column { return stream.Column{Name: name, ArrowType: utf8Field.TypeString()} }
	return &stream.Stream{Name: NoteStreamName, Device: "Notes", AcqClockHz: clockHz,
		Columns: []stream.Column{ticks(stream.ClockName), ticks("About"), text("Text"), text("Author")}}
}

// NoteColumns are the columns of a batch of that stream.
func NoteColumns(notes []Note) []Vector {
	var clocks, about []byte
	var texts, authors []string
	for i := range notes {
		clocks = binary.LittleEndian.AppendUint64(clocks, notes[i].Clock)
		about = binary.LittleEndian.AppendUint64(about, notes[i].About)
		texts, authors = append(texts, notes[i].Text), append(authors, notes[i].Author)
	}
	return []Vector{{Data: clocks}, {Data: about}, textVector(texts), textVector(authors)}
}
