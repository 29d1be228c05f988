// Sparse writes a long recording of a simulated Neuropixels 1.0e probe that
// takes little room on the disk.
//
// Everything that a reader needs to find its way is real: schema, every
// batch's metadata, clocks of every row, footer. The signals are real in the
// first two batches, in two in the middle and in the last two; in all others
// they are a hole, which reads as zeros. The file is for measuring how long
// opening takes, which must not depend on how long the recording is.
//
// With -fill headers the clocks of these other batches are a hole too, and with
// -fill all nothing is. -probes 4 has the channels of four probes in one stream.
//
//	go run ./testdata/generate/sparse -size 20GB -o out/bench/20GB.arrow
//	go run ./testdata/generate/sparse -batches 4340 -fill headers -o out/bench/72min.arrow
//	go run ./testdata/generate/sparse -batches 60 -fill all -zstd -o out/bench/60s-zstd.arrow
package main

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/oniscope/oniscope/hardware/device"
	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/hardware/sim"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// options say what to write.
type options struct {
	size    string
	batches int
	rows    int
	probes  int
	fill    string
	zstd    bool
	out     string
}

func main() {
	var o options
	flag.StringVar(&o.size, "size", "1GB", "of the file: kB, MB, GB (powers of ten)")
	flag.IntVar(&o.batches, "batches", 0, "number of batches; 0: as -size says")
	flag.IntVar(&o.rows, "rows", 0, "rows of a batch, a multiple of 12; 0: as the recorder writes, fewer if the file is smaller than a batch")
	flag.IntVar(&o.probes, "probes", 1, "probes whose channels the stream has")
	flag.StringVar(&o.fill, "fill", "some", "what is no hole: headers, some (headers and clocks) or all")
	flag.BoolVar(&o.zstd, "zstd", false, "compress; needs -fill all")
	flag.StringVar(&o.out, "o", "", "the file to write")
	flag.Parse()
	if err := generate(o); err != nil {
		fmt.Fprintln(os.Stderr, "sparse:", err)
		os.Exit(1)
	}
}

func generate(o options) error {
	switch {
	case o.out == "":
		return errors.New("name the file to write with -o")
	case o.fill != "headers" && o.fill != "some" && o.fill != "all":
		return fmt.Errorf("fill %q: want headers, some or all", o.fill)
	case o.zstd && o.fill != "all":
		return errors.New("a compressed batch has no holes: add -fill all")
	}
	bytes, err := parseSize(o.size)
	if err != nil {
		return err
	}
	if o.batches > 0 {
		bytes = math.MaxInt64
	}
	s, batch, err := oneBatch(o.rows, bytes/int64(max(1, o.probes)))
	if err != nil {
		return err
	}
	widen(s, batch, o.probes)
	if o.batches == 0 {
		o.batches = max(1, int(bytes/int64(batch.Rows*(o.probes*signalBytes+clockBytes))))
	}
	out := o.out
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	temporary := out + ".part"
	f, err := os.Create(temporary)
	if err != nil {
		return err
	}
	defer os.Remove(temporary) // after a rename there is none
	tail := batch.Rows * clockBytes
	if o.fill == "headers" {
		tail = 0
	}
	if err := writeSparse(&sparseFile{file: f, tail: tail}, s, batch, o); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(temporary, out)
}

// clockBytes of a row stand at the end of a batch: FrameCount, HubClock, Clock.
const clockBytes = 4 + 8 + 8

// Columns of a probe's stream in a plain file: both signals, and all.
const (
	signalBytes = 2*384 + 2*384
	rowBytes    = signalBytes + clockBytes
)

// widen gives a stream the channels of so many probes, which measure the same.
func widen(s *stream.Stream, batch *device.Batch, probes int) {
	if probes < 2 {
		return
	}
	var columns []stream.Column
	var data [][]byte
	for first := 0; first < len(s.Columns); {
		name := strings.TrimRight(s.Columns[first].Name, "0123456789")
		end := first + 1
		for end < len(s.Columns) && strings.TrimRight(s.Columns[end].Name, "0123456789") == name {
			end++
		}
		times := 1
		if end-first > 1 {
			times = probes
		}
		for i := range times * (end - first) {
			column := s.Columns[first+i%(end-first)]
			if times > 1 {
				column.Name = name + strconv.Itoa(i)
			}
			columns, data = append(columns, column), append(data, batch.Columns[first+i%(end-first)])
		}
		first = end
	}
	s.Columns, batch.Columns, s.Probe = columns, data, ""
}

// writeSparse repeats one batch, with running clocks.
func writeSparse(f *sparseFile, s *stream.Stream, batch *device.Batch, o options) error {
	codec := recording.None
	if o.zstd {
		codec = recording.Zstd
	}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{Codec: codec})
	if err != nil {
		return err
	}
	n := o.batches
	vectors := make([]recording.Vector, len(batch.Columns))
	for i, data := range batch.Columns {
		vectors[i].Data = data
	}
	for i := range n {
		f.hole = o.fill != "all" && !(i < 2 || i >= n-2 || i == n/2 || i == n/2+1)
		setClocks(batch, int64(i)*int64(batch.Rows))
		if _, err := w.WriteBatch(batch.Rows, vectors); err != nil {
			return err
		}
	}
	f.hole = false
	return w.Close()
}

// setClocks gives the rows of a batch the counters of the rows from first on.
func setClocks(b *device.Batch, first int64) {
	columns := b.Columns[len(b.Columns)-3:]
	for i := range b.Rows {
		row := uint64(first) + uint64(i)
		sampled := row * 25000 / 3
		binary.LittleEndian.PutUint32(columns[0][4*i:], uint32(13*row&(1<<20-1)))
		binary.LittleEndian.PutUint64(columns[1][8*i:], sampled)
		binary.LittleEndian.PutUint64(columns[2][8*i:], sampled+100)
	}
}

// oneBatch lets the simulator and the decoder make the rows of one batch.
func oneBatch(rows int, bytes int64) (*stream.Stream, *device.Batch, error) {
	source, err := sim.New(sim.Config{Seed: 1, Signal: sim.Neural, Ports: [2]string{device.HeadstageNeuropixelsV1e}})
	if err != nil {
		return nil, nil, err
	}
	defer source.Close()
	dev, ok := source.Table().Find(8) // port A's passthrough
	if !ok {
		return nil, nil, errors.New("the simulated controller has no port A")
	}
	decoder, err := device.New(dev, device.Config{
		AcqClockHz: sim.ClockHz, Hub: oni.Hub{ID: 6, ClockHz: sim.ClockHz}, Headstage: device.HeadstageNeuropixelsV1e,
	})
	if err != nil {
		return nil, nil, err
	}
	s := decoder.Streams()[0]
	if rows == 0 {
		rows = min(s.RowsPerBatch, int(bytes/rowBytes/12*12))
	}
	if rows < 12 || rows%12 != 0 {
		return nil, nil, fmt.Errorf("%d rows in a batch: want a multiple of 12", rows)
	}
	s.RowsPerBatch, s.Simulated = rows, true
	batch := device.NewBatch(&s, rows)
	if err := source.Start(); err != nil {
		return nil, nil, err
	}
	var frame oni.Frame
	for batch.Rows < rows {
		if err := source.ReadInto(&frame); err != nil {
			return nil, nil, err
		}
		if frame.Address != dev.Address {
			continue
		}
		if err := decoder.Decode(&frame, []*device.Batch{batch}); err != nil {
			return nil, nil, err
		}
	}
	return &s, batch, nil
}

// A sparseFile leaves a hole where a batch's signals would be.
type sparseFile struct {
	file *os.File
	size int64
	hole bool
	tail int // bytes at the end of a batch that are written beside a hole, padding not counted
}

// Write takes one whole message, as recording.Writer gives it.
func (f *sparseFile) Write(p []byte) (int, error) {
	head, tail := len(p), 0
	if f.hole {
		// The prefix of a message: a continuation marker, the length of the
		// metadata, the metadata.
		head = 8 + int(binary.LittleEndian.Uint32(p[4:]))
		tail = len(p)
		if f.tail > 0 {
			tail = max(head, len(p)-f.tail-3*64)
		}
	}
	if _, err := f.file.WriteAt(p[:head], f.size); err != nil {
		return 0, err
	}
	if f.hole {
		if _, err := f.file.WriteAt(p[tail:], f.size+int64(tail)); err != nil {
			return 0, err
		}
	}
	f.size += int64(len(p))
	return len(p), nil
}

func (f *sparseFile) Truncate(size int64) error {
	f.size = size
	return f.file.Truncate(size)
}

func parseSize(text string) (int64, error) {
	for unit, factor := range map[string]int64{"kB": 1e3, "MB": 1e6, "GB": 1e9} {
		if digits, ok := strings.CutSuffix(text, unit); ok {
			n, err := strconv.ParseInt(digits, 10, 32)
			if err != nil || n < 1 {
				return 0, fmt.Errorf("size %q: want a number before %s", text, unit)
			}
			return n * factor, nil
		}
	}
	return 0, fmt.Errorf("size %q: want kB, MB or GB", text)
}
