package device

import (
	"encoding/binary"
	"math"

	"github.com/oniscope/oniscope/hardware/oni"
	"github.com/oniscope/oniscope/shared/stream"
)

const (
	memoryMonitorBytes = 12
	// DefaultTotalMemWords is the usable buffer of the host, 2 GiB in 32-bit
	// words, where register TOTAL_MEM is not known. Source: onix-devices 2.5.
	DefaultTotalMemWords = 1 << 29
)

// MemoryMonitor is the fill of the host's buffer at one instant.
type MemoryMonitor struct {
	HubClock  uint64 // ticks
	UsedWords uint32 // 32-bit words
}

// DecodeMemoryMonitor unpacks one sample of the memory monitor.
//
// sample holds at least 12 bytes, little endian: hub clock (uint64, ticks),
// used words (uint32). Further bytes are padding. It returns ErrSampleSize if
// sample is shorter, and never any other error.
//
// Source: device ID 28; onix-devices 3.4.
func DecodeMemoryMonitor(sample []byte) (MemoryMonitor, error) {
	if len(sample) < memoryMonitorBytes {
		return MemoryMonitor{}, shortSample("memory-monitor", len(sample), memoryMonitorBytes)
	}
	return MemoryMonitor{
		HubClock:  binary.LittleEndian.Uint64(sample),
		UsedWords: binary.LittleEndian.Uint32(sample[8:]),
	}, nil
}

// AppendTo appends the sample to dst.
func (s MemoryMonitor) AppendTo(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, s.HubClock)
	return binary.LittleEndian.AppendUint32(dst, s.UsedWords)
}

// BytesUsed is the fill in bytes, modulo 2^32 as the original stores it.
func (s MemoryMonitor) BytesUsed() uint32 { return s.UsedWords * 4 }

// PercentUsed is the fill in percent of a buffer of totalWords 32-bit words.
func (s MemoryMonitor) PercentUsed(totalWords uint32) float64 {
	return 100 * float64(s.UsedWords) / float64(totalWords)
}

type memoryMonitorDecoder struct {
	core
	streams    []stream.Stream
	totalWords uint32
}

func newMemoryMonitor(dev oni.Device, cfg Config) (Decoder, error) {
	if err := checkReadSize(dev, "memory-monitor", memoryMonitorBytes); err != nil {
		return nil, err
	}
	d := &memoryMonitorDecoder{
		core:       core{loss: newLossDetector(cfg, cfg.RateHz), onGap: cfg.OnGap},
		totalWords: cfg.TotalMemWords,
	}
	if d.totalWords == 0 {
		d.totalWords = DefaultTotalMemWords
	}
	used := column("BytesUsed", stream.Uint32, cfg.RateHz)
	used.Unit, used.Scale = "B", 1
	percent := column("PercentUsed", stream.Float64, cfg.RateHz)
	percent.Unit, percent.Scale = "%", 1
	s := newStream(dev, cfg, "memory-monitor", "Memory monitor")
	s.Columns = []stream.Column{ // order: onix-devices 4.4
		used, percent,
		clockColumn("HubClock", cfg.Hub.ClockHz, cfg.RateHz),
		clockColumn("Clock", cfg.AcqClockHz, cfg.RateHz),
	}
	d.streams = []stream.Stream{s}
	return d, nil
}

func (d *memoryMonitorDecoder) Streams() []stream.Stream { return d.streams }

func (d *memoryMonitorDecoder) Decode(f *oni.Frame, out []*Batch) error {
	s, err := DecodeMemoryMonitor(f.Data)
	if err != nil {
		return d.refuse(err)
	}
	d.row(s.HubClock, f.Clock)
	b := out[0]
	b.Columns[0] = binary.LittleEndian.AppendUint32(b.Columns[0], s.BytesUsed())
	b.Columns[1] = binary.LittleEndian.AppendUint64(b.Columns[1], math.Float64bits(s.PercentUsed(d.totalWords)))
	b.Columns[2] = binary.LittleEndian.AppendUint64(b.Columns[2], s.HubClock)
	b.Columns[3] = binary.LittleEndian.AppendUint64(b.Columns[3], f.Clock)
	b.Rows++
	return nil
}
