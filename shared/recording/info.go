package recording

import (
	"context"
	"errors"
	"math"
)

// Info is one object of `info --json`.
type Info struct {
	Path          string            `json:"path"` // the caller's to fill
	SizeBytes     int64             `json:"size_bytes"`
	Format        Format            `json:"format"` // "file" or "stream"
	State         State             `json:"state"`
	Rows          int64             `json:"rows"`
	Batches       int               `json:"batches"`
	Compression   string            `json:"compression"`    // see About.Compression
	Start         *float64          `json:"start"`          // first Clock: seconds, or ticks without a rate; nil without a Clock
	DurationS     *float64          `json:"duration_s"`     // of all segments, each with one row's period; nil without a rate
	DurationTicks uint64            `json:"duration_ticks"` // the same in ticks; 0 without a Clock
	RateHz        float64           `json:"rate_hz"`        // rows, measured from Clock; 0 unknown, or rows that come with events
	Segments      []Segment         `json:"segments"`       // stretches of rising Clock
	Columns       []InfoColumn      `json:"columns"`
	Metadata      map[string]string `json:"metadata"`
	Findings      []Finding         `json:"findings"`
}

// A Segment is a stretch of rows whose Clock rises; where it begins anew, another
// begins. A gap is inside a segment.
type Segment struct {
	Start      int64  `json:"start"` // rows, half open
	End        int64  `json:"end"`
	ClockFirst uint64 `json:"clock_first"`
	ClockLast  uint64 `json:"clock_last"`
}

// An InfoColumn is one column of Info.
type InfoColumn struct {
	Name      string `json:"name"`
	Type      string `json:"type"` // Arrow's, "uint16"
	Nullable  bool   `json:"nullable"`
	Unit      string `json:"unit"`
	Subsample string `json:"subsample"` // see Reader.Subsample
	Stride    int    `json:"stride"`
}

// Info describes the file: exact rows, so all batch headers are read; of the
// data only what Clock takes. Gaps are among the findings, but for compressed
// files with more than 16 MiB of Clock, where looking for them would
// take too long.
func (r *Reader) Info(ctx context.Context) (Info, error) {
	rows, err := r.allRows(ctx)
	if err != nil {
		return Info{}, err
	}
	about := r.About()
	s := r.Stream()
	info := Info{SizeBytes: r.size, Format: about.Format, Rows: rows, Batches: len(r.batches), Compression: about.Compression(),
		Columns: make([]InfoColumn, len(s.Columns)), Metadata: about.Metadata}
	names := s.Names()
	for i := range info.Columns {
		c := &s.Columns[i]
		kind, stride, err := r.Subsample(i)
		if err != nil {
			return Info{}, err
		}
		info.Columns[i] = InfoColumn{Name: names[i], Type: c.ArrowType, Nullable: c.Nullable, Unit: c.Unit, Subsample: kind, Stride: stride}
	}
	t, err := r.Times(ctx)
	if err != nil && !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrTooLarge) {
		return Info{}, err
	}
	info.Start, info.DurationS, info.DurationTicks = t.seconds(float64(s.AcqClockHz))
	if info.Segments = t.Segments; t.Segments == nil {
		info.Segments = []Segment{}
	}
	if t.Period > 0 {
		info.RateHz = float64(s.AcqClockHz) / t.Period
	}
	info.Findings = append(append([]Finding{}, r.Findings()...), t.Missing...)
	sortFindings(info.Findings)
	info.State = r.state()
	return info, nil
}

// Times are what Clock says of a recording.
type Times struct {
	Segments []Segment // nil without a Clock
	Duration float64   // ticks, of all segments, each with one row's period
	Period   float64   // ticks from row to row; 0 of rows that come with events
	Missing  []Finding // rows that never reached the file; see Missing
}

// Times finds the segments of the recording and measures its pace. It reads the
// headers that have not been read, the ends of Clock of some batches, and more
// of Clock where rows may be missing.
func (r *Reader) Times(ctx context.Context) (Times, error) {
	if r.clock < 0 {
		return Times{}, nil
	}
	rows, err := r.allRows(ctx)
	if err != nil {
		return Times{}, err
	}
	segments, err := r.segments(ctx)
	if err != nil || len(segments) == 0 {
		return Times{}, err
	}
	gaps, pace, err := r.gaps(ctx)
	if err != nil {
		return Times{}, err
	}
	t := Times{Period: pace.period, Missing: r.missing(gaps, 0, len(r.batches)-1)}
	for i, s := range segments {
		at := Segment{ClockFirst: s.ticks[0], ClockLast: s.ticks[1], End: rows}
		if i > 0 {
			at.Start = r.starts[s.first]
			t.Segments[i-1].End = at.Start
		}
		t.Segments = append(t.Segments, at)
		t.Duration += float64(s.ticks[1]-s.ticks[0]) + pace.step
	}
	return t, nil
}

// seconds are start, duration_s and duration_ticks of Info, by a rate of the clock;
// 0 is unknown.
func (t *Times) seconds(hz float64) (start, duration *float64, ticks uint64) {
	if len(t.Segments) == 0 {
		return nil, nil, 0
	}
	first := float64(t.Segments[0].ClockFirst)
	if hz > 0 {
		d := t.Duration / hz
		first, duration = first/hz, &d
	}
	return &first, duration, uint64(math.Round(t.Duration))
}
