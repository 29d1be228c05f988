package recording

import (
	"context"
	"errors"
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
// data only what the clocks take, as Times does.
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
	info.Findings = append(append([]Finding{}, r.Findings()...), t.Findings...)
	sortFindings(info.Findings)
	info.State = r.state()
	return info, nil
}
