package recording

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/stream"
)

// A Cause says where rows were lost that never reached a file.
type Cause string

// The causes, on the way from the device to the disk.
const (
	CauseLink  Cause = "link"  // they never came from the device
	CauseFIFO  Cause = "fifo"  // the controller's buffer was full
	CauseQueue Cause = "queue" // the recorder's queue of frames was full
	CauseDisk  Cause = "disk"  // the disk was too slow, or full
)

// causeWords say it to people.
var causeWords = map[Cause]string{
	CauseLink:  "they never came from the device",
	CauseFIFO:  "the buffer of the controller was full",
	CauseQueue: "the recorder was too slow",
	CauseDisk:  "the disk was too slow or full",
}

// LostRows are rows that a recorder knows to be missing: those with
// FirstClock <= Clock <= LastClock.
type LostRows struct {
	FirstClock uint64 `json:"first_clock"`
	LastClock  uint64 `json:"last_clock"`
	Rows       int64  `json:"rows"` // -1 unknown
	Cause      Cause  `json:"cause"`
}

// maxLost bounds what is believed of one batch, and maxLostBytes its text.
const (
	maxLost      = 1000
	maxLostBytes = 1 << 17
)

// Lost says what is missing before the next batch; its custom metadata will
// hold it under oniscope.gap. Of more than 1000 places the first are kept.
func (w *Writer) Lost(rows ...LostRows) {
	w.lost = append(w.lost, rows[:min(len(rows), maxLost-len(w.lost))]...)
}

// takeLost returns the metadata of the next batch.
func (w *Writer) takeLost() []arrowipc.KeyValue {
	if len(w.lost) == 0 {
		return nil
	}
	text, err := json.Marshal(w.lost)
	if err != nil {
		panic(err) // numbers and words
	}
	w.lost = nil
	return []arrowipc.KeyValue{{Key: GapKey, Value: string(text)}}
}

// lostFrom reads oniscope.gap among the metadata of a batch.
func lostFrom(metadata []arrowipc.KeyValue) []LostRows {
	for _, e := range metadata {
		if e.Key == GapKey {
			return ParseLost(e.Value)
		}
	}
	return nil
}

// ParseLost reads the value of GapKey: nil if it cannot be read, for then it
// says nothing.
func ParseLost(text string) (list []LostRows) {
	if len(text) > maxLostBytes || json.Unmarshal([]byte(text), &list) != nil || len(list) > maxLost {
		return nil
	}
	return list
}

// Explain says the cause of a gap that is where a recorder lost rows.
func (g *Gap) Explain(lost []LostRows) {
	for _, l := range lost {
		if _, known := causeWords[l.Cause]; known && g.ClockBefore < l.LastClock && l.FirstClock < g.ClockAfter {
			g.Cause = l.Cause
			return
		}
	}
}

// Finding reports lost rows, before a row of a batch at an offset, that no clock shows, as those of a
// stream of events.
func (l *LostRows) Finding(offset int64, batch int, row int64) Finding {
	text := gapWord + "rows are missing"
	if l.Rows >= 0 {
		text = gapWord + messages.Counted(l.Rows, "row", "rows") + " missing"
	}
	return Finding{Offset: offset, Batch: batch, Severity: SeverityError, Cause: l.Cause, BeforeRow: row, LostRows: max(l.Rows, -1), Count: 1, LastOffset: offset,
		Reason:      fmt.Sprintf("%s before row %d: %s", text, row, causeWords[l.Cause]),
		ClockBefore: l.FirstClock, ClockAfter: l.LastClock}
}

// A GapRecord is a row of the stream of gaps.
type GapRecord struct {
	Device string // name of the stream that lost rows
	LostRows
}

// GapStreamName is the name of the stream of gaps.
const GapStreamName = "gaps"

// GapStream describes the stream that lists what a run lost: Device and Cause
// (text), FirstClock, LastClock (ticks) and Rows.
func GapStream() *stream.Stream {
	number := func(name string, t stream.Type) stream.Column {
		return stream.Column{Name: name, Type: t, ArrowType: t.String(), ByteWidth: t.Width()}
	}
	text := func(name string) stream.Column { return stream.Column{Name: name, ArrowType: utf8Field.TypeString()} }
	return &stream.Stream{Name: GapStreamName, Device: "Gaps", Columns: []stream.Column{
		text("Device"), number("FirstClock", stream.Uint64), number("LastClock", stream.Uint64), number("Rows", stream.Int64), text("Cause"),
	}}
}

// GapColumns are the columns of a batch of that stream.
func GapColumns(records []GapRecord) []Vector {
	var devices, causes []string
	var first, last, rows []byte
	for i := range records {
		r := &records[i]
		devices, causes = append(devices, r.Device), append(causes, string(r.Cause))
		first = binary.LittleEndian.AppendUint64(first, r.FirstClock)
		last = binary.LittleEndian.AppendUint64(last, r.LastClock)
		rows = binary.LittleEndian.AppendUint64(rows, uint64(r.Rows))
	}
	return []Vector{textVector(devices), {Data: first}, {Data: last}, {Data: rows}, textVector(causes)}
}

var utf8Field = &arrowipc.Field{Type: arrowipc.DataType{ID: arrowipc.Utf8}}

// textVector makes a vector of short texts, together below 2 GB.
func textVector(values []string) Vector {
	var ends, data []byte
	ends = binary.LittleEndian.AppendUint32(ends, 0)
	for _, s := range values {
		if len(data)+len(s) > math.MaxInt32 {
			s = ""
		}
		data = append(data, s...)
		ends = binary.LittleEndian.AppendUint32(ends, uint32(len(data)))
	}
	return Vector{Len: len(values), array: &array.Array{Field: utf8Field, Len: len(values), Buffers: [][]byte{ends, data}}}
}
