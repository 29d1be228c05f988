package recording

import (
	"cmp"
	"errors"
	"slices"

	"github.com/oniscope/oniscope/shared/stream"
)

// Info is one object of `info --json`. Times are seconds of the acquisition
// clock, or ticks where its rate is not known.
type Info struct {
	Path        string            `json:"path"` // the caller's to fill
	SizeBytes   int64             `json:"size_bytes"`
	Format      string            `json:"format"` // "file" or "stream"
	State       State             `json:"state"`
	Rows        int64             `json:"rows"`
	Batches     int               `json:"batches"`
	Compression string            `json:"compression"` // see Reader.Codec
	Start       *float64          `json:"start"`       // first Clock; nil without one
	DurationS   *float64          `json:"duration_s"`  // last - first + one row's period
	RateHz      float64           `json:"rate_hz"`     // rows, measured from Clock; 0 unknown
	Columns     []InfoColumn      `json:"columns"`
	Metadata    map[string]string `json:"metadata"`
	Findings    []Finding         `json:"findings"`
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
// files of more rows than 16 MiB of Clock hold, where looking for them would
// take too long.
func (r *Reader) Info() (Info, error) {
	for {
		done, err := r.IndexStep(64)
		if err != nil {
			return Info{}, err
		}
		if done {
			break
		}
	}
	info := Info{SizeBytes: r.size, Format: r.Format(), Batches: len(r.batches), Compression: r.Codec(),
		Columns: make([]InfoColumn, len(r.Stream().Columns)), Metadata: map[string]string{}}
	info.Rows, _ = r.Rows()
	for _, e := range r.schema.Metadata {
		info.Metadata[e.Key] = e.Value
	}
	for i := range info.Columns {
		c := &r.Stream().Columns[i]
		kind, stride, err := r.Subsample(i)
		if err != nil {
			return Info{}, err
		}
		info.Columns[i] = InfoColumn{Name: c.Name, Type: c.ArrowType, Nullable: c.Nullable, Unit: c.Unit, Subsample: kind, Stride: stride}
	}
	missing := int64(0) // rows in gaps
	first, last, ok, err := r.ClockRange()
	if err != nil && !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrTooLarge) {
		return Info{}, err
	}
	if ok {
		second := 1.0
		if r.stream.AcqClockHz != 0 {
			second = float64(r.stream.AcqClockHz)
		}
		gaps, err := r.gaps()
		if err != nil {
			return Info{}, err
		}
		for i := range gaps {
			missing += gaps[i].LostRows
			info.Findings = append(info.Findings, gaps[i].finding(r.batches[gaps[i].Batch].offset))
		}
		period, err := r.rowPeriod(first, last, missing)
		if err != nil {
			return Info{}, err
		}
		start, duration := float64(first)/second, (float64(last)-float64(first)+period)/second
		info.Start, info.DurationS = &start, &duration
		if period > 0 && r.stream.AcqClockHz != 0 {
			info.RateHz = second / period
		}
	}
	info.Findings = append(append([]Finding{}, r.Findings()...), info.Findings...)
	slices.SortStableFunc(info.Findings, func(a, b Finding) int { return cmp.Compare(a.Offset, b.Offset) })
	info.State = r.State()
	return info, nil
}

// rowPeriod measures the ticks from row to row: over the whole file where no
// batch is lost and it is known how many rows are missing in gaps, else in the
// first batch that has several rows.
func (r *Reader) rowPeriod(first, last uint64, missing int64) (float64, error) {
	rows, _ := r.Rows()
	if r.State() != Damaged && rows > 1 && last > first {
		return float64(last-first) / float64(rows-1+missing), nil
	}
	for i := 0; ; i++ {
		ends, k, err := r.trusted(i, len(r.batches), 1)
		if err != nil || k < 0 {
			return 0, err
		}
		if n := r.batches[k].rows; n > 1 {
			return float64(ends[1]-ends[0]) / float64(n-1), nil
		}
		i = k
	}
}

// Subsample says how a column holds a signal that is slower than its rows, by
// the first batch with rows whose header holds, and every how many rows there
// is a real value: "run-end" (run-end encoded), "nulls" (nulls between),
// "repeat" (each value repeated, as the metadata say), "none" (stride 1).
func (r *Reader) Subsample(column int) (kind string, stride int, err error) {
	c := &r.Stream().Columns[column]
	stride = max(1, c.Stride)
	kind = "none"
	switch {
	case c.RunEnd:
		kind = "run-end"
	case stride > 1:
		kind = "repeat"
	}
	if c.Type == stream.Other {
		return "none", 1, nil
	}
	for i := range r.batches {
		if r.batches[i].err != nil || r.batches[i].checked && r.batches[i].rows == 0 {
			continue
		}
		h, err := r.header(i)
		var corrupt *CorruptError
		if errors.As(err, &corrupt) {
			continue
		}
		if err != nil {
			return "", 0, err
		}
		rows, node := h.batch.Length, h.batch.Nodes[h.spans[column].Node]
		values := rows - max(0, node.NullCount)
		if c.RunEnd {
			values = h.batch.Nodes[h.spans[column].Node+1].Length
		} else if node.NullCount > 0 && values > 0 && rows >= 2*values {
			kind = "nulls"
		}
		if c.Stride == 0 && kind != "none" && values > 0 {
			stride = int((rows + values - 1) / values)
		}
		break
	}
	return kind, stride, nil
}
