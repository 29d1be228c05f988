package export

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// A BinLayout says how to read what Bin wrote; it belongs next to it as JSON.
type BinLayout struct {
	// ReadBinary has the arguments of SpikeInterface's read_binary besides
	// the file's name. Source: spikeinterface.core.BinaryRecordingExtractor.
	ReadBinary ReadBinary `json:"read_binary"`
	// Kilosort has what Kilosort 4 asks for besides the file's name.
	Kilosort Kilosort `json:"kilosort"`

	ChannelNames []string        `json:"channel_names"` // columns of the recording
	Units        []string        `json:"units"`         // of scale x (raw - offset); "" unknown
	StartClock   *uint64         `json:"start_clock"`   // ticks of the first row; nil unknown
	AcqClockHz   uint64          `json:"acq_clock_hz"`  // 0 unknown
	StartUTC     string          `json:"start_utc"`     // of the recording; "" unknown
	Device       string          `json:"device"`
	Probe        json.RawMessage `json:"probe"` // probe-interface JSON; null unknown

	// Segments are the stretches of rows whose Clock rises: one, where it never begins
	// anew. Rows with ticks that cannot be right may lie between.
	Segments []Segment `json:"segments"`

	// Lost says where rows are missing, so that time stays true: they never
	// reached the recording, or were damaged. Rows from BeforeRow of the flat file
	// on come LostRows of its rows later than their number says; where no header
	// says how many were lost, the clocks on both sides do.
	Lost []recording.Finding `json:"lost"`
}

// ReadBinary are arguments of SpikeInterface's read_binary, by their names.
type ReadBinary struct {
	SamplingFrequency *float64  `json:"sampling_frequency"` // rows/s; nil unknown
	DType             string    `json:"dtype"`              // "int16" or "uint16", little endian
	NumChannels       int       `json:"num_channels"`
	ChannelIDs        []string  `json:"channel_ids"`
	TimeAxis          int       `json:"time_axis"`              // 0: time-major
	FileOffset        int       `json:"file_offset"`            // bytes
	GainToUV          []float64 `json:"gain_to_uV,omitempty"`   // one a channel; left out where one is unknown
	OffsetToUV        []float64 `json:"offset_to_uV,omitempty"` // as gain_to_uV
	TStarts           []float64 `json:"t_starts,omitempty"`     // s by the acquisition clock
}

// Kilosort are settings of Kilosort 4 and its data_dtype.
type Kilosort struct {
	Settings struct {
		NChanBin int      `json:"n_chan_bin"`
		Fs       *float64 `json:"fs"`
	} `json:"settings"`
	DataDType string `json:"data_dtype"`
}

// electrodes returns those of some columns that Bin takes where none are asked for:
// the 16-bit columns of one signal, in the order of their channels. Spikes come
// before slower signals. It is empty if there are none.
func electrodes(s stream.Stream, columns []int) []int {
	channels, order := map[string][]int{}, []string{}
	sorting := map[string]int{}
	numbers := make([]int, len(s.Columns))
	for _, i := range columns {
		c := &s.Columns[i]
		_, group, channel := stream.Label(c.Name)
		if numbers[i] = channel; channel < 0 || !sixteen(c) {
			continue
		}
		if channels[group] == nil {
			order = append(order, group)
			signal, _ := stream.SignalOf(c.Name)
			sorting[group] = signal.Sorting
		}
		channels[group] = append(channels[group], i)
	}
	if len(order) == 0 {
		return nil
	}
	best := slices.MaxFunc(order, func(a, b string) int {
		if d := sorting[a] - sorting[b]; d != 0 {
			return d
		}
		return len(channels[a]) - len(channels[b])
	})
	list := channels[best]
	sort.SliceStable(list, func(i, k int) bool { return numbers[list[i]] < numbers[list[k]] })
	return list
}

func sixteen(c *stream.Column) bool { return c.Type == stream.Int16 || c.Type == stream.Uint16 }

// Bin writes 16-bit columns as one flat file, time-major and little endian: row
// by row the value of each column. If nobody asked for columns it takes the Electrodes
// among them.
//
// It returns an error that wraps ErrKind for columns of other or of mixed
// types, and for nulls, of which a flat file has none.
func Bin(ctx context.Context, w io.Writer, x *recording.Excerpt, o *Options) (BinLayout, Report, error) {
	if !x.Named() {
		columns := electrodes(x.Reader().Stream(), x.Indices())
		if columns == nil {
			return BinLayout{}, Report{}, kindf("there are no 16-bit channels, of which a flat binary file consists; choose csv, npy or parquet")
		}
		var err error
		if x, err = x.With(columns); err != nil {
			return BinLayout{}, Report{}, err
		}
	}
	j, err := newJob(ctx, w, x, o)
	if err != nil {
		return BinLayout{}, Report{}, err
	}
	for i := range j.columns {
		c := &j.columns[i]
		switch {
		case !sixteen(c):
			return BinLayout{}, Report{}, kindf("column %q is of type %s, and a flat binary file has int16 or uint16 alone; leave it out, or choose csv, npy or parquet", c.Name, c.ArrowType)
		case c.Type != j.columns[0].Type:
			return BinLayout{}, Report{}, kindf("column %q is %s and column %q %s: a flat binary file has one type; choose columns of one", j.columns[0].Name, j.columns[0].Type, c.Name, c.Type)
		}
	}
	layout, err := j.binLayout()
	if err != nil {
		return BinLayout{}, Report{}, err
	}
	if err := j.findGaps(); err != nil {
		return BinLayout{}, Report{}, err
	}
	places, _ := x.Lost() // nothing was read yet: only what lies between batches
	places = append(places, j.report.Gaps...)
	sort.SliceStable(places, func(i, k int) bool { return places[i].BeforeRow < places[k].BeforeRow })
	var written, lost int64
	stride := int64(x.Stride())
	var met []int // batches that could not be read, since the last that could
	damaged := map[int][]int{}
	j.corrupt = func(err error) error {
		var corrupt *recording.CorruptError
		if errors.As(err, &corrupt) {
			met = append(met, corrupt.Batch)
		}
		return nil
	}
	// tell notes which rows are missing before the end of rows that begin at a row.
	tell := func(start, end int64) {
		if x.LeftOut() > lost {
			damaged[len(layout.Lost)] = met
			layout.Lost = append(layout.Lost, recording.Finding{BeforeRow: written, LostRows: (x.LeftOut() - lost) / stride})
			lost, met = x.LeftOut(), nil
		}
		for len(places) > 0 && places[0].BeforeRow < end {
			f := places[0]
			f.LostRows = layout.lostRows(&f, stride)
			f.BeforeRow = written + (max(0, f.BeforeRow-start)+stride-1)/stride
			layout.Lost = append(layout.Lost, f)
			places = places[1:]
		}
	}
	err = j.interleaved(func(b *recording.Batch) error {
		tell(b.Start, b.Start+int64(b.Rows)*stride)
		if written += int64(b.Rows); written > int64(b.Rows) {
			return nil
		}
		return j.begin(&layout, b.Start)
	})
	if err != nil {
		return BinLayout{}, Report{}, err
	}
	_, end := x.Rows()
	tell(end, math.MaxInt64)
	layout.Segments = j.report.Segments
	for i, batches := range damaged {
		explain(&layout.Lost[i], j.r.Findings(), batches)
	}
	return layout, j.report, nil
}

// explain says what was damaged of the batches that were left out at a place.
func explain(place *recording.Finding, found []recording.Finding, batches []int) {
	for i := range found {
		f := found[i]
		if len(batches) > 0 && f.Batch == batches[0] {
			f.BeforeRow, f.LostRows, f.ClockAfter = place.BeforeRow, place.LostRows, place.ClockAfter
			*place = f
		}
		if len(batches) > 0 && found[i].Batch == batches[len(batches)-1] {
			place.ClockAfter, place.LastOffset, place.Count = found[i].ClockAfter, found[i].LastOffset, len(batches)
		}
	}
}

// lostRows returns how many rows of the flat file were lost at a place, or -1: of
// what no header says is known from the clocks on both sides.
func (l *BinLayout) lostRows(f *recording.Finding, stride int64) int64 {
	hz := l.ReadBinary.SamplingFrequency
	if f.LostRows >= 0 {
		return f.LostRows / stride
	}
	if hz == nil || l.AcqClockHz == 0 || f.ClockBefore == 0 || f.ClockAfter <= f.ClockBefore {
		return -1
	}
	seconds := float64(f.ClockAfter-f.ClockBefore) / float64(l.AcqClockHz)
	return max(0, int64(math.Round(seconds**hz))-1)
}

// interleaved writes the rows of the excerpt in order, each with
// // its values side by side. before is called with the rows about to be written.
func (j *job) interleaved(before func(b *recording.Batch) error) error {
	lanes := make([]lane, len(j.columns))
	var buffer []byte
	return j.each(func(b *recording.Batch) error {
		if err := before(b); err != nil {
			return err
		}
		rowBytes := 0
		for k := range b.Columns {
			v := &b.Columns[k]
			data, width, err := j.flat(&j.columns[k], v, b.Start)
			if err != nil {
				return err
			}
			lanes[k] = lane{data: data, width: width, at: rowBytes}
			rowBytes += width
		}
		step := blockRows(rowBytes)
		if buffer == nil {
			buffer = make([]byte, step*rowBytes)
		}
		for from := 0; from < b.Rows; from += step {
			to := min(from+step, b.Rows)
			block := buffer[:(to-from)*rowBytes]
			interleave(block, lanes, rowBytes, from, to)
			if _, err := j.Write(block); err != nil {
				return err
			}
		}
		return nil
	})
}

// flat returns the values of a column as they are written, of so many bytes
// each, and refuses nulls where the format has none.
func (j *job) flat(c *stream.Column, v *recording.Vector, start int64) (data []byte, width int, err error) {
	if j.physical(c) {
		return physical(c, v), 8, nil
	}
	if isTime(c) && (c.ByteWidth == 4 || v.Valid != nil) {
		return times(v), 8, nil
	}
	width = c.ByteWidth
	if v.Valid == nil {
		return v.Data, width, nil
	}
	i := slices.Index(v.Valid, 0)
	switch {
	case i < 0:
		return v.Data, width, nil
	case c.Type == stream.Float32 || c.Type == stream.Float64 || c.Type == stream.Float16:
		return withNaN(c.Type, v), width, nil
	}
	return nil, 0, kindf("column %q has no value in row %d, and %s has no nulls; take a slower signal at its own rate, leave the column out, or choose csv or parquet", c.Name, start+int64(i), strings.ToLower(c.ArrowType))
}

func (j *job) binLayout() (BinLayout, error) {
	s := j.r.Stream()
	l := BinLayout{AcqClockHz: s.AcqClockHz, StartUTC: s.StartUTC, Device: s.Device, Lost: []recording.Finding{}}
	if json.Valid([]byte(s.Probe)) {
		l.Probe = json.RawMessage(s.Probe)
	}
	rate, err := j.rowRate()
	if err != nil {
		return BinLayout{}, err
	}
	rb := &l.ReadBinary
	rb.SamplingFrequency, rb.DType, rb.NumChannels = rate, j.columns[0].Type.String(), len(j.columns)
	known := true
	for i := range j.columns {
		c := &j.columns[i]
		rb.ChannelIDs, l.ChannelNames, l.Units = append(rb.ChannelIDs, c.Name), append(l.ChannelNames, c.Name), append(l.Units, c.Unit)
		microvolts, ok := microvoltsPerUnit[c.Unit]
		known = known && ok && c.Scale != 0
		rb.GainToUV = append(rb.GainToUV, c.Scale*microvolts)
		rb.OffsetToUV = append(rb.OffsetToUV, 0-c.Scale*c.Offset*microvolts)
	}
	if !known {
		rb.GainToUV, rb.OffsetToUV = nil, nil
	}
	l.Kilosort.Settings.NChanBin, l.Kilosort.Settings.Fs, l.Kilosort.DataDType = rb.NumChannels, rate, rb.DType
	return l, nil
}

// begin notes the clock of the first row that is written.
func (j *job) begin(l *BinLayout, row int64) error {
	const unknown = math.MaxUint64
	tick, err := clockOf(j.ctx, j.r, row, unknown)
	if err != nil || tick == unknown {
		return err
	}
	l.StartClock = &tick
	if l.AcqClockHz != 0 {
		l.ReadBinary.TStarts = []float64{float64(tick) / float64(l.AcqClockHz)}
	}
	return nil
}

// rowRate returns the rows a second of the output: as the metadata of its
// columns say, else as measured from Clock; nil if neither is known.
func (j *job) rowRate() (*float64, error) {
	c := &j.columns[0]
	rate := c.RateHz
	if rate == 0 {
		info, err := j.r.Info(j.ctx)
		if err != nil {
			return nil, err
		}
		rate = info.RateHz / float64(j.x.Stride())
	} else if !j.x.Unique() {
		rate *= float64(max(1, c.Stride))
	}
	if rate <= 0 {
		return nil, nil
	}
	return &rate, nil
}

// microvoltsPerUnit are the units that are voltages.
var microvoltsPerUnit = map[string]float64{"uV": 1, "mV": 1e3, "V": 1e6}
