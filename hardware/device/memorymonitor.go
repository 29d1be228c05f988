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

var memoryMonitorKind = Kind{
	IDs: []uint32{IDMemoryMonitor}, Key: "memory-monitor", Title: "Memory monitor", Samples: memoryMonitorBytes, decoder: newMemoryMonitor,
	Settings: func() Settings { return &MemoryMonitorSettings{RateSettings: RateSettings{RateHz: 10}} },
}

// MemoryMonitorSettings are how often it measures, and what its register says.
type MemoryMonitorSettings struct {
	RateSettings `yaml:",inline"`
	TotalWords   uint32 `yaml:"-"` // register TOTAL_MEM; 0 means 2 GiB
}

type memoryMonitorDecoder struct {
	core
	streams    []stream.Stream
	totalWords uint32
}

func newMemoryMonitor(k *Kind, dev oni.Device, cfg Config) (Decoder, error) {
	set := cfg.Settings.(*MemoryMonitorSettings)
	d := &memoryMonitorDecoder{
		core:       core{loss: newLossDetector(cfg, set.RateHz), onGap: cfg.OnGap},
		totalWords: set.TotalWords,
	}
	if d.totalWords == 0 {
		d.totalWords = DefaultTotalMemWords
	}
	used := column("BytesUsed", stream.Uint32, set.RateHz)
	used.Unit, used.Scale = "B", 1
	percent := column("PercentUsed", stream.Float64, set.RateHz)
	percent.Unit, percent.Scale = "%", 1
	s := k.newStream(dev, cfg)
	s.Columns = []stream.Column{ // order: onix-devices 4.4
		used, percent,
		clockColumn("HubClock", cfg.Hub.ClockHz, set.RateHz),
		clockColumn("Clock", cfg.AcqClockHz, set.RateHz),
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
