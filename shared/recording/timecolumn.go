package recording

import (
	"fmt"
	"time"

	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/stream"
)

// doubtTime gives a time axis up that nobody asked for if half of its rows have nulls
// where the first batch and the last one are looked at.
func (r *Reader) doubtTime() error {
	if r.stream.TimeColumn == "" || len(r.batches) == 0 {
		return nil
	}
	for _, i := range []int{0, len(r.batches) - 1} {
		h, err := r.header(i)
		if err == nil && 2*h.batch.Nodes[h.spans[r.clock].Node].NullCount > h.batch.Length {
			r.clock = -1
			r.keepTime()
			r.stream.Columns = nil
			return nil
		}
		if err != nil && !isCorrupt(err) {
			return err
		}
	}
	return nil
}

// keepTime takes over what a column of timestamps says of its ticks, in place of what the
// one before said. With a zone they are since 1970 in UTC; without one nobody knows whose
// time it is.
func (r *Reader) keepTime() {
	s := &r.stream
	if i := r.fieldIndex(s.TimeColumn); s.TimeColumn != "" && i >= 0 && body.TimeHz(&r.schema.Fields[i]) > 0 {
		own := stream.FromMetadata(body.StreamKeyValues(r.schema.Metadata))
		s.AcqClockHz, s.StartUTC, s.StartClock = own.AcqClockHz, own.StartUTC, own.StartClock
	}
	s.TimeColumn = ""
	if r.clock < 0 || r.schema.Fields[r.clock].Name == stream.ClockName {
		return
	}
	f := &r.schema.Fields[r.clock]
	s.TimeColumn = f.Name
	if hz := body.TimeHz(f); hz > 0 {
		s.AcqClockHz, s.StartUTC, s.StartClock = hz, "", 0
		if f.Type.Timezone != "" {
			s.StartUTC = time.Unix(0, 0).UTC().Format(time.RFC3339)
		}
	}
}

// SetTimeColumn says which column takes the place of Clock: one of timestamps, or of
// other 64-bit integers that rise. It returns a *ColumnError, or an error that says
// why the column has no times.
func (r *Reader) SetTimeColumn(name string) error {
	columns, err := MatchColumns(r.names(), []string{name})
	if err != nil {
		return err
	}
	if len(columns) != 1 || !r.typeOf(columns[0]).Ticks() {
		return fmt.Errorf("recording: %s: a time axis is one column of timestamps, or of 64-bit integers that rise", name)
	}
	r.clock, r.clocks, r.ticks = columns[0], nil, tickEnds{}
	r.keepTime()
	r.stream.Columns = nil
	return nil
}

// TimeColumns are the names of the columns of timestamps, of which one may take the
// place of Clock.
func (r *Reader) TimeColumns() (names []string) {
	for i, name := range r.names() {
		if body.IsTime(&r.schema.Fields[i]) {
			names = append(names, name)
		}
	}
	return names
}

// tickColumn returns the column of a clock, or -1: stream.Stream.Clock without
// the columns described.
func (r *Reader) tickColumn(name string) int {
	if i := r.fieldIndex(name); i >= 0 && r.typeOf(i).Ticks() {
		return i
	}
	return -1
}
