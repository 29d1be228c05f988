package engine

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// StreamInfo is what the page knows of a stream; the JSON names are those of
// protocol.d.ts, and, where it has them, of `info --json`.
type StreamInfo struct {
	ID            string              `json:"id"`
	Path          string              `json:"path"`
	SizeBytes     int64               `json:"size_bytes"`
	Format        string              `json:"format"`
	State         string              `json:"state"`
	Rows          int64               `json:"rows"`
	RowsExact     bool                `json:"rows_exact"`
	Batches       int                 `json:"batches"`
	RowsPerBatch  int                 `json:"rows_per_batch"`
	Compression   string              `json:"compression"`
	Start         *float64            `json:"start"`          // first Clock: seconds, or ticks without a rate; null without rows
	DurationS     *float64            `json:"duration_s"`     // null without a rate
	Segments      []recording.Segment `json:"segments"`       // stretches of rising Clock; known after index
	DurationTicks uint64              `json:"duration_ticks"` // of all segments; 0 before index
	Columns       []ColumnInfo        `json:"columns"`
	Metadata      map[string]string   `json:"metadata"`
	Findings      []recording.Finding `json:"findings"`
	Title         string              `json:"title"`
	Address       int64               `json:"device_address"` // -1 unknown
	Simulated     bool                `json:"simulated"`
	Probe         string              `json:"probe"` // probe-interface JSON; "" none
	Groups        []GroupInfo         `json:"groups"`
	Clock         ClockInfo           `json:"clock"`
	Coverage      []CoverageSpan      `json:"coverage"`
	Axis          []StretchInfo       `json:"axis"`         // which Clock a place is; empty: the same
	TimeColumn    string              `json:"time_column"`  // of timestamps, that takes the place of Clock; "" none
	TimeColumns   []string            `json:"time_columns"` // that may do so; none where there is a Clock
	Limits        Limits              `json:"limits"`       // of requests
	BodyBytes     int64               `json:"body_bytes_read"`
	MetaBytes     int64               `json:"metadata_bytes_read"`
}

// ColumnInfo describes one column.
type ColumnInfo struct {
	Index     int       `json:"index"`
	Name      string    `json:"name"`
	Label     string    `json:"label"`
	Group     string    `json:"group"`
	Channel   int       `json:"channel"`
	Type      string    `json:"type"`
	Nullable  bool      `json:"nullable"`
	Unit      string    `json:"unit"`
	Scale     float64   `json:"scale"`
	Offset    float64   `json:"offset"`
	Line      []float64 `json:"line"` // physical value of raw 0, and what one step of raw adds; also where no scale is known
	Gain      float64   `json:"gain"`
	RateHz    float64   `json:"rate_hz"`
	Subsample string    `json:"subsample"`
	Stride    int       `json:"stride"`
	Plottable bool      `json:"plottable"`
	Bytes     int       `json:"bytes"` // of a value; 0 where they differ
	Bits      []string  `json:"bits"`  // names of the bits of a digital port, "" reserved; empty: the values are not bits
}

// GroupInfo is the columns of one signal.
type GroupInfo struct {
	Name    string            `json:"name"`
	Columns []int             `json:"columns"`
	RateHz  float64           `json:"rate_hz"`
	Kind    stream.SignalKind `json:"kind"` // traces, lanes, slow or table

	AlongProbe bool `json:"along_probe"` // channels count upwards along a probe
	TakesGain  bool `json:"takes_gain"`  // the file does not state its gain, of which its unit follows
}

// ClockInfo is the stream's time base.
type ClockInfo struct {
	Hz       float64 `json:"hz"`
	First    float64 `json:"first"` // ticks
	Last     float64 `json:"last"`  // ticks
	Column   bool    `json:"column"`
	Period   float64 `json:"period"` // ticks from row to row, as inside batches; about, where they are uneven; 0 unknown
	StartUTC string  `json:"start_utc"`

	StartClock float64 `json:"start_clock"` // ticks at StartUTC
}

// CoverageSpan is a stretch of time of which we know what there is.
type CoverageSpan struct {
	From   float64 `json:"from"` // ticks
	To     float64 `json:"to"`   // ticks
	Kind   string  `json:"kind"` // data, gap, damaged or missing
	Rows   int64   `json:"rows"` // there, or lost; -1 unknown
	Reason string  `json:"reason"`
}

// StreamArgs name a stream.
type StreamArgs struct {
	Stream string `json:"stream"`
}

// Info returns the facts of a stream as they are known now.
func (e *Engine) Info(id string) (*StreamInfo, error) {
	s, err := e.stream("info", id)
	if err != nil {
		return nil, err
	}
	return s.info()
}

func (s *openStream) info() (*StreamInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, exact := s.reader.Rows()
	file := s.reader.About()
	about := s.reader.Stream()
	names := about.Names()
	info := &StreamInfo{
		ID: s.id, Path: s.path, SizeBytes: s.size, Format: file.Format.String(), State: string(file.State),
		Rows: rows, RowsExact: exact, Batches: s.reader.NumBatches(), RowsPerBatch: int(s.perStored), Compression: file.Compression(),
		Metadata: file.Metadata, Findings: slices.Clone(s.reader.Findings()), Title: s.title, Segments: []recording.Segment{}, Columns: []ColumnInfo{}, Coverage: []CoverageSpan{}, Axis: []StretchInfo{}, TimeColumns: []string{}, Limits: Limits{maxBins, maxColumns, maxValues}}
	if s.times != nil {
		info.Findings = append(info.Findings, s.times.Findings...)
		sort.SliceStable(info.Findings, func(i, k int) bool { return info.Findings[i].Offset < info.Findings[k].Offset })
	}
	if s.proved != nil { // Verify looks for all that the others look for
		info.Findings = slices.Clone(s.proved)
		if file.State == recording.Complete && slices.ContainsFunc(s.proved, isDamage) {
			info.State = string(recording.Damaged)
		}
	}
	if info.Findings == nil {
		info.Findings = []recording.Finding{}
	}
	info.Simulated, info.Probe = about.Simulated, about.Probe
	if info.Address = -1; about.DeviceID != 0 || about.DeviceAddress != 0 {
		info.Address = int64(about.DeviceAddress)
	}
	info.Clock = ClockInfo{Hz: s.hz, Column: s.clock >= 0, StartUTC: about.StartUTC, StartClock: float64(about.StartClock)}
	if s.clock < 0 || about.TimeColumn != "" {
		info.TimeColumn, info.TimeColumns = about.TimeColumn, append(info.TimeColumns, s.reader.TimeColumns()...)
	}
	rate := 0.0
	if info.Batches > 0 {
		first, _, _, err := s.line.at(0)
		if err != nil && !damaged(err) {
			return nil, err
		}
		_, last, _, err := s.line.at(s.numBlocks() - 1)
		if err != nil && !damaged(err) {
			return nil, err
		}
		info.Clock.First, info.Clock.Last = first, last
		period := s.samplePeriod()
		start, duration := s.firstClock(first), last-first+period
		info.Axis, info.Clock.Period = s.axisInfo(first, last), period
		if s.hz > 0 {
			start, duration = start/s.hz, duration/s.hz
			info.DurationS = &duration
			if period > 0 {
				rate = s.hz / period
			}
		}
		if info.Start = &start; s.clock < 0 && s.hz <= 0 {
			info.Start, info.DurationS = nil, nil
		}
		if s.times != nil && s.clock >= 0 {
			info.DurationTicks = uint64(math.Round(s.times.Duration))
			if s.times.Segments != nil { // else no row has a time
				info.Segments = s.times.Segments
			}
			if s.hz > 0 {
				duration = s.times.Duration / s.hz
			}
		}
		info.Coverage = s.coverage(rows)
	}
	for i := range about.Columns {
		info.Columns = append(info.Columns, s.columnInfo(i, names[i], rate))
	}
	info.Groups = groups(about.Columns, info.Columns, rate, s.reader.StatesScale)
	read := s.reader.BytesRead()
	info.BodyBytes, info.MetaBytes = read.Body, read.Metadata
	return info, nil
}

func (s *openStream) columnInfo(i int, name string, rowRate float64) ColumnInfo {
	c := &s.columns()[i]
	label, group, channel := stream.Label(c.Name)
	signal, _ := stream.SignalOf(c.Name)
	bits := signal.Bits
	if bits == nil {
		bits = []string{}
	}
	stride := s.strides[i]
	rate := c.RateHz
	if rate == 0 {
		rate = rowRate / float64(stride)
	}
	zero, step := c.Line()
	return ColumnInfo{
		Line:  []float64{zero, step},
		Index: i, Name: name, Label: label, Group: group, Channel: channel, Type: c.ArrowType, Nullable: c.Nullable,
		Unit: c.Unit, Scale: c.Scale, Offset: c.Offset, Gain: c.Gain, RateHz: rate, Subsample: s.subsample[i], Stride: stride,
		Plottable: c.Type.Numeric(), Bytes: c.ByteWidth, Bits: bits,
	}
}

// groups puts the columns of one signal together: signals first, the fastest
// in front, clocks and what cannot be drawn last.
func groups(columns []stream.Column, infos []ColumnInfo, rowRate float64, states func(column int) bool) []GroupInfo {
	list := []GroupInfo{}
	index := map[string]int{}
	places := map[string]int{} // of the signals in the table
	for i := range columns {
		kind, group := columns[i].KindOf(rowRate), infos[i].Group
		key := string(kind) + "/" + group
		at, ok := index[key]
		if !ok {
			at = len(list)
			index[key] = at
			signal, place := stream.SignalOf(columns[i].Name)
			places[group] = place
			list = append(list, GroupInfo{Name: group, RateHz: infos[i].RateHz, Kind: kind, AlongProbe: signal.AlongProbe, TakesGain: columns[i].TakesGain() && !states(i)})
		}
		list[at].Columns = append(list[at].Columns, i)
	}
	for i := range list {
		columns := list[i].Columns
		slices.SortStableFunc(columns, func(a, b int) int { return cmp.Compare(infos[a].Channel, infos[b].Channel) })
	}
	order := func(g GroupInfo) int { return slices.Index(stream.SignalKinds, g.Kind) }
	strideOf := func(g GroupInfo) int { return infos[g.Columns[0]].Stride }
	sort.SliceStable(list, func(i, k int) bool {
		a, b := list[i], list[k]
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(strideOf(a), strideOf(b)), cmp.Compare(len(b.Columns), len(a.Columns)), cmp.Compare(places[a.Name], places[b.Name])) < 0
	})
	return list
}
