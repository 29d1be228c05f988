package recovery

import (
	"slices"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/internal/pace"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// clocks follow Clock and HubClock over the batches that are kept. Recovery and
// verification see the same of them.
type clocks struct {
	clock, hub int         // columns, or -1
	track      *pace.Track // nil: there is no clock, or only headers are looked at
	offsets    []int64     // of the batches kept
	indices    []int       // of the same
	broken     bool        // something was lost after the last of them
	lost       []recording.NotedLoss
}

// start prepares for the batches of a file.
func (c *clocks) start(rc *recoverer) {
	c.clock, c.hub = body.TickField(rc.schema, stream.ClockName), body.TickField(rc.schema, stream.HubClockName)
	if rc.o.HeadersOnly || c.clock < 0 && c.hub < 0 {
		return
	}
	column, shown := stream.ClockName, stream.ClockName
	if c.clock < 0 {
		column = stream.HubClockName
	}
	if c.hub >= 0 {
		shown = stream.HubClockName
	}
	about := stream.FromMetadata(body.StreamKeyValues(rc.schema.Metadata))
	hz := about.AcqClockHz
	if hz == 0 && rc.verifier != nil {
		hz = rc.verifier.o.AcqClockHz
	}
	c.track = pace.NewTrack(column, shown, float64(hz))
}

// look keeps the ticks of HubClock, as a checker gives them.
func (c *clocks) look(l *looked, m *messages.Message, column int, node arrowipc.FieldNode, data []byte, ends []int64) {
	if m.Header == arrowipc.RecordBatchHeader && column == c.hub && ends == nil && node.NullCount == 0 && !body.IsLarge(node.Length, 64) {
		l.hubTicks = body.AppendTicks(nil, data)
	}
}

// add takes what a batch that is kept showed: its index and its first row. The ticks of a
// large one are read once more.
func (c *clocks) add(rc *recoverer, v *messages.Verdict, index int, row int64, checked *body.Checked, l *looked) error {
	at := v.At
	if len(l.lost) > 0 {
		c.lost = append(c.lost, recording.NotedLoss{Offset: at, Batch: index, Row: row, Rows: l.lost})
	}
	adjoining := len(c.indices) > 0 && c.indices[len(c.indices)-1] == index-1 && !c.broken
	c.offsets, c.indices, c.broken = append(c.offsets, at), append(c.indices, index), false
	if c.track == nil {
		return nil
	}
	ticks := checked.ClockTicks
	switch {
	case c.clock < 0:
		ticks = nil
	case checked.ClockInPieces:
		m, err := rc.messageOf(rc.checker, v)
		if err != nil {
			return err
		}
		return rc.checker.Ticks(rc.schema, m, c.clock, c.hub, func(from int64, ticks, hub []uint64, valid []byte) error {
			known, _, _ := pace.Valid(ticks, valid)
			rc.steps.Add(known)
			c.track.AddValid(index, row+from, ticks, hub, valid, adjoining || from > 0)
			return nil
		})
	case ticks == nil:
		c.broken = c.broken || checked.Rows > 0 // not every row has a tick
		return nil
	}
	c.track.AddValid(index, row, ticks, l.hubTicks, checked.ClockValid, adjoining)
	return nil
}

// offset is where the message of a batch begins.
func (c *clocks) offset(batch int) int64 {
	i, ok := slices.BinarySearch(c.indices, batch)
	if !ok {
		return 0
	}
	return c.offsets[i]
}

// breaks are the findings about places where the clock does not rise. Bad ticks of
// rows that end in zeros, as the file does, are told with these.
func (c *clocks) breaks(rc *recoverer) []recording.Finding {
	if c.track == nil {
		return nil
	}
	c.track.Finish()
	return recording.Breaks(c.track, c.offset, c.zeroBatch(rc))
}

// zeroBatch is the batch that ends in zeros, as the file does; -1: none.
func (c *clocks) zeroBatch(rc *recoverer) int {
	if rc.zeros.tail == nil {
		return -1
	}
	return rc.zeros.batch
}

// gaps are the findings about rows that never reached the file.
func (c *clocks) gaps(hz, hubHz float64) []recording.Finding {
	if c.track == nil {
		return recording.Missing(nil, c.lost, c.offset)
	}
	c.track.Finish()
	f := &c.track.Finder
	return recording.Missing(c.track.Gaps(f.Pace(), hz, hubHz), c.lost, c.offset)
}

// oddTicks are the findings about ticks of the clock that shows gaps that are not as
// those around.
func (c *clocks) oddTicks(rc *recoverer) []recording.Finding {
	if c.track == nil {
		return nil
	}
	c.track.Finish()
	return recording.OddTicks(c.track, c.offset, c.zeroBatch(rc))
}
