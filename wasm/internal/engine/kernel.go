package engine

import (
	"encoding/binary"
	"math"

	"github.com/oniscope/oniscope/shared/decimate"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// Sums of plain columns may be made where the bytes come in, by wasm/kernel/sums.wat:
// they are never copied into the memory of Go, and eight values are summed at once.
// What the kernel does not know, or finds odd, is read and summed as everything else.

// A SumJob asks for the bins of a column of a batch.
type SumJob struct {
	recording.Place
	Level  int
	Bins   []tileBin // to be filled
	Failed bool      // set where they must be had otherwise
}

// A KernelCall is one run of the kernel over a part of what was read.
type KernelCall struct {
	Kind     KernelKind
	At       int64 // of the values in what was read, bytes
	Rows     int
	Level    int
	Validity int64 // of bits that must all be 1, or -1
}

// A KernelKind is a function of the kernel.
type KernelKind int

// The functions of the kernel, by number as the worker of the page has them.
const (
	NoKernel KernelKind = iota
	Uint16Kernel
	Int16Kernel
	Int32Kernel
	Float32Kernel
)

var kernelKinds = map[stream.Type]KernelKind{stream.Uint16: Uint16Kernel, stream.Int16: Int16Kernel, stream.Int32: Int32Kernel, stream.Float32: Float32Kernel}

// Bytes of a bin as the kernel writes it.
const (
	narrowBytes = 4 * 8
	wideBytes   = 11 * 8
)

// BinBytes is how many bytes of results a bin takes.
func (k KernelKind) BinBytes() int {
	if k == Uint16Kernel || k == Int16Kernel {
		return narrowBytes
	}
	return wideBytes
}

// maxKernelBytes is how many bytes of a column are summed in one run.
const maxKernelBytes = cutBytes - 1<<16

// canSum reports whether the kernel can sum a column up in bins of a level.
func canSum(p *recording.Place, level int) bool {
	width := int64(p.Type.Width())
	bytes := p.Rows * width
	switch {
	case !p.Plain || kernelKinds[p.Type] == NoKernel || width<<level > maxKernelBytes:
		return false
	case p.Validity > 0: // just before the values, and read with them
		return p.Validity <= p.Offset && p.Offset+bytes-p.Validity <= maxKernelBytes
	}
	return true
}

// A sumPiece is a part of a job that is one run of the kernel.
type sumPiece struct {
	job   *SumJob
	first int // bin
	rows  int
	at    int64 // of the values in the file
	from  int64 // of the bytes in the file
}

// resultsAtOnce is how many bytes of results are taken from the kernel at once, or those
// of one call: of fine bins they are as many as there are of values.
const resultsAtOnce = 1 << 20

// ResultsOf is how many of some calls are made at once, and the bytes of their results:
// a byte for each call, filled up to a multiple of 8, and its bins after those of others.
func ResultsOf(calls []KernelCall) (n, bytes int) {
	for n < len(calls) && (n == 0 || bytes+calls[n].resultBytes() <= resultsAtOnce) {
		bytes += calls[n].resultBytes()
		n++
	}
	return n, flagBytes(n) + bytes
}

func (c *KernelCall) resultBytes() int { return binsIn(c.Rows, c.Level) * c.Kind.BinBytes() }

func flagBytes(calls int) int { return (calls + 7) &^ 7 }

// SumRanges does jobs that canSum is true of. read makes the reads of a gathering and runs
// the kernel over their bytes for each call. It passes what the kernel gave for some calls
// after others, as ResultsOf says, to put, which keeps none of it: of each call whether
// the validity bits are 1, then the results. Reads are made as by ReadRanges.
func SumRanges(jobs []SumJob, rule Rule, report func(text string), read func(g *Gathering, calls []KernelCall, put func(results []byte)) error) error {
	var pieces []sumPiece
	for i := range jobs {
		j := &jobs[i]
		width := int64(j.Type.Width())
		most := int(maxKernelBytes/width) >> j.Level << j.Level
		for at := 0; at < int(j.Rows); at += most {
			p := sumPiece{j, at >> j.Level, min(most, int(j.Rows)-at), j.Offset + int64(at)*width, j.Offset + int64(at)*width}
			if j.Validity > 0 {
				p.from = j.Validity
			}
			pieces = append(pieces, p)
		}
	}
	plan := rule.plan(len(pieces), func(i int) (int64, int64) {
		p := &pieces[i]
		return p.from, p.at + int64(p.rows*p.job.Type.Width()) - p.from
	})
	return sideBySide(plan, report, func(g *Gathering) error {
		calls := make([]KernelCall, len(g.Parts))
		for i, part := range g.Parts {
			p := &pieces[part.Index]
			calls[i] = KernelCall{kernelKinds[p.job.Type], part.Place + p.at - p.from, p.rows, p.job.Level, -1}
			if p.job.Validity > 0 {
				calls[i].Validity = part.Place
			}
		}
		done := 0
		return read(g, calls, func(results []byte) {
			n, _ := ResultsOf(calls[done:])
			valid := results
			results = results[flagBytes(n):]
			for i := range n {
				p, c := &pieces[g.Parts[done+i].Index], &calls[done+i]
				size := c.resultBytes()
				if valid[i] == 0 || !unpackSums(p.job.Bins[p.first:][:binsIn(c.Rows, c.Level)], *c, results[:size]) {
					p.job.Failed = true
				}
				results = results[size:]
			}
			done += n
		})
	})
}

// sumHere has the kernel sum a column that was decoded; ok is false for one that it
// does not know, or finds odd.
func (e *Engine) sumHere(v *recording.Vector, level int) (bins []tileBin, ok bool) {
	kind := kernelKinds[v.Type]
	width := v.Type.Width()
	if e.SumHere == nil || kind == NoKernel || v.Valid != nil || v.RunEnds != nil || v.Len == 0 || len(v.Data) < v.Len*width || v.Len*width > maxKernelBytes {
		return nil, false
	}
	bins = make([]tileBin, binsIn(v.Len, level))
	results := make([]byte, len(bins)*kind.BinBytes())
	e.SumHere(kind, v.Data, v.Len, level, results)
	return bins, unpackSums(bins, KernelCall{Kind: kind, Rows: v.Len, Level: level, Validity: -1}, results)
}

// unpackSums makes bins of what the kernel wrote; ok is false if there is a NaN
// among the values.
func unpackSums(bins []tileBin, c KernelCall, results []byte) (ok bool) {
	integer := func(i int) int64 { return int64(binary.LittleEndian.Uint64(results[8*i:])) }
	float := func(i int) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(results[8*i:])) }
	for i := range bins {
		n := min(c.Rows-i<<c.Level, 1<<c.Level)
		var b decimate.Bin
		if c.Kind.BinBytes() == narrowBytes {
			b = decimate.NarrowBin(n, integer(0), integer(1), integer(2), integer(3))
		} else {
			least := float(0)
			if least != least {
				return false
			}
			b = decimate.WideBin(n, float32(least), float32(float(1)), float(2),
				[4]float64{float(3), float(4), float(5), float(6)}, [4]float64{float(7), float(8), float(9), float(10)})
		}
		bins[i] = tileBinOf(&b)
		results = results[c.Kind.BinBytes():]
	}
	return true
}
